"""Agents at a running segmenter over HTTP."""

import asyncio
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import pytest

mcp = pytest.importorskip('mcp', reason="no mcp (pip install 'converseg_ros[mcp]')")
from agents_rig import ALL, STOVE, meanwhile, start
import httpx2
from mcp.client.streamable_http import streamable_http_client
import mcp.types as types
from mcp_client import Talk, call, refused
from ros_rig import ROOT, Camera, Process, Rig

from converseg_ros.agents.server import make_http, make_server
from converseg_ros.agents.verbs import Robot
from converseg_ros.client import ConversegClient
from converseg_ros.web.server import Running

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('nothing_stands')]


def test_the_question_to_a_person_travels_over_http(rig: Rig, camera: Camera, agents_node: Process) -> None:
    async def person(context: Any, params: Any) -> types.ElicitResult:
        return types.ElicitResult(action='accept', content={'agree': 'knife' in params.message})

    async def talk(url: str) -> None:
        async with (
            httpx2.AsyncClient(headers={'Authorization': 'Bearer secret'}, timeout=120) as http,
            mcp.Client(streamable_http_client(url, http_client=http), elicitation_callback=person) as agent,
        ):
            knife = {'knife': {'text': 'the knife', 'role': 'safety'}}
            await call(agent, 'set_standing', wanted={**STOVE, **knife})
            await refused(agent, 'set_standing', remove=['stove'])
            stands = await call(agent, 'set_standing', remove=['knife'])
            assert [i['name'] for i in stands['standing']] == ['stove']

    with ConversegClient(timeout=60) as client:
        app = make_http(make_server(Robot(client), 'client'), token='secret')
        with Running(app) as server:
            meanwhile(rig, camera, lambda: asyncio.run(talk(f'http://{server.address}/mcp')))


def test_an_agent_over_http_outlives_the_segmenter(
    rig: Rig, camera: Camera, agents_node: Process, tmp_path: Path
) -> None:
    command = [sys.executable, '-m', 'converseg_ros', 'mcp', '--http', '--port', '0']
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    assert server.stdout is not None
    token = address = ''
    while not address:
        line = server.stdout.readline()
        assert line, 'it ended'
        token = token or ''.join(re.findall('Bearer (.+)', line))
        address = ''.join(re.findall(r'http://\S+/mcp', line))

    async def talk(headers: dict[str, str], use: Talk) -> None:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            mcp.Client(streamable_http_client(address, http_client=http)) as agent,
        ):
            await use(agent)

    async def work(agent: mcp.Client) -> None:
        await call(agent, 'set_standing', wanted=STOVE)
        await call(agent, 'wait', status=ALL[:3], timeout=120)

    async def after(agent: mcp.Client) -> None:
        for _ in range(600):
            view = await call(agent, 'regions')
            if not view['safe_to_move'] and all(r['status'] == 'STALE' for r in view['regions']):
                break
            await asyncio.sleep(0.1)
        assert view['safe_to_move'] is False
        assert [(r['status'], r['asked']['name']) for r in view['regions']] == [('STALE', 'stove')]
        assert re.search(
            'no segmenter answers|no answer within 1 s', await refused(agent, 'ask', text='mug', timeout=1)
        )
        assert len((await agent.list_tools()).tools) == 5

    async def anew(agent: mcp.Client) -> None:
        while (await agent.call_tool('ask', {'text': 'the mug', 'timeout': 10})).is_error:
            pass
        assert (await call(agent, 'standing'))['standing'] == []

    good = {'Authorization': f'Bearer {token}'}
    try:
        for headers in ({}, {'Authorization': 'Bearer guessed'}, {**good, 'Origin': 'http://evil.example'}):
            status = httpx2.post(address, headers=headers, json={}).status_code
            assert status in (401, 403), headers
        meanwhile(rig, camera, lambda: asyncio.run(talk(good, work)))
        set_age = rig.set(max_age=0.5)
        assert set_age.successful
        meanwhile(rig, camera, lambda: asyncio.run(talk(good, work)))
        agents_node.process.kill()
        agents_node.process.wait(20)
        meanwhile(rig, camera, lambda: asyncio.run(talk(good, after)))
        another = start(rig, tmp_path / 'log.txt')
        try:
            meanwhile(rig, camera, lambda: asyncio.run(talk(good, anew)))
        finally:
            another.process.kill()
            another.process.wait(20)
    finally:
        server.terminate()
        server.wait(20)
