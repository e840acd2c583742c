"""What cameras do: depth from a lens of its own, camera_info sent once, lost images, other quality of service."""

from collections.abc import Callable, Iterator
import time
from typing import Any

from converseg_ros.msg import RegionArray
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import pytest
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from ros_rig import Camera, H, InProcess, K, Rig, W, best_effort, reliable
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.camera.qos import LATCHED
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros
FAR = 1.5  # metres to the wall
GREY = np.full((H, W, 3), 90, np.uint8)
ASIDE = 0.1  # metres from the colour to the depth camera, to the right


@pytest.fixture(scope='module')
def live(rig: Rig) -> Iterator[InProcess]:
    overrides: dict[str, Any] = {
        'qos_overrides./segmenter/mask.publisher.reliability': 'best_effort',
        'qos_overrides./segmenter/mask.publisher.depth': 7,
    }
    node = InProcess(
        rig, threads=1, world_frame='', level_frame='', track=False, standing=['wall: plain: the wall'], **overrides
    )
    assert node.active
    rig.listen(RegionArray, 'regions')
    rig.listen(DiagnosticArray, '/diagnostics')
    yield node
    node.close()


def answer(rig: Rig, send: Callable[[], Any]) -> RegionArray:
    """Return the answer to a frame sent now."""
    got, first = rig.got['regions'], time.time_ns()
    got.clear()
    return rig.until(lambda: next((m for m in got if to_ns(m.header.stamp) >= first and m.regions), None), 60, send)


def frame_of(live: InProcess) -> tuple[Any, str]:
    """Return the newest images as a Frame, and why it is less than it could be."""
    pipeline = live.node.live
    assert pipeline is not None and pipeline.latest is not None
    return pipeline.makers[1].make(pipeline.latest, live.node.settings.frames)[0], pipeline.makers[1].note


