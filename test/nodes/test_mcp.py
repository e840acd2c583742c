"""Agents at a running segmenter: the protocol's own client against `converseg mcp` over standard input."""

import asyncio
import base64
import contextlib
import io
from typing import Any

from PIL import Image
import pytest

mcp = pytest.importorskip('mcp', reason="no mcp (pip install 'converseg_ros[mcp]')")
from agents_rig import ALL, STOVE, meanwhile
import mcp.types as types
from mcp_client import call, refused, stdio
from ros_rig import Camera, Process, Rig

from converseg_ros.agents.server import make_http, make_server
from converseg_ros.agents.verbs import Robot
from converseg_ros.client import ConversegClient
from converseg_ros.core import InputError

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('nothing_stands')]


def test_an_agent_over_stdio(rig: Rig, camera: Camera, agents_node: Process) -> None:
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
def test_a_person_at_the_client_may_agree(rig: Rig, camera: Camera, agents_node: Process, mode: str) -> None:
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
