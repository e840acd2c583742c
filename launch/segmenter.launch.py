"""The segmenter for any model and camera.

ros2 launch converseg_ros segmenter.launch.py camera:=realsense model:=compact rviz:=true
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.action import Action
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
import yaml

from launch import LaunchDescription

PACKAGE = 'converseg_ros'
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')  # Jazzy's name, Kilted's
TOPICS = ('image', 'depth', 'camera_info', 'depth_camera_info')
# argument -> (default, description)
ARGUMENTS = {
    'camera': ('', 'camera configuration: realsense, orbbec, zed, kinect_azure, oak, a YAML file, or empty'),
    'model': ('', 'name or folder of the network; empty: what the parameter files say'),
    'params_file': ('', 'further parameters, read last'),
    'namespace': ('', 'namespace of the node and its topics'),
    'use_sim_time': ('false', 'take the time from /clock'),
    'log_level': ('info', 'debug, info, warn, error'),
    'image': ('', "colour topic; empty: the camera configuration's"),
    'depth': ('', "depth topic; empty: the camera configuration's"),
    'camera_info': ('', "camera_info topic; empty: the camera configuration's"),
    'depth_camera_info': ('', "the depth camera's own camera_info, where depth is not registered to colour"),
    'image_transport': ('', 'raw or compressed; empty: what the parameter files say'),
    'depth_transport': ('', 'raw or compressedDepth; empty: what the parameter files say'),
    'autostart': ('true', 'configure and activate at start'),
    'respawn': ('false', 'start the node again when it dies'),
    'fastdds_profile': ('true', 'use the profile with room for large images, unless the environment names one'),
    'rviz': ('false', 'show everything in RViz'),
}


def _topics(path: Path) -> dict[str, str]:
    """Return the topics that a camera configuration names in its first comment lines (`# image: /topic`)."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, topic = line.lstrip('# ').partition(':')
        if line.startswith('#') and name in TOPICS:
            found[name] = topic.strip()
    return found


def _truth(name: str, text: str) -> bool:
    """Return what an argument says as YAML does (true, True, yes, on); raise where it is neither true nor false."""
    value = yaml.safe_load(text)
    if not isinstance(value, bool):
        raise RuntimeError(f'{name}:={text} is neither true nor false')
    return value


def _profile(context: LaunchContext) -> list[Action]:
    """Choose the package's profile for Fast DDS; one that the user has set stays."""
    if not _truth('fastdds_profile', LaunchConfiguration('fastdds_profile').perform(context)):
        return []
    if any(context.environment.get(name) for name in PROFILES):
        return []
    profile = str(Path(get_package_share_directory(PACKAGE)) / 'config' / 'fastdds_local.xml')
    return [SetEnvironmentVariable(name, profile) for name in PROFILES]


def _segmenter(context: LaunchContext) -> list[Node]:
    """Make the node of the arguments' values."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    share = Path(get_package_share_directory(PACKAGE))
    files: list[str] = []
    topics: dict[str, str] = {}
    if value['camera']:
        named = share / 'config' / 'cameras' / f'{value["camera"]}.yaml'
        camera = named if named.is_file() else Path(value['camera'])
        if not camera.is_file():
            known = ', '.join(sorted(p.stem for p in named.parent.glob('*.yaml')))
            raise RuntimeError(f'camera:={value["camera"]} is neither a file nor one of: {known}')
        files.append(str(camera))
        topics = _topics(camera)
    model = share / 'config' / 'models' / f'{value["model"]}.yaml'
    if value['model'] and model.is_file():
        files.append(str(model))
    if value['params_file'] and not Path(value['params_file']).is_file():
        raise RuntimeError(f'params_file:={value["params_file"]} is no file')
    if value['params_file']:
        files.append(value['params_file'])
    last: dict[str, object] = {
        'use_sim_time': _truth('use_sim_time', value['use_sim_time']),
        'autostart': _truth('autostart', value['autostart']),
    }
    last.update({name: value[name] for name in ('image_transport', 'depth_transport') if value[name]})
    if value['model'] and not model.is_file():
        last['model'] = value['model']
    topics.update({name: value[name] for name in TOPICS if value[name]})
    return [
        Node(
            package=PACKAGE,
            executable='segmenter_node',
            namespace=value['namespace'],
            parameters=[*files, last],
            remappings=list(topics.items()),
            ros_arguments=['--log-level', value['log_level']],
            output='screen',
            respawn=_truth('respawn', value['respawn']),
            respawn_delay=2.0,
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node, RViz if asked for."""
    share = Path(get_package_share_directory(PACKAGE))
    return LaunchDescription([
        *(DeclareLaunchArgument(n, default_value=d, description=text) for n, (d, text) in ARGUMENTS.items()),
        OpaqueFunction(function=_profile),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / 'launch' / 'rviz.launch.py')),
            launch_arguments={n: LaunchConfiguration(n) for n in ('namespace', 'use_sim_time')}.items(),
            condition=IfCondition(LaunchConfiguration('rviz')),
        ),
        OpaqueFunction(function=_segmenter),  # last: where RViz is not installed, no node is left behind
    ])  # fmt: skip
