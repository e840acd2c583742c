"""The inner loops of the renderer, compiled by numba: surface lookup, shading, smoothing, random directions."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"

import math

import numpy as np

from converseg_ros.core.errors import import_extra

with import_extra('scenes'):
    from numba import njit

LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)


@njit(cache=True, fastmath=True, nogil=True)
def _hash(a, b):
    """Return a pseudo-random number in 0..1 from two integers (PCG-like mixing)."""
    x = np.uint32(a) * np.uint32(747796405) + np.uint32(b) * np.uint32(2891336453)
    x = (x >> np.uint32((x >> np.uint32(28)) + np.uint32(4)) ^ x) * np.uint32(277803737)
    x = (x >> np.uint32(22)) ^ x
    return np.float32(x & np.uint32(0xFFFFFF)) / np.float32(16777216.0)


@njit(cache=True, fastmath=True, nogil=True)
def surface(
    face,
    bary,
    t,
    origins,
    rays,
    footprint,
    corner_normals,
    corner_uv,
    material,
    density,
    color,
    image,
    scale,
    offsets,
    sizes,
    texels,
    linear,
):
    """Return points, normals towards the viewer, and linear albedo of N hits (bilinear textures, nearest mip level)."""
    n = len(face)
    single = len(origins) == 1
    points = np.empty((n, 3), np.float32)
    normals = np.empty((n, 3), np.float32)
    albedo = np.empty((n, 3), np.float32)
    levels = offsets.shape[1]
    for i in range(n):
        o = origins[0] if single else origins[i]
        f = face[i]
        if f < 0:
            for c in range(3):
                points[i, c] = o[c] + 3 * rays[i, c]
                normals[i, c] = -rays[i, c]
                albedo[i, c] = 0
            continue
        u, v = bary[i, 0], bary[i, 1]
        w = 1 - u - v
        nx = w * corner_normals[f, 0, 0] + u * corner_normals[f, 1, 0] + v * corner_normals[f, 2, 0]
        ny = w * corner_normals[f, 0, 1] + u * corner_normals[f, 1, 1] + v * corner_normals[f, 2, 1]
        nz = w * corner_normals[f, 0, 2] + u * corner_normals[f, 1, 2] + v * corner_normals[f, 2, 2]
        length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
        if nx * rays[i, 0] + ny * rays[i, 1] + nz * rays[i, 2] > 0:
            length = -length
        normals[i, 0], normals[i, 1], normals[i, 2] = nx / length, ny / length, nz / length
        for c in range(3):
            points[i, c] = o[c] + t[i] * rays[i, c]
        m = material[f]
        k = image[m]
        if k < 0:
            for c in range(3):
                albedo[i, c] = color[m, c]
            continue
        x = (w * corner_uv[f, 0, 0] + u * corner_uv[f, 1, 0] + v * corner_uv[f, 2, 0]) * scale[m]
        y = (w * corner_uv[f, 0, 1] + u * corner_uv[f, 1, 1] + v * corner_uv[f, 2, 1]) * scale[m]
        x -= math.floor(x)
        y -= math.floor(y)
        wide = density[f] * scale[m] * sizes[k, 0, 1] * footprint * (t[i] if single else 1.0)
        level = 0
        while wide > 1.5 and level < levels - 1 and offsets[k, level + 1] >= 0:
            wide *= 0.5
            level += 1
        h, wd = sizes[k, level, 0], sizes[k, level, 1]
        px, py = x * wd - 0.5, y * h - 0.5
        x0, y0 = math.floor(px), math.floor(py)
        fx, fy = px - x0, py - y0
        xa, ya = int(x0) % wd, int(y0) % h
        xb, yb = (xa + 1) % wd, (ya + 1) % h
        base = offsets[k, level]
        for c in range(3):
            a = linear[texels[base + (ya * wd + xa) * 3 + c]]
            b = linear[texels[base + (ya * wd + xb) * 3 + c]]
            d = linear[texels[base + (yb * wd + xa) * 3 + c]]
            e = linear[texels[base + (yb * wd + xb) * 3 + c]]
            albedo[i, c] = color[m, c] * ((a * (1 - fx) + b * fx) * (1 - fy) + (d * (1 - fx) + e * fx) * fy)
    return points, normals, albedo


@njit(cache=True, fastmath=True, nogil=True)
def shadow_rays(points, normals, lamp, radius, seed):
    """Return N x 6 rays from points to random points of a lamp (the direction spans the whole distance)."""
    n = len(points)
    rays = np.empty((n, 6), np.float32)
    for i in range(n):
        for c in range(3):
            start = points[i, c] + 0.003 * normals[i, c]
            jitter = (2 * _hash(i * 3 + c, seed) - 1) * radius * (0.2 if c == 2 else 1.0)
            rays[i, c] = start
            rays[i, 3 + c] = lamp[c] + jitter - start
    return rays


@njit(cache=True, fastmath=True, nogil=True)
def ambient_rays(points, normals, seed):
    """Return N x 6 cosine-weighted random rays over the hemisphere of each point."""
    n = len(points)
    rays = np.empty((n, 6), np.float32)
    for i in range(n):
        z = 2 * _hash(2 * i, seed) - 1
        a = 2 * math.pi * _hash(2 * i + 1, seed)
        r = math.sqrt(max(0.0, 1 - z * z)) * 0.98
        around = (r * math.cos(a), r * math.sin(a), z * 0.98)
        for c in range(3):
            rays[i, c] = points[i, c] + 0.003 * normals[i, c]
            rays[i, 3 + c] = normals[i, c] + around[c]
    return rays


@njit(cache=True, fastmath=True, nogil=True)
def shade(points, normals, rays, albedo, face, material, rough, metal, glow, terms, lamps, colors, base, slope, mirror):
    """Return N x 3 radiance (diffuse ambient and lamps, Blinn-Phong highlights) and the mirror weight of each point."""
    n, count = len(points), len(lamps)
    fixed_terms = len(terms) == 1
    result = np.zeros((n, 3), np.float32)
    weight = np.zeros(n, np.float32)
    light = np.empty(3, np.float32)
    shine = np.empty(3, np.float32)
    for i in range(n):
        if face[i] < 0:
            for c in range(3):
                result[i, c] = base[c]
            continue
        m = material[face[i]]
        term = terms[0] if fixed_terms else terms[i]
        length = math.sqrt(rays[i, 0] ** 2 + rays[i, 1] ** 2 + rays[i, 2] ** 2)
        ux, uy, uz = rays[i, 0] / length, rays[i, 1] / length, rays[i, 2] / length
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        for c in range(3):
            e = base[c] + slope[c, 0] * nx + slope[c, 1] * ny + slope[c, 2] * nz
            light[c] = max(e, 0.02) * (0.25 + 0.75 * term[0])
            shine[c] = 0
        power = 2 / max(rough[m], 0.08) ** 4
        for k in range(count):
            x, y, z = lamps[k, 0] - points[i, 0], lamps[k, 1] - points[i, 1], lamps[k, 2] - points[i, 2]
            d2 = x * x + y * y + z * z
            d = math.sqrt(d2) + 1e-6
            x, y, z = x / d, y / d, z / d
            facing = nx * x + ny * y + nz * z
            if facing <= 0 or term[1 + k] <= 0:
                continue
            s = facing * term[1 + k] / (d2 + 0.4)
            lobe = 0.0
            if rough[m] < 0.7:
                hx, hy, hz = x - ux, y - uy, z - uz
                h = math.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
                nh = max((nx * hx + ny * hy + nz * hz) / h, 0.0)
                lobe = min((power + 8) / 25 * nh**power, 60.0)
            for c in range(3):
                light[c] += s * colors[k, c]
                shine[c] += lobe * s * colors[k, c] * (0.04 * (1 - metal[m]) + albedo[i, c] * metal[m])
        for c in range(3):
            result[i, c] = albedo[i, c] * ((1 - 0.85 * metal[m]) * light[c] + 2 * glow[m]) + shine[c]
        if mirror:
            facing = min(max(-(nx * ux + ny * uy + nz * uz), 0.0), 1.0)
            fresnel = 0.04 + 0.96 * (1 - facing) ** 5
            weight[i] = max(fresnel * (1 - rough[m]) ** 2, 0.8 * metal[m])
    return result, weight


@njit(cache=True, fastmath=True, nogil=True)
def smooth(values, normals, labels, step):
    """Return C x H x W values averaged over the eight neighbours at `step` with the same label and orientation.

    `normals` are 3 x H x W. The loops process whole rows of planes without branches, so that they are vectorized.
    """
    c, h, w = values.shape
    result = np.empty_like(values)
    weight = np.empty(w, np.float32)
    alike = np.empty(w, np.float32)
    for y in range(h):
        weight[:] = 2
        for k in range(c):
            result[k, y] = 2 * values[k, y]
        for dy in (-step, 0, step):
            yy = y + dy
            if yy < 0 or yy >= h:
                continue
            for dx in (-step, 0, step):
                if dx == 0 and dy == 0:
                    continue
                low, high = max(0, -dx), min(w, w - dx)
                here, there, n = slice(low, high), slice(low + dx, high + dx), high - low
                label, other, total = labels[y, here], labels[yy, there], weight[here]
                ax, ay, az = normals[0, y, here], normals[1, y, here], normals[2, y, here]
                bx, by, bz = normals[0, yy, there], normals[1, yy, there], normals[2, yy, there]
                for x in range(n):
                    dot = ax[x] * bx[x] + ay[x] * by[x] + az[x] * bz[x]
                    alike[x] = np.float32((label[x] == other[x]) & (dot >= 0.85))
                    total[x] += alike[x]
                for k in range(c):
                    mean, value = result[k, y, here], values[k, yy, there]
                    for x in range(n):
                        mean[x] += alike[x] * value[x]
        for k in range(c):
            for x in range(w):
                result[k, y, x] /= weight[x]
    return result


@njit(cache=True, nogil=True)
def shares(rays, t, things, count):
    """Count the rays that hit each object, and those on which another object is in front of it.

    Crossings (ray, distance, object < `count`) are grouped by ray, in any order within a ray. Returns `count` numbers
    of rays and `count` x `count` numbers (behind, in front).
    """
    whole = np.zeros(count, np.int64)
    hidden = np.zeros((count, count), np.int64)
    last = np.full(count, -1, np.int64)
    begin = 0
    while begin < len(rays):
        end, front = begin, begin
        while end < len(rays) and rays[end] == rays[begin]:
            if t[end] < t[front]:
                front = end
            end += 1
        for i in range(begin, end):
            thing = things[i]
            if last[thing] != rays[begin]:
                last[thing] = rays[begin]
                whole[thing] += 1
                if thing != things[front]:
                    hidden[thing, things[front]] += 1
        begin = end
    return whole, hidden
