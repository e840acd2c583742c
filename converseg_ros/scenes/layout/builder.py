"""A scene under construction: world-space meshes with their graph nodes, surfaces and their footprints."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.scenes.geometry.mesh import Mesh, join, rotation, translation
from converseg_ros.scenes.graph import Scene, SceneObject
from converseg_ros.scenes.models import assets
from converseg_ros.scenes.models.categories import CATEGORIES
from converseg_ros.scenes.models.procedural import Shape

Pose = NDArray[np.float64]


@dataclass(slots=True)
class Footprint:
    """An oriented rectangle on a surface: centre, half extents, yaw in radians."""

    x: float
    y: float
    hx: float
    hy: float
    yaw: float

    def corners(self) -> NDArray[np.float64]:
        """Return the 4 x 2 corners."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        local = np.array([[-self.hx, -self.hy], [self.hx, -self.hy], [self.hx, self.hy], [-self.hx, self.hy]])
        return np.asarray(local @ np.array([[c, s], [-s, c]]) + [self.x, self.y])

    def overlaps(self, other: 'Footprint', margin: float) -> bool:
        """Return whether two rectangles come closer than `margin` (separating axes)."""
        a, b = self.corners(), other.corners()
        for yaw in (self.yaw, self.yaw + np.pi / 2, other.yaw, other.yaw + np.pi / 2):
            axis = np.array([np.cos(yaw), np.sin(yaw)])
            pa, pb = a @ axis, b @ axis
            if pa.min() > pb.max() + margin or pb.min() > pa.max() + margin:
                return False
        return True


@dataclass(slots=True)
class Surface:
    """A horizontal rectangle of an object that supports other objects; `clear` is the headroom in metres."""

    id: int
    x: float
    y: float
    hx: float
    hy: float
    yaw: float
    z: float
    clear: float = 1.2
    taken: list[Footprint] = field(default_factory=list)

    def world(self, u: float, v: float) -> tuple[float, float]:
        """Return world x, y of surface coordinates u, v (metres from its centre)."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return self.x + c * u - s * v, self.y + s * u + c * v

    def local(self, x: float, y: float) -> tuple[float, float]:
        """Return surface coordinates of a world point."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return c * (x - self.x) + s * (y - self.y), -s * (x - self.x) + c * (y - self.y)


