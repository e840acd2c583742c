from dataclasses import replace

import numpy as np
import pytest

from converseg_ros import network as networks
from converseg_ros.core import Frame, Prediction, Role, Status, decode_rle
from converseg_ros.datasets.samples import Sample, broken, check_ids
from converseg_ros.evaluation.baselines import AllEmpty, AllForeground, MajorityMask, standard
from converseg_ros.evaluation.record import fingerprint, read_record
from converseg_ros.evaluation.report import build_report, compare
from converseg_ros.evaluation.runner import MODEL, Runner, swap_scores


def square():
    mask = np.zeros((48, 64), bool)
    mask[10:30, 12:32] = True
    return mask


def picture(seed=0):
    rgb = np.random.default_rng(seed).integers(0, 60, (48, 64, 3), dtype=np.uint8)
    rgb[square()] = (200, 40, 40)
    return rgb


@pytest.fixture(scope='module')
def micro():
    network = networks.load('micro', device='cpu')
    yield network
    network.close()


def samples(count=3):
    empty = np.zeros((48, 64), bool)
    made = []
    for i in range(count):
        for kind, truth in (('pos', square()), ('neg', empty)):
            made.append(
                Sample(
                    f'{kind}{i}',
                    f'im{i}',
                    f'{kind} prompt',
                    lambda i=i: Frame(picture(i)),
                    lambda t=truth: t,
                    'physics',
                )
            )
    return made


def test_baselines_score_what_they_must(micro):
    answers = Runner(micro, [AllEmpty(), AllForeground()], report=lambda _: None).run(samples())
    report = build_report(answers, model='micro', command='', data='tiny')
    empty, full = report['baselines']['all_empty'], report['baselines']['all_foreground']
    assert (empty['giou'], empty['n_acc'], empty['t_acc']) == (0.5, 1, 0)
    assert full['giou_positive'] == pytest.approx(400 / (48 * 64))
    assert (full['n_acc'], full['t_acc']) == (0, 1)
    assert (empty['recall'], empty['marked'], full['recall'], full['marked']) == (0, 0, 1, 1)
    assert report['per_family']['physics']['n_items'] == 6
    assert report['per_family']['spatial'] == {'absent': True, 'n_items': 0}
    assert report['giou'] == pytest.approx(np.mean([i['iou'] for i in report['items']]))
    assert empty['model_ahead']['giou']['difference'] == pytest.approx(report['giou'] - 0.5)


def test_a_bad_item_is_reported_and_skipped(micro):
    said = []
    good = samples(1)
    wrong_size = replace(good[0], id='wrong', truth=lambda: np.zeros((10, 99), bool))
    answers = Runner(micro, [AllEmpty()], report=said.append).run([*good, broken('bad', 'no prompt'), wrong_size])
    report = build_report(answers, model='micro', command='', data='tiny')
    assert report['n_failed'] == 2
    assert report['n_items'] == 4
    assert any('bad' in line and 'no prompt' in line for line in said)
    assert {i['id'] for i in report['items'] if i['error']} == {'bad', 'wrong'}
    assert {i['iou'] for i in report['items'] if i['error']} == {0.0}


class Stumbling:
    """The real network behind a fault that strikes one prompt."""

    def __init__(self, network):
        self.network, self.asked = network, []
        self.name, self.calibrated, self.device = network.name, network.calibrated, network.device

    def set_image(self, rgb, key=None):
        self.network.set_image(rgb, key)

    def predict(self, texts, **options):
        self.asked += [q.text for q in texts]
        if 'poison' in [q.text for q in texts]:
            raise RuntimeError('out of luck')
        return self.network.predict(texts, **options)

    def unreadable(self, text):
        return self.network.unreadable(text)

    def close(self):
        self.network.close()


def test_a_prompt_the_network_chokes_on_fails_alone(micro):
    data = samples(1)
    data.insert(1, replace(data[0], id='poisoned', prompt='poison'))
    answers = Runner(Stumbling(micro), report=lambda _: None).run(data)[MODEL]
    assert [bool(a.score.error) for a in answers] == [False, True, False]
    assert 'out of luck' in answers[1].score.error


def test_an_interrupted_run_resumes_with_the_same_result(micro, tmp_path):
    record = tmp_path / 'out.record.jsonl'
    whole = Runner(micro, [AllEmpty()], record, lambda _: None).run(samples())
    lines = record.read_text().splitlines(keepends=True)
    record.write_text(''.join(lines[:7]) + lines[7][:20])  # killed in the second image
    stumbling, said = Stumbling(micro), []
    again = Runner(stumbling, [AllEmpty()], record, said.append).run(samples())
    assert stumbling.asked == ['pos prompt', 'neg prompt'] * 2
    assert 'resumed: 1 of 3 images' in said[0]
    for name in whole:
        assert [(a.score.id, a.score.intersection, a.score.union, a.rle) for a in whole[name]] == [
            (a.score.id, a.score.intersection, a.score.union, a.rle) for a in again[name]
        ]
    assert Runner(Stumbling(micro), [AllEmpty()], record, said.append).run(samples()).keys() == whole.keys()


