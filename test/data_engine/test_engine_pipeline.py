# ruff: noqa: E501 - long lines of data
"""The engine with the exact judges: what it makes, that it survives, and that bad input is told apart from good."""

import json
import os
from pathlib import Path
import random
import resource
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

from converseg_ros.cli import main
from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import InputError
from converseg_ros.core.families import Family
from converseg_ros.core.mask import decode_rle
from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.contracts import Picture, Region
from converseg_ros.data_engine.grammar.drafts import choose, enumerate_drafts
from converseg_ros.data_engine.grammar.linter import lint
from converseg_ros.data_engine.judges.facts_judge import FactsJudge
from converseg_ros.data_engine.output.store import Journal, read_items, read_rejects
from converseg_ros.data_engine.pipeline import Settings
from converseg_ros.data_engine.proposers.proposer import FAULTS, GraphProposer, spoil
from converseg_ros.data_engine.world.scene_world import by_build, is_sliver
from converseg_ros.data_engine.world.sources import read_source
from converseg_ros.datasets.images import load_upright
from converseg_ros.scenes.graph import SceneObject, View

ROOT = Path(__file__).resolve().parents[2]


def run(sources: list[Path], out: Path, **more) -> dict:
    p = Plan(sources, out, **more)
    shots = gather(p.sources, p.max_images)
    return make_pipeline(p, shots).run(shots, out)


@pytest.fixture(scope='module')
def dataset(rooms: Path, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('made') / 'data'
    run([rooms], out)
    return out


def world_of(rooms: Path):
    shot = next(iter(read_source(rooms)))
    return shot, shot.world()


def test_items_are_complete_and_balanced(dataset, rooms):
    items = read_items(dataset)
    per_image = len(items) / 6
    assert 10 <= per_image <= 16
    assert 0.15 <= sum(not i.positive for i in items) / len(items) <= 0.3
    families = {f: sum(i.family == f for i in items) / len(items) for f in Family}
    assert min(families.values()) > 0.08, families
    assert {i.phase for i in items} == {'literal', 'conversational'}
    assert {i.split for i in items} == {'train', 'val', 'test'}
    for i in items:
        rgb, _ = load_upright(i.image_path(dataset))
        assert i.mask().shape == rgb.shape[:2]
        assert SUB_CONCEPTS[i.sub_concept].family == i.family
        assert i.provenance['judge'] and i.provenance['proposer'] == 'graph'
    splits = {i.room: {j.split for j in items if j.room == i.room} for i in items}
    assert all(len(s) == 1 for s in splits.values())
    manifest = json.loads((dataset / 'manifest.json').read_text())
    assert manifest['items'] == len(items) and manifest['unfinished'] == 0


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ('what is being held?', {'o12'}),
        ('the bottle that nobody is holding', {'o13'}),
        ('what would tip over at a small push?', {'o4'}),
        ('what could cut me?', {'o5'}),
        ('what has a cutting edge?', {'o5'}),
        ('whatever is inside the bowl', {'o10'}),
        ('the leftmost mug', {'o3'}),
        ('the red mug', {'o3'}),
        ('the mug right of the apple', {'o4'}),
        ('the tallest bottle', {'o13'}),
        ('everything on the green plate', {'o8'}),
        ('what would fall if I pulled out the white plate?', {'o7', 'o8'}),
        ('which of the plates should I lift off first?', {'o8'}),
        ('the handle of the red mug', {'p40'}),
        ('where can I set down the plate?', {'free:o2'}),
        ('what is hot here?', set()),
        ('something to write with', set()),
        ('what is falling right now?', set()),
    ],
)
def test_the_grammar_means_what_it_says(rooms, words, expected):
    """The sentence, or another with its sub-concept and its key words, is made for the hand-made room with this answer."""
    _, world = world_of(rooms)
    key_words = [
        w for w in words.rstrip('?').split() if w not in ('the', 'what', 'is', 'a', 'I', 'of', 'which', 'can', 'to')
    ]
    for seed in range(400):
        for draft in enumerate_drafts(world, seed=str(seed)):
            spoken = draft.text.rstrip('?').split()
            if draft.text == words or (set(key_words) <= set(spoken) and abs(len(spoken) - len(words.split())) <= 2):
                assert set(draft.keys) == expected, draft
                return
    pytest.fail(f'nothing like {words!r} was said')


