"""Build a scene from its seed: room, furniture, objects, interactions, light and cameras; no rendering."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.scenes.geometry.mesh import Mesh
from converseg_ros.scenes.geometry.raycast import RayCaster
from converseg_ros.scenes.graph import Scene
from converseg_ros.scenes.layout import arrangement, cameras, furnish, interactions, light, stability
from converseg_ros.scenes.layout.builder import Builder, Surface
from converseg_ros.scenes.layout.light import Lighting
from converseg_ros.scenes.layout.rooms import CHOICE, ROOMS


@dataclass(slots=True)
class Built:
    """A built scene: graph (with views), the exact geometry of every object, light, and the main surfaces."""

    scene: Scene
    builder: Builder
    lighting: Lighting
    mesh: Mesh  # the whole scene in the world
    labels: NDArray[np.uint16]  # label id of each face of `mesh`
    caster: RayCaster
    owner: NDArray[np.uint16]  # label id -> object id
    surfaces: list[Surface]
    size: tuple[float, float, float]  # of the room, metres

    def triangles(self, id_: int) -> NDArray[np.float32]:
        """Return the world-space triangles of an object with its parts, or of one part: N x 3 x 3 metres."""
        thing = self.builder.things.get(id_)
        if thing is not None:
            return np.asarray(thing.mesh.vertices[thing.mesh.faces], np.float32)
        chosen = self.labels == id_
        return np.asarray(self.mesh.vertices[self.mesh.faces[chosen]], np.float32)


def scene_id(seed: int, split: str) -> str:
    """Return the name of a scene and of its folder."""
    return f'{split}_{seed:06d}'


def build(seed: int, split: str, views: int = 2, room: str = '') -> Built:
    """Build a scene; a pure function of its arguments and the installed models."""
    rng = np.random.default_rng([seed, {'train': 11, 'val': 12, 'test': 13}[split]])
    drawn = str(rng.choice(list(CHOICE)))
    room = room or drawn
    scene = Scene(scene_id(seed, split), seed, room, split)
    b = Builder(scene, rng)
    kind = ROOMS[room]
    floor, w, d, h = furnish.shell(b, kind)
    main = str(rng.choice(list(kind.mains)))
    surfaces = furnish.main_surfaces(b, main, floor, w, d)
    keep = arrangement.zone(surfaces[0], 1.5)
    count = int(rng.integers(4, 9)) if main == 'floor' else int(rng.integers(2, 8))
    density = float(rng.choice([0.5, 1.0, 1.0, 1.5]))
    area = sum(4 * s.hx * s.hy for s in surfaces[:2])
    before = set(b.things)
    interactions.perform(b, surfaces[0], floor)
    staged = [t for i, t in b.things.items() if i not in before]
    things = staged + arrangement.fill(b, kind, surfaces, int(np.clip(6 + 9 * area * density, 6, 26)))
    furnish.furnish(b, kind, floor, w, d, keep, count)
    stability.judge(b)
    lighting = light.draw(rng, w, d, h)
    mesh, labels = b.join_all()
    caster = RayCaster(mesh, labels)
    owner = np.zeros(65536, np.uint16)
    for node in scene.objects:
        owner[[node.id, *node.parts.values()]] = node.id
    built = Built(scene, b, lighting, mesh, labels, caster, owner, surfaces, (w, d, h))
    ids = np.array([t.node.id for t in things], np.uint16)
    points = np.array([np.array(t.node.pose)[:3, 3] for t in things]).reshape(-1, 3)
    acting = np.array(
        [[i.target, i.target, i.twin or i.target, i.actor or i.target] for i in scene.interactions]
    ).ravel()
    if len(acting):  # look at the interaction
        points = np.array([np.array(b.things[int(i)].node.pose)[:3, 3] for i in acting])
        people = any(b.things[int(i)].node.kind == 'agent' and b.things[int(i)].node.size[2] > 0.8 for i in acting)
    else:
        people = False
    for i in range(views):
        wide = bool(rng.random() < (0.9 if people else 0.3))
        scene.views.append(
            cameras.choose(surfaces[0], caster, owner, ids, points, built.size, rng, f'view{i}', wide, 0.7 * people)
        )
    return built
