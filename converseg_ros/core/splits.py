"""Which pictures are trained on and which are held out: decided by a name's hash, so that it never changes."""

import hashlib
from pathlib import PurePosixPath
import re

from converseg_ros.core.item import Split

_COCO_PREFIX = re.compile(r'COCO_(train|val|test)20\d\d_')  # 2014's names; 2017's are the number alone
_CLOCK = re.compile(r'\d{14}')  # YYYYMMDDhhmmss at the start of a file name: a camera's clock


def split_of(name: str, *, val: float = 0.1, test: float = 0.1) -> Split:
    """Return the split of an image or room; `val` and `test` are the shares of the names that are held out."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], 'big') / 2**32
    return 'test' if share < test else 'val' if share < test + val else 'train'


def picture_name(path: str) -> str:
    """Return the name that decides on a picture's split: of its file, the same in COCO's releases of 2014 and 2017."""
    return _COCO_PREFIX.sub('', PurePosixPath(path).name)


def session_of(file_name: str) -> str:
    """Return what pictures of one session share: the minute of a clock in the name, otherwise the stem of the name."""
    stem = PurePosixPath(file_name).stem
    return stem[:12] if _CLOCK.match(stem) else stem


def instance_split(file_name: str) -> Split:
    """Return the split of a picture labelled by instances (`coco_more`, `tools`): a third is held out, by session.

    A tenth of the rest is for choosing ('val').
    """
    return split_of(session_of(file_name), val=0.07, test=1 / 3)