def test_what_is_tilted_spills_and_what_was_made_empty_raises_no_doubt():
    doubt = frozenset({'spills'})
    tilted = SceneObject(1, 'bottle', state='tilted', attributes=['spills'])
    assert 'spills' in by_build(tilted, 'bottle', frozenset(), doubt)[0]
    assert 'spills' not in frozenset().union(*by_build(SceneObject(1, 'mug', 'ware/mug/3'), 'mug', frozenset(), doubt))
    assert 'spills' in by_build(SceneObject(1, 'bottle', 'Scopia/wine_bottle'), 'bottle', frozenset(), doubt)[1]


def test_what_the_edge_of_the_picture_leaves_a_sliver_of_is_not_asked_for():
    view = View('view', 640, 480, [600.0, 600.0, 320.0, 240.0], np.eye(4).tolist())
    mug = SceneObject(1, 'mug', size=(0.1, 0.1, 0.1))
    seen = np.zeros((480, 640), bool)
    seen[:10, :50] = True

    def sliver(x: float, mask: np.ndarray = seen) -> bool:
        pose = np.eye(4)
        pose[:3, 3] = x, 0.0, 1.0
        return is_sliver(mug, pose, view, mask)

    assert not sliver(0.0) and not sliver(-0.52)  # the edge is at -0.53 m
    assert sliver(-0.57) and sliver(0.58)
    assert not sliver(-0.57, np.ones_like(seen)), 'what fills the picture is plain to see'


def test_positives_leave_distractors_and_texts_mean_one_thing(rooms):
    _, world = world_of(rooms)
    drafts = enumerate_drafts(world)
    assert len({d.text for d in drafts}) == len(drafts) > 150
    everything = {e.key for e in world.nameable}
    assert all(set(d.keys) != everything for d in drafts)
    assert all(not lint(d.text) for d in drafts)
    assert len({d.sub_concept for d in drafts}) >= 40


def test_the_choice_is_the_same_every_time_and_differs_by_seed(rooms):
    _, world = world_of(rooms)
    once = choose(enumerate_drafts(world), random.Random(1), 13, 0.23)
    again = choose(enumerate_drafts(world), random.Random(1), 13, 0.23)
    other = choose(enumerate_drafts(world, seed='b'), random.Random(1), 13, 0.23)
    assert once == again and [d.text for d in once] != [d.text for d in other]


def test_verification_rejects_faults_and_keeps_clean_masks(rooms):
    """Seeded faults on every region: at least 95 % are rejected and at least 95 % of the clean masks are kept."""
    counts = {fault: [0, 0] for fault in (*FAULTS, 'clean')}
    for shot in read_source(rooms):
        world = shot.world()
        picture = Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8))
        judge = FactsJudge('scene', lambda _, w=world: w)
        regions = judge.describe(picture)
        masks = {r.key: world.union([r.key]) for r in regions}
        for region in regions:
            rng = random.Random(region.key + shot.key)
            for fault in FAULTS:
                made = spoil(masks[region.key], [m for k, m in masks.items() if k != region.key], fault, rng)
                if (
                    made is not None
                    and made.any()
                    and (made & masks[region.key]).sum() < 0.7 * (made | masks[region.key]).sum()
                ):
                    counts[fault][0] += not judge.verify(picture, region, made).ok
                    counts[fault][1] += 1
            kernel = np.ones((2, 2), np.uint8)
            ragged = (
                cv2.dilate(masks[region.key].astype(np.uint8), kernel).astype(bool)
                if masks[region.key].sum() > 400
                else masks[region.key]
            )
            counts['clean'][0] += judge.verify(picture, region, ragged).ok
            counts['clean'][1] += 1
    for fault, (good, total) in counts.items():
        assert total > 10 and good >= 0.95 * total, (fault, good, total)


