"""Lamps, ambient light and camera colour response, drawn at random for a scene."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(slots=True)
class Lamp:
    """A square area lamp: centre (metres), radius (metres), linear RGB power."""

    position: list[float]
    radius: float
    color: list[float]


@dataclass(slots=True)
class Lighting:
    """The light of a room: lamps, an ambient gradient (linear RGB irradiance = base + slope . normal), exposure."""

    lamps: list[Lamp] = field(default_factory=list)
    base: list[float] = field(default_factory=lambda: [0.4, 0.4, 0.4])
    slope: list[list[float]] = field(default_factory=lambda: np.zeros((3, 3)).tolist())  # rows RGB, columns xyz
    exposure: float = 0.22  # target of the mean luminance
    white: list[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])
    hdri: int = 0  # index of the environment image for Cycles
    seed: int = 0


def temperature(kelvin: float) -> NDArray[np.float64]:
    """Return the linear RGB tint of a black body, green = 1 (fit of Tanner Helland's table)."""
    t = kelvin / 100
    r = 1.0 if t <= 66 else 1.293 * (t - 60) ** -0.1332
    g = 0.39 * np.log(t) - 0.632 if t <= 66 else 1.13 * (t - 60) ** -0.0755
    b = 1.0 if t >= 66 else 0.543 * np.log(max(t - 10, 1)) - 1.196
    rgb = np.clip([r, g, b], 0.05, 1.3) ** 2.2
    return np.asarray(rgb / rgb[1])


def draw(rng: np.random.Generator, width: float, depth: float, height: float) -> Lighting:
    """Draw the light of a room whose floor is centred on the origin."""
    tint = temperature(float(rng.uniform(2900, 6500)))
    lamps = []
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        x, y = rng.uniform(-0.4, 0.4) * width, rng.uniform(-0.45, 0.3) * depth
        power = rng.uniform(2.0, 7.0) * tint
        lamps.append(Lamp([float(x), float(y), height - 0.08], float(rng.uniform(0.08, 0.5)), power.tolist()))
    if rng.random() < 0.55:  # daylight from one side
        side = rng.choice([-1, 1])
        sky = rng.uniform(4.0, 14.0) * temperature(float(rng.uniform(5000, 8500)))
        lamps.append(
            Lamp(
                [float(side * (width / 2 - 0.15)), float(rng.uniform(-0.4, 0.2) * depth), float(rng.uniform(1.3, 2.0))],
                0.45,
                sky.tolist(),
            )
        )
    base = rng.uniform(0.25, 0.8) * temperature(float(rng.uniform(3800, 7000)))
    slope = np.outer(base, rng.normal(0, 0.16, 3) + np.array([0, -0.05, 0.3]))
    white = np.exp(rng.normal(0, 0.05, 3))
    return Lighting(
        lamps,
        base.tolist(),
        slope.tolist(),
        float(rng.uniform(0.14, 0.3)),
        white.tolist(),
        int(rng.integers(1 << 30)),
        int(rng.integers(1 << 30)),
    )


def develop(radiance: Array, light: Lighting, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Convert H x W x 3 linear radiance to an 8-bit RGB photograph: exposure, tone, blur, vignette, sensor noise."""
    import cv2

    look = np.random.default_rng(light.seed)  # one camera per scene; only the noise differs between images
    luminance = radiance @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    gain = light.exposure / max(float(np.mean(np.minimum(luminance, np.percentile(luminance, 97)))), 1e-4)
    image = radiance * np.float32(gain) * np.asarray(light.white, np.float32)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(look.uniform(0.35, 0.75))), np.float32)
    h, w = image.shape[:2]
    y, x = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)
    r2 = ((x - w / 2) ** 2 + (y - h / 2) ** 2) / (w * w / 4 + h * h / 4)
    image *= (1 - np.float32(look.uniform(0, 0.25)) * r2)[..., None]
    noise = rng.standard_normal(image.shape, np.float32)
    noise *= np.float32(look.uniform(0.002, 0.009))  # in place from here, because images are large
    shot = np.maximum(image, 0.004)
    shot *= 4
    noise *= np.sqrt(shot, out=shot)
    image += noise
    np.maximum(image, 0, out=image)
    bright = image / 4.0
    bright += 1
    bright *= image
    image += 1
    bright /= image  # Reinhard with white at 2
    bright *= 1.15
    display = np.power(bright, np.float32(1 / 2.2), out=bright)
    display -= 0.5
    display *= np.float32(look.uniform(0.9, 1.15))  # contrast
    display += 0.5
    display *= 255
    display += 0.5
    return np.asarray(np.clip(display, 0, 255, out=display), np.uint8)
