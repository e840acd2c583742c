"""The held-out pictures are fixed by their names, and a session is never cut in two."""

from collections import Counter

from converseg_ros.core.splits import instance_split, session_of, split_of


def test_split_depends_on_the_name_alone() -> None:
    names = [f'{i:012d}.jpg' for i in range(3000)]
    shares = Counter(split_of(n) for n in names)
    assert 0.07 < shares['test'] / 3000 < 0.13 and 0.07 < shares['val'] / 3000 < 0.13
    assert [split_of(n) for n in names] == [split_of(n) for n in names]


def test_a_third_of_the_instance_pictures_is_held_out() -> None:
    shares = Counter(instance_split(f'{i:012d}.jpg') for i in range(3000))
    assert 0.29 < shares['test'] / 3000 < 0.38 and shares['val'] > 0


def test_pictures_of_one_minute_share_a_split() -> None:
    names = [f'202311021459{second:02d}_jpg.jpg' for second in range(60)]
    assert len({session_of(n) for n in names}) == 1
    assert len({instance_split(n) for n in names}) == 1
    assert session_of('000000493652.jpg') == '000000493652'
