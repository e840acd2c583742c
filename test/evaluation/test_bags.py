import json

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from converseg_ros import cli
from converseg_ros.core import InputError, decode_rle, encode_rle
from converseg_ros.evaluation.bag.files import read_instructions, read_labels_in_sequence
from converseg_ros.evaluation.bag.reader import Bag, stamp_of
from converseg_ros.evaluation.bag.steadiness import compare_masks, steadiness
from converseg_ros.perception.messages import to_rgb
from converseg_ros.perception.motion import low_frame, pose_back

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
START, STEP = 1_700_000_000_000_000_000, 100_000_000
H, W = 48, 64
K = [60.0, 0, 31.5, 0, 60.0, 23.5, 0, 0, 1]


def header(stamp, frame='camera'):
    time = TYPES['builtin_interfaces/msg/Time'](sec=stamp // 10**9, nanosec=stamp % 10**9)
    return TYPES['std_msgs/msg/Header'](stamp=time, frame_id=frame)


def scene(step):
    """Return colour and depth (mm) of a red square on a wall 1 m away, seen from `step` centimetres to the right."""
    shift = round(60 * 0.01 * step)
    rgb = np.random.default_rng(7).integers(20, 90, (H, W + 40, 3), dtype=np.uint8)
    rgb[15:33, 40:58] = (210, 30, 30)
    return np.ascontiguousarray(rgb[:, 10 + shift : 10 + shift + W]), np.full((H, W), 1000, np.uint16)


def write_bag(path, *, compressed=False, depth=True, frames=4, storage=StoragePlugin.SQLITE3):
    image_type = 'sensor_msgs/msg/CompressedImage' if compressed else 'sensor_msgs/msg/Image'
    names = ('/color/image_raw/compressed', '/depth/image_raw/compressedDepth') if compressed else (
        '/color/image_raw', '/depth/image_raw',
    )  # fmt: skip
    with Writer(path, version=9, storage_plugin=storage) as writer:
        color = writer.add_connection(names[0], image_type, typestore=STORE)
        deep = writer.add_connection(names[1], image_type, typestore=STORE)
        info = writer.add_connection('/color/camera_info', 'sensor_msgs/msg/CameraInfo', typestore=STORE)
        tf = writer.add_connection('/tf', 'tf2_msgs/msg/TFMessage', typestore=STORE)

        def put(connection, stamp, message):
            writer.write(connection, stamp, STORE.serialize_cdr(message, connection.msgtype))

        for i in range(frames):
            stamp = START + i * STEP
            rgb, mm = scene(i)
            put(tf, stamp, transform(stamp, 0.01 * i))
            put(info, stamp, camera_info(stamp))
            if compressed:
                make = TYPES[image_type]
                _, jpeg = cv2.imencode('.png', rgb[:, :, ::-1])
                put(color, stamp, make(header(stamp), 'rgb8; png compressed bgr8', jpeg.ravel()))
                _, png = cv2.imencode('.png', mm)
                data = np.frombuffer(bytes(12) + png.tobytes(), np.uint8)
                message = make(header(stamp), '16UC1; compressedDepth png', data)
            else:
                make = TYPES[image_type]
                put(color, stamp, make(header(stamp), H, W, 'rgb8', 0, 3 * W, rgb.ravel()))
                message = make(header(stamp), H, W, '16UC1', 0, 2 * W, mm.ravel().view(np.uint8))
            if depth and i != 2:
                put(deep, stamp + 5_000_000, message)
    return path


def camera_info(stamp):
    roi = TYPES['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    p = np.array([60.0, 0, 31.5, 0, 0, 60.0, 23.5, 0, 0, 0, 1, 0])
    return TYPES['sensor_msgs/msg/CameraInfo'](
        header(stamp), H, W, 'plumb_bob', np.zeros(5), np.array(K), np.eye(3).ravel(), p, 0, 0, roi
    )


def transform(stamp, x):
    geometry = 'geometry_msgs/msg'
    move = TYPES[f'{geometry}/Transform'](
        TYPES[f'{geometry}/Vector3'](x, 0.0, 0.0), TYPES[f'{geometry}/Quaternion'](0.0, 0.0, 0.0, 1.0)
    )
    stamped = TYPES[f'{geometry}/TransformStamped'](header(stamp, 'map'), 'camera', move)
    return TYPES['tf2_msgs/msg/TFMessage']([stamped])


@pytest.mark.parametrize('storage', [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
@pytest.mark.parametrize('compressed', [False, True])
def test_a_bag_gives_its_frames_whatever_the_format(tmp_path, compressed, storage):
    with Bag(write_bag(tmp_path / 'bag', compressed=compressed, storage=storage)) as bag:
        assert bag.stamps() == [START + i * STEP for i in range(4)]
        frames = list(bag.frames())
        assert [f.frame.stamp_ns for f in frames] == bag.stamps()
        assert (frames[1].frame.rgb == scene(1)[0]).all()
        assert frames[0].frame.depth == pytest.approx(np.ones((H, W)))
        assert frames[2].frame.depth is None
        assert 'no depth' in frames[2].problem
        assert frames[3].pose[0, 3] == pytest.approx(0.03)
        assert frames[0].frame.intrinsics.fx == 60
        assert frames[0].frame.gravity == pytest.approx([0, 0, -1])
        assert (bag.frame_at(START + STEP).rgb == scene(1)[0]).all()
        with pytest.raises(InputError, match='no image'):
            bag.frame_at(7)


def test_frames_can_be_left_out(tmp_path):
    with Bag(write_bag(tmp_path / 'bag')) as bag:
        kept = [f.frame.stamp_ns for f in bag.frames(skip={START, START + STEP})]
    assert kept == [START + 2 * STEP, START + 3 * STEP]


def test_a_mask_that_moves_with_the_scene_is_consistent(tmp_path):
    def masks(step):
        return scene(step)[0][..., 0] > 150

    with Bag(write_bag(tmp_path / 'bag')) as bag:
        frames = list(bag.frames())[:2]
    small = [low_frame(f.frame, f.pose, W) for f in frames]
    back = pose_back(small[1], small[0])
    same = compare_masks(1, masks(0), masks(1), back)
    assert same.iou > 0.9 and same.kept and not same.changed and not same.lost
    other = compare_masks(1, masks(0), np.roll(masks(1), 20, 1), back)
    assert other.iou < 0.2 and other.changed
    empty = np.zeros((H, W), bool)
    assert compare_masks(1, empty, empty, back).iou is None
    lost = compare_masks(1, masks(0), empty, back)
    assert lost.iou == 0 and lost.lost and not lost.changed
    assert compare_masks(1, masks(0), masks(1), np.full_like(back, -1e4)) is None


def test_a_change_counts_only_while_the_earlier_thing_is_in_view():
    back = np.dstack(np.meshgrid(np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32)))
    left, right = np.zeros((H, W), bool), np.zeros((H, W), bool)
    left[10:20, 2:8] = right[10:20, 40:50] = True
    away = back + np.float32([10, 0])  # the camera turns: the left thing leaves the view
    grown = left | right
    pairs = [
        compare_masks(1, left, right, back),
        compare_masks(2, left, right, away),
        compare_masks(3, left, grown, back),  # a thing that joins is no change of the one that was there
        compare_masks(4, right, right, back),
    ]
    assert [p.changed for p in pairs] == [True, False, False, False]
    assert [p.kept for p in pairs] == [True, False, True, True]
    result = steadiness({'a': pairs, 'b': []})
    assert result == {'changed': 1 / 3, 'lost': 0, 'n_pairs': 3, 'changes': {'a': [1], 'b': []}}
    assert steadiness({})['changed'] is None


def test_a_bag_is_evaluated_from_the_command_line(tmp_path, capsys):
    bag = write_bag(tmp_path / 'bag', compressed=True)
    (tmp_path / 'ask.yaml').write_text(
        '- {id: red, text: the red square, family: entities}\n'
        '- {id: late, text: something dangerous, role: safety, family: physics, from: 0.15}\n'
    )
    truth = [
        {'id': 'red', 'stamp_ns': START, 'rle': encode_rle(scene(0)[0][..., 0] > 150)},
        {'id': 'red', 'stamp_ns': 5, 'rle': encode_rle(np.zeros((H, W), bool))},
    ]
    (tmp_path / 'truth.json').write_text(json.dumps(truth))

    def evaluate(name, *more):
        out = tmp_path / f'{name}.json'
        arguments = ['eval', 'bag', str(bag), '--instructions', str(tmp_path / 'ask.yaml'), '--model', 'micro']
        arguments += ['--device', 'cpu', '--json', str(out), '--predictions', str(tmp_path / f'{name}.p.json')]
        assert cli.main(arguments + list(more)) == 0
        return json.loads(out.read_text()), json.loads((tmp_path / f'{name}.p.json').read_text())

    truth_option = ['--truth', str(tmp_path / 'truth.json')]
    html = tmp_path / 'one.html'
    report, predictions = evaluate(
        'one', *truth_option, '--overlay-bag', str(tmp_path / 'overlay'), '--html', str(html)
    )
    assert report['n_frames'] == 4
    assert (report['n_items'], report['n_failed']) == (2, 1)
    assert sum(report['status_counts'].values()) == 4 + 2
    assert report['per_instruction']['late']['role'] == 'safety'
    red = [decode_rle(p['rle']) for p in predictions if p['id'] == 'red']  # the third frame has no depth
    assert report['temporal_consistency']['n_pairs'] == int(red[0].any() or red[1].any())
    assert report['steadiness'].keys() == {'changed', 'lost', 'n_pairs', 'changes'}
    assert report['steadiness']['changes'].keys() <= {'red'}  # safety answers are not a choice
    assert len(predictions) == 6
    assert [p['stamp_ns'] for p in predictions if p['id'] == 'late'] == [START + 2 * STEP, START + 3 * STEP]
    assert decode_rle(predictions[0]['rle']).shape == (H, W)
    assert 'data:image/jpeg;base64' in html.read_text()
    with AnyReader([tmp_path / 'overlay']) as drawn:
        messages = [drawn.deserialize(raw, c.msgtype) for c, _, raw in drawn.messages()]
    assert [stamp_of(m) for m in messages] == [START + i * STEP for i in range(4)]
    assert {m.header.frame_id for m in messages} == {'camera'}
    assert to_rgb(messages[0]).shape[1] == W
    _, again = evaluate('two')
    assert again == predictions  # the same in every run
    _, resumed = evaluate('two')
    assert resumed == predictions
    assert 'resumed: 4 of 4' in capsys.readouterr().err
    record = tmp_path / 'two.record.jsonl'
    record.write_text('\n'.join(record.read_text().splitlines()[:3]) + '\n')
    _, continued = evaluate('two')
    assert continued == predictions
    second, _ = evaluate('second', '--every', '2')
    assert second['n_frames'] == 2


def test_labels_are_asked_in_sequence_until_their_frame(tmp_path):
    write_bag(tmp_path / 'bag')
    rle = encode_rle(np.pad(np.ones((18, 18), bool), ((15, H - 33), (20, W - 38))))
    labels = [
        {'id': f'l{i}', 'source': 'bag', 'stamp_ns': START + i * STEP, 'prompt': 'the red square', 'rle': rle}
        for i in (1, 2, 3)
    ]
    (tmp_path / 'labels.json').write_text(json.dumps(labels))

    def evaluate(*more):
        arguments = [
            'eval',
            'bag',
            str(tmp_path / 'bag'),
            '--labels',
            str(tmp_path / 'labels.json'),
            '--model',
            'micro',
        ]
        arguments += ['--model', 'micro', '--device', 'cpu', '--json', str(tmp_path / 'o.json')]
        arguments += ['--predictions', str(tmp_path / 'p.json')]
        assert cli.main([*arguments, *more]) == 0
        return json.loads((tmp_path / 'o.json').read_text()), json.loads((tmp_path / 'p.json').read_text())

    report, predictions = evaluate('--every', '2', '--start', '1')
    asked = [(p['id'], (p['stamp_ns'] - START) // STEP) for p in predictions]
    assert asked == [('l1', 1), ('l3', 1), ('l3', 3)] and report['n_items'] == 2
    with pytest.raises(InputError, match='no label is on a key frame of bag'):
        read_labels_in_sequence([tmp_path / 'labels.json'], 'bag', [START])


@pytest.mark.parametrize(
    'text', ['- {id: a}', 'a: 1', '- {id: a, text: b, role: boss}', '- {id: a, text: b, colour: c}', '[]', '- {id: [']
)
def test_bad_instruction_files_are_explained(tmp_path, text):
    (tmp_path / 'i.yaml').write_text(text)
    with pytest.raises(InputError, match=r'i\.yaml'):
        read_instructions(tmp_path / 'i.yaml')


def test_the_example_instructions_can_be_read():
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / 'config/eval'
    for name in ('instructions.yaml', 'standing.yaml'):
        assert len(read_instructions(folder / name)) >= 5


def test_what_is_no_bag_is_refused(tmp_path):
    with pytest.raises(InputError, match='no such bag'):
        Bag(tmp_path / 'none')
    with pytest.raises(InputError, match='cannot be read'):
        Bag(tmp_path)
