"""The learning node as a process: jobs with feedback, one at a time, cancelled, gone on with; frames off a topic."""

import argparse
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from converseg_ros.action import Evaluate, Generate, Train
import pytest
from rclpy.action import ActionClient
from ros_rig import Camera, Rig

from converseg_ros.core.config import from_flags
from converseg_ros.core.item import read_items
from converseg_ros.core.jobs import Job
from converseg_ros.core.progress import Progress
from converseg_ros.data_engine.options import RunOptions

pytestmark = pytest.mark.ros
ROOT = Path(__file__).resolve().parents[2]
CANCELED, ABORTED, SUCCEEDED = 5, 6, 4


class Learner:
    """The node's process and a client for each action."""

    def __init__(self, rig: Rig, log: Path) -> None:
        self.rig, self.log = rig, log
        command = [
            sys.executable,
            '-m',
            'converseg_ros.nodes.learning_node',
            '--ros-args',
            '-p',
            'sample_period:=0.05',
            '-p',
            'sample_change:=0.0',
        ]
        environment = os.environ | {'OMP_NUM_THREADS': '1', 'ROS_LOG_DIR': str(log)}
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT)
        kinds = {'generate': Generate, 'train': Train, 'evaluate': Evaluate}
        self.clients = {n: ActionClient(rig.node, k, f'/learning/{n}') for n, k in kinds.items()}
        for client in self.clients.values():
            rig.until(client.server_is_ready, 40)
        rig.join('/learning', 40)

    def send(self, name: str, goal, feedback: list | None = None):
        heard = feedback if feedback is not None else []
        future = self.clients[name].send_goal_async(goal, feedback_callback=lambda m: heard.append(m.feedback))
        self.rig.until(future.done, 30)
        return future.result()

    def finish(self, handle, timeout: float = 120.0, each=None):
        future = handle.get_result_async()
        self.rig.until(future.done, timeout, each)
        return future.result()

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(20) == 0
        for client in self.clients.values():
            client.destroy()


@pytest.fixture(scope='module')
def learner(tmp_path_factory):
    rig = Rig()
    made = Learner(rig, tmp_path_factory.mktemp('log'))
    yield made
    made.close()
    rig.close()


def test_generate_reports_progress_refuses_a_second_job_and_can_be_cancelled_and_gone_on_with(learner, rooms, tmp_path):
    out = tmp_path / 'data'
    goal = Generate.Goal(source=str(rooms), output=str(out))
    heard: list = []
    first = learner.send('generate', goal, heard)
    assert first.accepted
    assert not learner.send('evaluate', Evaluate.Goal(kind='dataset', output=str(tmp_path))).accepted
    learner.rig.until(lambda: heard, 60)
    start = time.monotonic()
    assert learner.clients['generate'].server_is_ready()
    cancel = first.cancel_goal_async()
    learner.rig.until(cancel.done, 10)
    assert time.monotonic() - start < 10  # the node answers while its job computes
    ended = learner.finish(first)
    if ended.status == CANCELED:
        assert not ended.result.success and 'resumes' in ended.result.message
    second = learner.send('generate', goal, heard)
    assert second.accepted
    ended = learner.finish(second)
    assert ended.status == SUCCEEDED and ended.result.success
    assert ended.result.items == len(read_items(out)) > 40
    assert any(f.stage == 'images' and f.total == 6 for f in heard)


def test_live_frames_are_sampled_and_photos_without_a_judge_are_told_of(learner, tmp_path):
    camera = Camera(learner.rig)
    heard: list = []
    handle = learner.send('generate', Generate.Goal(source='live', output=str(tmp_path), max_frames=3), heard)
    ended = learner.finish(handle, 60, each=camera.send)
    camera.close()
    assert ended.status == ABORTED and 'judge' in ended.result.message
    assert len(list((tmp_path / 'frames').glob('*.png'))) == 3
    assert [f.done for f in heard if f.stage == 'frames'] == [1, 2, 3]


def test_a_job_that_fails_says_why(learner, tmp_path):
    ended = learner.finish(learner.send('train', Train.Goal(config=str(tmp_path / 'no.yaml'), output=str(tmp_path))))
    assert ended.status == ABORTED and 'no.yaml' in ended.result.message
    ended = learner.finish(learner.send('evaluate', Evaluate.Goal(kind='nonsense', output=str(tmp_path))))
    assert ended.status == ABORTED and 'nonsense' in ended.result.message
    ended = learner.finish(learner.send('generate', Generate.Goal(source=str(tmp_path / 'none'), output=str(tmp_path))))
    assert ended.status == ABORTED and 'none' in ended.result.message


def test_lines_of_jobs_are_understood():
    line = Progress.from_line(json.dumps({'stage': 'images', 'done': 3, 'total': 9, 'message': 'a'}))
    assert (line.stage, line.done, line.total, line.message) == ('images', 3, 9, 'a')
    event = Progress('', 'training', 120, 4000, {'loss': 0.53, 'giou': 0.271})
    assert Progress.from_line(event.to_line()) == event
    for words in ('{"half": ', 'step 120/4000 loss 0.53', '[1]', '3', '{"done": "x"}', '{"result": 3}', ''):
        assert Progress.from_line(words) is None


def test_words_of_a_job_are_no_progress(tmp_path):
    """A model folder called '9 of 10', or a warning with numbers in it, says nothing about how far the job is."""
    got = []
    job = Job(
        ['predict', '--image', str(tmp_path / '9 of 10 loss 0.5.png'), '--prompt', 'x', '--out', str(tmp_path)],
        got.append,
    )
    assert job.wait() == 1
    assert '9 of 10' in job.last and all((g.done, g.total, g.values) == (0, 0, {}) for g in got)


def test_a_configuration_with_an_unknown_option_is_refused(tmp_path):
    file = tmp_path / 'c.yaml'
    file.write_text('prompts: 5\nnegatives: 0.1\nbase-url: http://127.0.0.1:1/v1\n')
    options = from_flags(RunOptions, argparse.Namespace(negatives=0.2), file)
    assert options == RunOptions(prompts=5, negatives=0.2, base_url='http://127.0.0.1:1/v1')  # flags come first
    file.write_text('promts: 5\n')
    with pytest.raises(Exception, match='promts'):
        from_flags(RunOptions, argparse.Namespace(), file)
