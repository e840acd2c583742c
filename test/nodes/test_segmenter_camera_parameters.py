"""Parameters of the camera input: rate, depth, synchronisation, transport, distortion, frames."""

import time

from converseg_ros.msg import Region, RegionArray
from live_segmenter import answer, silent
import numpy as np
import pytest
from ros_rig import Camera, H, InProcess, K, Rig, W, reliable
from sensor_msgs.msg import CameraInfo
from tf2_msgs.msg import TFMessage

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('restored')]


def test_geometry_and_max_age(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(geometry=False, max_age=7.5).successful
    region = answer(rig, camera).regions[0]
    assert region.geometry == Region.GEOMETRY_NOT_COMPUTED
    assert to_ns(region.valid_until) - to_ns(region.header.stamp) == 7_500_000_000


def test_max_rate(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(max_rate=0.2).successful
    answer(rig, camera)
    rig.spin(0.3)
    rig.got['regions'].clear()
    rig.spin(2.0, camera.send)
    assert len(rig.got['regions']) <= 1


def test_depth_off_required_and_auto(rig: Rig, camera: Camera, live: InProcess) -> None:
    assert rig.set(depth='off').successful
    region = answer(rig, camera).regions[0]
    assert region.geometry in (Region.GEOMETRY_NO_DEPTH, Region.GEOMETRY_NOT_COMPUTED)
    assert rig.set(depth='required').successful
    assert silent(rig, camera, depth=None)
    assert answer(rig, camera).regions


def test_sync_slop_and_queue(rig: Rig, camera: Camera, live: InProcess) -> None:
    rig.spin(1.5, camera.send)  # depth is known to come
    clock = [time.time_ns()]

    def apart() -> None:
        clock[0] += 10**9  # far apart, so that no image meets another one's depth
        camera.send(clock[0], depth=camera.messages(clock[0] - 150_000_000)['depth'])

    first = time.time_ns()
    rig.spin(1.0, apart)
    rig.spin(0.5)
    assert not any(to_ns(m.header.stamp) >= first for m in rig.got['regions'])
    assert rig.set(sync_slop=0.2).successful
    assert answer(rig, camera, send=apart).regions
    assert rig.set(sync_slop=0.001, sync_queue=1).successful
    assert live.node.camera is not None and live.node.camera.sync.queue == 1
    before = live.node.camera.sync.counts['no_image']
    for _ in range(5):
        camera.send(image=None)
        rig.spin(0.1)
    counts = live.node.camera.sync.counts
    rig.until(lambda: counts['no_image'] >= before + 3)


def test_image_transport(rig: Rig, camera: Camera, live: InProcess) -> None:
    import cv2
    from sensor_msgs.msg import CompressedImage

    assert rig.set(image_transport='compressed', depth_transport='compressedDepth').successful
    other = Rig()  # a participant has one type a topic
    node = other.node
    colour = node.create_publisher(CompressedImage, 'image', reliable())
    deep = node.create_publisher(CompressedImage, 'depth', reliable())

    def send() -> None:
        stamp = time.time_ns()
        messages = camera.messages(stamp)
        head = messages['image'].header
        jpeg = cv2.imencode('.jpg', conversion.from_image(messages['image'])[..., ::-1])[1]
        png = cv2.imencode('.png', conversion.from_image(messages['depth']))[1]
        data = np.concatenate([np.zeros(12, np.uint8), png.ravel()])
        colour.publish(
            CompressedImage(header=head, format='rgb8; jpeg compressed bgr8', data=conversion.to_bytes(jpeg))
        )
        deep.publish(CompressedImage(header=head, format='16UC1; compressedDepth png', data=conversion.to_bytes(data)))
        camera.info.publish(messages['info'])

    rig.got['regions'].clear()
    message = rig.until(lambda: next((m for m in rig.got['regions'] if m.regions), None), each=send)
    assert message.regions[0].mask.width == W
    broken = CompressedImage(format='jpeg', data=conversion.to_bytes(np.full(99, 7, np.uint8)))
    broken.header.stamp = conversion.to_stamp(time.time_ns())
    colour.publish(broken)
    rig.got['regions'].clear()
    rig.until(lambda: [m for m in rig.got['regions'] if m.regions], each=send)
    other.close()


def test_distortion_rectify_refuse_ignore(rig: Rig, camera: Camera, live: InProcess) -> None:
    def bent() -> CameraInfo:
        p = np.array([300.0, 0, 79.5, 0, 0, 300.0, 59.5, 0, 0, 0, 1, 0])
        return CameraInfo(width=W, height=H, k=K, p=p, d=[-0.2, 0.0, 0.0, 0.0, 0.0], distortion_model='plumb_bob')

    def send() -> None:
        stamp = time.time_ns()
        info = bent()
        info.header = conversion.header(stamp, 'camera')
        camera.send(stamp, info=info)

    seen: dict[str, RegionArray] = {}
    for mode in ('rectify', 'refuse', 'ignore'):
        assert rig.set(distortion=mode).successful
        seen[mode] = answer(rig, camera, send=send)
    assert all('distortion' in r.geometry_reason for r in seen['refuse'].regions)
    assert not any('distortion' in r.geometry_reason for r in (*seen['rectify'].regions, *seen['ignore'].regions))


def test_target_frame_world_frame_and_tf_timeout(rig: Rig, camera: Camera, live: InProcess) -> None:
    from geometry_msgs.msg import TransformStamped

    tf = camera.node.create_publisher(TFMessage, '/tf_static', LATCHED)
    transform = TransformStamped()
    transform.header.frame_id, transform.child_frame_id = 'map', 'camera'
    transform.transform.translation.x = 10.0
    # optical to level: x right -> -y, y down -> -z, z forward -> x
    q = transform.transform.rotation
    q.x, q.y, q.z, q.w = -0.5, 0.5, -0.5, 0.5
    assert rig.set(target_frame='map').successful
    region = next(r for r in answer(rig, camera).regions if r.area > 100)
    assert region.geometry == Region.GEOMETRY_NO_TF and region.header.frame_id == 'camera'
    tf.publish(TFMessage(transforms=[transform]))

    def there() -> Region | None:
        return next((r for r in answer(rig, camera).regions if r.area > 100 and r.header.frame_id == 'map'), None)

    region = rig.until(there)
    assert region.centroid.x > 10.5, region.geometry_reason
    pipeline = live.node.live
    assert pipeline is not None
    frame, pose = pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)
    assert frame.gravity is None and pose is None
    assert rig.set(level_frame='map', tf_timeout=0.0).successful
    frame, pose = pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)
    assert pose is None
    assert frame.gravity is not None and np.allclose(frame.gravity, [0, 1, 0], atol=1e-6), 'down is +y in the image'
    assert rig.set(world_frame='map').successful
    pose = pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)[1]
    assert pose is not None and np.allclose(pose[:3, 3], [10, 0, 0])
    assert rig.set(world_frame='nowhere', tf_timeout=0.3).successful
    begin = time.monotonic()
    pipeline.makers[0].make(pipeline.latest, live.node.settings.frames)
    assert time.monotonic() - begin > 0.25
    camera.node.destroy_publisher(tf)
