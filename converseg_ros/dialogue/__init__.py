"""The dialogue: from the text of an operator to queries to the network."""

from converseg_ros.dialogue.dialogue import Dialogue
from converseg_ros.dialogue.memory import Command, CommandKind, Heard, SceneMemory, Thing
from converseg_ros.dialogue.options import Options
from converseg_ros.dialogue.thinking import Thinking

__all__ = ['Command', 'CommandKind', 'Dialogue', 'Heard', 'Options', 'SceneMemory', 'Thing', 'Thinking']
