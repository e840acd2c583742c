"""Conversations in a file, one entry per operator, to restore them after a restart."""

from collections import deque
from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from converseg_ros.core import Instruction
from converseg_ros.core.errors import parsing
from converseg_ros.core.files import write_json
from converseg_ros.dialogue.conversation import Conversation
from converseg_ros.dialogue.memory import Turn


def write(
    path: Path,
    conversations: Mapping[str, Conversation],
    standing: Sequence[Instruction],
    unclear: Mapping[str, str],
) -> None:
    """Write the conversations of all operators, their standing instructions, and refused prohibitions, atomically.

    An open question about the removal of a safety instruction is not stored: the instruction remains.
    """
    data = {
        'version': 1,
        'operators': {
            name: {
                'turns': [t.to_json() for t in c.turns],
                'asked': [[instruction_json(i) for i in group] for group in c.asked],
            }
            for name, c in conversations.items()
        },
        'standing': [instruction_json(i) for i in standing],
        'unclear': dict(unclear),
    }
    write_json(path, data)


def read(path: Path, history: int) -> tuple[dict[str, Conversation], tuple[Instruction, ...], dict[str, str]]:
    """Return what `write` wrote, the newest `history` turns of each; raise InputError if the file is invalid."""
    with parsing('a saved dialogue', path, 'delete it'):
        data = json.loads(path.read_text())
        standing = tuple(Instruction(**d) for d in data['standing'])
        unclear = {str(name): str(text) for name, text in data.get('unclear', {}).items()}
        conversations = {}
        for name, entry in data['operators'].items():
            turns = (Turn.from_json(t) for t in entry['turns'])
            asked = ([Instruction(**d) for d in group] for group in entry['asked'])
            conversations[name] = Conversation(deque(turns, history), deque(asked, history))
    return conversations, standing, unclear


def instruction_json(instruction: Instruction) -> dict[str, Any]:
    """Return the JSON object of an instruction."""
    return {
        'text': instruction.text,
        'role': int(instruction.role),
        'family': instruction.family,
        'id': instruction.id,
        'name': instruction.name,
        'resolved': instruction.resolved,
        'standing': instruction.standing,
    }
