"""Assignment of images to training and held-out splits by a hash of their name, so that it never changes."""

import hashlib
from pathlib import PurePosixPath
import re

from converseg_ros.core.item import Split

_COCO_PREFIX = re.compile(r'COCO_(train|val|test)20\d\d_')  # names of 2014; names of 2017 are the number alone
_CLOCK = re.compile(r'\d{14}')  # YYYYMMDDhhmmss of a camera clock in a file name


def split_of(name: str, *, val: float = 0.1, test: float = 0.1) -> Split:
    """Return the split of an image or room; `val` and `test` are the shares of the names that are held out."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], 'big') / 2**32
    return 'test' if share < test else 'val' if share < test + val else 'train'


def picture_name(path: str) -> str:
    """Return the name that decides the split of an image; it is the same in COCO's releases of 2014 and 2017."""
    return _COCO_PREFIX.sub('', PurePosixPath(path).name)


def clock_of(file_name: str) -> str:
    """Return the minute (YYYYMMDDhhmm) of a clock at the start of an image's name, '' if there is none."""
    stem = PurePosixPath(file_name).stem
    return stem[:12] if _CLOCK.match(stem) else ''


def session_of(file_name: str) -> str:
    """Return the session of an image: the minute of a clock in its name, otherwise the stem of the name."""
    return clock_of(file_name) or PurePosixPath(file_name).stem


def instance_split(file_name: str) -> Split:
    """Return the split of an image with instance labels (`coco_more`, `tools`): a third is held out, by session.

    A tenth of the rest is the validation split ('val').
    """
    return split_of(session_of(file_name), val=0.07, test=1 / 3)
