"""From what a person says to what the network is asked."""

from converseg_ros.dialogue.dialogue import Dialogue
from converseg_ros.dialogue.memory import Command, CommandKind, Heard, SceneMemory, Thing
from converseg_ros.dialogue.options import Options
from converseg_ros.dialogue.thinking import Thinking

__all__ = ['Command', 'CommandKind', 'Dialogue', 'Heard', 'Options', 'SceneMemory', 'Thing', 'Thinking']
