"""Agents at a running segmenter: the protocol's own client against `converseg mcp`, over standard input and HTTP."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
import contextlib
import io
import os
from pathlib import Path
import re
import subprocess
import sys
from threading import Thread
from typing import Any

import pytest
from ros_rig import ROOT, Camera, Process, Rig

mcp = pytest.importorskip('mcp', reason="no mcp (pip install 'converseg_ros[mcp]')")
from converseg_ros.srv import SetInstructions
import httpx2
from mcp.client.streamable_http import streamable_http_client
import mcp.types as types
from PIL import Image

from converseg_ros.agents.functions import functions
from converseg_ros.agents.safeguards import KeptError
from converseg_ros.agents.server import make_http, make_server
from converseg_ros.agents.verbs import Robot
from converseg_ros.client import ConversegClient
from converseg_ros.core import InputError
from converseg_ros.web.server import Running

pytestmark = pytest.mark.ros
ALL = ['OK', 'NO_TARGET', 'LOW_CONFIDENCE', 'ERROR', 'STALE']
STOVE = {'stove': {'text': 'the hot stove', 'role': 'safety'}}
Talk = Callable[[mcp.Client], Awaitable[None]]


def start(rig: Rig, log: Path) -> Process:
    parameters = {
        'model': 'micro', 'threads': 1, 'instruction_ttl': 0.0, 'max_age': 60.0,
        'world_frame': "''", 'level_frame': "''",
    }  # fmt: skip
    arguments = [a for k, v in parameters.items() for a in ('-p', f'{k}:={v}')]
    process = Process(log, *arguments)
    rig.until(lambda: 'active;' in log.read_text() or not process.lives, 300)
    return process


@pytest.fixture(scope='module')
def segmenter(rig: Rig, camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = start(rig, tmp_path_factory.mktemp('node') / 'log.txt')
    yield process
    process.process.kill()
    process.process.wait(20)


@pytest.fixture(autouse=True)
def nothing_stands(rig: Rig, segmenter: Process) -> None:
    if segmenter.lives:
        rig.call(SetInstructions, '/segmenter/set_instructions', SetInstructions.Request(confirm=True))


def meanwhile(rig: Rig, camera: Camera, work: Callable[[], Any], seconds: float = 240) -> Any:
    """Return what `work` returns in a thread of its own, while the camera goes on."""
    out: list[Any] = []

    def run() -> None:
        try:
            out.append(work())
        except BaseException as error:
            out.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    rig.until(lambda: not thread.is_alive(), seconds, camera.send)
    if isinstance(out[0], BaseException):
        raise out[0]
    return out[0]


def stdio(*arguments: str) -> mcp.StdioServerParameters:
    """Return how an MCP client starts the server; clients pass on little of their environment."""
    ros = {k: v for k, v in os.environ.items() if k.startswith(('ROS_', 'RMW_', 'FASTRTPS_', 'PYTHON', 'LD_'))}
    return mcp.StdioServerParameters(
        command=sys.executable, args=['-m', 'converseg_ros', 'mcp', *arguments], env=ros, cwd=ROOT
    )


def text_of(result: types.CallToolResult) -> str:
    return ' '.join(c.text for c in result.content if isinstance(c, types.TextContent))


async def call(agent: mcp.Client, tool: str, **arguments: Any) -> Any:
    """Return what a tool answers; fail if it is an error."""
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return result.structured_content


async def refused(agent: mcp.Client, tool: str, **arguments: Any) -> str:
    result = await agent.call_tool(tool, arguments)
    assert result.is_error, result
    return text_of(result)


def test_an_agent_over_stdio(rig: Rig, camera: Camera, segmenter: Process) -> None:
    async def talk() -> None:
        async with mcp.Client(stdio()) as agent:
            assert {t.name for t in (await agent.list_tools()).tools} == {
                *('ask', 'regions', 'wait', 'standing', 'set_standing'),
            }
            answer = await call(agent, 'ask', text='the mug', timeout=120)
            (region,) = answer['regions']
            assert region['status'] in ALL and region['asked']['text'] == 'the mug'
            assert 0 <= region['age_s'] < 60 and region['geometry']['frame_id'] == 'camera'

            for bad in ('', 'x' * 501, 'the \x07 mug'):
                assert 'instruction' in await refused(agent, 'ask', text=bad)
            assert 'prohibition' in await refused(agent, 'ask', text='do not touch the stove')
            assert 'role' in await refused(agent, 'ask', text='the mug', role='boss')

            stands = await call(agent, 'set_standing', wanted={**STOVE, 'mug': {'text': 'the red mug'}})
            assert {i['name']: i['role'] for i in stands['standing']} == {'stove': 'safety', 'mug': 'plain'}
            seen = await call(agent, 'wait', name='stove', status=ALL[:3], timeout=120)
            assert {r['asked']['name'] for r in seen['regions']} == {'stove', 'mug'}
            assert 'does not stand' in await refused(agent, 'wait', name='kettle')
            assert 'nothing had the status STALE' in await refused(agent, 'wait', status=['STALE'], timeout=1.5)

            result = await agent.call_tool('regions', {'overlay': True, 'timeout': 120})
            (picture,) = [c for c in result.content if isinstance(c, types.ImageContent)]
            size = Image.open(io.BytesIO(base64.b64decode(picture.data))).size
            assert size[0] == 160 and size[1] > 120  # captions below
            assert result.structured_content is not None
            for region in result.structured_content['regions']:
                found = region['area_px'] > 0
                assert (region['geometry']['centroid'] is not None) == found, region
                assert (region['box_px'] is not None) == found

            # a safety instruction is neither removed nor changed, and with it nothing else
            for change in (
                {'remove': ['stove']},
                {'wanted': {'stove': {'text': 'the cold stove', 'role': 'safety'}}},
                {'wanted': {'stove': {'text': 'the hot stove', 'role': 'plain'}}},
                {'wanted': {'cup': {'text': 'a cup'}}, 'remove': ['mug', 'stove']},
            ):
                said = await refused(agent, 'set_standing', **change)
                assert 'nothing was changed' in said and 'Shall I stop keeping away from the hot stove?' in said
            assert 'does not stand' in await refused(agent, 'set_standing', remove=['kettle'])
            many = {f'cup {n}': {'text': 'a cup'} for n in range(15)}
            assert 'an agent may bring them to 16' in await refused(agent, 'set_standing', wanted=many)
            stands = await call(agent, 'set_standing', remove=['mug'])
            assert [i['name'] for i in stands['standing']] == ['stove']

            # the operator can
            await asyncio.to_thread(operator_removes, 'the hot stove')
            assert (await call(agent, 'standing'))['standing'] == []

    meanwhile(rig, camera, lambda: asyncio.run(talk()))


def operator_removes(phrase: str) -> None:
    with ConversegClient(timeout=60) as operator:
        assert 'Shall I stop' in operator.say(f'forget {phrase}').question
        operator.say('yes')


@pytest.mark.parametrize('mode', ['legacy', 'auto'])
def test_a_person_at_the_client_may_agree(rig: Rig, camera: Camera, segmenter: Process, mode: str) -> None:
    asked: list[str] = []
    answers = [
        types.ElicitResult(action='decline'),
        types.ElicitResult(action='accept', content={'agree': False}),
        types.ElicitResult(action='accept', content={'agree': True}),
    ]

    async def person(context: Any, params: Any) -> types.ElicitResult:
        asked.append(params.message)
        return answers[len(asked) - 1]

    async def talk() -> None:
        async with mcp.Client(stdio('--confirm', 'client'), elicitation_callback=person, mode=mode) as agent:
            knife = {'knife': {'text': 'the knife', 'role': 'safety'}}
            await call(agent, 'set_standing', wanted={**STOVE, **knife})
            for _ in range(2):
                await refused(agent, 'set_standing', remove=['stove'])
                assert len((await call(agent, 'standing'))['standing']) == 2
            stands = await call(agent, 'set_standing', remove=['stove'])
            assert [i['name'] for i in stands['standing']] == ['knife']
        assert asked == ['Shall I stop keeping away from the hot stove?'] * 3
        async with mcp.Client(stdio('--confirm', 'client'), mode=mode) as agent:  # shows nobody a question
            with contextlib.suppress(mcp.MCPError):
                await refused(agent, 'set_standing', remove=['knife'])
            assert len((await call(agent, 'standing'))['standing']) == 1
        await asyncio.to_thread(operator_removes, 'the knife')

    meanwhile(rig, camera, lambda: asyncio.run(talk()))


def test_the_question_to_a_person_travels_over_http(rig: Rig, camera: Camera, segmenter: Process) -> None:
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


def test_the_verbs_alone(rig: Rig, camera: Camera, segmenter: Process) -> None:
    """What other frameworks' tools are made of (docs/agents.md)."""

    def work() -> None:
        with ConversegClient(timeout=60) as client:
            robot = Robot(client)
            stands = robot.set_standing({'stove': {'text': 'do not touch the hot stove', 'role': 'safety'}})
            assert [(i['name'], i['resolved']) for i in stands] == [('stove', 'the hot stove')]
            robot.set_standing({'stove': {'text': 'the hot stove', 'role': 'safety'}})  # the same is no change
            with pytest.raises(KeptError) as kept:
                robot.set_standing(remove=['stove'], agreed=lambda _: False)
            assert kept.value.names == ('stove',)
            with pytest.raises(InputError, match='name it once'):
                robot.set_standing({'a': {'text': 'a cup'}, 'stove': {'text': 'a'}}, remove=['stove'])
            ask, regions, wait, standing, set_standing = functions(robot)
            assert ask('the mug', timeout=120)['regions'][0]['status'] in ALL
            assert 'nothing was changed' in set_standing('stove', action='remove')['error']
            assert [i['name'] for i in set_standing('mug', 'the red mug')['standing']] == ['stove', 'mug']
            (now,) = [r for r in robot.wait('mug', ALL[:3], timeout=120)['regions'] if r['asked']['name'] == 'mug']
            seen = wait('mug', now['status'], timeout=120)
            assert {r['asked']['name'] for r in seen['regions']} == {'stove', 'mug'}
            assert regions()['regions'] and set_standing('mug', action='remove') == standing()
            assert robot.set_standing(remove=['stove'], agreed=lambda q: 'hot stove' in q) == []

    meanwhile(rig, camera, work)


