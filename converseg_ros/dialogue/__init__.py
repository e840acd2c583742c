"""The dialogue: from the text of an operator to queries to the network."""

from converseg_ros.dialogue.dialogue import Dialogue
from converseg_ros.dialogue.memory import Command, CommandKind, Interpretation, SceneMemory, Thing
from converseg_ros.dialogue.options import Options
from converseg_ros.dialogue.pending_text import PendingText

__all__ = ['Command', 'CommandKind', 'Dialogue', 'Interpretation', 'Options', 'PendingText', 'SceneMemory', 'Thing']