def test_alignment_judges_the_mask_not_the_item(rooms):
    shot, world = world_of(rooms)
    picture = Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8))
    judge = FactsJudge('scene', lambda _: world)
    kept = rejected = faults = drafts = 0
    masks = {e.key: e.mask for e in world.entities.values()}
    for draft in enumerate_drafts(world):
        truth = world.union(draft.keys)
        drafts += 1
        kept += judge.align(picture, draft.text, truth).ok
        wrong = (
            spoil(truth, list(masks.values()), random.Random(draft.text).choice(FAULTS), random.Random(1))
            if truth.any()
            else masks['o5']
        )
        if wrong is not None and (wrong & truth).sum() < 0.7 * (wrong | truth).sum():
            faults += 1
            rejected += not judge.align(picture, draft.text, wrong).ok
    assert kept == drafts and faults > 100 and rejected >= 0.95 * faults
    assert not judge.align(picture, 'say something that was never said', masks['o5']).ok


def test_a_run_with_faulty_masks_lets_none_through(rooms, tmp_path):
    shots = gather([rooms])
    p = Plan([rooms], tmp_path / 'd', faults=0.4)
    pipeline = make_pipeline(p, shots)
    pipeline.run(shots, p.out)
    assert isinstance(pipeline.proposer, GraphProposer) and len(pipeline.proposer.spoiled) > 20
    worlds = {s.image_id: s.world() for s in shots}
    items = read_items(tmp_path / 'd')
    for i in items:
        meanings = {d.text: d.keys for d in enumerate_drafts(worlds[i.image_id])}
        truth = worlds[i.image_id].union(meanings[i.prompt])
        assert (i.mask() & truth).sum() >= 0.75 * (i.mask() | truth).sum(), i.prompt
    assert len(items) > 30


def test_a_finished_run_is_not_made_again(dataset, rooms):
    before = (dataset / 'items.jsonl').read_bytes()
    shots = gather([rooms])
    pipeline = make_pipeline(Plan([rooms], dataset), shots)
    pipeline.judge = None  # type: ignore[assignment] # whoever asks it fails
    pipeline.identity = lambda: json.loads((dataset / 'settings.json').read_text())  # type: ignore[method-assign]
    pipeline.run(shots, dataset)
    assert (dataset / 'items.jsonl').read_bytes() == before


def test_shards_together_make_the_same_data_set(dataset, rooms, tmp_path):
    out = tmp_path / 'd'
    for index in (2, 0, 1):
        manifest = run([rooms], out, settings=Settings(shard=(index, 3)))
    assert manifest['unfinished'] == 0
    assert (out / 'items.jsonl').read_bytes().replace(b'', b'') == _relocated(dataset, out)


def _relocated(dataset: Path, out: Path) -> bytes:
    rows = [json.loads(line) for line in (dataset / 'items.jsonl').read_text().splitlines()]
    for row in rows:
        row['image'] = Path(os.path.relpath((dataset / row['image']).resolve(), out.resolve())).as_posix()
    return ''.join(json.dumps(r, ensure_ascii=False) + '\n' for r in rows).encode()


def test_other_settings_are_refused_in_the_same_folder(dataset, rooms):
    with pytest.raises(InputError, match='prompts'):
        run([rooms], dataset, settings=Settings(prompts=5))


KILLED = """
import os, sys, random
from pathlib import Path
sys.path.insert(0, {root!r})
real = os.fsync
state = {{'left': int(sys.argv[1])}}
def fsync(handle):
    state['left'] -= 1
    if state['left'] <= 0:
        if state['left'] == 0 and random.Random(sys.argv[1]).random() < 0.5:
            size = os.fstat(handle).st_size  # half of the line reaches the disk
            os.ftruncate(handle, max(0, size - 7)) if os.path.realpath(f'/proc/self/fd/{{handle}}').endswith('.jsonl') else None
        os.kill(os.getpid(), 9)
    real(handle)
os.fsync = fsync
from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.pipeline import Settings
p = Plan([Path(sys.argv[2])], Path(sys.argv[3]), max_images=3, settings=Settings(8, 0.25))
shots = gather(p.sources, p.max_images)
for point in sys.argv[4].split(','):
    state['left'] = int(point)
    child = os.fork()
    if child == 0:
        make_pipeline(p, shots).run(shots, p.out)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(point, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)
state['left'] = 10**9
make_pipeline(p, shots).run(shots, p.out)
"""


