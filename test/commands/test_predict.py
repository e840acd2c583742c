"""`converseg predict` from files to files."""

import json

import numpy as np
import pytest

pytest.importorskip('torch')
import cv2

from converseg_ros.cli import main


@pytest.fixture
def photo(tmp_path):
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC))
    return path


def test_masks_overlay_and_result(photo, tmp_path, capsys):
    out = tmp_path / 'out'
    prompts = ['--prompt', 'the red  thing', '--prompt', 'a place to sit']
    assert main(['predict', '--model', 'micro', '--image', str(photo), *prompts, '--out', str(out)]) == 0
    results = json.loads((out / 'result.json').read_text())
    assert [r['prompt'] for r in results] == ['the red thing', 'a place to sit']
    for k, r in enumerate(results):
        mask = cv2.imread(str(out / f'mask_{k:02d}.png'), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (120, 160) and set(np.unique(mask)) <= {0, 255}
        assert r['area_px'] == np.count_nonzero(mask) and r['status'] in ('OK', 'NO_TARGET')
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert r['box'] == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert r['calibrated'] is False and 'not calibrated' in r['reason']
        assert {'preprocess', 'image', 'text', 'decode', 'masks'} <= set(r['stage_ms'])
    assert cv2.imread(str(out / 'overlay.png')).shape[1] == 160
    assert 'not calibrated' in capsys.readouterr().err


def test_what_cannot_be_read_is_an_error_with_the_reason_and_the_rest_is_answered(photo, tmp_path, capsys):
    out = tmp_path / 'out'
    bad = ['die Sch\u00fcsseln', '\u043d\u043e\u0436', '\U0001f52a', 'a mug ' * 80]
    prompts = [part for text in (*bad, 'the mug', 'the mug.', 'The mug?') for part in ('--prompt', text)]
    assert main(['predict', '--model', 'compact', '--image', str(photo), *prompts, '--out', str(out)]) == 0
    results = json.loads((out / 'result.json').read_text())
    assert [r['status'] for r in results[:4]] == ['ERROR'] * 4
    assert all(r['area_px'] == 0 for r in results[:4])
    reasons = [r['reason'] for r in results[:4]]
    assert 'German' in reasons[0] and 'Russian' in reasons[1] and 'symbol' in reasons[2] and '80' in reasons[3]
    assert 'German' in capsys.readouterr().out
    same = [(r['status'], r['score'], r['area_px'], r['box']) for r in results[4:]]
    assert same[0][0] != 'ERROR' and same[1] == same[0] and same[2] == same[0], 'final punctuation changes nothing'


def test_the_robot_itself_is_in_no_answer(photo, tmp_path):
    for name, robot in (('none', np.zeros((120, 160), np.uint8)), ('all', np.full((120, 160), 255, np.uint8))):
        cv2.imwrite(str(tmp_path / 'robot.png'), robot)
        call = ['predict', '--image', str(photo), '--prompt', 'everything', '--robot-mask', str(tmp_path / 'robot.png')]
        call += ['--role', 'safety']  # marks all that may be there, in any precision
        assert main([*call, '--out', str(tmp_path / name)]) == 0
    areas = [json.loads((tmp_path / name / 'result.json').read_text())[0]['area_px'] for name in ('none', 'all')]
    assert areas[0] > 0 and areas[1] == 0


def test_depth_gives_a_cloud_in_metres(photo, tmp_path):
    pytest.importorskip('scipy')
    depth = np.full((120, 160), 1250, np.uint16)
    cv2.imwrite(str(tmp_path / 'depth.png'), depth)
    camera = {'width': 160, 'height': 120, 'K': [150, 0, 79.5, 0, 150, 59.5, 0, 0, 1], 'depth_scale': 1000}
    (tmp_path / 'camera.json').write_text(json.dumps(camera))
    out = tmp_path / 'out'
    files = ['--depth', str(tmp_path / 'depth.png'), '--camera', str(tmp_path / 'camera.json')]
    call = ['predict', '--model', 'micro', '--image', str(photo), '--prompt', 'a cup', '--out', str(out), *files]
    assert main(call) == 0
    geometry = json.loads((out / 'result.json').read_text())[0]['geometry']
    assert geometry['status'] == 'OK' and geometry['points'] > 100
    assert geometry['centroid'][2] == pytest.approx(1.25, abs=0.01)
    assert (out / geometry['cloud']).read_bytes().startswith(b'ply')


@pytest.mark.parametrize(
    'more, message',
    [
        (['--image', 'nowhere.png', '--prompt', 'a'], 'nowhere.png'),
        (['--prompt', ' '], 'empty'),
        (['--prompt', 'a', '--depth', 'd.png'], 'camera'),
        (['--prompt', 'a', '--model', 'no-such'], 'no-such'),
        (['--prompt', 'a', '--device', 'cuda:7'], 'CUDA'),
    ],
)
def test_errors_are_one_line_with_a_cure(photo, tmp_path, capsys, more, message):
    torch = pytest.importorskip('torch')
    if 'cuda:7' in more and torch.cuda.is_available():
        pytest.skip('there is a GPU')
    call = ['predict', '--model', 'micro', '--image', str(photo), '--out', str(tmp_path / 'out'), *more]
    assert main(call) == 1
    error = capsys.readouterr().err
    assert message in error and 'Traceback' not in error
    assert not (tmp_path / 'out' / 'result.json').exists()


def test_the_release_folder_works_as_it_stands(shared, tmp_path):
    folder = shared / 'parity'
    if not (folder / 'expected.npz').is_file():
        pytest.skip('no parity files')
    facts = json.loads((folder / 'expected.json').read_text())['b0']
    image = str(folder / facts['image'])
    for mode, kind in (('pad', 'demo'), ('stretch', 'eval')):
        out = tmp_path / mode
        call = ['predict', '--model', str(folder), '--image', image, '--prompt', facts['prompt'], '--preprocess', mode]
        assert main([*call, '--precision', 'fp32', '--out', str(out)]) == 0
        mask = cv2.imread(str(out / 'mask_00.png'), cv2.IMREAD_UNCHANGED) > 0
        packed = np.load(folder / 'expected.npz')[f'b0/mask_{kind}']
        truth = np.unpackbits(packed)[: mask.size].reshape(mask.shape).astype(bool)
        assert (mask != truth).mean() <= 1e-4


def test_bench_net_counts_what_is_saved(tmp_path):
    out = tmp_path / 'bench.json'
    call = ['bench', 'net', '--config', 'micro', '--prompts', '3', '--resolution', '160x120', '--repeat', '2']
    assert main([*call, '--device', 'cpu', '--json', str(out)]) == 0
    case = json.loads(out.read_text())['cases'][0]
    assert case['operations'] * 3 < case['plain_operations']
    assert case['counts']['prefixes_encoded'] < case['counts']['images_encoded'] + case['counts']['images_cached']
    assert case['iou_with_plain'] > 0.98 and case['ratio'] > 0
