"""Serve the operator's page: live overlay, typed and spoken instructions, 3D view. Ctrl-C ends it.

converseg console
converseg console --port 9000 --image /camera/color/image_raw
converseg console --host 0.0.0.0        serves other machines too and prints the address with its token
"""

import argparse
import subprocess
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (default: this machine only)')
    parser.add_argument('--port', type=int, default=8723, help='default: %(default)s')
    parser.add_argument('--token', default='', help='token of the pages; generated for addresses beyond this machine')
    parser.add_argument('--image', default='image', help="the camera's topic (default: %(default)s)")
    parser.add_argument('--transport', choices=('raw', 'compressed'), default='raw', help='type of the image topic')
    parser.add_argument('--segmenter', default='segmenter', help='name of the segmenter node (default: %(default)s)')
    parser.add_argument('--namespace', default='', help='namespace of the node')
    parser.add_argument('--speech-model', default='', help='folder of a speech model (default: the small English one)')
    parser.add_argument('--operator', default='', help='name of the operator, who has a separate conversation')
    parser.add_argument('--no-speech', action='store_true', help='no microphone on the page')


def run(args: argparse.Namespace) -> int:
    """Start the console node and wait until it ends."""
    parameters = {
        'host': args.host,
        'port': args.port,
        'token': args.token,
        'segmenter': args.segmenter,
        'image_transport': args.transport,
        'speech': not args.no_speech,
        'speech_model': args.speech_model,
        'operator': args.operator,
    }
    suffix = '/compressed' if args.transport == 'compressed' else ''
    remaps = [f'image:={args.image.removesuffix(suffix)}{suffix}']
    if args.namespace:
        remaps.append(f'__ns:=/{args.namespace.strip("/")}')
    command = [sys.executable, '-m', 'converseg_ros.nodes.console_node', '--ros-args']
    for remap in remaps:
        command += ['-r', remap]
    for name, value in parameters.items():
        if value != '':
            command += ['-p', f'{name}:={str(value).lower() if isinstance(value, bool) else value}']
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait(10)
