"""A dialogue with the owner of the standing instructions, as in the node."""

from dataclasses import replace

from converseg_ros.dialogue import Dialogue, Options, SceneMemory
from converseg_ros.dialogue.memory import Interpretation
from converseg_ros.perception.instructions import InstructionBook


class Talk:
    """Enters what is understood into a book and passes the book's standing instructions with each text."""

    def __init__(self, options: Options | None = None) -> None:
        self.dialogue, self.book = Dialogue(options), InstructionBook()

    def hear(self, text: str, scene: SceneMemory | None = None, operator: str = '') -> Interpretation:
        scene = scene or SceneMemory()
        scene = replace(scene, standing=(*scene.standing, *self.book.standing))
        heard = self.dialogue.hear(text, scene, operator)
        self.book.hear(heard.instructions, heard.removed)
        return heard