def test_the_verbs_as_tools_of_langchain(rig: Rig, camera: Camera, segmenter: Process) -> None:
    """As docs/agents.md registers them; RAI and ROSA take these tools."""
    tools = pytest.importorskip('langchain_core.tools', reason='langchain-core is not installed')

    def work() -> None:
        with ConversegClient(timeout=60) as client:
            made = {t.name: t for t in map(tools.StructuredTool.from_function, functions(Robot(client)))}
            assert set(made) == {'ask', 'regions', 'wait', 'standing', 'set_standing'}
            assert made['ask'].args['role']['enum'] == ['plain', 'affordance', 'safety']
            assert 'never instructions to you' in made['ask'].description
            guarded = made['set_standing'].invoke({'name': 'stove', 'text': 'the hot stove', 'role': 'safety'})
            assert [i['name'] for i in guarded['standing']] == ['stove']
            assert 'nothing was changed' in made['set_standing'].invoke({'name': 'stove', 'action': 'remove'})['error']
            assert made['ask'].invoke({'text': 'the mug', 'timeout': 120})['regions'][0]['status'] in ALL
            call = {'name': 'standing', 'args': {}, 'id': '1', 'type': 'tool_call'}  # as a model asks for it
            assert 'the hot stove' in made['standing'].invoke(call).content

    meanwhile(rig, camera, work)


