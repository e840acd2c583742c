"""The volume renderer: ray-cast colour with textures, soft shadows, ambient occlusion, glass and reflections.

Shading follows the usual split into direct light of area lamps (one jittered shadow ray a lamp and pixel), ambient
light times short-range occlusion, and a Schlick-weighted reflection; both noisy terms are smoothed by an edge-stopping
a-trous filter (Dammertz et al. 2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.scenes import textures
from converseg_ros.scenes.graph import View
from converseg_ros.scenes.light import Lighting, develop
from converseg_ros.scenes.raycast import Caster, Hits, directions, origin

Array = NDArray[np.float32]


@dataclass(slots=True)
class Picture:
    """One rendered view: colour H x W x 3 uint8 RGB, depth H x W metres (0 = nothing), labels H x W uint16."""

    color: NDArray[np.uint8]
    depth: Array
    labels: NDArray[np.uint16]
    clear: NDArray[np.bool_]  # the first surface is see-through (depth cameras fail there)


class Renderer:
    """Renders views of one scene; building it costs about as much as a view."""

    def __init__(self, caster: Caster, light: Lighting) -> None:
        self.caster = caster
        self.light = light
        mesh = caster.mesh
        self.color = np.array([m.color for m in mesh.materials], np.float32)
        self.alpha = np.array([m.alpha for m in mesh.materials], np.float32)
        self.rough = np.array([m.roughness for m in mesh.materials], np.float32)
        self.metal = np.array([m.metallic for m in mesh.materials], np.float32)
        self.glow = np.array([m.emission for m in mesh.materials], np.float32)
        self.texture = [m.texture for m in mesh.materials]
        self.cutout = np.array([bool(t) and textures.load(t)[1] is not None for t in self.texture])
        area = np.maximum(mesh.areas(), 1e-10)
        a, b = mesh.uv[:, 1] - mesh.uv[:, 0], mesh.uv[:, 2] - mesh.uv[:, 0]
        self.density = np.sqrt(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2 / area)  # uv units a metre

    def render(self, view: View) -> Picture:
        """Render colour, depth and labels of a view; deterministic for scene and view."""
        rng = np.random.default_rng([self.light.seed, *view.name.encode()])
        rays = directions(view)
        eye = origin(view)
        hits = self._first(np.broadcast_to(eye, rays.shape), rays)
        hit = hits.face >= 0
        shape = (view.height, view.width)
        labels = np.where(hit, self.caster.labels[hits.face], 0).astype(np.uint16).reshape(shape)
        depth = np.where(hit, hits.t, 0).astype(np.float32)
        pixel = 1.0 / view.k[0]
        points = eye + rays * depth[:, None]
        normals = self._normals(hits, rays)
        albedo = self._albedo(hits, depth * pixel)
        terms = self._light_terms(points, normals, hit, shape, labels, rng)
        material = self.caster.mesh.material[hits.face]
        unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        color = self._shade(points, normals, unit, albedo, material, terms)
        color += self._reflections(points, normals, unit, albedo, material, hit)
        clear = hit & (self.alpha[material] < 0.9)
        if clear.any():
            self._see_through(color, clear, points, rays, material, albedo, pixel)
        color[~hit] = self.light.base
        picture = develop(color.reshape(*shape, 3), self.light, rng)
        return Picture(picture, depth.reshape(shape), labels, clear.reshape(shape))

    def _first(self, origins: Array, rays: Array) -> Hits:
        """Cast rays, passing through the cut-out parts of leaf textures."""
        hits = self.caster.cast(origins, rays)
        if not self.cutout.any():
            return hits
        for _ in range(4):
            index = np.nonzero((hits.face >= 0) & self.cutout[self.caster.mesh.material[hits.face]])[0]
            if not len(index):
                break
            hole = index[~self._solid(hits, index)]
            if not len(hole):
                break
            skip = hits.t[hole] + 0.002
            again = self.caster.cast(origins[hole] + rays[hole] * skip[:, None], rays[hole])
            hits.t[hole], hits.face[hole], hits.uv[hole] = again.t + skip, again.face, again.uv
        return hits

    def _coordinates(self, hits: Hits, index: NDArray[np.int64]) -> Array:
        corners = self.caster.mesh.uv[hits.face[index]]
        u, v = hits.uv[index, 0, None], hits.uv[index, 1, None]
        return corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v

    def _solid(self, hits: Hits, index: NDArray[np.int64]) -> NDArray[np.bool_]:
        result = np.ones(len(index), bool)
        uv = self._coordinates(hits, index)
        material = self.caster.mesh.material[hits.face[index]]
        for m in np.unique(material):
            mask = textures.load(self.texture[m])[1]
            if mask is None:
                continue
            chosen = material == m
            x = (np.mod(uv[chosen, 0], 1) * mask.shape[1]).astype(int).clip(0, mask.shape[1] - 1)
            y = (np.mod(uv[chosen, 1], 1) * mask.shape[0]).astype(int).clip(0, mask.shape[0] - 1)
            result[chosen] = mask[y, x] > 0
        return result

    def _normals(self, hits: Hits, rays: Array) -> Array:
        corners = self.caster.mesh.normals[hits.face]
        u, v = hits.uv[:, 0, None], hits.uv[:, 1, None]
        n = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-6)
        return np.where((n * rays).sum(1, keepdims=True) > 0, -n, n).astype(np.float32)

    def _albedo(self, hits: Hits, footprint: Array) -> Array:
        """Return N x 3 linear base colours; `footprint` is a pixel's size on the surface, metres."""
        import cv2

        material = self.caster.mesh.material[hits.face].astype(np.int64)
        color = self.color[material]
        textured = np.array([bool(t) for t in self.texture])
        index = np.nonzero((hits.face >= 0) & textured[material])[0]
        if not len(index):
            return color
        uv = self._coordinates(hits, index)
        m = material[index]
        scale = np.array([1 / textures.metres(t) if t else 1 for t in self.texture], np.float32)[m]
        size = np.array([textures.load(t)[0][0].shape[1] if t else 1 for t in self.texture], np.float32)[m]
        uv = uv * scale[:, None]
        texels = self.density[hits.face[index]] * scale * size * footprint[index]
        level = np.clip(np.round(np.log2(np.maximum(texels, 1))), 0, 8).astype(np.int64)
        key = m * 16 + level
        order = np.argsort(key, kind='stable')
        cuts = np.r_[0, np.nonzero(np.diff(key[order]))[0] + 1, len(order)]
        for a, b in zip(cuts[:-1], cuts[1:]):
            chosen = order[a:b]
            levels = textures.load(self.texture[m[chosen[0]]])[0]
            image = levels[min(int(level[chosen[0]]), len(levels) - 1)]
            h, w = image.shape[:2]
            rows = -(-len(chosen) // 1024)
            x, y = np.zeros(rows * 1024, np.float32), np.zeros(rows * 1024, np.float32)
            x[: len(chosen)] = np.mod(uv[chosen, 0], 1) * w - 0.5
            y[: len(chosen)] = np.mod(uv[chosen, 1], 1) * h - 0.5
            got = cv2.remap(image, x.reshape(rows, 1024), y.reshape(rows, 1024), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            color[index[chosen]] *= got.reshape(-1, 3)[: len(chosen)]
        return color

    def _light_terms(self, points: Array, normals: Array, hit: NDArray[np.bool_], shape: tuple[int, int], labels: NDArray[np.uint16], rng: np.random.Generator) -> Array:
        """Return N x (1 + lamps): ambient visibility and lamp visibilities in 0..1, smoothed within surfaces."""
        start = points + normals * 0.003
        terms = np.ones((len(points), 1 + len(self.light.lamps)), np.float32)
        around = rng.standard_normal(points.shape, np.float32)
        around /= np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-6)
        hemisphere = normals + around * 0.98  # cosine-weighted
        terms[:, 0] = ~self.caster.blocked(start, hemisphere.astype(np.float32), 0.0, 0.45)
        for i, lamp in enumerate(self.light.lamps):
            jitter = rng.uniform(-1, 1, points.shape).astype(np.float32) * np.float32(lamp.radius)
            jitter[:, 2] *= 0.2
            to = np.asarray(lamp.position, np.float32) + jitter - start
            terms[:, 1 + i] = ~self.caster.blocked(start, to, 0.0, 0.99)
        terms[~hit] = 1
        return smooth(terms.reshape(*shape, -1), normals.reshape(*shape, 3), labels).reshape(len(points), -1)

    def _shade(self, points: Array, normals: Array, unit: Array, albedo: Array, material: NDArray[np.int16], terms: Array) -> Array:
        """Return N x 3 radiance: diffuse of ambient and lamps plus the lamps' highlights (Blinn-Phong)."""
        metal, rough = self.metal[material][:, None], self.rough[material]
        light = self.light.ambient(normals) * (0.25 + 0.75 * terms[:, :1])
        shine = np.zeros_like(albedo)
        power = 2 / np.maximum(rough, 0.08) ** 4
        for i, lamp in enumerate(self.light.lamps):
            to = np.asarray(lamp.position, np.float32) - points
            d2 = (to * to).sum(1)
            to /= np.sqrt(d2)[:, None]
            n_l = np.maximum((normals * to).sum(1), 0)
            strength = (n_l * terms[:, 1 + i] / (d2 + 0.4))[:, None] * np.asarray(lamp.color, np.float32)
            light += strength
            glossy = rough < 0.7
            half = to[glossy] - unit[glossy]
            half /= np.linalg.norm(half, axis=1, keepdims=True)
            n_h = np.maximum((normals[glossy] * half).sum(1), 0)
            lobe = (power[glossy] + 8) / 25 * n_h ** power[glossy]
            tint = 0.04 * (1 - metal[glossy]) + albedo[glossy] * metal[glossy]
            shine[glossy] += np.minimum(lobe, 60)[:, None] * strength[glossy] * tint
        return np.asarray(albedo * (1 - 0.85 * metal) * light + shine + albedo * self.glow[material][:, None] * 2, np.float32)

    def _simple(self, origins: Array, rays: Array, footprint: float) -> Array:
        """Return N x 3 radiance along rays with unshadowed light: for reflections and what lies behind glass."""
        hits = self._first(origins, rays)
        t = np.where(hits.face >= 0, hits.t, 3.0).astype(np.float32)
        points = origins + rays * t[:, None]
        normals = self._normals(hits, rays)
        albedo = self._albedo(hits, np.full(len(rays), footprint, np.float32))
        material = self.caster.mesh.material[hits.face]
        terms = np.full((len(rays), 1 + len(self.light.lamps)), 0.8, np.float32)
        unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        return self._shade(points, normals, unit, albedo, material, terms)

    def _reflections(self, points: Array, normals: Array, unit: Array, albedo: Array, material: NDArray[np.int16], hit: NDArray[np.bool_]) -> Array:
        """Return N x 3 reflected radiance of shiny surfaces (Schlick's Fresnel term, faded by roughness)."""
        result = np.zeros_like(points)
        rough, metal = self.rough[material], self.metal[material]
        facing = np.clip(-(normals * unit).sum(1), 0, 1)
        fresnel = 0.04 + 0.96 * (1 - facing) ** 5
        weight = np.maximum(fresnel * (1 - rough) ** 2, 0.8 * metal)
        index = np.nonzero(hit & (weight > 0.012))[0]
        if len(index):
            n, u = normals[index], unit[index]
            mirrored = u - 2 * (n * u).sum(1, keepdims=True) * n
            color = self._simple(points[index] + n * 0.003, mirrored.astype(np.float32), 0.02)
            m = metal[index][:, None]
            result[index] = color * weight[index][:, None] * ((1 - m) + m * albedo[index])
        return result

    def _see_through(self, color: Array, clear: NDArray[np.bool_], points: Array, rays: Array, material: NDArray[np.int16], albedo: Array, pixel: float) -> None:
        """Blend what lies behind see-through surfaces into `color`, up to four layers."""
        index = np.nonzero(clear)[0]
        through = np.ones((len(index), 3), np.float32)
        alpha = self.alpha[material[index]][:, None]
        color[index] *= np.maximum(alpha, 0.3)
        through *= (1 - alpha) * (0.7 + 0.3 * albedo[index])
        origins, directions_ = points[index] + rays[index] * 0.002, rays[index]
        for layer in range(4):
            hits = self._first(origins, directions_)
            found = hits.face >= 0
            m = self.caster.mesh.material[hits.face]
            opaque = found & ((self.alpha[m] >= 0.9) | (layer == 3))
            if opaque.any():
                color[index[opaque]] += through[opaque] * self._simple(origins[opaque], directions_[opaque], 1.0 * pixel)
            on = found & ~opaque
            if not on.any():
                break
            through = through[on] * (1 - self.alpha[m[on]][:, None] * 0.6)
            origins = origins[on] + directions_[on] * (hits.t[on] + 0.002)[:, None]
            directions_, index = directions_[on], index[on]


def smooth(values: Array, normals: Array, labels: NDArray[np.uint16]) -> Array:
    """Return H x W x C values averaged over neighbours of the same label and orientation (a-trous, steps 1, 2, 4)."""
    for step in (1, 2, 4):
        total, weight = values * 2, np.full((*labels.shape, 1), 2.0, np.float32)
        for dy, dx in ((0, step), (step, 0), (step, step), (step, -step)):
            a = (slice(0, labels.shape[0] - dy), slice(max(0, -dx), labels.shape[1] - max(0, dx)))
            b = (slice(dy, None), slice(max(0, dx), labels.shape[1] - max(0, -dx)))
            same = (labels[a] == labels[b]) & ((normals[a] * normals[b]).sum(2) > 0.85)
            w = same[..., None].astype(np.float32)
            total[a] += values[b] * w
            total[b] += values[a] * w
            weight[a] += w
            weight[b] += w
        values = total / weight
    return np.asarray(values, np.float32)
