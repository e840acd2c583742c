"""The parameters of the segmenter node, and a consistent set of their values."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.core.belief import SteadyOptions
from converseg_ros.core.errors import parsing
from converseg_ros.dialogue import Options
from converseg_ros.lifting import LiftOptions
from converseg_ros.lifting.alignment import DepthOffset
from converseg_ros.perception.frames import FrameOptions
from converseg_ros.perception.images import decode_file
from converseg_ros.perception.options import TrackerOptions
from converseg_ros.perception.safety import SafetyOptions
from converseg_ros.perception.segmenter import SegmenterOptions
from converseg_ros.ros import overrides, parameters
from converseg_ros.ros.parameters import Parameter, check_values, group, values_of

DAY = 86_400.0  # seconds

OWN = (
    Parameter('model', 'compact', 'Name or folder of the network (converseg weights list).', live=False),
    Parameter(
        'namer', '', "Another model that names regions, e.g. siglip2-base; empty: the network's own.", live=False
    ),
    Parameter('segments', '', "Another model that finds regions, e.g. sam2; empty: the network's own.", live=False),
    Parameter(
        'facts',
        'off',
        'on: a model of kind converseg measures its regions where there is depth (docs/models.md).',
        choices=('off', 'on'),
        live=False,
    ),
    Parameter('agree_remote', False, 'Images may be sent to a chat model on another machine.', live=False),
    Parameter('device', 'auto', 'cpu, cuda, cuda:N, or auto: a GPU if there is one.', live=False),
    Parameter(
        'precision',
        'auto',
        'Precision; auto: bf16 on a GPU that has it; on a CPU fp32, or for compact the faster one, measured at load.',
        choices=('auto', 'fp32', 'bf16'),
        live=False,
    ),
    Parameter(
        'max_pixels',
        0,
        'Limit on the image for the language model of kind converseg, e.g. 63504; 0: native resolution.',
        0,
        1_000_000,
        live=False,
    ),
    Parameter('threads', 0, "CPU threads of the network; 0: PyTorch's default.", 0, 256, live=False),
    Parameter('fallback_to_cpu', True, 'Switch to the CPU when the GPU is lost or has too little memory.'),
    Parameter(
        'autostart', True, 'Configure and activate at start; false: controlled by a lifecycle manager.', live=False
    ),
    Parameter('image_transport', 'raw', 'Type of the image topic.', choices=('raw', 'compressed')),
    Parameter('depth_transport', 'raw', 'Type of the depth topic.', choices=('raw', 'compressedDepth')),
    Parameter(
        'depth',
        'auto',
        'auto: use depth while it is published. required: no frame without depth. off: never subscribe.',
        choices=('auto', 'required', 'off'),
    ),
    Parameter(
        'distortion',
        'rectify',
        'Handling of lens distortion in camera_info; ignore: the images are already rectified.',
        choices=('rectify', 'refuse', 'ignore'),
    ),
    Parameter(
        'sync_slop',
        0.02,
        'Maximum difference in seconds between the stamps of colour, depth and camera_info.',
        0.0,
        10.0,
    ),
    Parameter('sync_queue', 10, 'Messages of each kind that wait for synchronisation.', 1, 1000),
    Parameter(
        'qos_reliability',
        'auto',
        "Reliability of the camera's subscriptions; auto follows the publishers, also when they change.",
        choices=('auto', 'reliable', 'best_effort'),
    ),
    Parameter('qos_depth', 2, "History depth of the camera's subscriptions.", 1, 100),
    Parameter('max_rate', 0.0, 'Maximum images per second for the network; 0: no limit.', 0.0, 1000.0),
    Parameter('max_instructions', 32, 'Maximum number of instructions in force; more are refused.', 1, 255),
    Parameter('instruction_ttl', 30.0, 'Seconds until the current instruction expires; 0: never.', 0.0, DAY),
    Parameter(
        'dialogue', True, 'Interpret texts on `instruction` by the dialogue; false: pass them to the network unchanged.'
    ),
    Parameter(
        'conversation_file',
        '',
        'File that stores conversations and the resulting standing instructions across restarts; empty: none.',
        live=False,
    ),
    Parameter(
        'standing',
        [''],
        'Standing instructions at start, each as "name: role: text" (plain, affordance, safety).',
        live=False,
    ),
    Parameter('geometry', True, 'Lift masks into 3D.'),
    Parameter('track', True, 'Propagate masks to the images that arrive while the network is busy.'),
    Parameter(
        'lift_carried',
        False,
        "Lift propagated masks again from each image's depth (10 to 20 ms each); false: move the network's geometry.",
    ),
    Parameter('max_age', 1.0, 'Maximum age in seconds of an image, after which its regions are stale.', 0.01, 3600.0),
    Parameter('target_frame', '', 'TF frame of the geometry; empty: the optical frame of the camera.'),
    Parameter(
        'world_frame', 'map', 'Fixed TF frame for region ids that are stable while the camera moves; empty: none.'
    ),
    Parameter('level_frame', 'base_link', 'TF frame with z up for the direction of gravity; empty: none.'),
    Parameter(
        'robot_mask',
        '',
        'Image file that is not black where the camera sees the robot itself; empty: none.',
        live=False,
    ),
    Parameter('tf_timeout', 0.1, 'Seconds to wait for a late transform.', 0.0, 5.0),
    Parameter('safety_rate', 5.0, 'Rate in Hz at which ~/safety_ok is evaluated.', 0.2, 100.0),
    Parameter('diagnostics_rate', 1.0, 'Rate in Hz of /diagnostics.', 0.1, 50.0),
)
TABLE: tuple[Parameter, ...] = (
    *OWN,
    *group('conversation', Options),
    *group('depth_offset', DepthOffset),
    *group('lift', LiftOptions),
    *group('tracker', TrackerOptions),
    *group('steady', SteadyOptions),
    *group('safety', SafetyOptions),
)


class Settings:
    """A consistent set of values; attributes are the parameters of `OWN`, properties the options of the parts."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Validate the values; raise InputError with the name of an invalid parameter."""
        self.values = dict(values)
        check_values(TABLE, self.values)
        self.lift = LiftOptions(**self._part('lift', LiftOptions))
        self.tracker = TrackerOptions(**self._part('tracker', TrackerOptions))
        self.steady = SteadyOptions(**self._part('steady', SteadyOptions))
        self.safety = SafetyOptions(**self._part('safety', SafetyOptions))
        self.conversation = Options(**self._part('conversation', Options))
        if self.conversation.backend == 'local' and not self.conversation.model:
            raise InputError('no folder', where='conversation.model', do='name a transformers folder')
        if self.conversation.backend == 'openai' and not self.conversation.url.startswith(('http://', 'https://')):
            raise InputError(
                f'{self.conversation.url!r} is not an address',
                where='conversation.url',
                do='give http(s)://HOST:PORT/v1',
            )
        self.segmenter = SegmenterOptions(
            self.lift, self.tracker, self.steady, self['max_age'], self['geometry'], self['lift_carried']
        )
        self.frames = FrameOptions(
            self['distortion'],
            self['world_frame'],
            self['level_frame'],
            self['tf_timeout'],
            _robot(Path(self['robot_mask']).expanduser()) if self['robot_mask'] else None,
            DepthOffset(**self._part('depth_offset', DepthOffset)),
        )
        self.network = {name: self[name] for name in ('precision', 'namer', 'segments', 'facts', 'agree_remote')}
        self.network['max_pixels'] = self['max_pixels'] or None
        self.standing = tuple(_standing(line) for line in self['standing'] if line.strip())

    def _part(self, prefix: str, cls: type) -> dict[str, Any]:
        return {f.name: self.values[f'{prefix}.{f.name}'] for f in fields(cls)}

    def __getitem__(self, name: str) -> Any:
        """Return one value."""
        return self.values[name]

    def changed(self, other: 'Settings') -> set[str]:
        """Return the names of the parameters whose values differ."""
        return {n for n, v in self.values.items() if other.values[n] != v}


