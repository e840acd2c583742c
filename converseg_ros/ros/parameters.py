"""The parameters of the segmenter node: description, range, and whether they may change at run time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.core.options import option_docs
from converseg_ros.dialogue import Options
from converseg_ros.lifting import LiftOptions
from converseg_ros.perception.frames import FrameOptions
from converseg_ros.perception.options import TrackerOptions
from converseg_ros.perception.safety import SafetyOptions
from converseg_ros.perception.segmenter import SegmenterOptions
from converseg_ros.ros import overrides

DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. live: a change is applied immediately; otherwise the next configure transition reads it."""

    name: str
    default: Any
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = True

    def descriptor(self) -> ParameterDescriptor:
        """Return the descriptor for `ros2 param describe`."""
        made = ParameterDescriptor(name=self.name, description=self.about)
        notes = [f'one of: {", ".join(self.choices)}'] if self.choices else []
        if not self.live:
            notes.append('read when the node is configured')
        made.additional_constraints = '; '.join(notes)
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                made.floating_point_range = [FloatingPointRange(from_value=float(self.low), to_value=float(self.high))]
            else:
                made.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)]
        return made


def group(prefix: str, cls: type) -> list[Parameter]:
    """Return a parameter for each field of a dataclass of options, with the range of the field."""
    docs = option_docs(cls)
    dot = f'{prefix}.' if prefix else ''
    return [
        Parameter(
            f'{dot}{f.name}',
            f.default,
            docs[f.name],
            f.metadata.get('low'),
            f.metadata.get('high'),
            f.metadata.get('choices', ()),
        )
        for f in fields(cls)
    ]


def check(p: Parameter, value: Any) -> None:
    """Raise InputError if a value is invalid for a parameter."""
    if p.choices and value not in p.choices:
        raise InputError(f'{value!r} is not one of {", ".join(p.choices)}', where=p.name)
    if p.low is not None and p.high is not None and not p.low <= value <= p.high:
        raise InputError(f'{value} is not in {p.low:g} to {p.high:g}', where=p.name)


def declare_table(node: Node, table: Sequence[Parameter]) -> dict[str, Any]:
    """Declare the parameters of a table that a node does not have yet; return the values by name.

    Raise InputError for a value that a parameter cannot have and for a name that the node does not know.
    """
    overrides.read_as_meant(node, {p.name: p.default for p in table}, {p.name: p.choices for p in table})
    for p in table:
        if not node.has_parameter(p.name):
            try:
                node.declare_parameter(p.name, p.default, p.descriptor())
            except overrides.INVALID as error:
                raise overrides.refused(p.name, error) from error
    overrides.refuse_unknown(node)
    return {p.name: node.get_parameter(p.name).value for p in table}


def markdown(table: Sequence[Parameter], when: str) -> str:
    """Return the rows of a table for the docs; `when`: the word for parameters that are read once."""
    rows = []
    for p in table:
        default = str(p.default).lower() if isinstance(p.default, bool) else repr(p.default)
        default = '[]' if p.default == [''] else default
        values = ', '.join(f'`{c}`' for c in p.choices)
        if p.low is not None and p.high is not None:
            values = f'{p.low:g} to {p.high:g}'
        rows.append(f'| `{p.name}` | `{default}` | {values} | {"yes" if p.live else when} | {p.about} |')
    return '\n'.join(rows)


OWN = (
    Parameter('model', 'compact', 'Name or folder of the network (converseg weights list).', live=False),
    Parameter(
        'namer', '', "Another model that names regions, e.g. siglip2-base; empty: the network's own.", live=False
    ),
    Parameter('segments', '', "Another model that finds regions, e.g. sam2; empty: the network's own.", live=False),
    Parameter('agree_remote', False, 'Images may be sent to a chat model on another machine.', live=False),
    Parameter('device', 'auto', 'cpu, cuda, cuda:N, or auto: a GPU if there is one.', live=False),
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
    Parameter('tf_timeout', 0.1, 'Seconds to wait for a late transform.', 0.0, 5.0),
    Parameter('safety_rate', 5.0, 'Rate in Hz at which ~/safety_ok is evaluated.', 0.2, 100.0),
    Parameter('diagnostics_rate', 1.0, 'Rate in Hz of /diagnostics.', 0.1, 50.0),
)
TABLE: tuple[Parameter, ...] = (
    *OWN,
    *group('conversation', Options),
    *group('lift', LiftOptions),
    *group('tracker', TrackerOptions),
    *group('safety', SafetyOptions),
)
BY_NAME = {p.name: p for p in TABLE}


class Settings:
    """A consistent set of values; attributes are the parameters of `OWN`, properties the options of the parts."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Validate the values; raise InputError with the name of an invalid parameter."""
        self.values = dict(values)
        for p in TABLE:
            check(p, self.values[p.name])
        self.lift = LiftOptions(**self._part('lift', LiftOptions))
        self.tracker = TrackerOptions(**self._part('tracker', TrackerOptions))
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
            self.lift, self.tracker, self['max_age'], self['geometry'], self['lift_carried']
        )
        self.frames = FrameOptions(self['distortion'], self['world_frame'], self['level_frame'], self['tf_timeout'])
        self.standing = tuple(_standing(line) for line in self['standing'] if line.strip())

    def _part(self, prefix: str, cls: type) -> dict[str, Any]:
        return {f.name: self.values[f'{prefix}.{f.name}'] for f in fields(cls)}

    def __getitem__(self, name: str) -> Any:
        """Return one value."""
        return self.values[name]

    def changed(self, other: 'Settings') -> set[str]:
        """Return the names of the parameters whose values differ."""
        return {n for n, v in self.values.items() if other.values[n] != v}


def _standing(line: str) -> Instruction:
    name, _, rest = line.partition(':')
    role, _, text = rest.partition(':')
    if not text.strip() or role.strip().upper() not in Role.__members__:
        raise InputError(f'{line[:80]!r}', where='standing', do='write it as "name: role: text"')
    return Instruction(text, Role[role.strip().upper()], name=name.strip(), standing=True)


def declare(node: Node) -> Settings:
    """Declare all parameters on a node; return their values; raise InputError if overrides are contradictory."""
    declare_table(node, TABLE)
    try:
        return current(node)
    except InputError as error:
        raise overrides.in_file('', error) from error


def current(node: Node, changes: list[RosParameter] | None = None) -> Settings:
    """Return the settings of the node, with `changes` that are not set yet."""
    values = {p.name: node.get_parameter(p.name).value for p in TABLE}
    values.update({c.name: c.value for c in changes or () if c.name in values})
    return Settings(values)
