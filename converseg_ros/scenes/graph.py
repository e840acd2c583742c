"""The scene graph: the ground truth of a rendered scene, as data.

A scene folder contains `scene.json` (this graph) and, for each view, `NAME.png` (colour), `NAME.depth.png` (16-bit,
millimetres, ideal), `NAME.noisy.png` (16-bit, millimetres, camera-like) and `NAME.labels.png` (16-bit object ids; parts
have separate ids). World frame: z up, metres, floor at z = 0.
"""

from dataclasses import asdict, dataclass, field
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import parsing
from converseg_ros.core.files import write_json


@dataclass(slots=True)
class SceneObject:
    """An object, or a surface such as a counter top, the floor or a wall."""

    id: int  # its value in the label image, 1..65535
    category: str  # head noun in the singular: 'mug', 'kitchen knife', 'counter'
    model: str = ''  # its object model ('' = procedural); splits are made by model
    kind: str = (
        'object'  # object, surface (objects can stand on it), structure (wall, floor), agent (person, hand, gripper)
    )
    attributes: list[str] = field(default_factory=list)  # from ATTRIBUTES
    color: str = ''  # basic colour term of the visible surface, '' if mixed
    material: str = ''  # wood, metal, glass, ceramic, plastic, fabric, paper, stone, food, plant, ''
    state: str = ''  # open, closed, lit, full, empty, lying, upright, on, off, ''
    size: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])  # extent of its own box, metres
    pose: list[list[float]] = field(default_factory=lambda: np.eye(4).tolist())  # 4x4, object box centre to world
    support: int = 0  # id of its support, 0 = none (fixed, held or falling)
    inside: int = 0  # id of the container it is in
    contacts: list[int] = field(default_factory=list)  # ids that it touches, including its support
    parts: dict[str, int] = field(default_factory=dict)  # part name (handle, rim, lid, blade, seat) -> label id
    tips: bool = False  # falls over at a small push (physics)
    falls_with: list[int] = field(default_factory=list)  # ids that move if this is removed (physics)
    stack: int = 0  # position in a stack, 1 = bottom; 0 = not stacked
    mass: float = 0.0  # kg, estimated from size and material
    # metres from its outline to the edge of its support, negative = protrudes; 9 = does not apply
    edge_distance: float = 9.0
    overhang: float = 0.0  # share of it that protrudes over the edge of its support


@dataclass(slots=True)
class Interaction:
    """An interaction between an actor and an object, with a similar object (twin) that is not involved."""

    type: str  # holding, cutting, pouring, sitting, reaching, facing, falling, carrying, covering, plugging
    actor: int  # id of the hand, gripper, person, knife, kettle, trolley ...; 0 = none (falling)
    target: int  # id of the object that is held, cut, poured into, sat on, ...
    twin: int  # id of the uninvolved object of the same category as `target` (or `actor`); 0 = none in view


@dataclass(slots=True)
class View:
    """One camera image of the scene."""

    name: str  # file stem
    width: int
    height: int
    k: list[float]  # fx, fy, cx, cy
    pose: list[list[float]]  # 4x4, optical frame (x right, y down, z forward) to world
    # str(id) -> visible pixels (parts are counted with their object)
    pixels: dict[str, int] = field(default_factory=dict)
    visible: dict[str, float] = field(default_factory=dict)  # str(id) -> visible share of its unoccluded pixels
    occluded_by: dict[str, list[int]] = field(default_factory=dict)  # str(id) -> ids in front of it
    renderer: str = ''  # raster or cycles


@dataclass(slots=True)
class Scene:
    """A room, its objects, and the views of it."""

    id: str
    seed: int
    room: str  # room type: kitchen, dining, office, living, workshop, bathroom, bedroom, nursery, ...
    split: str  # train, val or test: decides which object models and room materials are used
    objects: list[SceneObject] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    version: int = 1

    def object(self, id_: int) -> SceneObject:
        """Return the object with this id."""
        for candidate in self.objects:
            if candidate.id == id_:
                return candidate
        raise KeyError(id_)

    def save(self, folder: Path) -> None:
        """Write `folder/scene.json` atomically."""
        write_json(folder / 'scene.json', asdict(self), indent=None)

    @classmethod
    def load(cls, folder: Path) -> 'Scene':
        """Read `folder/scene.json`; raise InputError if it is not a scene of this version."""
        path = folder / 'scene.json'
        with parsing('a scene', path, 'render it again'):
            data: dict[str, Any] = json.loads(path.read_text())
            scene = cls(**data)
            scene.objects = [SceneObject(**o) for o in data['objects']]
            scene.interactions = [Interaction(**i) for i in data['interactions']]
            scene.views = [View(**v) for v in data['views']]
        return scene


def object_mask(labels: NDArray[np.uint16], scene: Scene, id_: int) -> NDArray[np.bool_]:
    """Return the visible mask of an object with all its parts, or of one part."""
    ids = {id_}
    for candidate in scene.objects:
        if candidate.id == id_:
            ids.update(candidate.parts.values())
    return np.isin(labels, list(ids))


ATTRIBUTES = (
    'graspable', 'openable', 'sittable', 'container', 'holds_liquid', 'supports', 'cuts', 'stirs', 'pours',
    'writes', 'hammers', 'cleans', 'lights', 'edible', 'drinkable', 'toy', 'electric', 'hot', 'sharp', 'fragile',
    'flammable', 'toxic', 'spills', 'rolls', 'heavy', 'light_weight', 'soft', 'transparent', 'shiny', 'wearable',
    'readable', 'reflects', 'climbable', 'choking', 'furniture', 'appliance', 'tool', 'dish', 'cutlery', 'plant',
    'alive',
)  # fmt: skip
