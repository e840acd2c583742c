"""The shipped profile of Fast DDS is taken as it stands, in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from converseg_ros.core.paths import share

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

THREADS = """
import json, os, pathlib, rclpy
rclpy.init()
node = rclpy.create_node('profiled')
tasks = pathlib.Path('/proc/self/task').iterdir()
print(json.dumps({(t / 'comm').read_text().strip(): os.sched_getscheduler(int(t.name)) for t in tasks}))
"""


@pytest.mark.skipif(not hasattr(os, 'SCHED_BATCH'), reason='batch scheduling is of Linux')
@pytest.mark.parametrize('name', ['fastdds.xml', 'fastdds_local.xml'])
def test_the_threads_that_receive_do_not_interrupt_who_sends(name: str) -> None:
    """And so Fast DDS has read the file: what it does not understand it leaves out, all of it."""
    profile = str(share('config', name))
    names = {'FASTRTPS_DEFAULT_PROFILES_FILE': profile, 'FASTDDS_DEFAULT_PROFILES_FILE': profile}
    env = {**os.environ, **names, 'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp'}
    done = subprocess.run([sys.executable, '-c', THREADS], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert 'XMLPARSER' not in done.stderr + done.stdout
    policies = json.loads(done.stdout.splitlines()[-1])
    shared = {name: policy for name, policy in policies.items() if name.startswith('dds.shm.') and 'wdog' not in name}
    assert shared and set(shared.values()) == {os.SCHED_BATCH}
    assert {policy for name, policy in policies.items() if name.startswith('dds.ev')} == {os.SCHED_BATCH}
