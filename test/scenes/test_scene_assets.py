from collections import defaultdict

import numpy as np
import pytest

from converseg_ros.scenes.geometry.obj import ARRAYS, read_obj, read_obj_once
from converseg_ros.scenes.models import assets, colors, procedural, textures


@pytest.mark.parametrize('category', sorted(procedural.MAKERS))
def test_wares_stand_on_the_ground_at_a_household_size(category):
    for variant in range(3):
        mesh = procedural.MAKERS[category](np.random.default_rng(variant)).mesh
        low, high = mesh.bounds
        assert abs(low[2]) < 1e-4
        assert 0.004 < (high - low).max() < 0.5
        assert np.isfinite(mesh.normals).all()
        assert mesh.part.max() < len(mesh.parts)


def test_each_model_belongs_to_one_split_and_common_categories_to_several(furniture):
    seen = defaultdict(set)
    names = defaultdict(set)
    for model in assets.models():
        seen[model.name].add(model.split)
        names[(model.category, model.place)].add(model.name)
    assert all(len(s) == 1 for s in seen.values())
    splits = defaultdict(set)
    for model in assets.models():
        splits[(model.category, model.place)].add(model.split)
    assert all(len(splits[k]) >= min(len(v), 2) for k, v in names.items())
    assert len({m.name for m in assets.models() if not m.is_ware}) >= 150


def test_catalogue_models_have_their_catalogue_size_and_existing_textures(furniture):
    from pathlib import Path

    from converseg_ros.scenes.models import catalogue

    for key in ('BlendSwap-CC-BY/largePan', 'KatorLegaz/coffee-mug', 'Scopia/teapot', 'BlendSwap-CC-0/bread'):
        model = next(m for m in assets.models() if m.name == key)
        shape = assets.shape(model)
        low, high = shape.mesh.bounds
        np.testing.assert_allclose(high - low, catalogue.entries()[key].size, rtol=1e-3)
        assert all(Path(m.texture).is_file() for m in shape.mesh.materials if m.texture)


def test_colour_terms_name_their_own_paints():
    rng = np.random.default_rng(0)
    for term in colors.PAINTS:
        named = [colors.name(colors.paint(term, rng)) for _ in range(20)]
        assert named.count(term) >= 15, (term, named)


def test_textures_are_functions_of_their_name():
    for kind in textures.KINDS:
        a, b = textures.procedural(kind, 3), textures.procedural(kind, 3)
        assert np.array_equal(a, b)
        assert not np.array_equal(a, textures.procedural(kind, 4))
        assert a.min() >= 0 and a.max() <= 255 and a.std() > 0.5


def test_room_materials_of_the_splits_are_apart(furniture):
    from converseg_ros.scenes.graph import Scene
    from converseg_ros.scenes.layout.builder import Builder
    from converseg_ros.scenes.layout.furnish import surface_material

    found = {}
    for split in ('train', 'val', 'test'):
        b = Builder(Scene('x', 0, 'lab', split), np.random.default_rng(0))
        found[split] = {surface_material(b, ('wood',)).texture for _ in range(80)}
    assert not found['train'] & found['test'] and not found['train'] & found['val'] and not found['val'] & found['test']


def test_a_model_kept_is_the_model_read_and_a_changed_or_broken_one_is_read_anew(tmp_path):
    model = tmp_path / 'a.obj'
    (tmp_path / 'a.mtl').write_text('newmtl red\nKd 1 0 0\nd 0.5\n')
    model.write_text('mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl red\nf 1 2 3\n')
    first, kept = read_obj(model), tmp_path / 'kept'
    for _ in range(2):
        again = read_obj_once(model, kept)
        assert again.materials == first.materials and again.materials[0].alpha == 0.5
        assert all(np.array_equal(getattr(again, n), getattr(first, n)) for n in ARRAYS)
    (file,) = kept.glob('*.npz')
    file.write_bytes(b'broken')
    assert np.array_equal(read_obj_once(model, kept).vertices, first.vertices)
    model.write_text(model.read_text().replace('v 1 0 0', 'v 2.5 0 0'))
    assert read_obj_once(model, kept).vertices[1, 0] == 2.5


def test_a_texture_kept_is_the_texture_made(tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_CACHE', str(tmp_path))
    made, _ = textures.load.__wrapped__('wood:3')
    (file,) = (tmp_path / 'texels').glob('*.npz')
    kept, mask = textures.load.__wrapped__('wood:3:0.7')
    assert mask is None and list((tmp_path / 'texels').glob('*.npz')) == [file]
    assert len(kept) == len(made) == 8 and all(np.array_equal(a, b) for a, b in zip(kept, made, strict=True))
    assert np.array_equal(kept[0], np.rint(textures.procedural('wood', 3)).astype(np.uint8))
