"""The node of the integrators' page acts on certain, valid regions with their own points, and only while it is safe."""

from pathlib import Path
import re
import time
from typing import Any
import zlib

from converseg_ros.msg import Region, RegionArray
import numpy as np
import pytest
from ros_rig import Rig, reliable
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Bool

from converseg_ros.core.stamps import SECOND
from converseg_ros.lifting.clouds import POINT
from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros
PAGE = (Path(__file__).resolve().parents[2] / 'docs' / 'integrator.md').read_text()
IDS = ('certain', 'doubtful', 'old')


def answers(stamp_ns: int) -> tuple[RegionArray, PointCloud2]:
    """Return regions of three instructions, and a cloud with one more point for each of them than for the last."""
    head = conversion.header(stamp_ns, 'camera')
    out = RegionArray(header=head)
    points = np.zeros(6, POINT)
    points['instruction'] = np.repeat([zlib.crc32(name.encode()) for name in IDS], [1, 2, 3])
    points['x'] = np.arange(6)
    for name in IDS:
        region = Region(header=head, status=Region.STATUS_LOW_CONFIDENCE if name == 'doubtful' else Region.STATUS_OK)
        region.instruction.id = name
        region.geometry = Region.GEOMETRY_OK
        region.mask = conversion.to_image(np.full((2, 3), 255, np.uint8), 'mono8', head)
        region.valid_until = conversion.to_stamp(stamp_ns + (-SECOND if name == 'old' else 60 * SECOND))
        out.regions.append(region)
    return out, conversion.to_cloud(points, head, dense=True)


def test_the_documented_consumer_acts_on_what_may_be_acted_on(rig: Rig) -> None:
    (code,) = (b for b in re.findall(r'```python\n(.*?)```', PAGE, re.S) if 'class Consumer' in b)
    space: dict[str, Any] = {'__name__': 'page'}
    exec(compile(code, 'integrator.md', 'exec'), space)
    used: list[tuple[str, tuple[int, ...], int, list[float]]] = []

    class Consumer(space['Consumer']):  # type: ignore[misc]
        def act(self, region: Region, mask: np.ndarray, points: np.ndarray) -> None:
            used.append((region.instruction.id, mask.shape, int(mask.sum()), points['x'].tolist()))
            super().act(region, mask, points)

    consumer = rig.add(Consumer)
    safe = rig.node.create_publisher(Bool, 'segmenter/safety_ok', LATCHED)
    regions = rig.node.create_publisher(RegionArray, 'segmenter/regions', reliable())
    points = rig.node.create_publisher(PointCloud2, 'segmenter/affordance/points', reliable())

    def send() -> None:
        message, cloud = answers(time.time_ns())
        points.publish(cloud)
        regions.publish(message)

    seen: list[int] = []
    rig.node.create_subscription(RegionArray, 'segmenter/regions', lambda m: seen.append(1), reliable())
    rig.until(lambda: len(seen) > 5, each=send)
    assert not used  # without ~/safety_ok
    safe.publish(Bool(data=True))
    rig.until(lambda: used, each=lambda: (safe.publish(Bool(data=True)), send()))
    assert set(map(str, used)) == {str(('certain', (2, 3), 6, [0.0]))}
    safe.publish(Bool(data=False))
    rig.until(lambda: not consumer.safe)
    used.clear()
    seen.clear()
    rig.until(lambda: len(seen) > 5, each=send)
    assert not used
    rig.remove(consumer)
