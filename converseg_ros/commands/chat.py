"""Send instructions to a running segmenter node from the terminal, with live status, history and completion.

converseg chat
converseg chat --namespace left_arm

Type what to look for; follow-ups ("the other one", "now its handle") are resolved. /regions lists the regions, /help
and /quit show help and end the program. If standard input is not a terminal, each line is sent and answered in turn.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
import sys
import time
from typing import Any

from converseg_ros.core.errors import import_extra

HELP = (
    '/regions  list the regions\n/safety   list the standing safety instructions\n/reset    clear the conversation\n'
    '/help     show this help\n/quit     end'
)
PATIENCE = 3.0  # seconds that a list waits for the answers to the last text
STARTERS = (
    'show me ', 'where can I safely set down ', 'what can I use to ', 'keep away from ', 'do not touch ', 'pick up ',
    'the other one', 'the one behind it', 'now its ', 'both', 'not that', 'forget it', 'stop', 'undo', 'start over',
    'yes', 'no', '/regions', '/safety', '/reset', '/help', '/quit',
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--node', default='segmenter', help='name of the segmenter node')
    parser.add_argument('--namespace', default='', help='namespace of the node')
    parser.add_argument('--operator', default='', help='name of the operator, who has a separate conversation')
    parser.add_argument('--timeout', type=float, default=10.0, help='seconds to wait for an answer')


def run(args: argparse.Namespace) -> int:
    """Run until /quit or the end of the input."""
    from converseg_ros.client import ConversegClient

    with ConversegClient(args.node, args.namespace, timeout=args.timeout) as robot:
        if sys.stdin.isatty():
            return talk(robot, args.operator)
        for line in sys.stdin:
            if line.strip() and not answer(robot, line.strip(), print, args.operator):
                break
    return 0


def answer(robot: Any, line: str, out: Callable[[str], None], operator: str = '') -> bool:
    """Send one line and print the result; return False if it ends the program."""
    from converseg_ros.core import ConversegError
    from converseg_ros.core.instruction import said_by
    from converseg_ros.ros.messages.region_summary import describe

    if line in ('/quit', '/exit', '/q'):
        return False
    if line == '/help':
        out(HELP)
    elif line in ('/regions', '/safety'):
        if not robot.caught_up(timeout=PATIENCE):
            out('no image has been answered since the last text; before:')
        if line == '/regions':
            out('\n'.join(describe(r) for r in robot.regions()) or 'nothing is asked')
        else:
            standing = [r.instruction for r in robot.regions() if r.instruction.standing]
            out('\n'.join(f'{i.name}: {i.resolved_text}' for i in standing) or 'nothing stands')
    else:
        try:
            if line == '/reset':
                robot.reset()
                out('forgotten')
                return True
            ack = robot.say(said_by(operator, line))
        except ConversegError as error:
            out(f'error: {error}')
            return True
        for i in ack.instructions:
            out(f'  understood as: {i.resolved_text}  [{("plain", "affordance", "safety")[i.role]}]')
        if ack.reason:
            out(f'  {"" if ack.accepted else "not accepted: "}{ack.reason}')
        if ack.question:
            out(f'  {ack.question} (yes/no)' if ack.accepted else f'  {ack.question}')
    return True


def status(robot: Any) -> str:
    """Return the status line: each region with its status, and the safety verdict."""
    from converseg_ros.core import Status
    from converseg_ros.core.texts import catalogue

    words = catalogue()['status']
    shown = []
    for n, region in enumerate(robot.regions()[:6], 1):
        what = region.instruction.resolved_text or region.instruction.text
        known = Status(region.status).name if region.status in set(Status) else 'ERROR'
        shown.append(f'{n} {what[:28]}: {words[known]}')
    safe = 'safe' if robot.safe else 'NOT SAFE'
    return f' {safe} | ' + (' | '.join(shown) or 'nothing is asked')


def complete(typed: str, seen: Iterable[str]) -> list[str]:
    """Return completions of `typed`: phrases that the dialogue knows, followed by visible objects."""
    found = [s for s in STARTERS if s.startswith(typed) and s != typed]
    for starter in STARTERS:
        if starter.endswith(' ') and typed.startswith(starter):
            rest = typed[len(starter) :]
            found += [starter + phrase for phrase in dict.fromkeys(seen) if phrase.startswith(rest) and phrase != rest]
    return found


def talk(robot: Any, operator: str = '') -> int:
    """Read lines with prompt_toolkit until the end."""
    with import_extra('console'):
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
        from prompt_toolkit.history import FileHistory
        from prompt_toolkit.patch_stdout import patch_stdout

    class Words(Completer):
        """Completion from phrases of the dialogue and the visible regions."""

        def get_completions(self, document: Any, complete_event: Any) -> Iterable[Any]:
            typed = document.text_before_cursor
            seen = [r.instruction.resolved_text for r in robot.regions()]
            for text in complete(typed, seen):
                yield Completion(text, start_position=-len(typed))

    folder = Path.home() / '.cache' / 'converseg'
    folder.mkdir(parents=True, exist_ok=True)
    session: Any = PromptSession(
        history=FileHistory(str(folder / 'chat_history')),
        completer=Words(),
        complete_while_typing=False,
        bottom_toolbar=lambda: status(robot),
        refresh_interval=0.5,
    )
    print(HELP)
    while True:
        try:
            with patch_stdout():
                line = session.prompt(f'{time.strftime("%H:%M")} > ').strip()
        except EOFError:
            return 0
        except KeyboardInterrupt:
            continue
        if line and not answer(robot, line, print, operator):
            return 0