def test_publishers_quality_of_service_can_be_overridden(rig: Rig, live: InProcess) -> None:
    def offered(topic: str) -> Any:
        return rig.until(lambda: rig.node.get_publishers_info_by_topic(f'/segmenter/{topic}'))[0].qos_profile

    mask = next(p for p in live.node.publishers if p.topic_name.endswith('/mask')).qos_profile
    assert (mask.reliability, mask.depth) == (ReliabilityPolicy.BEST_EFFORT, 7)
    assert offered('mask').reliability == ReliabilityPolicy.BEST_EFFORT
    assert offered('regions').reliability == ReliabilityPolicy.RELIABLE
    assert offered('safety_ok').durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_depth_of_another_camera_is_registered_by_tf(rig: Rig, live: InProcess) -> None:
    """Depth at half the size from 0.1 m to the right: 10 columns of the image, on the left, are not seen by it."""
    camera = Camera(rig)
    depth_info = camera.node.create_publisher(CameraInfo, 'depth_camera_info', reliable())
    tf = camera.node.create_publisher(TFMessage, '/tf_static', LATCHED)
    small = np.full((H // 2, W // 2), round(1000 * FAR), np.uint16)
    k = np.array([75.0, 0, 39.5, 0, 75.0, 29.5, 0, 0, 1])

    def send() -> None:
        stamp = time.time_ns()
        head = conversion.header(stamp, 'depth_camera')
        camera.send(stamp, depth=conversion.to_image(small, '16UC1', head))

    def refused(*words: str) -> bool:
        reason = answer(rig, send).regions[0].geometry_reason
        return all(w in reason for w in ("depth is in frame 'depth_camera', the image in 'camera'", *words))

    rig.until(lambda: refused("the depth camera's camera_info is not known", 'depth_camera_info'), 60)
    head = conversion.header(time.time_ns(), 'depth_camera')
    rig.until(depth_info.get_subscription_count)
    depth_info.publish(CameraInfo(header=head, width=W // 2, height=H // 2, k=k))
    rig.until(lambda: refused('no transform', '/tf_static'), 60)
    transform = TransformStamped()
    transform.header.frame_id, transform.child_frame_id = 'camera', 'depth_camera'
    transform.transform.translation.x, transform.transform.rotation.w = ASIDE, 1.0
    tf.publish(TFMessage(transforms=[transform]))
    rig.until(lambda: 'depth is in frame' not in answer(rig, send).regions[0].geometry_reason, 60)
    frame, note = frame_of(live)
    assert not note and frame.depth is not None and frame.depth.shape == (H, W)
    unseen = round(ASIDE * K[0] / FAR)
    assert np.isnan(frame.depth[:, : unseen - 3]).all()
    known = frame.depth[5:-5, unseen + 3 : -3]
    assert np.isfinite(known).mean() > 0.95 and np.allclose(known[np.isfinite(known)], FAR, atol=1e-3)
    camera.node.destroy_publisher(tf)
    camera.close()


def test_a_camera_info_that_is_sent_once_and_latched_serves_every_image(rig: Rig, live: InProcess) -> None:
    def change(transition: int) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        assert rig.call(ChangeState, '/segmenter/change_state', request, 60).success

    def close(node: Node) -> None:
        rig.remove(node)
        rig.spin(0.3)

    for order in ('node first', 'camera first'):
        if order == 'camera first':
            change(Transition.TRANSITION_DEACTIVATE)
        node = rig.add(Node, f'once_{order[:4].strip()}')
        image = node.create_publisher(Image, 'image', reliable())
        info = node.create_publisher(CameraInfo, 'camera_info', LATCHED)
        info.publish(CameraInfo(header=conversion.header(1, 'camera'), width=W, height=H, k=K))
        rig.spin(0.5)
        if order == 'camera first':
            change(Transition.TRANSITION_ACTIVATE)
        stamps = [time.time_ns()]

        def send(stamps: list[int] = stamps, image: Any = image) -> None:
            stamps[0] += 33_000_000
            image.publish(conversion.to_image(GREY, 'rgb8', conversion.header(stamps[0], 'camera')))

        def calibrated(send: Callable[[], None] = send) -> bool:
            send()
            rig.spin(0.2)
            pipeline = live.node.live
            return pipeline is not None and pipeline.latest is not None and frame_of(live)[0].intrinsics is not None

        rig.until(calibrated, 20)
        stamps[0] -= 60_000_000_000  # the bag begins again: the clock jumps, and camera_info does not come again
        pipeline = live.node.live
        assert pipeline is not None
        resets = pipeline.counts['resets']
        rig.until(lambda r=resets, p=pipeline, s=send: s() or p.counts['resets'] > r, 20)
        rig.spin(0.5, send)
        assert rig.until(calibrated, 20), order
        close(node)


def test_lost_images_are_warned_of_with_the_cure_and_no_more_when_they_arrive(rig: Rig, live: InProcess) -> None:
    camera = Camera(rig)

    def words() -> str:
        return ' '.join(s.message for m in rig.got['/diagnostics'][-1:] for s in m.status)

    rig.until(lambda: 'camera_info messages' in words(), 40, lambda: camera.send(image=None))
    assert 'fastdds.xml' in words() and 'DEFAULT_PROFILES_FILE' in words()
    rig.until(lambda: rig.got['/diagnostics'] and 'fastdds.xml' not in words(), 40, camera.send)
    camera.close()


def test_depth_at_half_the_size_of_the_same_frame_is_scaled(rig: Rig, live: InProcess) -> None:
    camera = Camera(rig)
    small = np.full((H // 2, W // 2), round(1000 * FAR), np.uint16)

    def send() -> None:
        stamp = time.time_ns()
        camera.send(stamp, depth=conversion.to_image(small, '16UC1', conversion.header(stamp, 'camera')))

    rig.until(lambda: answer(rig, send).regions and frame_of(live)[0].depth is not None, 40)
    depth = np.asarray(frame_of(live)[0].depth)
    assert depth.shape == (H, W) and np.allclose(depth, FAR)
    camera.close()


def test_images_without_a_stamp_are_warned_of(rig: Rig, live: InProcess) -> None:
    camera = Camera(rig)

    def send() -> None:
        messages = camera.messages(0)
        camera.image.publish(messages['image'])

    got = rig.got['/diagnostics']
    rig.until(lambda: any('without a stamp' in s.message for m in got[-1:] for s in m.status), 40, send)
    assert answer(rig, camera.send).regions  # those with a stamp are answered again
    camera.close()


def test_texts_on_the_cameras_topics_do_not_hide_its_images(rig: Rig, live: InProcess) -> None:
    """A best-effort String on `depth` is no depth that images could wait for, and none to take the quality of."""
    other = Rig()  # a process of its own has a context of its own
    publishers = [other.node.create_publisher(String, name, best_effort()) for name in ('image', 'depth')]
    camera = Camera(rig, depth=False)

    def send() -> None:
        for publisher in publishers:
            publisher.publish(String(data='hello'))
        camera.send()

    rig.until(lambda: answer(rig, send).regions, 40)
    rig.spin(2.5, send)  # the node has looked at who publishes
    assert answer(rig, send).regions
    asked = live.node.camera.describe()['image']
    assert '; reliable, ' in asked and '(0 publishers' not in asked
    camera.close()
    other.close()
