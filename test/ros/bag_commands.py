"""`ros2 bag play` and `ros2 bag record` by rosbags, for machines that have launch but not rosbag2 (test_launched.py).

The options are those that replay.launch.py gives. Messages pass as serialized bytes; /clock runs as with rosbag2.
"""

import argparse
import contextlib
from pathlib import Path
import sys
import threading
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile
from rosbags.rosbag2 import Writer
from rosgraph_msgs.msg import Clock

from converseg_ros.ros.camera.replay import Bag, Replay, message_type
from converseg_ros.ros.messages.conversion import to_stamp


def play(bag: Path, rate: float, hertz: float) -> None:
    """Play the camera and TF of a bag, with a clock that runs between the messages too."""
    node = rclpy.create_node('rosbag2_player')
    with Bag(bag) as opened:
        replay = Replay(node, opened, names={'/clock': '~/stamps'})
        clock = node.create_publisher(Clock, '/clock', 10)
        first = opened.reader.start_time
        begin, over = time.monotonic(), threading.Event()

        def tick() -> None:
            while not over.wait(1 / hertz):
                clock.publish(Clock(clock=to_stamp(first + round((time.monotonic() - begin) * rate * 1e9))))

        ticker = threading.Thread(target=tick)
        ticker.start()
        replay.run(rate=rate)
        over.set()
        ticker.join()
    node.destroy_node()


def record(path: Path, topics: list[str]) -> None:
    """Write what is published on topics, of any type, until a signal comes."""
    node = rclpy.create_node('rosbag2_recorder')
    with Writer(path, version=9) as writer:
        connections: dict[str, object] = {}

        def look() -> None:
            for name, (kind, *_) in node.get_topic_names_and_types():
                if name in topics and name not in connections:
                    # the definitions of the types are left out: who reads this bag has them
                    connections[name] = writer.add_connection(name, kind, msgdef='-', rihs01='RIHS01_-')
                    node.create_subscription(message_type(kind), name, keeper(name), QoSProfile(depth=100), raw=True)

        def keeper(name: str):
            return lambda data: writer.write(connections[name], node.get_clock().now().nanoseconds, bytes(data))

        node.create_timer(0.1, look)
        with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
            rclpy.spin(node)


def main() -> int:
    """Run one of the two commands as the arguments say, of which the first one is `bag`."""
    parser = argparse.ArgumentParser(prog='ros2')
    commands = parser.add_subparsers(dest='group', required=True).add_parser('bag').add_subparsers(dest='command')
    player = commands.add_parser('play')
    player.add_argument('bag', type=Path)
    player.add_argument('--clock', type=float, required=True)
    player.add_argument('--rate', type=float, default=1.0)
    recorder = commands.add_parser('record')
    recorder.add_argument('-o', type=Path, required=True)
    recorder.add_argument('--use-sim-time', action='store_true')
    recorder.add_argument('topics', nargs='+')
    said = parser.parse_args()
    rclpy.init()
    if said.command == 'play':
        play(said.bag, said.rate, said.clock)
    else:
        record(said.o, said.topics)
    return 0


if __name__ == '__main__':
    sys.exit(main())
