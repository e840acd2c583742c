"""SAM-like proposers on random micro weights: shapes, order, suppression, refinement; and what the loaders refuse."""

import numpy as np
import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.data_engine.contracts import Picture, Region
from converseg_ros.data_engine.proposers.sam_family import SamFamilyProposer, tidy
from converseg_ros.network.segments.promptable import stability, suppress

RGB = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
REGIONS = [
    Region(key='a', text='the mug', category='mug', box=(10, 10, 50, 60)),
    Region(key='b', text='the bowl', category='bowl', box=(60, 20, 110, 80)),
    Region(key='c', text='something', category='thing', box=None),
]


@pytest.fixture(scope='module')
def sam2():
    pytest.importorskip('torch')
    from micro_segmenters import sam2_model

    from converseg_ros.network.segments.sam2 import Sam2Network

    return Sam2Network(sam2_model(), 'sam2/micro')


@pytest.fixture(scope='module')
def sam():
    pytest.importorskip('torch')
    from micro_segmenters import sam_model

    from converseg_ros.network.segments.sam import SamNetwork

    return SamNetwork(sam_model(), 'sam/micro')


@pytest.mark.parametrize('kind', ['sam', 'sam2'])
def test_boxes_become_masks_of_the_image_size(kind, request):
    proposer = SamFamilyProposer(request.getfixturevalue(kind), grid=2)
    found = proposer.propose(Picture('k', RGB), REGIONS)
    assert len(found) == 3 and found[2] == []
    assert found[0] or found[1]
    for candidates in found:
        scores = [c.score for c in candidates if c.origin == 'box']
        assert scores == sorted(scores, reverse=True)
        for c in candidates:
            assert c.mask.shape == RGB.shape[:2] and c.mask.dtype == np.bool_ and c.mask.any()


@pytest.mark.parametrize('kind', ['sam', 'sam2'])
def test_boxes_in_a_batch_give_what_each_gives_alone(kind, request):
    network = request.getfixturevalue(kind)
    network.set_image(RGB)
    boxes = np.array([r.box for r in REGIONS[:2]], np.float32)
    logits, scores = network.from_boxes(boxes)
    assert logits.shape == (2, 3, 90, 120) and scores.shape == (2, 3)
    for i in range(2):
        alone, value = network.from_boxes(boxes[i : i + 1])
        np.testing.assert_allclose(alone[0], logits[i], atol=1e-3)
        np.testing.assert_allclose(value[0], scores[i], atol=1e-3)
    points, _ = network.from_points(np.array([[30, 40], [80, 50], [5, 5]], np.float32))
    assert points.shape == (3, 3, 90, 120)


def blob(x0, y0, x1, y1):
    mask = np.zeros((90, 120), bool)
    mask[y0:y1, x0:x1] = True
    return mask


class Blobs:
    """A promptable network that knows three blobs; points in one give it, with a shifted, worse twin."""

    name = 'blobs'
    masks = (blob(10, 10, 50, 60), blob(60, 20, 110, 80), blob(12, 12, 30, 30))

    def set_image(self, rgb, size=None):
        self.images = getattr(self, 'images', 0) + 1

    def from_points(self, points):
        rows = []
        for x, y in points.astype(int):
            inside = [m for m in self.masks if m[y, x]] or [np.zeros((90, 120), bool)]
            rows.append(
                np.stack(
                    [
                        np.where(inside[0], 5.0, -5.0),
                        np.where(np.roll(inside[0], 2, 1), 5.0, -5.0),
                        np.where(inside[-1], 0.5, -0.5),
                    ]
                )
            )
        return np.stack(rows).astype(np.float32), np.tile(np.float32([0.95, 0.9, 0.99]), (len(rows), 1))

    def from_boxes(self, boxes):
        return self.from_points((boxes[:, :2] + boxes[:, 2:]) / 2)


def test_the_pool_has_each_thing_once_and_nothing_unstable():
    proposer = SamFamilyProposer(Blobs())
    pool = proposer.pool(Picture('k', RGB))
    assert len(pool) == 2
    assert all(any(np.array_equal(p, m) for m in Blobs.masks[:2]) for p in pool)


def test_one_picture_is_encoded_once():
    network = Blobs()
    proposer = SamFamilyProposer(network)
    picture = Picture('k', RGB)
    proposer.propose(picture, REGIONS)
    proposer.refine(picture, Blobs.masks[0])
    assert network.images == 1


def test_a_frayed_mask_is_refined_to_the_pool_and_a_foreign_one_is_kept():
    proposer = SamFamilyProposer(Blobs())
    frayed = Blobs.masks[0].copy()
    frayed[10:13] = False
    frayed[85, 100] = True
    assert np.array_equal(proposer.refine(Picture('k', RGB), frayed | blob(9, 9, 51, 61)), Blobs.masks[0])
    foreign = blob(0, 65, 40, 88)
    assert np.array_equal(proposer.refine(Picture('k', RGB), foreign), foreign)


def test_suppression_and_stability():
    a, near, far = blob(0, 0, 40, 40), blob(1, 0, 41, 40), blob(60, 0, 90, 40)
    kept = suppress([(0.8, near), (0.9, a), (0.5, far)])
    assert len(kept) == 2 and kept[0][1] is a and kept[1][1] is far
    assert stability(np.where(a, 5.0, -5.0).astype(np.float32)) == 1.0
    assert stability(np.where(a, 0.5, -5.0).astype(np.float32)) == 0.0
    specked = blob(0, 0, 40, 40)
    specked[5, 5] = False
    specked[80, 80] = True
    assert np.array_equal(tidy(specked), blob(0, 0, 40, 40))


def test_loaders_say_what_is_wrong(tmp_path):
    from converseg_ros.network.segments.sam import load_sam
    from converseg_ros.network.segments.sam2 import load_sam2

    with pytest.raises(InputError, match=r'config\.json'):
        load_sam2(tmp_path)
    (tmp_path / 'config.json').write_text('{"model_type": "clip"}')
    with pytest.raises(InputError, match='not a SAM 2 model'):
        load_sam2(tmp_path)
    (tmp_path / 'x.pth').write_bytes(b'nothing')
    with pytest.raises(InputError, match=r'x\.pth'):
        load_sam(tmp_path / 'x.pth')
