"""Standing instructions that the network cannot read are refused at the start and by the service, with the reason."""

from converseg_ros.msg import Instruction
from converseg_ros.srv import SetInstructions
import pytest
from ros_rig import InProcess, Rig

pytestmark = pytest.mark.ros


@pytest.mark.parametrize(('text', 'why'), [('\u043d\u043e\u0436', 'Russian'), ('\U0001f52a', 'symbol')])
def test_a_node_does_not_start_to_guard_what_its_network_cannot_read(rig: Rig, text: str, why: str) -> None:
    made = InProcess(rig, model='compact', device='cpu', standing=[f'knife: safety: {text}'])
    try:
        assert not made.active and made.node.state == 'unconfigured'
        assert why in made.node.trouble and 'knife' in made.node.trouble
    finally:
        made.close()


def test_the_service_refuses_and_names_the_instruction(rig: Rig) -> None:
    made = InProcess(rig, model='compact', device='cpu', standing=['stove: safety: the stove'])
    try:
        assert made.active, made.node.trouble
        for text in ('die rote Tasse', '\u043d\u043e\u0436', 'non toccare il coltello'):
            wanted = SetInstructions.Request(
                instructions=[Instruction(name='new', text=text, role=Instruction.SAFETY)], confirm=True
            )
            answer = rig.call(SetInstructions, '/segmenter/set_instructions', wanted)
            assert not answer.success and 'new' in answer.message and 'English' in answer.message
            assert [i.name for i in answer.instructions] == ['stove']
    finally:
        made.close()