def test_kill_9_at_twenty_random_points_leaves_the_same_data_set(rooms, tmp_path):
    """Each run is killed at one of its commits, at times with half a line on the disk, and the next one goes on."""
    points = ','.join(str(p) for p in random.Random(4).choices(range(1, 4), k=20))
    script = KILLED.format(root=str(ROOT))
    out = tmp_path / 'killed'
    done = subprocess.run(
        [sys.executable, '-c', script, '1', str(rooms), str(out), points],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sum(line.endswith(' 9') for line in done.stdout.splitlines()) >= 15, done.stdout
    run([rooms], tmp_path / 'whole', max_images=3, settings=Settings(8, 0.25))
    assert (out / 'items.jsonl').read_bytes() == (tmp_path / 'whole/items.jsonl').read_bytes()


def test_a_killed_command_goes_on(rooms, tmp_path):
    """The real command, killed from outside by the clock."""
    out = tmp_path / 'd'
    command = [
        sys.executable,
        '-m',
        'converseg_ros',
        'engine',
        'run',
        '--source',
        str(rooms),
        '--out',
        str(out),
        '--json',
    ]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {'OMP_NUM_THREADS': '1'}, cwd=ROOT)
    assert child.stdout is not None
    child.stdout.readline()  # the first image is finished
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (out / 'items.jsonl').exists()
    run([rooms], out)
    assert {i.image_id for i in read_items(out)} == {s.image_id for s in gather([rooms])}


def test_a_torn_line_is_forgotten_and_a_broken_one_told(tmp_path, dataset):
    item = read_items(dataset)[0]
    journal = Journal(tmp_path / 'j.jsonl')
    journal.commit(item)
    whole = (tmp_path / 'j.jsonl').read_bytes()
    (tmp_path / 'j.jsonl').write_bytes(whole + whole[:50])
    again = Journal(tmp_path / 'j.jsonl')
    assert list(again.items) == [item.id] and (tmp_path / 'j.jsonl').read_bytes() == whole
    (tmp_path / 'j.jsonl').write_bytes(b'{"what\n' + whole)
    with pytest.raises(InputError, match='delete this file'):
        Journal(tmp_path / 'j.jsonl')