def _robot(path: Path) -> NDArray[np.bool_]:
    """Return (H, W) the pixels of an image file that are not black, as datasets.images.read_mask does."""
    import cv2

    with parsing('a mask of the robot', path, 'set robot_mask to a PNG file'):
        return np.asarray(decode_file(path.read_bytes(), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH).any(-1))


def _standing(line: str) -> Instruction:
    name, _, rest = line.partition(':')
    role, _, text = rest.partition(':')
    if not text.strip() or role.strip().upper() not in Role.__members__:
        raise InputError(f'{line[:80]!r}', where='standing', do='write it as "name: role: text"')
    return Instruction(text, Role[role.strip().upper()], name=name.strip(), standing=True)


def declare(
    node: Node,
    *,
    read_once: Callable[[], str] = lambda: '',
    apply: Callable[[dict[str, Any]], None] | None = None,
) -> Settings:
    """Declare all parameters on a node and return their values; raise InputError if overrides are contradictory.

    read_once and apply: see `parameters.declare`.
    """
    values = parameters.declare(node, TABLE, validate=Settings, read_once=read_once, apply=apply)
    try:
        return Settings(values)
    except InputError as error:
        raise overrides.in_file('', error) from error


def current(node: Node) -> Settings:
    """Return the settings of the node."""
    return Settings(values_of(node, TABLE))