@dataclass(slots=True)
class Thing:
    """A placed object: its graph node, its shape in local axes, its pose and its world-space mesh."""

    node: SceneObject
    shape: Shape
    pose: Pose  # shape axes to world
    mesh: Mesh
    labels: NDArray[np.uint16]  # label id of each face

    @property
    def bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the world-aligned bounds in metres."""
        return self.mesh.bounds


class Builder:
    """Collects the objects of one scene and assigns label ids."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene = scene
        self.rng = rng
        self.things: dict[int, Thing] = {}
        self.next_id = 1
        self.floor_taken: list[Footprint] = []

    @property
    def split(self) -> str:
        """Return the split whose models are used."""
        return self.scene.split

    def add(
        self, category: str, shape: Shape, pose: Pose, *, kind: str = 'object', model: str = '', support: int = 0
    ) -> Thing:
        """Place a shape, create its graph node with default attributes, and return the object."""
        known = CATEGORIES[category]
        low, high = shape.mesh.bounds
        size = (high - low).astype(float)
        node = SceneObject(
            self.next_id,
            category,
            model,
            kind,
            list(known.attributes),
            assets.color_of(shape.mesh),
            shape.material or known.material,
            shape.state,
            [float(v) for v in size],
            [],
            support,
            contacts=[support] if support else [],
            mass=round(float(np.prod(np.maximum(size, 0.002))) * 1000 * known.density, 4),
        )
        if any(m.alpha < 0.6 for m in shape.mesh.materials) and node.material == 'glass':
            node.attributes = list(dict.fromkeys([*node.attributes, 'transparent', 'fragile']))
        if node.mass < 0.15 and 'graspable' in node.attributes:
            node.attributes = list(dict.fromkeys([*node.attributes, 'light_weight']))
        self.next_id += 1
        ids = [node.id]
        for name in shape.mesh.parts[1:]:
            node.parts[name] = self.next_id
            ids.append(self.next_id)
            self.next_id += 1
        labels = np.array(ids, np.uint16)[shape.mesh.part]
        thing = Thing(node, shape, pose, shape.mesh, labels)
        self.things[node.id] = thing
        self.scene.objects.append(node)
        self.move(thing, pose)
        return thing

    def move(self, thing: Thing, pose: Pose) -> None:
        """Set the pose of an object, its world-space mesh and the pose of its node."""
        thing.pose = np.asarray(pose, float)
        thing.mesh = thing.shape.mesh.transformed(thing.pose)
        low, high = thing.shape.mesh.bounds
        centre = thing.pose @ translation(*((low + high) / 2))
        thing.node.pose = [[round(float(v), 6) for v in row] for row in centre]

    def remove(self, id_: int) -> None:
        """Remove an object from the scene."""
        del self.things[id_]
        self.scene.objects = [o for o in self.scene.objects if o.id != id_]

    def draw(self, category: str, place: str = '', term: str = '') -> tuple[str, Shape] | None:
        """Draw a model of the category in the split of this scene; None if the split has none."""
        model = assets.draw(category, self.split, self.rng, place)
        if model is None:
            return None
        shape = assets.shape(model)
        alive = 'alive' in CATEGORIES[category].attributes
        if not alive and (term or self.rng.random() < (0.8 if model.is_ware else 0.5)):
            shape = replace(shape, mesh=assets.recolored(shape.mesh, self.rng, term))
        return model.name, shape

    def stand(
        self,
        category: str,
        surface: Surface,
        *,
        yaw: float | None = None,
        margin: float = 0.012,
        drawn: tuple[str, Shape] | None = None,
        lying: bool = False,
        overhang: float = 0.0,
        tries: int = 14,
        scale: float = 1.0,
    ) -> Thing | None:
        """Place an object on a free part of a surface; None if it does not fit.

        `overhang` is the share of its length that protrudes over the front edge.
        """
        drawn = drawn or self.draw(category, 't')
        if drawn is None:
            return None
        model, shape = drawn
        mesh = shape.mesh.scaled(scale) if scale != 1 else shape.mesh
        pose = np.eye(4)
        state = shape.state
        if lying:
            mesh = mesh.transformed(rotation('x', 90)).seated()
            state = 'lying'
        shape = replace(
            shape, mesh=mesh, state=state, hollow=None if lying else shape.hollow, top=None if lying else shape.top
        )
        low, high = mesh.bounds
        half = (high - low) / 2
        if high[2] > surface.clear:
            return None
        for _ in range(tries):
            turn = float(self.rng.uniform(0, 2 * np.pi)) if yaw is None else yaw
            spread = np.abs(np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])) @ half[:2]
            room = np.array([surface.hx, surface.hy]) - spread - 0.004
            if overhang:
                u = float(self.rng.uniform(-1, 1) * max(room[0], 0))
                v = float(-surface.hy + spread[1] * (1 - 2 * overhang))
            elif (room < 0).any():
                if yaw is not None:
                    return None
                continue
            else:
                u, v = (float(self.rng.uniform(-r, r)) for r in room)
            x, y = surface.world(u, v)
            print_ = Footprint(x, y, float(half[0]), float(half[1]), turn + surface.yaw)
            if any(print_.overlaps(o, margin) for o in surface.taken):
                continue
            pose = translation(x, y, surface.z) @ rotation('z', np.degrees(turn + surface.yaw))
            thing = self.add(category, shape, pose, model=model, support=surface.id)
            surface.taken.append(print_)
            edge = min(surface.hx - abs(u) - spread[0], surface.hy - abs(v) - spread[1])
            thing.node.edge_distance = round(float(edge), 4)
            thing.node.overhang = overhang
            return thing
        return None

    def join_all(self) -> tuple[Mesh, NDArray[np.uint16]]:
        """Return the whole scene as one world-space mesh, and the label id of each face."""
        things = list(self.things.values())
        return join([t.mesh for t in things]), np.concatenate([t.labels for t in things])
