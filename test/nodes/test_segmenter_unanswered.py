"""Before there is an answer, at the start and after a reset, everything that is seen is forbidden."""

from collections.abc import Iterator
from threading import Event
import time
from typing import Any

from converseg_ros.msg import RegionArray
from converseg_ros.srv import Reset
import numpy as np
import pytest
from rclpy.parameter import Parameter
from ros_rig import Camera, H, Rig, W
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Bool

from converseg_ros.core.stamps import to_ns
from converseg_ros.nodes.segmenter_node import SegmenterNode, end
from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros


class Slow:
    """A network that answers when it is let."""

    def __init__(self, network: Any) -> None:
        self.network, self.go = network, Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        self.go.wait()
        return self.network.predict(*args, **kwargs)


class SlowNode(SegmenterNode):
    """A segmenter with that network."""

    def load(self, device: str) -> Any:
        self.network = Slow(super().load(device))
        return self.network


@pytest.fixture
def node(rig: Rig) -> Iterator[SlowNode]:
    values = {
        'model': 'micro',
        'standing': ['plate: safety: the hot plate'],
        'world_frame': '',
        'level_frame': '',
        'max_age': 10.0,
        'safety.max_age': 10.0,
        'autostart': False,
    }
    node: Any = rig.add(SlowNode, parameter_overrides=[Parameter(n, value=v) for n, v in values.items()])
    rig.listen(RegionArray, 'regions')
    rig.listen(Bool, 'safety_ok', LATCHED)
    rig.listen(PointCloud2, 'safety/points')
    node.configure()
    node.activate()
    yield node
    node.network.go.set()
    end(node)
    rig.remove(node)


def all_forbidden(rig: Rig) -> bool:
    """Return whether the newest word is no, and the newest cloud has a point for every pixel that has depth."""
    words, clouds = rig.got['safety_ok'], rig.got['safety/points']
    if not words or words[-1].data or not clouds:
        return False
    points = conversion.from_cloud(clouds[-1])
    seen = np.unique(np.stack([points[n].ravel() for n in 'xyz'], 1).round(3), axis=0)
    return len(seen) > 0.99 * W * H


def test_the_whole_cloud_is_forbidden_until_the_first_answer_and_again_after_a_reset(
    rig: Rig, camera: Camera, node: SlowNode
) -> None:
    rig.until(lambda: all_forbidden(rig), 60, camera.send)
    assert not rig.got['regions'], 'the network has not answered yet'
    node.network.go.set()
    rig.until(lambda: rig.got['safety_ok'][-1].data and not all_forbidden(rig), 60, camera.send)
    assert rig.got['regions']
    node.network.go.clear()
    rig.until(lambda: node.live is not None and node.live.busy_seconds > 0.3, 60, camera.send)
    node.on_reset(Reset.Request(), Reset.Response())
    reset = time.time_ns()
    for topic in ('regions', 'safety_ok', 'safety/points'):
        rig.got[topic].clear()
    rig.until(lambda: all_forbidden(rig), 60, camera.send)
    said = [m.data for m in rig.got['safety_ok']]
    assert not any(said[said.index(False) :]), 'only what was under way before the reset may still say yes'
    assert not [m for m in rig.got['regions'] if to_ns(m.header.stamp) > reset]
    node.network.go.set()
    rig.until(lambda: rig.got['safety_ok'][-1].data and not all_forbidden(rig), 60, camera.send)
