"""The functions for agents without the protocol: alone, and as tools of LangChain."""

from typing import Any

from agents_rig import ALL, meanwhile
import pytest
from ros_rig import Camera, Process, Rig

from converseg_ros.agents.functions import functions
from converseg_ros.agents.safeguards import KeptError
from converseg_ros.agents.verbs import Robot
from converseg_ros.client import ConversegClient
from converseg_ros.core import InputError

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures('nothing_stands')]


def test_the_verbs_alone(rig: Rig, camera: Camera, agents_node: Process) -> None:
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


def test_the_verbs_as_tools_of_langchain(rig: Rig, camera: Camera, agents_node: Process) -> None:
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


def test_what_an_operator_guards_at_the_same_moment_is_not_lost(rig: Rig, camera: Camera, agents_node: Process) -> None:
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
