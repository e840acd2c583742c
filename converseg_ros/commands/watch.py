"""Print the regions of a running segmenter node; Ctrl-C ends it.

converseg watch
converseg watch --count 3 --say "the mug on the left"
"""

import argparse
import time


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--node', default='segmenter', help='name of the segmenter node')
    parser.add_argument('--namespace', default='', help='namespace of the node')
    parser.add_argument('--timeout', type=float, default=30.0, help='seconds without regions until it gives up')
    parser.add_argument('--count', type=int, default=0, help='end after this number of messages; 0 = never')
    parser.add_argument('--say', default='', help='first send this text to the node')


def run(args: argparse.Namespace) -> int:
    """Print one line per region."""
    from converseg_ros.client import ConversegClient
    from converseg_ros.core import ConversegError
    from converseg_ros.ros.messages.region_summary import describe

    with ConversegClient(args.node, args.namespace, timeout=args.timeout) as robot:
        if args.say:
            ack = robot.say(args.say)
            if ack.question:
                print(f'the robot asks: {ack.question}')
            if not ack.accepted:
                raise ConversegError(ack.reason, where=args.say)
            robot.caught_up(timeout=args.timeout)  # the messages counted below answer the text
        seen = 0
        heard, shown = time.monotonic(), False
        while not args.count or seen < args.count:
            try:
                regions = robot.wait(timeout=min(args.timeout, 0.5))
            except ConversegError:
                if shown and not robot.safe:  # the printed regions are no longer valid
                    shown = False
                    print(f'{time.strftime("%H:%M:%S")}  nothing new\n  safety: NOT OK', flush=True)
                if time.monotonic() - heard > args.timeout:
                    raise
                continue
            seen += 1
            heard, shown = time.monotonic(), robot.safe
            stamp = regions[0].header.stamp if regions else None
            clock = time.strftime('%H:%M:%S')
            print(
                f'{clock}  image {stamp.sec}.{stamp.nanosec:09d}' if stamp else f'{clock}  no instruction', flush=True
            )
            for region in regions:
                print(f'  {describe(region)}', flush=True)
            print(f'  safety: {"ok" if shown else "NOT OK"}', flush=True)
    return 0
