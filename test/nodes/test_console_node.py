"""The console node between real messages and a page."""

import json
import time

from builtin_interfaces.msg import Time
import cv2
import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from ros_rig import H, W
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Bool, String

pytest.importorskip('fastapi')
connect = pytest.importorskip('websockets.sync.client').connect

from converseg_ros.msg import InstructionAck, RegionArray

from converseg_ros.core import Instruction, Prediction, Role, Status
from converseg_ros.core.palette import color_of
from converseg_ros.core.region import Region
from converseg_ros.lifting.clouds import POINT
from converseg_ros.nodes.console_messages import read_cloud
from converseg_ros.nodes.console_node import ConsoleNode
from converseg_ros.ros.messages import conversion

pytestmark = pytest.mark.ros


@pytest.fixture
def console(rig):
    overrides = [Parameter('port', value=0), Parameter('speech', value=False)]
    node = rig.add(ConsoleNode, parameter_overrides=overrides)
    yield node
    node.close()
    rig.remove(node)


def regions(stamp_ns):
    mask = np.zeros((H, W), bool)
    mask[40:80, 50:100] = True
    asked = Instruction('keep away from the stove', Role.SAFETY, name='stove', resolved='the stove', standing=True)
    region = Region('r1', asked, Prediction(mask, 0.8, Status.OK), stamp_ns=stamp_ns, frame_id='camera')
    message = RegionArray(header=conversion.header(stamp_ns, 'camera'))
    message.regions = [conversion.from_region(region, 1)]
    return message


class Page:
    """A websocket that is read while the rig spins."""

    def __init__(self, address):
        self.socket = connect(f'ws://{address}/ws', max_size=None)
        self.state, self.frames = {}, 0

    def read(self):
        try:
            data = self.socket.recv(0.02)
        except TimeoutError:
            return
        if isinstance(data, bytes):
            self.frames += data[:1] == b'F'
        elif json.loads(data)['type'] == 'state':
            self.state = json.loads(data)


def test_images_and_regions_reach_the_page_and_its_words_the_node(rig, camera, console):
    publish = rig.node.create_publisher(RegionArray, '/segmenter/regions', 2)
    acknowledge = rig.node.create_publisher(InstructionAck, '/segmenter/instruction_ack', 10)
    latched = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    safe = rig.node.create_publisher(Bool, '/segmenter/safety_ok', latched)
    words = rig.listen(String, '/instruction')
    page = Page(console.web.address)

    def beat():
        publish.publish(regions(camera.send()))
        safe.publish(Bool(data=True))

    def seen():
        page.read()
        return page.frames and page.state.get('regions') and page.state['safe']

    rig.until(seen, each=beat)
    rig.until(lambda: page.read() or page.state['safe'] is False)  # as if the segmenter had been killed
    assert page.state['regions'][0]['phrase'] == 'the stove'
    assert [c['name'] for c in page.state['chips']] == ['stove']
    page.socket.send(json.dumps({'type': 'click', 'x': 75 / W, 'y': 60 / H}))
    rig.until(lambda: page.read() or page.state['selected'] == 'r1')
    page.socket.send(json.dumps({'type': 'say', 'value': 'what is behind it'}))
    rig.until(lambda: words)
    assert words[-1].data == '#r1 what is behind it'
    ack = InstructionAck(text=words[-1].data, accepted=True, question='Really?')
    ack.instructions = [
        conversion.from_instruction(Instruction('what is behind it', resolved='what is behind the stove'))
    ]
    acknowledge.publish(ack)
    rig.until(lambda: page.read() or page.state['question'] == 'Really?')
    assert page.state['history'][-1]['understood'][0]['resolved'] == 'what is behind the stove'
    page.socket.close()


def test_compressed_images_of_the_topic_image_reach_the_page(rig):
    """As in the other nodes, a remapping of `image` names the topic, whatever its type."""
    overrides = {'port': 0, 'speech': False, 'image_transport': 'compressed'}
    parameters = [Parameter(n, value=v) for n, v in overrides.items()]
    node = rig.add(ConsoleNode, parameter_overrides=parameters, namespace='left')
    images = rig.node.create_publisher(CompressedImage, '/left/image', 10)
    data = cv2.imencode('.jpg', np.full((H, W, 3), 90, np.uint8))[1].tobytes()
    page = Page(node.web.address)

    def send():
        images.publish(CompressedImage(header=conversion.header(time.time_ns(), 'camera'), format='jpeg', data=data))

    rig.until(lambda: page.read() or page.frames, each=send)
    page.socket.close()
    node.close()
    rig.remove(node)


def test_clouds_are_subscribed_only_while_a_page_shows_them(rig, console):
    topic = '/segmenter/points'
    assert rig.node.count_subscribers(topic) == 0
    page = Page(console.web.address)
    page.socket.send(json.dumps({'type': 'clouds'}))
    rig.until(lambda: rig.node.count_subscribers(topic) == 1)
    console.console.clouds_wanted = 0.0
    rig.until(lambda: rig.node.count_subscribers(topic) == 0)
    page.socket.close()


def test_a_cloud_is_read_with_its_colours_and_without_its_gaps():
    points = np.zeros((2, 3), POINT)
    points['x'] = np.nan
    points['x'][1, 2], points['z'][1, 2] = 0.5, 1.5
    points['rgb'][1, 2] = np.array([255 << 16 | 10], np.uint32).view(np.float32)[0]
    head = conversion.header(0, 'camera')
    assert head.stamp == Time()
    cloud = read_cloud(conversion.to_cloud(points, head, dense=False))
    assert cloud.points.tolist() == [[0.5, 0.0, 1.5]]
    assert cloud.colors.tolist() == [[255, 0, 10]]
    points['label'][1, 2] = 4  # the fourth region
    cloud = read_cloud(conversion.to_cloud(points, head, dense=False), regions=True)
    assert cloud.colors.tolist() == [list(color_of(3))]
