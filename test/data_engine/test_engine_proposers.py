# ruff: noqa: E501 - long lines of data
"""SAM-like proposers on random micro weights: shapes, order, suppression, refinement; and what the loaders refuse."""

import numpy as np
import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.data_engine.contracts import Picture, Region
from converseg_ros.data_engine.proposers.sam_family import SamFamilyProposer, stability, suppress, tidy

RGB = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
REGIONS = [
    Region(key='a', text='the mug', category='mug', box=(10, 10, 50, 60)),
    Region(key='b', text='the bowl', category='bowl', box=(60, 20, 110, 80)),
    Region(key='c', text='something', category='thing', box=None),
]


@pytest.fixture(scope='module')
def sam2():
    torch = pytest.importorskip('torch')
    from transformers import Sam2Config, Sam2Model

    torch.manual_seed(0)
    config = Sam2Config(
        vision_config={
            'backbone_config': {
                'model_type': 'sam2_hiera_det_model', 'hidden_size': 16, 'num_attention_heads': 1, 'blocks_per_stage': [1, 1, 2, 1],
                'embed_dim_per_stage': [16, 32, 64, 128], 'num_attention_heads_per_stage': [1, 2, 4, 8], 'image_size': [128, 128],
                'global_attention_blocks': [3], 'window_positional_embedding_background_size': [2, 2],
            },
            'backbone_channel_list': [128, 64, 32, 16], 'backbone_feature_sizes': [[32, 32], [16, 16], [8, 8]],
            'fpn_hidden_size': 32,
        },
        prompt_encoder_config={'hidden_size': 32, 'image_size': 128, 'patch_size': 16},
        mask_decoder_config={'hidden_size': 32, 'mlp_dim': 32, 'num_attention_heads': 2, 'iou_head_hidden_dim': 32},
    )  # fmt: skip
    from converseg_ros.data_engine.proposers.sam2 import Sam2Network

    return Sam2Network(Sam2Model(config), 'sam2/micro')


@pytest.fixture(scope='module')
def sam():
    torch = pytest.importorskip('torch')
    from converseg_ros.data_engine.proposers.sam import SamNetwork, build_module

    torch.manual_seed(0)
    model = build_module()._build_sam(
        encoder_embed_dim=16, encoder_depth=1, encoder_num_heads=1, encoder_global_attn_indexes=[]
    )
    return SamNetwork(model, 'sam/micro')


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

    def set_image(self, rgb):
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
    assert len(kept) == 2 and kept[0] is a and kept[1] is far
    assert stability(np.where(a, 5.0, -5.0).astype(np.float32)) == 1.0
    assert stability(np.where(a, 0.5, -5.0).astype(np.float32)) == 0.0
    specked = blob(0, 0, 40, 40)
    specked[5, 5] = False
    specked[80, 80] = True
    assert np.array_equal(tidy(specked), blob(0, 0, 40, 40))


def test_loaders_say_what_is_wrong(tmp_path):
    from converseg_ros.data_engine.proposers.sam import SamProposer
    from converseg_ros.data_engine.proposers.sam2 import Sam2Proposer

    with pytest.raises(InputError, match='not a SAM 2 model'):
        Sam2Proposer.load(str(tmp_path))
    (tmp_path / 'x.pth').write_bytes(b'nothing')
    with pytest.raises(InputError, match=r'x\.pth'):
        SamProposer.load(str(tmp_path / 'x.pth'))
