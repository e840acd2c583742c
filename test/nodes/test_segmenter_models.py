"""A node whose model asks other models: it outlives their failures, and uses the calibration of another namer."""

import json
from pathlib import Path

from converseg_ros.msg import Region, RegionArray
import pytest
from ros_rig import Camera, Process, Rig

pytest.importorskip('transformers')

from chat_endpoint import Endpoint, serving
from micro_segmenters import write_sam2
from transformers_micro import write_towers

from converseg_ros.network import load
from converseg_ros.network.things.correctness import CorrectnessFit
from converseg_ros.network.things.existence import Existence, ExistenceFit

pytestmark = pytest.mark.ros
LONG = 300.0  # seconds; these networks are slow on a busy machine


def start(rig: Rig, camera: Camera, folder: Path, **parameters: object) -> Process:
    given = {'threads': 1, 'instruction_ttl': 0.0, 'max_age': 100.0, 'world_frame': "''", 'level_frame': "''"}
    arguments = [a for k, v in {**given, **parameters}.items() for a in ('-p', f'{k}:={v}')]
    process = Process(folder / 'log.txt', *arguments, env={'CONVERSEG_MODELS': str(folder / 'models')})
    rig.until(lambda: 'active;' in process.log.read_text() or not process.lives, LONG)
    assert process.lives, process.log.read_text()
    return process


def until_answer(rig: Rig, camera: Camera, process: Process, *, reason: str = '', ok: bool = False) -> Region:
    """Return a new answer whose status and reason are as wanted."""
    got = rig.got['regions']
    got.clear()

    def there() -> list[Region]:
        assert process.lives, process.log.read_text()
        regions = [r for m in got for r in m.regions]
        return [r for r in regions if (r.status != Region.STATUS_ERROR) == ok and reason in r.status_reason]

    return rig.until(there, LONG, camera.send)[0]


def test_an_endpoint_that_misbehaves_is_the_error_of_the_answer_and_the_node_goes_on(
    rig: Rig, camera: Camera, tmp_path: Path
) -> None:
    rig.listen(RegionArray, 'regions')
    with serving() as address:
        model = tmp_path / 'model'
        model.mkdir()
        chat = {'kind': 'openai', 'model': 'any-vl', 'base_url': address, 'timeout': 0.5}
        config = {'kind': 'grounded', 'name': 'chat', 'masks': str(write_sam2(tmp_path / 'sam2')), 'chat': chat}
        (model / 'config.json').write_text(json.dumps(config))
        process = start(rig, camera, tmp_path, model=model)
        try:
            rig.say('the mug')
            for mode, reason in (('html', 'text/html'), ('redirect', 'redirected'), ('slow', 'within 0.5 s')):
                Endpoint.mode = mode
                region = until_answer(rig, camera, process, reason=reason)
                assert region.status == Region.STATUS_ERROR and not any(region.mask.data)
            Endpoint.mode = 'good'
            assert not until_answer(rig, camera, process, ok=True).calibrated
            assert process.end() == 0, process.log.read_text()
        finally:
            process.process.kill()


def test_a_calibration_of_another_namer_is_used(
    rig: Rig, camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.listen(RegionArray, 'regions')
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    namer = write_towers('clip', tmp_path / 'clip')
    network = load('compact', device='cpu', precision='fp32', namer=str(namer))
    fits = {
        mode: ExistenceFit((0.6, 0.2, 0.3, 0.1, 0.1, 0.2, 0.2, -1.0, 0.2, 0.0), 0.0, no_target=0.3, recall=0.05)
        for mode in ('rgb', 'rgbd')
    }
    Existence(fits, CorrectnessFit((0.5, 0.0, 0.5, 0.3, 2.0), 0.0, confident=0.6), network.parts.fingerprint).save(
        network.calibration_file
    )
    network.close()
    process = start(rig, camera, tmp_path, model='compact', namer=namer)
    try:
        rig.say('the mug')
        region = until_answer(rig, camera, process, ok=True)
        assert region.calibrated and 'clip' in region.model
        assert process.end() == 0, process.log.read_text()
    finally:
        process.process.kill()
