"""The state of the console: newest image, regions, clouds, and the conversation; thread-safe."""

from collections import deque
from dataclasses import dataclass, field
import io
import json
import threading
import time
from typing import Any
import zipfile

import numpy as np
from numpy.typing import NDArray

from converseg_ros.console.frames import draw_age, draw_outline, encode_ply
from converseg_ros.core import GeometryStatus, Role, Status
from converseg_ros.core.image_files import encode_image
from converseg_ros.core.mask import resize_mask
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.core.palette import color_of
from converseg_ros.core.texts import catalogue

HISTORY = 200
SAFE_S = 2.0  # seconds without a message on safety_ok (5 Hz by default) after which "safe" is stale
OLD_S = 3.0  # seconds without a message after which the segmenter counts as disconnected


@dataclass(frozen=True, slots=True)
class RegionView:
    """One region for the page; mask: (H, W) bool."""

    id: str
    label: int
    text: str
    phrase: str
    role: Role
    status: Status
    mask: NDArray[np.bool_]
    reason: str = ''
    program_text: str = ''
    geometry: GeometryStatus = GeometryStatus.NOT_COMPUTED
    family: str = ''
    name: str = ''
    standing: bool = False
    score: float = 0.0
    calibrated: bool = False
    tracked: bool = False
    distance: float = float('nan')
    valid_until_ns: int = 0  # 0: never stale

    def to_json(self, index: int, now_ns: int = 0) -> dict[str, Any]:
        """Return the JSON object for the page, including texts."""
        words = catalogue()
        stale = bool(self.valid_until_ns) and now_ns > self.valid_until_ns
        status = Status.STALE if stale else self.status
        return {
            'id': self.id,
            'label': self.label,
            'text': self.text,
            'phrase': self.phrase,
            'role': self.role.name.lower(),
            'family': self.family,
            'status': words['status'][status.name],
            'ok': status == Status.OK,
            'reason': self.reason,
            'program_text': self.program_text,
            'geometry': words['geometry'][self.geometry.name],
            'name': self.name,
            'standing': self.standing,
            'score': round(float(self.score), 3) if np.isfinite(self.score) else None,
            'calibrated': self.calibrated,
            'distance': round(float(self.distance), 2) if np.isfinite(self.distance) else None,
            'color': 'rgb({}, {}, {})'.format(*color_of(index, self.role)),
        }


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud for the 3D view: points (N, 3) float32 metres in the optical frame, colors (N, 3) uint8."""

    points: NDArray[np.float32]
    colors: NDArray[np.uint8]
    frame_id: str = ''


@dataclass(slots=True)
class Said:
    """One text and its acknowledgement."""

    text: str
    at: float
    answered: bool = False
    accepted: bool = True
    reason: str = ''
    question: str = ''
    understood: list[dict[str, str]] = field(default_factory=list)


class ConsoleState:
    """The state that is sent to the pages; methods may be called from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.image: NDArray[np.uint8] | None = None
        self.image_ns = 0
        self.regions: list[RegionView] = []
        self.regions_ns = 0
        self.heard_at = 0.0  # monotonic time of the last message of the segmenter
        self.clouds: dict[str, Cloud] = {}
        self.said: deque[Said] = deque(maxlen=HISTORY)
        self.question = ''
        self._safe: bool | None = None
        self._safe_at = 0.0
        self.selected = ''
        self.speech: dict[str, Any] = {'state': '', 'partial': ''}
        self._paint: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._paint_key: Any = None
        self.version = 0  # incremented when the output of `to_json` changes

    def set_image(self, rgb: NDArray[np.uint8], stamp_ns: int) -> None:
        """Set the newest image."""
        with self.lock:
            self.image, self.image_ns = rgb, stamp_ns

    def set_regions(self, regions: list[RegionView], stamp_ns: int) -> None:
        """Set the newest regions."""
        with self.lock:
            self.regions, self.regions_ns = regions, stamp_ns
            if self.selected not in {r.id for r in regions}:
                self.selected = ''
            self.touch()

    def set_cloud(self, name: str, cloud: Cloud) -> None:
        """Set the newest cloud of a topic."""
        with self.lock:
            self.clouds[name] = cloud

    def set_safe(self, safe: bool) -> None:
        """Set the newest verdict of the safety gate."""
        with self.lock:
            self._safe, self._safe_at = safe, time.monotonic()
            self.touch()

    @property
    def safe(self) -> bool | None:
        """Return the verdict of the safety gate: False if it is stale, None before the first one.

        The topic is latched: the last value of a segmenter that was killed would otherwise remain true.
        """
        return self._safe and time.monotonic() - self._safe_at <= SAFE_S

    def touch(self) -> None:
        """Record that the segmenter is alive and that the state has changed."""
        self.heard_at = time.monotonic()
        self.version += 1

    def say(self, text: str) -> None:
        """Record a text that is sent to the node."""
        with self.lock:
            self.said.append(Said(text, time.time()))
            self.question = ''
            self.version += 1

    def answer(self, text: str, accepted: bool, reason: str, question: str, understood: list[dict[str, str]]) -> None:
        """Record the acknowledgement of a text, which may have been sent by another client."""
        with self.lock:
            said = next((s for s in reversed(self.said) if s.text == text and not s.answered), None)
            if said is None:  # sent by another client
                said = Said(text, time.time())
                self.said.append(said)
            said.answered, said.accepted, said.reason, said.question = True, accepted, reason, question
            said.understood = understood
            self.question = question
            self.touch()

    def set_speech(self, state: str = '', partial: str = '') -> None:
        """Set the state and the partial result of the recogniser."""
        with self.lock:
            self.speech = {'state': state, 'partial': partial}
            self.version += 1

    def pick(self, x: float, y: float) -> str:
        """Select the region at a point of the image (0..1 each); return its id, or '' if there is none."""
        with self.lock:
            fits = []
            for region in self.regions:
                height, width = region.mask.shape
                if height and width and 0 <= x < 1 and 0 <= y < 1 and region.mask[int(y * height), int(x * width)]:
                    fits.append((region.role != Role.SAFETY, int(np.count_nonzero(region.mask)), region.id))
            self.select(min(fits)[2] if fits else '')
            return self.selected

    def select(self, id_: str) -> None:
        """Select a region by id."""
        with self.lock:
            self.selected = id_ if id_ in {r.id for r in self.regions} else ''
            self.version += 1

    def age_s(self) -> float | None:
        """Return by how many seconds the newest mask is older than the newest image, or None without both."""
        if not self.regions_ns or not self.image_ns:
            return None
        return max(0.0, (self.image_ns - self.regions_ns) / 1e9)

    def overlay(self) -> NDArray[np.uint8] | None:
        """Return the newest image with the newest masks and their age, or None without an image."""
        import cv2

        with self.lock:
            image, regions, selected, age = self.image, self.regions, self.selected, self.age_s()
            key = (id(regions), selected, None if image is None else image.shape)
            paint = self._paint if key == self._paint_key else None
        if image is None:
            return None
        if paint is None:
            paint = _paint(regions, selected, image.shape)
            with self.lock:
                self._paint, self._paint_key = paint, key
        share, color = paint
        drawn = np.asarray(cv2.add(cv2.multiply(image, share, scale=1 / 255), color), np.uint8)
        return draw_age(drawn, age if regions else None)

    def to_json(self) -> dict[str, Any]:
        """Return the complete state for the page."""
        with self.lock:
            regions = [r.to_json(i, self.image_ns) for i, r in enumerate(self.regions)]
            return {
                'type': 'state',
                'connected': time.monotonic() - self.heard_at < OLD_S,
                'regions': regions,
                'chips': [r for r in regions if r['standing'] and r['role'] == 'safety'],
                'selected': self.selected,
                'question': self.question,
                'safe': self.safe,
                'speech': self.speech,
                'history': [
                    {
                        'text': s.text,
                        'at': s.at,
                        'answered': s.answered,
                        'accepted': s.accepted,
                        'reason': s.reason,
                        'question': s.question,
                        'understood': s.understood,
                    }
                    for s in list(self.said)[-40:]
                ],
            }

    def snapshot(self) -> bytes | None:
        """Return the overlay as PNG, or None without an image."""
        image = self.overlay()
        return None if image is None else encode_image(image, '.png')

    def export(self) -> bytes:
        """Return a zip: image, overlay, masks, clouds (PLY), and state.json with regions and history."""
        with self.lock:
            image, regions, clouds = self.image, self.regions, dict(self.clouds)
            state = self.to_json()
            state |= {'image_stamp_ns': self.image_ns, 'regions_stamp_ns': self.regions_ns}
        out = io.BytesIO()
        with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as file:
            file.writestr('state.json', json.dumps(state, indent=2, ensure_ascii=False))
            if image is not None:
                file.writestr('image.png', encode_image(image, '.png'))
                file.writestr('overlay.png', self.snapshot() or b'')
            for n, region in enumerate(regions):
                file.writestr(f'mask_{n:02d}.png', encode_image(region.mask.astype(np.uint8) * 255, '.png'))
            for name, cloud in clouds.items():
                file.writestr(f'{name}.ply', encode_ply(cloud.points, cloud.colors))
        return out.getvalue()


def _paint(
    regions: list[RegionView], selected: str, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the weight of the image (of 255) and the added colour of each pixel, (H, W, 3) each.

    Masks change less often than images. Drawing over a black and a white image gives both values.
    """
    layers = [Layer(_fit(r.mask, shape[:2]), '', r.role, r.status) for r in regions]
    chosen = next((layer.mask for layer, r in zip(layers, regions) if r.id == selected), None)
    color, white = (draw_outline(draw_overlay(np.full(shape, v, np.uint8), layers), chosen) for v in (0, 255))
    return white - color, color


def _fit(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask resized to the image (the camera may have changed in between)."""
    if mask.shape == shape:
        return mask
    if not mask.size:
        return np.zeros(shape, bool)
    return resize_mask(mask, *shape)
