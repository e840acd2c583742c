"""The rasteriser: ray-cast colour with textures, soft shadows, ambient occlusion, glass and reflections.

Shading is the sum of direct light of area lamps (one jittered shadow ray per lamp and pixel), ambient light times
short-range occlusion, and a Schlick-weighted reflection; both noisy terms are smoothed by an edge-stopping a-trous
filter (Dammertz et al. 2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.scenes.geometry import kernels
from converseg_ros.scenes.geometry.raycast import Hits, RayCaster, directions, origin
from converseg_ros.scenes.graph import View
from converseg_ros.scenes.layout.light import Lighting, develop
from converseg_ros.scenes.models import textures

Array = NDArray[np.float32]
LEVELS = 9
MIRROR = 0.03  # weaker reflections are skipped


@dataclass(slots=True)
class Picture:
    """One rendered view: colour H x W x 3 uint8 RGB, depth H x W metres (0 = nothing), labels H x W uint16."""

    color: NDArray[np.uint8]
    depth: Array
    labels: NDArray[np.uint16]
    clear: NDArray[np.bool_]  # the first surface is transparent (depth cameras fail there)


class Renderer:
    """Renders views of one scene."""

    def __init__(self, caster: RayCaster, light: Lighting) -> None:
        self.caster = caster
        self.light = light
        mesh = caster.mesh
        self.color = np.array([m.color for m in mesh.materials], np.float32)
        self.alpha = np.array([m.alpha for m in mesh.materials], np.float32)
        self.rough = np.array([m.roughness for m in mesh.materials], np.float32)
        self.metal = np.array([m.metallic for m in mesh.materials], np.float32)
        self.glow = np.array([m.emission for m in mesh.materials], np.float32)
        self.lamps = np.array([lamp.position for lamp in light.lamps], np.float32).reshape(-1, 3)
        self.powers = np.array([lamp.color for lamp in light.lamps], np.float32).reshape(-1, 3)
        self.base, self.slope = np.asarray(light.base, np.float32), np.asarray(light.slope, np.float32)
        area = np.maximum(mesh.areas(), 1e-10)
        a, b = mesh.uv[:, 1] - mesh.uv[:, 0], mesh.uv[:, 2] - mesh.uv[:, 0]
        self.density = np.sqrt(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2 / area).astype(np.float32)
        self._pack_textures()

    def _pack_textures(self) -> None:
        """Pack all mip levels of all textures into one array with their offsets."""
        mesh = self.caster.mesh
        names = sorted(
            {m.texture.rsplit(':', 1)[0] if m.texture.count(':') == 2 else m.texture for m in mesh.materials} - {''}
        )
        self.offsets = np.full((max(len(names), 1), LEVELS), -1, np.int64)
        self.sizes = np.ones((max(len(names), 1), LEVELS, 2), np.int64)
        pieces, at = [np.zeros(1, np.uint8)], 1
        for i, name in enumerate(names):
            for j, level in enumerate(textures.load(name)[0][:LEVELS]):
                self.offsets[i, j], self.sizes[i, j] = at, level.shape[:2]
                pieces.append(level.reshape(-1))
                at += level.size
        self.texels = np.concatenate(pieces)
        index = {n: i for i, n in enumerate(names)}
        self.image = np.array(
            [
                index.get(m.texture.rsplit(':', 1)[0] if m.texture.count(':') == 2 else m.texture, -1)
                for m in mesh.materials
            ],
            np.int64,
        )
        self.scale = np.array([1 / textures.metres(m.texture) if m.texture else 1 for m in mesh.materials], np.float32)
        self.masks = [textures.load(n)[1] for n in names]
        self.cutout = np.array([i >= 0 and self.masks[i] is not None for i in self.image])

    def render(self, view: View) -> Picture:
        """Render colour, depth and labels of a view; deterministic for scene and view."""
        rng = np.random.default_rng([self.light.seed, *view.name.encode()])
        rays, eye = directions(view), origin(view)[None]
        hits = self.first(eye, rays)
        hit = hits.face >= 0
        shape = (view.height, view.width)
        labels = np.where(hit, self.caster.labels[hits.face], 0).astype(np.uint16).reshape(shape)
        depth = np.where(hit, hits.t, 0).astype(np.float32)
        points, normals, albedo = self._surface(hits, eye, rays, 1.0 / view.k[0])
        terms = self._light_terms(points, normals, labels, rng)
        color, mirror = self._shade(hits, points, normals, rays, albedo, terms, True)
        self._reflect(color, mirror, hits, points, normals, rays, albedo)
        material = self.caster.mesh.material[hits.face]
        clear = hit & (self.alpha[material] < 0.9)
        if clear.any():
            self._see_through(color, np.nonzero(clear)[0], points, rays, material, albedo)
        picture = develop(color.reshape(*shape, 3), self.light, rng)
        return Picture(picture, depth.reshape(shape), labels, clear.reshape(shape))

    def first(self, origins: Array, rays: Array) -> Hits:
        """Cast rays that pass through the cut-out parts of leaf textures."""
        hits = self.caster.cast(origins, rays)
        if not self.cutout.any():
            return hits
        origins = np.broadcast_to(origins, rays.shape)
        for _ in range(4):
            index = np.nonzero((hits.face >= 0) & self.cutout[self.caster.mesh.material[hits.face]])[0]
            hole = index[~self._solid(hits, index)]
            if not len(hole):
                break
            skip = hits.t[hole] + 0.002
            again = self.caster.cast(origins[hole] + rays[hole] * skip[:, None], rays[hole])
            hits.t[hole], hits.face[hole], hits.uv[hole] = again.t + skip, again.face, again.uv
        return hits

    def _solid(self, hits: Hits, index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether hits on cut-out textures are on the solid part."""
        result = np.ones(len(index), bool)
        corners = self.caster.mesh.uv[hits.face[index]]
        u, v = hits.uv[index, 0, None], hits.uv[index, 1, None]
        uv = np.mod(corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v, 1)
        image = self.image[self.caster.mesh.material[hits.face[index]]]
        for i in np.unique(image):
            mask = self.masks[i]
            assert mask is not None
            chosen = image == i
            x = (uv[chosen, 0] * mask.shape[1]).astype(int).clip(0, mask.shape[1] - 1)
            y = (uv[chosen, 1] * mask.shape[0]).astype(int).clip(0, mask.shape[0] - 1)
            result[chosen] = mask[y, x] > 0
        return result

    def _surface(self, hits: Hits, origins: Array, rays: Array, footprint: float) -> tuple[Array, Array, Array]:
        """Return points, normals and albedo; `footprint` is the size of a pixel per metre of distance, or in metres."""
        mesh = self.caster.mesh
        return kernels.surface(  # type: ignore[no-any-return]
            hits.face, hits.uv, hits.t, origins, rays, footprint, mesh.normals, mesh.uv, mesh.material, self.density,
            self.color, self.image, self.scale, self.offsets, self.sizes, self.texels, kernels.LINEAR,
        )  # fmt: skip

    def _light_terms(
        self, points: Array, normals: Array, labels: NDArray[np.uint16], rng: np.random.Generator
    ) -> Array:
        """Return N x (1 + lamps): ambient visibility and lamp visibilities in 0..1, smoothed within surfaces."""
        terms = np.empty((1 + len(self.lamps), len(points)), np.float32)
        terms[0] = ~self.caster.blocked(kernels.ambient_rays(points, normals, int(rng.integers(1 << 31))), 0.45)
        for i, lamp in enumerate(self.light.lamps):
            rays = kernels.shadow_rays(points, normals, self.lamps[i], lamp.radius, int(rng.integers(1 << 31)))
            terms[1 + i] = ~self.caster.blocked(rays, 0.99)
        values = terms.reshape(-1, *labels.shape)
        planes = np.ascontiguousarray(normals.T).reshape(3, *labels.shape)
        for step in (1, 3):
            values = kernels.smooth(values, planes, labels, step)
        return np.ascontiguousarray(values.reshape(len(terms), -1).T)

    def _shade(
        self, hits: Hits, points: Array, normals: Array, rays: Array, albedo: Array, terms: Array, mirror: bool
    ) -> tuple[Array, Array]:
        """Return N x 3 radiance and N mirror weights."""
        return kernels.shade(  # type: ignore[no-any-return]
            points, normals, rays, albedo, hits.face, self.caster.mesh.material, self.rough, self.metal, self.glow,
            terms, self.lamps, self.powers, self.base, self.slope, mirror,
        )  # fmt: skip

    def _simple(self, origins: Array, rays: Array, footprint: float) -> Array:
        """Return N x 3 radiance along rays with unshadowed light, for reflections and behind glass."""
        hits = self.first(origins, rays)
        points, normals, albedo = self._surface(hits, origins, rays, footprint)
        terms = np.full((1, 1 + len(self.lamps)), 0.8, np.float32)
        return self._shade(hits, points, normals, rays, albedo, terms, False)[0]

    def _reflect(
        self, color: Array, weight: Array, hits: Hits, points: Array, normals: Array, rays: Array, albedo: Array
    ) -> None:
        """Add the reflections of shiny surfaces."""
        index = np.nonzero(weight > MIRROR)[0]
        if not len(index):
            return
        n = normals[index]
        unit = rays[index] / np.linalg.norm(rays[index], axis=1, keepdims=True)
        mirrored = np.ascontiguousarray(unit - 2 * (n * unit).sum(1, keepdims=True) * n, np.float32)
        seen = self._simple(points[index] + n * np.float32(0.003), mirrored, 0.01)
        metal = self.metal[self.caster.mesh.material[hits.face[index]]][:, None]
        color[index] += seen * weight[index][:, None] * ((1 - metal) + metal * albedo[index])

    def _see_through(
        self,
        color: Array,
        index: NDArray[np.int64],
        points: Array,
        rays: Array,
        material: NDArray[np.int16],
        albedo: Array,
    ) -> None:
        """Blend the background of transparent surfaces into `color`, up to four layers."""
        alpha = self.alpha[material[index]][:, None]
        color[index] *= np.maximum(alpha, 0.3)
        through = (1 - alpha) * (0.7 + 0.3 * albedo[index])
        origins, ahead = points[index] + rays[index] * np.float32(0.002), rays[index]
        for layer in range(4):
            hits = self.first(origins, ahead)
            found = hits.face >= 0
            m = self.caster.mesh.material[hits.face]
            opaque = found & ((self.alpha[m] >= 0.9) | (layer == 3))
            if opaque.any():
                color[index[opaque]] += through[opaque] * self._simple(origins[opaque], ahead[opaque], 0.002)
            on = found & ~opaque
            if not on.any():
                break
            through = through[on] * (1 - self.alpha[m[on]][:, None] * 0.6)
            origins = origins[on] + ahead[on] * (hits.t[on] + np.float32(0.002))[:, None]
            ahead, index = ahead[on], index[on]
