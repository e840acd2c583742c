"""Data types that all packages use; this package imports no other package of converseg_ros and no heavy library."""

from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.families import Family
from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.instruction import MAX_TEXT, Instruction, Role
from converseg_ros.core.item import Item
from converseg_ros.core.mask import Box, decode_rle, encode_rle, mask_box
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.status import GeometryStatus, Status

__all__ = [
    'MAX_TEXT',
    'Box',
    'ConversegError',
    'Family',
    'Frame',
    'GeometryStatus',
    'InputError',
    'Instruction',
    'Intrinsics',
    'Item',
    'Prediction',
    'Role',
    'Status',
    'decode_rle',
    'encode_rle',
    'mask_box',
]
