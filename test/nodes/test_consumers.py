"""What upstream's Python packages make of the outputs: message_filters joins them, sensor_msgs_py reads the clouds."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ros_rig import Camera, InProcess, Rig, reliable
from sensor_msgs.msg import Image, PointCloud2

message_filters = pytest.importorskip('message_filters', reason='message_filters is not installed')
point_cloud2 = pytest.importorskip('sensor_msgs_py.point_cloud2', reason='sensor_msgs_py is not installed')
pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def live(rig: Rig) -> Iterator[InProcess]:
    node = InProcess(
        rig, threads=1, world_frame='', level_frame='', instruction_ttl=0.0, standing=['stove: safety: the stove']
    )
    assert node.active
    yield node
    node.close()


def test_mask_confidence_and_points_belong_together_and_no_point_is_lost(
    rig: Rig, camera: Camera, live: InProcess
) -> None:
    """These are the inputs of nav2's semantic segmentation layer; the micro network is not calibrated."""
    names = {'mask': Image, 'confidence': Image, 'points': PointCloud2}
    subscribers = [
        message_filters.Subscriber(rig.node, kind, f'/segmenter/{name}', qos_profile=reliable(10))
        for name, kind in names.items()
    ]
    together: list[Any] = []
    synchronizer = message_filters.TimeSynchronizer(subscribers, 10)
    synchronizer.registerCallback(lambda *messages: together.append(messages))
    rig.until(lambda: together, 60, each=camera.send)
    mask, confidence, cloud = together[0]
    assert (mask.width, mask.height) == (confidence.width, confidence.height) == (cloud.width, cloud.height)
    measured = point_cloud2.read_points(cloud, ['x', 'y', 'z'], skip_nans=True)
    all_fields = point_cloud2.read_points(cloud, skip_nans=True)
    assert len(measured) > 0.5 * mask.width * mask.height
    assert len(all_fields) == len(measured)
    assert np.isfinite(all_fields['z'].astype(float)).all()
    for subscriber in subscribers:
        rig.node.destroy_subscription(subscriber.sub)
