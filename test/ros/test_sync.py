"""Colour, depth and camera_info meet by stamp; what does not fit is counted by cause."""

from converseg_ros.ros.camera.sync import Bundle, Synchronizer

MS = 1_000_000


def feed(sync: Synchronizer, *events: tuple[str, float]) -> list[Bundle]:
    out = []
    for kind, ms in events:
        out += sync.add(kind, int(ms * MS), f'{kind}@{ms:g}')[0]
    return out


def test_equal_stamps_in_any_order() -> None:
    sync = Synchronizer()
    got = feed(sync, ('info', 0), ('depth', 0), ('image', 0), ('image', 33), ('info', 33), ('depth', 33))
    assert [(b.image, b.depth, b.info) for b in got] == [
        ('image@0', 'depth@0', 'info@0'),
        ('image@33', 'depth@33', 'info@33'),
    ]


def test_near_stamps_within_slop_take_the_nearest() -> None:
    sync = Synchronizer(slop=0.02)
    got = feed(sync, ('depth', 90), ('image', 100), ('depth', 105))
    assert [b.depth for b in got] == ['depth@105'] and sync.counts['no_image'] == 1
    assert not feed(Synchronizer(slop=0.005), ('depth', 90), ('image', 100), ('depth', 110))


def test_an_image_without_depth_is_dropped_and_counted() -> None:
    sync = Synchronizer()
    got = feed(sync, ('image', 0), ('image', 33), ('depth', 33))
    assert [b.image for b in got] == ['image@33'] and sync.counts['no_depth'] == 1


def test_without_depth_every_image_counts() -> None:
    sync = Synchronizer(depth=False)
    got = feed(sync, ('image', 0), ('image', 33))
    assert len(got) == 2 and got[0].depth is None and sync.counts['no_info'] == 2


def test_an_old_camera_info_is_better_than_none() -> None:
    sync = Synchronizer(depth=False)
    got = feed(sync, ('info', 0), ('image', 500))
    assert got[0].info == 'info@0' and sync.counts['old_info'] == 1


def test_camera_info_that_stops_does_not_stop_images() -> None:
    sync = Synchronizer(queue=3, depth=False)
    got = feed(sync, ('info', 0), ('image', 0), *(('image', 33.0 * n) for n in range(1, 9)))
    assert len(got) >= 5 and got[-1].image == 'image@264'


def test_a_clock_that_jumps_back_starts_anew() -> None:
    sync = Synchronizer(depth=False)
    feed(sync, ('image', 10_000), ('image', 10_033))
    bundles, jumped = sync.add('image', 0, 'again')
    assert jumped and [b.image for b in bundles] == ['again'] and sync.counts['clock_jumps'] == 1
    bundles, jumped = sync.add('image', 33 * MS, 'next')
    assert not jumped and len(bundles) == 1


def test_a_late_image_is_not_shown_after_a_newer_one() -> None:
    sync = Synchronizer(depth=False)
    got = feed(sync, ('image', 100), ('image', 90))
    assert len(got) == 1 and sync.counts['late'] == 1


def test_queues_are_bounded() -> None:
    sync = Synchronizer(queue=5)
    feed(sync, *(('depth', n) for n in range(1000)))
    assert sync.counts['no_image'] == 995
    feed(sync, *(('image', 5000 + n) for n in range(1000)))
    assert sync.counts['no_depth'] >= 990