def test_a_full_disk_is_told_and_loses_nothing(rooms, tmp_path):
    """A file-size limit makes writes fail as a full disk does; with room again the run goes on to the same result."""
    out = tmp_path / 'd'
    script = (
        f'import sys; sys.path.insert(0, {str(ROOT)!r})\n'
        'import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n'
        f"from converseg_ros.cli import main\nsys.exit(main(['engine', 'run', '--source', {str(rooms)!r}, '--out', {str(out)!r}, '--max-images', '2']))\n"
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and 'free disk space' in done.stderr, done.stderr[-500:]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 3000
    run([rooms], out, max_images=2)
    run([rooms], tmp_path / 'whole', max_images=2)
    assert (out / 'items.jsonl').read_bytes() == (tmp_path / 'whole/items.jsonl').read_bytes()


def coco_folder(folder: Path) -> Path:
    """Write two annotated images: a plain one, and the same stored on its side with an EXIF tag."""
    from PIL import Image

    (folder / 'images').mkdir(parents=True)
    rgb = np.full((120, 160, 3), 200, np.uint8)
    rgb[20:60, 20:60], rgb[30:100, 100:150] = (200, 30, 30), (30, 30, 200)
    Image.fromarray(rgb).save(folder / 'images/plain.png')
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise to see it upright
    Image.fromarray(np.rot90(rgb)).save(folder / 'images/turned.jpg', quality=95, exif=exif)
    rows, images = [], []
    for n, name in enumerate(('plain.png', 'turned.jpg')):
        images.append({'id': n, 'file_name': name, 'width': 160, 'height': 120})
        for m, (category, x0, y0, x1, y1) in enumerate(((1, 20, 20, 60, 60), (2, 100, 30, 150, 100))):
            polygon = [x0, y0, x1, y0, x1, y1, x0, y1]
            rows.append(
                {'id': 10 * n + m, 'image_id': n, 'category_id': category, 'segmentation': [polygon], 'iscrowd': 0}
            )
    categories = [{'id': i + 1, 'name': c} for i, c in enumerate(('cup', 'laptop', 'fork', 'dog', 'book', 'chair'))]
    (folder / 'instances.json').write_text(
        json.dumps({'images': images, 'annotations': rows, 'categories': categories})
    )
    return folder


def test_labels_give_the_right_pixels_and_turned_photos_are_set_upright(tmp_path):
    source = coco_folder(tmp_path / 'coco')
    manifest = run([source], tmp_path / 'd', judge='labels')
    assert not manifest['failed']
    items = read_items(tmp_path / 'd')
    for i in items:
        rgb, upright = load_upright(i.image_path(tmp_path / 'd'))
        assert upright and rgb.shape[:2] == (120, 160) == i.mask().shape
    positives = [i for i in items if i.positive]
    assert len(positives) >= 8
    for i in positives:  # the background is gray, the things are red and blue: no mask is on the wrong pixels
        pixels = load_upright(i.image_path(tmp_path / 'd'))[0][i.mask()].astype(int)
        assert (pixels.max(1) - pixels.min(1) > 80).mean() > 0.95, i.prompt
    names = {i.prompt for i in items if not i.positive}
    assert names and all('cup' not in n.split() for n in names if 'left' not in n and 'right' not in n)


def test_unreadable_huge_and_empty_input_is_reported(tmp_path, monkeypatch, capsys):
    source = coco_folder(tmp_path / 'coco')
    (source / 'images/plain.png').write_bytes((source / 'images/plain.png').read_bytes()[:100])
    manifest = run([source], tmp_path / 'd', judge='labels')
    assert [f['image'] for f in manifest['failed']] == ['plain.png'] and 'readable' in manifest['failed'][0]['why']
    assert {i.image_id for i in read_items(tmp_path / 'd')} == {'turned.jpg'}
    monkeypatch.setattr('converseg_ros.datasets.images.MAX_PIXELS', 1000)
    with pytest.raises(InputError, match='megapixels'):
        load_upright(source / 'images/turned.jpg')
    (tmp_path / 'empty').mkdir()
    assert main(['engine', 'run', '--source', str(tmp_path / 'empty'), '--out', str(tmp_path / 'e')]) == 1
    assert 'no images' in capsys.readouterr().err
    assert main(['engine', 'run', '--source', str(tmp_path / 'nowhere'), '--out', str(tmp_path / 'e')]) == 1


def test_a_scene_judge_without_a_scene_says_so(tmp_path):
    photo = tmp_path / 'photos'
    photo.mkdir()
    cv2.imwrite(str(photo / 'a.png'), np.full((50, 60, 3), 90, np.uint8))
    manifest = run([photo], tmp_path / 'd', proposer='graph')
    assert 'no labels' in manifest['failed'][0]['why']


def test_an_item_of_every_export_is_the_same_item(dataset, tmp_path):
    pq = pytest.importorskip('pyarrow.parquet')
    assert (
        main(
            [
                'engine',
                'export',
                str(dataset),
                '--format',
                'dataset',
                'items',
                'coco',
                'parquet',
                '--out',
                str(tmp_path),
            ]
        )
        == 0
    )
    items = {i.id: i for i in read_items(dataset)}
    seen = 0
    for split in ('train', 'val', 'test'):
        folder = tmp_path / split
        rows = [json.loads(line) for line in (folder / 'dataset.jsonl').read_text().splitlines()]
        listed = json.loads((folder / 'items.json').read_text())
        coco = json.loads((folder / 'annotations.json').read_text())
        table = pq.read_table(folder / f'{split}.parquet').to_pylist()
        assert listed['count'] == len(listed['items']) == len(rows) == len(coco['annotations']) == len(table)
        for row, entry, note, cells in zip(rows, listed['items'], coco['annotations'], table):
            item = items[entry['id']]
            seen += 1
            truth = item.mask()
            assert row['prompt'] == entry['prompt'] == note['caption'] == cells['prompt'] == item.prompt
            assert entry['concept'] == cells['concept'] == item.family
            for path in (row['mask_merged'], entry['mask']):
                mask = cv2.imread(str(folder / path), cv2.IMREAD_UNCHANGED)
                assert set(np.unique(mask)) <= {0, 255} and np.array_equal(mask > 0, truth)
            assert np.array_equal(decode_rle(note['segmentation']), truth) and note['area'] == truth.sum()
            image = cv2.imread(str(folder / row['image']))
            assert image.shape[:2] == truth.shape
            decoded = cv2.imdecode(np.frombuffer(cells['image']['bytes'], np.uint8), cv2.IMREAD_COLOR)
            assert np.array_equal(decoded, image)
            assert np.array_equal(cv2.imdecode(np.frombuffer(cells['mask']['bytes'], np.uint8), 0) > 0, truth)
    assert seen == len(items)


def test_the_gallery_filters_and_draws(dataset):
    client_module = pytest.importorskip('starlette.testclient')
    from converseg_ros.data_engine.output.gallery import make_gallery

    items = read_items(dataset)
    client = client_module.TestClient(make_gallery(dataset), base_url='http://127.0.0.1')
    assert '<main id="pairs">' in client.get('/').text
    assert client.get('/static/gallery.js').status_code == 200
    all_pairs = client.get('/api/pairs').json()
    assert all_pairs['total'] == len(items) + len(read_rejects(dataset))
    physics = client.get('/api/pairs', params={'family': 'physics', 'target': 'none', 'verdict': 'accepted'}).json()
    assert physics['total'] == sum(i.family == 'physics' and not i.positive for i in items)
    assert all(p['family'] == 'physics' and p['target'] == 'none' for p in physics['pairs'])
    picture = client.get(f'/api/picture/{all_pairs["pairs"][0]["id"]}')
    assert (
        picture.headers['content-type'] == 'image/jpeg'
        and cv2.imdecode(np.frombuffer(picture.content, np.uint8), 1) is not None
    )
    assert client.get('/api/picture/..%2Fsettings.json').status_code == 404


def test_ray_makes_the_same_data_set(dataset, rooms, tmp_path, monkeypatch):
    pytest.importorskip('ray', reason='Ray is not installed')
    from converseg_ros.data_engine.ray_run import run_on_ray

    monkeypatch.setenv('PYTHONPATH', str(ROOT), prepend=os.pathsep)  # Ray's workers run elsewhere
    manifest = run_on_ray(Plan([rooms], tmp_path / 'd'), 2)
    assert manifest['unfinished'] == 0
    assert (tmp_path / 'd/items.jsonl').read_bytes() == _relocated(dataset, tmp_path / 'd')


@pytest.mark.parametrize(
    'text',
    [
        'the the mug',
        'find a apple',
        'an cup on the table',
        'show me the {x}',
        'mug',
        'the mug ' * 12,
        'which is it?',
        'show me that one',
    ],
)
def test_the_linter_finds_slips(text):
    assert lint(text.strip())


@pytest.mark.parametrize(
    'text',
    [
        'the red mug',
        'where can I safely set down the knife?',
        'is there an apple here?',
        'something I could stir this with',
        'a useful thing to sit on',
    ],
)
def test_the_linter_lets_good_words_pass(text):
    assert not lint(text)


def test_a_region_of_nothing_is_rejected(rooms):
    shot, world = world_of(rooms)
    picture = Picture(shot.key, np.zeros((world.height, world.width, 3), np.uint8))
    judge = FactsJudge('scene', lambda _: world)
    ghost = Region(key='g', text='the ghost', category='ghost', box=(10, 10, 60, 60))
    assert not judge.verify(picture, ghost, np.ones((world.height, world.width), bool)).ok


def test_a_run_takes_the_judge_that_its_source_brings_along(rooms, tmp_path, capsys):
    from converseg_ros.data_engine.build import natural_judge

    labelled = coco_folder(tmp_path / 'coco')
    assert (natural_judge([rooms]), natural_judge([labelled])) == ('scene', 'labels')
    photos = labelled / 'images'
    for sources in ([photos], [rooms, labelled]):
        with pytest.raises(InputError, match='judge'):
            natural_judge(sources)
    (tmp_path / 'c.yaml').write_text('prompts: 4\nseed: 7\n')
    config = ['--config', str(tmp_path / 'c.yaml')]
    call = ['engine', 'run', '--source', str(labelled), *config, '--out', str(tmp_path / 'd')]
    assert main(call) == 0
    assert json.loads((tmp_path / 'd/manifest.json').read_text())['judge'].startswith('labels')