def test_a_record_of_other_data_is_not_used(micro, tmp_path):
    record = tmp_path / 'r.jsonl'
    Runner(micro, (), record, lambda _: None).run(samples(1))
    stumbling = Stumbling(micro)
    Runner(stumbling, (), record, lambda _: None).run(samples(2))
    assert len(stumbling.asked) == 4
    assert read_record(tmp_path / 'none', {}) == []


def test_language_sensitivity_swaps_only_different_targets():
    left, right, both = (np.zeros((10, 10), bool) for _ in range(3))
    left[:, :5], right[:, 5:], both[:] = True, True, True
    truths = {'l': left, 'r': right, 'b': both, 'n': np.zeros((10, 10), bool)}
    found = swap_scores(truths, {'l': left, 'r': left, 'b': both, 'n': both})
    assert found == {'l': 1.0, 'r': 0.0}


def test_a_majority_mask_does_not_depend_on_the_prompt():
    a, b = square(), np.zeros((48, 64), bool)
    own = [Prediction(a, 1.0, Status.OK), Prediction(a, 1.0, Status.OK), Prediction(b, 0.0, Status.NO_TARGET)]
    answers = MajorityMask().answer(Frame(picture()), ['x', 'y', 'z'], None, own)
    assert len(answers) == 3
    assert all((p.mask == a).all() for p in answers)


def test_the_best_prompt_blind_version_stands_for_all(micro):
    answers = Runner(micro, standard(lambda _: None, nouns=False), report=lambda _: None).run(samples(2))
    report = build_report(answers, model='micro', command='', data='tiny')
    assert set(report['baselines']) == {'all_empty', 'all_foreground', 'prompt_blind', 'detector_matching'}
    assert report['baselines']['prompt_blind']['which']
    blind = [n for n in answers if n.startswith('prompt_blind:')]
    assert len(blind) > 3
    for name in blind:  # the same mask whatever was asked
        first, second = answers[name][:2]
        assert (decode_rle(first.rle) == decode_rle(second.rle)).all()


def test_compare_finds_the_items_that_moved(micro):
    answers = Runner(micro, [AllForeground()], report=lambda _: None).run(samples())
    first = build_report(answers, model='one', command='', data='tiny')
    second = build_report({MODEL: answers['all_foreground']}, model='two', command='', data='tiny')
    result = compare(first, second)
    assert result['n_shared'] == 6
    expected = second['giou'] - first['giou']
    assert result['differences']['giou']['difference'] == pytest.approx(expected)
    assert result['per_family']['physics']['giou']['difference'] == pytest.approx(expected)
    assert result['worst'][0]['change'] <= result['best'][0]['change']


def test_repeated_ids_stay_apart():
    twice = check_ids([broken('a', ''), broken('a', ''), broken('b', '')])
    assert [s.id for s in twice] == ['a', 'a#2', 'b']


def test_a_record_of_other_weights_is_not_used(micro, tmp_path):
    folder = tmp_path / 'model'
    folder.mkdir()
    (folder / 'w').write_bytes(b'1')
    before = fingerprint(folder)
    Runner(micro, (), tmp_path / 'r.jsonl', lambda _: None, before).run(samples(1))
    (folder / 'w').write_bytes(b'2')
    stumbling = Stumbling(micro)
    Runner(stumbling, (), tmp_path / 'r.jsonl', lambda _: None, fingerprint(folder)).run(samples(1))
    assert len(stumbling.asked) == 2
    (folder / 'w').write_bytes(b'1')
    assert fingerprint(folder) == before


def test_all_prompts_are_asked_in_the_role_and_answers_of_another_role_are_not_resumed(micro, tmp_path):
    class Asked:
        def __init__(self):
            self.roles = []

        def __getattr__(self, name):
            return getattr(micro, name)

        def predict(self, queries, **options):
            self.roles += [q.role for q in queries]
            return micro.predict(queries, **options)

    asked, record = Asked(), tmp_path / 'record.jsonl'
    for role in (Role.PLAIN, Role.SAFETY):
        Runner(asked, record=record, report=lambda _: None, role=role).run(samples(1))
    assert asked.roles == [Role.PLAIN] * 2 + [Role.SAFETY] * 2


def test_for_a_calibration_the_masks_of_refused_answers_are_scored():
    class Refusing:
        name = 'refusing'

        def set_image(self, view, key=None):
            pass

        def predict(self, queries, *, checkpoint=None):
            empty = np.zeros((48, 64), bool)
            return [Prediction(empty, 0.1, Status.NO_TARGET, withheld=square()) for _ in queries]

    usual, proposed = (
        Runner(Refusing(), report=lambda _: None, proposals=proposals).run(samples(1))[MODEL][0].score
        for proposals in (False, True)
    )
    assert usual.positive and (usual.iou, proposed.iou) == (0, 1) and proposed.refused