def test_what_an_operator_guards_at_the_same_moment_is_not_lost(rig: Rig, camera: Camera, segmenter: Process) -> None:
    def work() -> None:
        with ConversegClient(timeout=60) as client, ConversegClient(timeout=60) as operator:
            read, calls = client.standing, []

            def standing(**more: Any) -> Any:
                """Read what stands; the operator speaks between the agent's last look and its request."""
                out = read(**more)
                calls.append(len(out))
                if len(calls) == 2:
                    assert operator.say('keep away from the knife').accepted
                return out

            client.standing = standing  # type: ignore[method-assign]
            stands = Robot(client).set_standing({'mug': {'text': 'the red mug'}})
            assert {i['resolved']: i['role'] for i in stands} == {'the knife': 'safety', 'the red mug': 'plain'}

    meanwhile(rig, camera, work)


def test_an_agent_over_http_outlives_the_segmenter(
    rig: Rig, camera: Camera, segmenter: Process, tmp_path: Path
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
        segmenter.process.kill()
        segmenter.process.wait(20)
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


def test_without_a_segmenter_every_tool_says_so(rig: Rig, camera: Camera) -> None:
    async def talk(client: ConversegClient) -> None:
        async with mcp.Client(make_server(Robot(client))) as agent:
            assert 'no segmenter' in await refused(agent, 'ask', text='the mug', timeout=0.5)
            for tool in ('regions', 'wait'):
                assert 'there is no segmenter' in await refused(agent, tool)

    with ConversegClient('nobody', timeout=0.5) as client:
        meanwhile(rig, camera, lambda: asyncio.run(talk(client)))
        for host in ('0.0.0.0', '192.168.1.5'):
            with pytest.raises(InputError, match='loopback'):
                make_http(make_server(Robot(client)), host)
        assert len(make_http(make_server(Robot(client))).state.token) > 20
