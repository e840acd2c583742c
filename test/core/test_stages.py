"""Messages, docs and code name stages alike."""

from pathlib import Path
import re

import pytest

from converseg_ros.core.progress import Progress
from converseg_ros.core.stages import JobStage, Stage

ROOT = Path(__file__).resolve().parents[2]


def named(path: str, field: str) -> list[str]:
    """Return the words of a field's comment in an interface file."""
    line = next(x for x in (ROOT / path).read_text().splitlines() if re.match(rf'string(\[\])? {field}\b', x))
    return re.findall(r'\w+', re.sub(r'\(.*?\)|latency by stage|\b(?:and|or|e|g)\b', '', line.partition('#')[2]))


@pytest.mark.parametrize(
    ('path', 'field', 'stages'),
    [
        ('action/SegmentTask.action', 'stage', Stage),
        ('msg/Region.msg', 'stage_names', Stage),
        ('action/Generate.action', 'stage', JobStage),
    ],
)
def test_an_interface_names_the_stages_of_the_code(path: str, field: str, stages: type[Stage] | type[JobStage]) -> None:
    words = named(path, field)
    assert len(words) >= 4
    assert [w for w in words if w not in {s.value for s in stages}] == []


def test_the_stages_of_a_region_are_all_documented() -> None:
    shown = set(named('msg/Region.msg', 'stage_names'))
    assert shown == {s.value for s in Stage} - {Stage.WAITING, Stage.FRAME}


def test_the_docs_name_the_stages_of_the_code() -> None:
    text = (ROOT / 'docs' / 'integrator.md').read_text()
    (shown,) = re.findall(r'feedback names the stage \((.*?)\)', text)
    assert re.findall(r'\w+', shown.replace(' or ', ' ')) == named('action/SegmentTask.action', 'stage')


def test_an_event_of_an_unknown_stage_is_no_event() -> None:
    event = Progress('a', JobStage.IMAGES, 3, 9)
    assert Progress.from_line(event.to_line()) == event
    assert Progress.from_line('{"stage": "lunch"}') is None
