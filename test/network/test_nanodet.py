"""The detector beside compact's trunk: where its boxes lie and which stay."""

import torch

from converseg_ros.network.encoders.nanodet import STRIDES, Detections, NanoDet, best_boxes, kinds_map


def _levels(height: int = 64, width: int = 96) -> list[Detections]:
    found = []
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        quiet = torch.full((1, 80, rows, columns), -8.0)
        found.append(Detections(torch.zeros(1, 128, rows, columns), quiet, torch.full((1, 4, rows, columns), 4.0)))
    return found


def test_a_box_lies_around_its_cell_by_its_sides():
    levels = _levels()
    levels[1].logits[0, 41, 2, 3] = 3.0  # a cup; the cell's centre is (56, 40)
    levels[1].sides[0, :, 2, 3] = torch.tensor([10.0, 20.0, 6.0, 5.0])
    found = best_boxes(levels, 4)
    torch.testing.assert_close(found.boxes[0, 0], torch.tensor([46.0, 20.0, 62.0, 45.0]))
    assert int(found.kinds[0, 0].argmax()) == 41
    assert (found.kinds[0, 1:] == 0).all(), 'there is one thing only'
    assert int(kinds_map(levels)[0, 41].flatten().argmax()) == 2 * 6 + 3


def test_doubles_are_suppressed_and_neighbours_stay():
    levels = _levels()
    for column, score in ((2, 3.0), (3, 2.5), (9, 2.0)):  # the first two are one thing, the third is another
        levels[0].logits[0, 39, 4, column] = score
        centre = (column + 0.5) * 8
        left = 12.0 if column < 9 else 70.0
        levels[0].sides[0, :, 4, column] = torch.tensor([centre - left, 16.0, left + 20 - centre, 16.0])
    found = best_boxes(levels, 4)
    live = found.kinds[0].amax(1) > 0
    assert live.tolist() == [True, True, False, False]
    assert sorted(found.boxes[0, live][:, 0].tolist()) == [12.0, 70.0]


def test_the_network_answers_at_its_strides_and_moves_with_the_picture():
    torch.manual_seed(0)
    network = NanoDet().eval()
    picture = torch.zeros(1, 3, 128, 192)
    picture[..., 40:60, 40:70] = 2.0
    with torch.no_grad():
        here = network(picture)
        there = network(picture.roll(64, 3))
    assert [tuple(f.logits.shape[2:]) for f in here] == [(16, 24), (8, 12), (4, 6)]
    inside = slice(6, 8)  # away from the borders, whose padding does not move
    torch.testing.assert_close(
        here[0].features[..., inside, 6:9], there[0].features[..., inside, 14:17], atol=0.2, rtol=0
    )
