"""A segmenter in the process of the test, and what it answers."""

from collections.abc import Callable, Iterator
import time
from typing import Any

from converseg_ros.msg import InstructionAck, RegionArray
from diagnostic_msgs.msg import DiagnosticArray
import pytest
from ros_rig import Camera, InProcess, Rig
from std_msgs.msg import Bool

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros import settings
from converseg_ros.ros.camera.qos import LATCHED


@pytest.fixture(scope='module')
def live(rig: Rig, camera: Camera) -> Iterator[InProcess]:
    node = InProcess(
        rig,
        threads=1,
        world_frame='',
        level_frame='',
        instruction_ttl=0.0,
        track=False,
        standing=['table: affordance: where can I put down a plate', 'stove: safety: the stove'],
    )
    assert node.active
    rig.listen(RegionArray, 'regions')
    rig.listen(InstructionAck, 'instruction_ack')
    rig.listen(Bool, 'safety_ok', LATCHED)
    rig.listen(DiagnosticArray, '/diagnostics')
    sync = node.node.camera
    assert sync is not None
    rig.until(lambda: sync.sync.depth and sync.sync.counts['matched'], each=camera.send)
    yield node
    node.close()


@pytest.fixture
def restored(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put parameters back after a test that changed some."""
    yield
    if 'live' in request.fixturenames:
        node = request.getfixturevalue('live').node
        defaults = {p.name: p.default for p in settings.TABLE if p.live}
        defaults |= {'world_frame': '', 'level_frame': '', 'instruction_ttl': 0.0, 'track': False}
        now = settings.current(node)
        changed = {k.replace('.', '__'): v for k, v in defaults.items() if now[k] != v}
        if changed:
            assert request.getfixturevalue('rig').set(**changed).successful


def answer(rig: Rig, camera: Camera, timeout: float = 30.0, send: Callable[[], Any] | None = None) -> RegionArray:
    """Return the answer to a frame sent now."""
    got = rig.got['regions']
    got.clear()
    first = time.time_ns()

    def new() -> RegionArray | None:
        return next((m for m in got if to_ns(m.header.stamp) >= first and m.regions), None)

    return rig.until(new, timeout, send or camera.send)


def silent(rig: Rig, camera: Camera, seconds: float = 0.7, **changed: Any) -> bool:
    """Return whether frames sent now are not answered."""
    first = time.time_ns()
    rig.spin(seconds, lambda: camera.send(**changed))
    rig.spin(0.5)
    return not any(to_ns(m.header.stamp) >= first for m in rig.got['regions'])


def diagnostics(rig: Rig, camera: Camera) -> dict[str, str]:
    rig.got['/diagnostics'].clear()
    rig.until(lambda: rig.got['/diagnostics'], each=camera.send)
    return {v.key: v.value for s in rig.got['/diagnostics'][-1].status for v in s.values}
