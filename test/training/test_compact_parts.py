"""What makes compact small must not change what it says."""

import torch

from converseg_ros.network.alignment import Alignment
from converseg_ros.network.encoders.minilm import from_int8, prune_vocabulary, to_int8
from converseg_ros.network.features import ImageFeatures, Prompts


def test_int8_keeps_a_matrix_within_half_a_step():
    state = {'w': torch.randn(6, 40), 'b': torch.randn(6)}
    back = from_int8(to_int8(state))
    step = state['w'].abs().amax(1, keepdim=True) / 127
    assert ((back['w'] - state['w']).abs() <= step * 0.5001).all()
    assert torch.equal(back['b'], state['b'])


def test_pruning_keeps_ascii_pieces_in_order_and_the_special_ones():
    words = ['[PAD]', '[unused0]', '[UNK]', 'mug', 'ü', '##s', '東']
    tokenizer = {
        'model': {'vocab': {w: i for i, w in enumerate(words)}},
        'added_tokens': [{'content': '[PAD]', 'id': 0}, {'content': '[UNK]', 'id': 2}],
    }
    pruned, kept = prune_vocabulary(tokenizer)
    assert list(pruned['model']['vocab']) == ['[PAD]', '[UNK]', 'mug', '##s']
    assert kept == [0, 2, 3, 5]
    assert [t['id'] for t in pruned['added_tokens']] == [0, 1]


def _prompts(count: int, pooled: int = 24, channels: int = 16) -> Prompts:
    mask = torch.ones(count, 5, dtype=torch.bool)
    mask[0, 3:] = False
    return Prompts(torch.randn(count, 5, channels), mask, torch.randn(count, channels), torch.randn(count, pooled))


def _one(prompts: Prompts, row: int) -> Prompts:
    return Prompts(*(t[row : row + 1] for t in prompts))  # type: ignore[index]


def test_alignment_answers_each_text_on_its_image_as_if_alone():
    torch.manual_seed(0)
    module = Alignment(24, 16, 2)
    image = ImageFeatures(torch.randn(2, 16, 4, 5), (torch.zeros(1), torch.zeros(1)), torch.randn(2, 24, 4, 5))
    prompts = _prompts(3)
    together = module(image, prompts, torch.tensor([1, 0, 1])).maps
    for row, place in enumerate((1, 0, 1)):
        one = image._replace(
            embedding=image.embedding[place : place + 1],
            words=image.words[place : place + 1],  # type: ignore[index]
        )
        torch.testing.assert_close(together[row : row + 1], module(one, _one(prompts, row)).maps)


def test_choosing_among_things_is_for_each_text_as_if_alone():
    torch.manual_seed(0)
    module = Alignment(24, 16, 2, things=True).eval()
    assert module.things is not None
    module.things.kind_text.copy_(torch.randn(80, 24))
    corner = torch.rand(2, 6, 2) * 0.5
    kinds = torch.rand(2, 6, 80)
    kinds[0, 4:] = 0  # the first picture has four things only
    image = ImageFeatures(
        torch.randn(2, 16, 4, 5),
        (torch.zeros(2, 1), torch.zeros(2, 1)),
        torch.randn(2, 24, 4, 5),
        torch.rand(2, 80, 4, 5),
        torch.cat([corner, corner + 0.3], 2),
        kinds,
    )
    prompts = _prompts(3)
    together = module(image, prompts, torch.tensor([1, 0, 1]))
    for row, place in enumerate((1, 0, 1)):
        alone = module(image.take(torch.tensor([place])), _one(prompts, row))
        for mine, theirs in zip(together.take(torch.tensor([row])), alone, strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)
    assert (together.chosen[1, 4:] < -10).all()  # what is not there is not chosen
    assert torch.sigmoid(together.chosen[1, 4:]).sum() < 1e-6
