"""The text encoder's shipped matrices are int8 with a scale per row."""

import torch

from converseg_ros.network.encoders.minilm import from_int8


def test_rows_are_scaled_back_and_the_rest_is_unchanged() -> None:
    matrix = torch.tensor([[-127, 0, 64], [1, 2, 127]], dtype=torch.int8)
    state = {'w': matrix, 'w.row_scale': torch.tensor([0.5, 2.0]), 'b': torch.tensor([0.25, -1.0])}
    back = from_int8(state)
    assert back.keys() == {'w', 'b'}
    assert torch.equal(back['w'], torch.tensor([[-63.5, 0.0, 32.0], [2.0, 4.0, 254.0]]))
    assert torch.equal(back['b'], state['b'])
