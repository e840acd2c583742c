"""The main job on a real bag: a camera's topics and an instruction in, regions, mask and clouds out, over DDS."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from converseg_ros.msg import Region, RegionArray
import numpy as np
import pytest
from ros_rig import Process, Rig
from sensor_msgs.msg import Image, PointCloud2

from converseg_ros.core.stamps import to_ns
from converseg_ros.lifting.clouds import POINT
from converseg_ros.ros.camera.replay import Bag, Replay

pytestmark = pytest.mark.ros


@pytest.fixture
def bag(shared: Path) -> Iterator[Bag]:
    with Bag(shared / 'data' / 'kitchen_raw') as bag:
        yield bag


def test_a_real_kitchen(rig: Rig, bag: Bag, tmp_path: Path) -> None:
    names = {'image': bag.camera.image, 'depth': bag.camera.depth, 'camera_info': bag.camera.camera_info}
    parameters = {
        'model': 'micro', 'threads': 1, 'track': 'false', 'lift.max_depth': 10.0,
        'standing': "['table: affordance: the table to put a plate on', 'stove: safety: the stove']",
    }  # fmt: skip
    arguments = [a for k, v in names.items() for a in ('-r', f'{k}:={v}')]
    arguments += [a for k, v in parameters.items() for a in ('-p', f'{k}:={v}')]
    segmenter = Process(tmp_path / 'log.txt', *arguments)
    kinds: dict[str, type] = {
        'regions': RegionArray,
        'mask': Image,
        'points': PointCloud2,
        'safety/points': PointCloud2,
    }
    got: dict[str, list[Any]] = {name: rig.listen(kind, name) for name, kind in kinds.items()}
    replay = Replay(rig.node, bag)
    rig.until(lambda: replay.listened() or not segmenter.lives, 120)
    assert segmenter.lives, segmenter.log.read_text()
    player = Thread(target=replay.run, kwargs={'rate': 0.1})
    player.start()

    def whole() -> dict[int, dict[str, Any]]:
        """Give the frames whose every message arrived: each topic comes on its own, regions before their cloud."""
        by_stamp = {name: {to_ns(m.header.stamp): m for m in got[name]} for name in kinds}
        stamps = set.intersection(*(set(messages) for messages in by_stamp.values()))
        return {stamp: {name: by_stamp[name][stamp] for name in kinds} for stamp in stamps}

    rig.until(lambda: not player.is_alive() and bool(whole()), 60)
    frame = whole()[max(whole())]
    message: RegionArray = frame['regions']
    assert [r.instruction.name for r in message.regions] == ['table', 'stove']
    for region in message.regions:
        assert (region.mask.width, region.mask.height) == (640, 480) and region.status != Region.STATUS_ERROR
        if region.area > 1000 and region.geometry in (Region.GEOMETRY_OK, Region.GEOMETRY_PARTIAL):
            assert 0.1 < region.distance < 10
    cloud: PointCloud2 = frame['points']
    points = np.frombuffer(cloud.data, POINT).reshape(480, 640)
    assert 0.2 < np.nanmedian(points['z']) < 10
    assert segmenter.end() == 0, segmenter.log.read_text()
