"""The table of additional 3D outputs of an instruction, by role and verb."""

from dataclasses import dataclass
from functools import lru_cache
import re

from converseg_ros.core.instruction import Instruction, Role


@dataclass(frozen=True, slots=True)
class Outputs:
    """Additional outputs of an instruction; every region has clouds, boxes and centroids."""

    placement: bool = False  # support plane, free area, discs, placement poses
    grasp: bool = False  # principal axis, closing direction and width, approach
    front: bool = False  # front plane of something that opens
    keep_out: bool = False  # dilated mask, frustums where depth is missing


PLACEMENT = Outputs(placement=True)
GRASP = Outputs(grasp=True)
FRONT = Outputs(front=True, grasp=True)  # the front plane of a drawer, and its handle if that is the mask
KEEP_OUT = Outputs(keep_out=True)

# (role, verbs, outputs): the first matching row applies; an empty pattern matches every text.
TABLE: tuple[tuple[Role, str, Outputs], ...] = (
    (Role.SAFETY, '', KEEP_OUT),
    (
        Role.AFFORDANCE,
        r'\b(put(?! out| off)|place|placed|placing|putting|set (?:\w+ ){0,3}down|setting|rest|lay|deposit|drop|park'
        r'|leave|stand|stack|serve|unload|land)\b|\bfree (?:space|area|spot|part)\b|\broom for\b',
        PLACEMENT,
    ),
    (Role.AFFORDANCE, r'\b(open|opened|opens|opening|close|closes|shut|pull (?:open|out)|slide)\b', FRONT),
    (Role.AFFORDANCE, r'\b(sit|lie|kneel|step|climb|walk|drive)\b', Outputs()),
    (Role.AFFORDANCE, '', GRASP),
    (Role.PLAIN, '', Outputs()),
)


def outputs_of(instruction: Instruction) -> Outputs:
    """Return the outputs of `TABLE` for an instruction; both its text and its resolved text are matched."""
    return _outputs(instruction.role, f'{instruction.text}\n{instruction.resolved}'.lower())


@lru_cache(maxsize=256)
def _outputs(wanted: Role, text: str) -> Outputs:
    """Return the outputs of the first matching row of the table."""
    for role, verbs, outputs in TABLE:
        if role == wanted and (not verbs or re.search(verbs, text)):
            return outputs
    raise AssertionError(f'the table has no row for {wanted}')
