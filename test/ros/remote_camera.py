"""A camera and a listener on another computer, for test_two_computers.py: publish images, say something, count answers.

Run as a program with the reliability of the camera; print what has arrived as JSON.
"""

import json
import os
import sys
import time

from converseg_ros.msg import InstructionAck, RegionArray
import numpy as np
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from converseg_ros.ros.messages import conversion

W, H = 1280, 720  # 2.8 MB a colour image
ENOUGH = 3  # answers


def main(reliability: str, limit: float) -> None:
    """Send images twice a second until enough answers and masks have come back, or for `limit` seconds."""
    rclpy.init()
    node = rclpy.create_node('remote_camera')
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy[reliability.upper()])
    image, info = node.create_publisher(Image, 'image', qos), node.create_publisher(CameraInfo, 'camera_info', qos)
    say = node.create_publisher(String, 'instruction', 10)
    got: dict[str, list[int]] = {'acknowledged': [], 'regions': [], 'masks': []}
    node.create_subscription(InstructionAck, '/segmenter/instruction_ack', lambda m: got['acknowledged'].append(1), 10)
    node.create_subscription(RegionArray, '/segmenter/regions', lambda m: got['regions'].append(len(m.regions)), 10)
    node.create_subscription(Image, '/segmenter/mask', lambda m: got['masks'].append(m.width * m.height), 10)
    pixels = np.random.default_rng(0).integers(0, 255, (H, W, 3), dtype=np.uint8)
    k = np.array([900.0, 0, W / 2, 0, 900, H / 2, 0, 0, 1])
    end, last, sent = time.monotonic() + limit, 0.0, 0
    while time.monotonic() < end and min(got['masks'].count(W * H), sum(map(bool, got['regions']))) < ENOUGH:
        rclpy.spin_once(node, timeout_sec=0.02)
        if time.monotonic() - last < 0.5:
            continue
        last = time.monotonic()
        if say.get_subscription_count() and not got['acknowledged']:
            say.publish(String(data='the red box'))
        if got['acknowledged'] and image.get_subscription_count():
            head = conversion.header(node.get_clock().now().nanoseconds, 'camera')
            info.publish(CameraInfo(header=head, width=W, height=H, k=k, distortion_model='plumb_bob', d=[0.0] * 5))
            image.publish(conversion.to_image(pixels, 'rgb8', head))
            sent += 1
    regions, masks = sum(map(bool, got['regions'])), got['masks'].count(W * H)
    print(json.dumps({'acknowledged': len(got['acknowledged']), 'regions': regions, 'masks': masks, 'sent': sent}))
    sys.stdout.flush()
    os._exit(0)


if __name__ == '__main__':
    main(sys.argv[1], float(sys.argv[2]))
