"""What makes compact small must not change what it says."""

import torch

from converseg_ros.network.alignment import Alignment
from converseg_ros.network.features import ImageFeatures
from converseg_ros.network.text import from_int8, prune_vocabulary, to_int8


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


def test_alignment_answers_each_text_on_its_image_as_if_alone():
    torch.manual_seed(0)
    module = Alignment(24, 16, 2)
    image = ImageFeatures(torch.randn(2, 16, 4, 5), (torch.zeros(1), torch.zeros(1)), torch.randn(2, 24, 4, 5))
    texts = torch.randn(3, 24)
    together = module(image, texts, torch.tensor([1, 0, 1]))
    for row, place in enumerate((1, 0, 1)):
        one = image._replace(
            embedding=image.embedding[place : place + 1],
            words=image.words[place : place + 1],  # type: ignore[index]
        )
        torch.testing.assert_close(together[row : row + 1], module(one, texts[row : row + 1]))
