"""Bags as robots record them: topics named anyhow, parts missing, broken or of another camera."""

import json

from bag_files import FOCAL, START, STEP, H, W, colour, depth, image, info, moments, picture, transform, write
import numpy as np
import pytest

from converseg_ros import cli
from converseg_ros.core import InputError
from converseg_ros.evaluation.bag.reader import Bag
from converseg_ros.evaluation.labelling import Labelling, pictures_of

IMAGE = 'sensor_msgs/msg/Image'
RGBD = (('/camera/color/image_raw', colour), ('/camera/depth/image_raw', depth), ('/camera/color/camera_info', info))


def evaluate(bag, tmp_path, *more):
    """Run `converseg eval bag`; return the report and the predictions."""
    (tmp_path / 'ask.yaml').write_text('- {id: red, text: the red square}\n')
    out, answers = tmp_path / 'out.json', tmp_path / 'answers.json'
    command = ['eval', 'bag', str(bag), '--instructions', str(tmp_path / 'ask.yaml'), '--model', 'micro']
    command += ['--device', 'cpu', '--json', str(out), '--predictions', str(answers), *more]
    assert cli.main(command) == 0
    return json.loads(out.read_text()), json.loads(answers.read_text())


@pytest.mark.parametrize(
    'more',
    [
        (),
        (('/robot1/tf', lambda t: transform(t, 'map', 'camera')),),
        (('/tf_static', lambda t: transform(t, 'map', 'elsewhere')),),
    ],
    ids=['no tf', 'a namespace', 'another tree'],
)
def test_a_bag_without_transforms_of_its_camera_is_evaluated_and_labelled(tmp_path, more):
    path = write(tmp_path / 'bag', moments(2, *RGBD, *more))
    report, _ = evaluate(path, tmp_path)
    assert report['n_frames'] == 2
    root, pictures = pictures_of([path], 1)
    assert len(pictures) == 2
    assert (Labelling(root, pictures, tmp_path / 'labels.json').picture(1) == picture()).all()


def test_transforms_may_be_in_the_robots_namespace(tmp_path):
    def tf(parent):
        return lambda t: transform(t, parent, 'camera', 0.5)

    topics = (('/robot1/color/image_raw', colour), ('/robot1/tf', tf('odom')), ('/robot2/tf', tf('wrong')))
    with Bag(write(tmp_path / 'one', moments(2, *topics))) as bag:
        frame = next(bag.frames())
        assert frame.pose[0, 3] == pytest.approx(0.5) and frame.frame.gravity is not None
        assert bag.camera.tf == (('/robot1/tf', False),)
    with Bag(write(tmp_path / 'two', moments(2, ('/image', colour), ('/robot2/tf', tf('map'))))) as bag:
        assert next(bag.frames()).pose is not None


def test_one_broken_image_is_an_error_of_its_own_frame(tmp_path, capsys):
    messages = moments(4, *RGBD)
    messages[3] = (messages[3][0], messages[3][1], image(picture(), 'rgb8', START + STEP))
    messages[3][2].data = messages[3][2].data[:100]
    path = write(tmp_path / 'bag', messages)
    report, answers = evaluate(path, tmp_path, '--overlay-bag', str(tmp_path / 'drawn'))
    assert report['n_frames'] == 4 and report['status_counts']['ERROR'] == 1
    assert [a['stamp_ns'] for a in answers if a['status'] == 'ERROR'] == [START + STEP]
    assert '100 bytes of data' in capsys.readouterr().err
    with Bag(path) as bag:
        found = list(bag.frames())
        assert [f.frame is None for f in found] == [False, True, False, False] and '100 bytes' in found[1].problem
        with pytest.raises(InputError, match='broken'):
            bag.frame_at(START + STEP)


def test_bytes_that_are_no_message_are_an_error_of_their_own_frame(tmp_path):
    junk = [('/camera/color/image_raw', IMAGE, START + 2 * STEP, b'\0\1\0\0' + bytes(3))]
    junk += [('/camera/color/camera_info', 'sensor_msgs/msg/CameraInfo', START, b'\0\1\0\0')]
    path = write(tmp_path / 'bag', moments(2, *RGBD), junk)
    report, answers = evaluate(path, tmp_path)
    assert report['n_frames'] == 3
    assert [a['status'] == 'ERROR' for a in answers] == [False, False, True]


