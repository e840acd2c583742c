"""Serve a running segmenter node to language-model agents, by the Model Context Protocol (MCP).

converseg mcp                          over standard input and output: an MCP client starts it
converseg mcp --http                   streamable HTTP on this machine, with a token: http://127.0.0.1:8724/mcp
converseg mcp --confirm client         the client may put questions about safety to a person

Tools: ask, regions, wait, standing, set_standing. An agent can never remove a standing safety instruction by itself.
docs/agents.md has the configuration of common clients.
"""

import argparse
import os
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--node', default='segmenter', help='name of the segmenter node')
    parser.add_argument('--namespace', default='', help='namespace of the node')
    parser.add_argument(
        '--http', action='store_true', help='serve streamable HTTP instead of standard input and output'
    )
    parser.add_argument('--host', default='127.0.0.1', help='loopback address to listen on (default: %(default)s)')
    parser.add_argument('--port', type=int, default=8724, help='default: %(default)s; 0: a free one')
    parser.add_argument(
        '--token', default='', help='token of the clients (default: $CONVERSEG_TOKEN, else generated and printed)'
    )
    parser.add_argument(
        '--confirm',
        choices=('operator', 'client'),
        default='operator',
        help='who may confirm the removal of a safety instruction: only operators, or also the person '
        'to whom the client shows a question (default: %(default)s)',
    )
    parser.add_argument('--agent', default='agent', metavar='NAME', help='name of the agent in the dialogue')
    parser.add_argument('--sim-time', action='store_true', help='ages by /clock, as when a bag is replayed')


def run(args: argparse.Namespace) -> int:
    """Serve until the client leaves, or until Ctrl-C."""
    from converseg_ros.core import ConversegError

    try:
        from converseg_ros.agents.server import make_http, make_server
        from converseg_ros.agents.verbs import Robot
        from converseg_ros.client import ConversegClient
        from converseg_ros.web.server import run as serve
    except ModuleNotFoundError as error:
        do = "source ROS 2, and pip install '.[mcp]' in the clone"
        raise ConversegError(f'{error.name} is missing', do=do) from error

    with ConversegClient(args.node, args.namespace, sim_time=args.sim_time) as client:
        server = make_server(Robot(client, name=args.agent), args.confirm)
        if not args.http:
            server.run('stdio')
            return 0
        app = make_http(server, args.host, args.token or os.environ.get('CONVERSEG_TOKEN', ''))
        print(f'Authorization: Bearer {app.state.token}', file=sys.stderr)
        serve(app, port=args.port, say=lambda text: print(text.split('?')[0] + 'mcp', file=sys.stderr))
    return 0
