"""A bag, its clock, the segmenter on it, and a recorder of what the segmenter says.

ros2 launch converseg_ros replay.launch.py bag:=my_bag image:=/camera/color/image_raw record:=answers
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from converseg_ros.ros.launching import PACKAGE
from launch import LaunchDescription

OUTPUTS = ('regions', 'mask', 'label_info', 'affordance/points', 'safety/points', 'safety_ok', 'placements')


def _recorder(context: LaunchContext) -> list[Action]:
    """Record the segmenter's outputs if a bag to write was named."""
    path = LaunchConfiguration('record').perform(context)
    if not path:
        return []
    space = LaunchConfiguration('namespace').perform(context).strip('/')
    base = f'/{space}/segmenter' if space else '/segmenter'
    topics = [f'{base}/{name}' for name in OUTPUTS]
    return [ExecuteProcess(cmd=['ros2', 'bag', 'record', '-o', path, '--use-sim-time', *topics], output='screen')]


def _change(transition: int) -> EmitEvent:
    return EmitEvent(event=ChangeState(lifecycle_node_matcher=lambda node: True, transition_id=transition))


def _give_up(context: LaunchContext) -> None:
    raise RuntimeError('the segmenter could not be configured or activated, or ended; its log says why')


def _steps(context: LaunchContext) -> list[Action]:
    """Configure and activate the segmenter, then play the bag; end everything with the bag or with the segmenter."""
    bag, rate = (LaunchConfiguration(name).perform(context) for name in ('bag', 'rate'))
    if not Path(bag).exists():
        raise RuntimeError(f'bag:={bag} does not exist')
    player = ExecuteProcess(cmd=['ros2', 'bag', 'play', bag, '--clock', '100', '--rate', rate], output='screen')
    over = EmitEvent(event=Shutdown(reason='the bag is over'))
    failed = OpaqueFunction(function=_give_up)

    def ended(event: ProcessExited, context: LaunchContext) -> Action | None:
        return failed if isinstance(event.action, LifecycleNode) and not context.is_shutdown else None

    def transition(start: str, goal: str, action: Action) -> RegisterEventHandler:
        # once: who deactivates and activates the node meanwhile does not start the bag again
        return RegisterEventHandler(
            OnStateTransition(start_state=start, goal_state=goal, entities=[action], handle_once=True)
        )

    return [
        transition('configuring', 'inactive', _change(Transition.TRANSITION_ACTIVATE)),
        transition('activating', 'active', player),
        transition('configuring', 'unconfigured', failed),
        transition('activating', 'inactive', failed),
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[over])),
        RegisterEventHandler(OnProcessExit(on_exit=ended)),
    ]


def generate_launch_description() -> LaunchDescription:
    """Play with --clock, so that stamps and the node's time agree."""
    share = Path(get_package_share_directory(PACKAGE))
    return LaunchDescription([
        DeclareLaunchArgument('bag', description='rosbag2 to play'),
        DeclareLaunchArgument('rate', default_value='1.0', description='speed'),
        DeclareLaunchArgument('record', default_value='', description='bag to write; empty: none'),
        OpaqueFunction(function=_steps),  # first: where it fails, nothing has been started
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / 'launch' / 'segmenter.launch.py')),
            # the other arguments are those of segmenter.launch.py and reach it as they are
            launch_arguments={'use_sim_time': 'true', 'autostart': 'false'}.items(),
        ),
        OpaqueFunction(function=_recorder),
        _change(Transition.TRANSITION_CONFIGURE),
    ])  # fmt: skip