def test_images_without_stamps_go_by_the_time_of_recording_and_it_is_said(tmp_path, capsys):
    topics = (('/color', lambda t: colour(0)), ('/depth', lambda t: depth(0)), ('/camera_info', lambda t: info(0)))
    path = write(tmp_path / 'bag', moments(4, *topics))
    report, answers = evaluate(path, tmp_path)
    assert [a['stamp_ns'] for a in answers] == [START + i * STEP for i in range(4)]
    assert any('4 of 4 images have no stamp' in note for note in report['notes'])
    assert 'no stamp' in capsys.readouterr().err
    with Bag(path) as bag:
        assert all(f.frame.depth is not None for f in bag.frames())


def test_images_with_one_stamp_are_as_many_frames(tmp_path):
    with Bag(write(tmp_path / 'bag', moments(3, ('/color', lambda t: colour(START))))) as bag:
        assert len(set(bag.stamps())) == 3 == len(list(bag.frames()))
        assert any('the stamp of another one' in note for note in bag.notes)


def test_stamps_that_go_back_lose_no_frame(tmp_path):
    messages = moments(4, ('/color', colour))
    messages[1:3] = [(t, when, colour(2 * START + 2 * STEP - when)) for t, when, _ in messages[1:3]]
    messages[3] = (messages[3][0], messages[3][1], colour(START - STEP))
    report, _ = evaluate(write(tmp_path / 'bag', messages), tmp_path)
    assert report['n_frames'] == 4


def test_depth_of_another_frame_is_not_used_as_if_it_were_registered(tmp_path):
    topics = (('/wrist/image_raw', lambda t: colour(t, 'wrist')), ('/wrist/camera_info', lambda t: info(t, 'wrist')))
    deep = ('/head/depth', lambda t: depth(t, 'head'))
    with Bag(write(tmp_path / 'bag', moments(2, *topics, deep))) as bag:
        assert bag.camera.image == '/wrist/image_raw' and bag.camera.depth == ''
        assert any('/head/depth' in note and 'camera_info' in note for note in bag.notes)
        assert all(f.frame.depth is None for f in bag.frames())
    more = (deep, ('/head/camera_info', lambda t: info(t, 'head')))
    with Bag(write(tmp_path / 'two', moments(2, *topics, *more))) as bag:  # calibrated, but where is it?
        frame = next(bag.frames())
        assert frame.frame.depth is None and 'no transform between them' in frame.problem
    tf = ('/tf_static', lambda t: transform(t, 'wrist', 'head', 0.1))
    with Bag(write(tmp_path / 'three', moments(2, *topics, *more, tf))) as bag:
        found = np.asarray(next(bag.frames()).frame.depth)
        shift = round(FOCAL * 0.1)  # of a wall 1 m away, in pixels
        assert np.isnan(found[:, : shift - 1]).all() and found[:, shift + 1 :] == pytest.approx(1.0)


def test_the_camera_that_has_depth_is_taken_whole(tmp_path):
    topics = [
        ('/wrist/color/image_raw', lambda t: colour(t, 'wrist')),
        ('/wrist/color/camera_info', lambda t: info(t, 'wrist')),
        ('/head_camera/rgb/image_raw', lambda t: colour(t, 'head')),
        ('/head_camera/depth/image_raw', lambda t: depth(t, 'head')),
        ('/head_camera/rgb/camera_info', lambda t: info(t, 'head')),
    ]
    with Bag(write(tmp_path / 'bag', moments(2, *topics))) as bag:
        assert bag.camera.names() == {
            'image': '/head_camera/rgb/image_raw',
            'depth': '/head_camera/depth/image_raw',
            'camera_info': '/head_camera/rgb/camera_info',
        }
        assert next(bag.frames()).frame.depth is not None


