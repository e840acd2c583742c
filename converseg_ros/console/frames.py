"""Encoding of images and clouds for the page of the console."""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.image_files import encode_image
from converseg_ros.core.texts import catalogue

MAX_POINTS = 40_000  # of a cloud in the 3D view


def draw_outline(image: NDArray[np.uint8], mask: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Draw the outline of a mask in white on (H, W, 3) `image`, which is modified and returned."""
    import cv2

    if mask is not None and mask.any():
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, contours, -1, (255, 255, 255), 3)
    return image


def draw_age(image: NDArray[np.uint8], age_s: float | None) -> NDArray[np.uint8]:
    """Write the age of the mask into the lower left corner of (H, W, 3) `image`, which is modified and returned."""
    import cv2

    words = catalogue()['page']
    text = words['no_mask'] if age_s is None else words['age'].format(age=f'{age_s:.1f}')
    bottom = image.shape[0] - 8
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    cv2.rectangle(image, (4, bottom - height - 6), (12 + width, bottom + 5), (0, 0, 0), -1)
    cv2.putText(image, text, (8, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return image


def pack(kind: bytes, header: dict[str, Any], *parts: bytes) -> bytes:
    """Return a binary message: kind (1 byte), length of the header (4 bytes), header (JSON, padded to 4), parts."""
    head = json.dumps(header).encode()
    head += b' ' * (-(len(head) + 1) % 4)  # the floats after the header are aligned to four bytes
    return kind + struct.pack('<I', len(head))[:4] + head + b''.join(parts)


def frame_message(image: NDArray[np.uint8], stamp_ns: int, age_s: float | None) -> bytes:
    """Return an overlay as a message for the page."""
    return pack(b'F', {'stamp_ns': str(stamp_ns), 'age_s': age_s}, encode_image(image, '.jpg'))


def cloud_message(name: str, points: NDArray[np.float32], colors: NDArray[np.uint8]) -> bytes:
    """Return (N, 3) points and (N, 3) colours as a message for the page, downsampled evenly to MAX_POINTS."""
    step = max(1, -(-len(points) // MAX_POINTS))
    points, colors = points[::step], colors[::step]
    header = {'name': name, 'count': len(points)}
    return pack(b'C', header, np.ascontiguousarray(points, '<f4').tobytes(), np.ascontiguousarray(colors).tobytes())


def encode_ply(points: NDArray[np.float32], colors: NDArray[np.uint8]) -> bytes:
    """Return a binary PLY file of (N, 3) points and (N, 3) colours."""
    fields = [(n, '<f4') for n in 'xyz'] + [(n, 'u1') for n in ('red', 'green', 'blue')]
    table = np.zeros(len(points), fields)
    for axis, name in enumerate('xyz'):
        table[name] = points[:, axis]
    for axis, name in enumerate(('red', 'green', 'blue')):
        table[name] = colors[:, axis]
    kinds = ''.join(f'property {"float" if k == "<f4" else "uchar"} {n}\n' for n, k in fields)
    head = f'ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n{kinds}end_header\n'
    return head.encode() + table.tobytes()
