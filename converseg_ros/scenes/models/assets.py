"""Object models by category: catalogue models and procedural ones, with splits, attributes and cached meshes."""

from dataclasses import dataclass, replace
from functools import lru_cache
import hashlib

import numpy as np

from converseg_ros.core.errors import InputError
from converseg_ros.scenes.geometry.mesh import Material, Mesh
from converseg_ros.scenes.models import catalogue, colors, procedural, textures
from converseg_ros.scenes.models.categories import CATEGORIES
from converseg_ros.scenes.models.curated import CHOICES

VARIANTS = 40  # shapes of each procedural category
_ORDER = ('train', 'test', 'val', 'train', 'train', 'train', 'test', 'train', 'train', 'val')


@dataclass(frozen=True, slots=True)
class Model:
    """One object model: the source of its mesh and its attributes."""

    name: str  # LIBRARY/FOLDER, or 'ware/CATEGORY/VARIANT'
    category: str
    place: str  # t = on tables, f = on the floor, w = on walls
    split: str
    state: str = ''

    @property
    def is_ware(self) -> bool:
        """Return whether the model is procedural."""
        return self.name.startswith('ware/')


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1)
def models() -> tuple[Model, ...]:
    """Return all models; within a category a hash assigns them to the splits."""
    known = catalogue.entries()
    pools: dict[tuple[str, str], list[Model]] = {}
    for choice in CHOICES:
        if choice.key not in known:
            raise InputError(f'no model {choice.key}', where='the curated table', do='reinstall sweethome3d-furniture')
        model = Model(choice.key, choice.category, choice.place, '', choice.state)
        pools.setdefault((choice.category, choice.place), []).append(model)
    for category in procedural.MAKERS:
        pool = pools.setdefault((category, 'ware'), [])
        pool += [Model(f'ware/{category}/{i}', category, 't', '') for i in range(VARIANTS)]
    result = []
    for pool in pools.values():
        ranked = sorted(pool, key=lambda m: _hash(m.name))
        result += [replace(m, split=_ORDER[i % len(_ORDER)]) for i, m in enumerate(ranked)]
    return tuple(sorted(result, key=lambda m: m.name))


@lru_cache(maxsize=4096)
def pool(category: str, split: str, place: str = '') -> tuple[Model, ...]:
    """Return the models of a category in a split (and place); empty if there is none."""
    return tuple(m for m in models() if m.category == category and m.split == split and place in ('', m.place))


def draw(category: str, split: str, rng: np.random.Generator, place: str = '') -> Model | None:
    """Draw a model with about equal probability for catalogue and procedural models; None if the split has none."""
    found = pool(category, split, place)
    real = [m for m in found if not m.is_ware]
    made = [m for m in found if m.is_ware]
    if real and (not made or rng.random() < min(0.5, 0.15 + 0.1 * len(real))):
        return real[rng.integers(len(real))]
    return made[rng.integers(len(made))] if made else None


@lru_cache(maxsize=512)
def shape(model: Model) -> procedural.Shape:
    """Return the shape of the model with its default materials, metres, seated on z = 0."""
    if model.is_ware:
        _, category, variant = model.name.split('/')
        made = procedural.MAKERS[category](np.random.default_rng([int(_hash(category)[:8], 16), int(variant)]))
        return made
    mesh = catalogue.load(catalogue.entries()[model.name])
    mesh = _with_looks(mesh, model)
    high = mesh.bounds[1]
    top = None
    if 'supports' in CATEGORIES[model.category].attributes and model.place == 't':
        top = (float(high[0]) * 0.9, float(high[1]) * 0.9, float(high[2]))
    return procedural.Shape(mesh, None, top, CATEGORIES[model.category].material, model.state)


def _with_looks(mesh: Mesh, model: Model) -> Mesh:
    """Set the reflection of catalogue materials by the category's material, and the transparency of glass."""
    kind = CATEGORIES[model.category].material
    looks: list[Material] = []
    for material in mesh.materials:
        m = replace(material)
        if kind == 'metal' and not m.texture:
            spread = max(m.color) - min(m.color)
            m.metallic = 0.7 if spread < 0.08 and max(m.color) > 0.2 else 0.0
            m.roughness = min(m.roughness, 0.35)
        elif kind in ('ceramic', 'glass'):
            m.roughness = min(m.roughness, 0.25)
        elif kind == 'fabric':
            m.roughness = max(m.roughness, 0.85)
        m.alpha = 1.0 if m.alpha > 0.9 else max(m.alpha, 0.2)
        looks.append(m)
    return mesh.with_materials(looks)


def recolored(mesh: Mesh, rng: np.random.Generator, term: str = '') -> Mesh:
    """Return the mesh with its largest tintable material in a random (or the named) paint; unchanged if it has none."""
    areas = np.bincount(mesh.material, mesh.areas(), minlength=len(mesh.materials))
    order = [i for i in np.argsort(-areas) if mesh.materials[i].tintable and mesh.materials[i].alpha > 0.9]
    if not order or areas[order[0]] < 0.25 * areas.sum():
        return mesh
    term = term or str(rng.choice(list(colors.PAINTS)))
    old = mesh.materials[order[0]]
    fresh = colors.paint(term, rng)
    looks = []
    for material in mesh.materials:
        same = material is old or (material.tintable and np.allclose(material.color, old.color, atol=0.02))
        looks.append(replace(material, color=fresh, metallic=0.0) if same else material)
    return mesh.with_materials(looks)


def color_of(mesh: Mesh) -> str:
    """Return the basic colour term of the surface of the mesh ('' if mixed), from materials weighted by area."""
    areas = np.bincount(mesh.material, mesh.areas(), minlength=len(mesh.materials))
    table = [np.asarray(m.color) * (textures.mean(m.texture) if m.texture else 1.0) for m in mesh.materials]
    clear = sum(a for a, m in zip(areas, mesh.materials) if m.alpha < 0.9)
    if clear > 0.5 * areas.sum():
        return ''
    return colors.dominant(np.array(table, np.float32), areas.astype(np.float32))