@pytest.mark.parametrize(
    ('image_topic', 'depth_topic'),
    [
        ('/airsim/front/scene', '/airsim/front/planar'),
        ('/third_person/image', '/third_person/range'),
        ('/virtual_camera/out', '/virtual_camera/z'),
        ('/oak/rgb/image_raw', '/oak/stereo/image_raw'),
        ('/zed/zed_node/rgb/image_rect_color', '/zed/zed_node/depth/depth_registered'),
        ('/rgb/image_raw', '/depth_to_rgb/image_raw'),
        ('/mono_arm/image', '/deep/x'),
    ],
)
def test_topics_are_judged_by_what_they_carry(tmp_path, image_topic, depth_topic):
    def grey(t):
        return image(picture()[..., 0], 'mono8', t, 'infra')

    def confidence(t):
        return image(np.full((H, W), 50, np.float32), '32FC1', t)

    topics = [
        (image_topic, colour),
        (depth_topic, depth),
        ('/x/camera_info', info),
        ('/infra1/image_rect_raw', grey),
        ('/c/confidence_map', confidence),
        ('/segmenter/overlay', colour),
        ('/ir/camera_info', lambda t: info(t, 'infra')),
    ]
    with Bag(write(tmp_path / 'bag', moments(2, *topics))) as bag:
        names = {'image': image_topic, 'depth': depth_topic, 'camera_info': '/x/camera_info'}
        assert bag.camera.names() == names
        assert f"image: {image_topic} (rgb8, 64x48, frame 'camera')" in bag.notes
        assert next(bag.frames()).frame.depth is not None


def test_options_name_every_topic(tmp_path):
    other = (('/b/c', colour), ('/b/d', lambda t: depth(t, metres=2.0)), ('/b/i', lambda t: info(t, focal=70.0)))
    path = write(tmp_path / 'bag', moments(2, *RGBD, *other))
    named = ['--topic', 'image=/b/c', '--topic', 'depth=/b/d', '--topic', 'camera_info=/b/i']
    report, _ = evaluate(path, tmp_path, *named)
    assert report['topics'] == {'image': '/b/c', 'depth': '/b/d', 'camera_info': '/b/i'}
    with Bag(path, {'image': '/b/c', 'depth': '', 'camera_info': '/b/i'}) as bag:
        frame = next(bag.frames()).frame
        assert frame.depth is None and frame.intrinsics.fx == 70
    for wrong in ({'image': '/camera/color/camera_info'}, {'depth': '/nowhere'}):
        with pytest.raises(InputError, match='no such topic'):
            Bag(path, wrong)
    for option in ('image', 'image=', 'colour=/b/c'):
        assert cli.main(['eval', 'bag', str(path), '--instructions', 'x', '--json', 'y', '--topic', option]) == 1


def test_half_size_depth_of_the_same_frame_is_scaled(tmp_path):
    def half(t):
        message = depth(t, height=H // 2, width=W // 2)
        wall = np.full((H // 2, W // 2), 1000, np.uint16)
        wall[:, W // 4 :] = 2000
        return image(wall, '16UC1', t) if message else None

    topics = (('/color', colour), ('/depth', half), ('/camera_info', info))
    own = ('/depth/camera_info', lambda t: info(t, height=H // 2, width=W // 2, focal=FOCAL / 2))
    for name, more in (('one', ()), ('two', (own,))):
        with Bag(write(tmp_path / name, moments(1, *topics, *more))) as bag:
            found = np.asarray(next(bag.frames()).frame.depth)
        assert found.shape == (H, W)
        assert found[:, : W // 2 - 1] == pytest.approx(1.0) and found[:, W // 2 + 1 :] == pytest.approx(2.0)
    narrow = ('/depth', lambda t: depth(t, height=H, width=H))
    with Bag(write(tmp_path / 'three', moments(1, topics[0], narrow, topics[2]))) as bag:
        frame = next(bag.frames())
    assert frame.frame.depth is None and 'not the same part of the view' in frame.problem


def test_a_message_of_another_type_on_the_cameras_topic_changes_nothing(tmp_path):
    from bag_files import TYPES

    text = ('/camera/color/image_raw', lambda t: TYPES['std_msgs/msg/String']('hello'))
    with Bag(write(tmp_path / 'bag', [*moments(1, text), *moments(2, *RGBD)])) as bag:
        assert bag.camera.image == '/camera/color/image_raw'
        assert len(list(bag.frames())) == 2


def test_a_bag_without_images_says_what_is_there(tmp_path):
    with pytest.raises(InputError, match='/depth'):
        Bag(write(tmp_path / 'bag', moments(1, ('/depth', depth))))
