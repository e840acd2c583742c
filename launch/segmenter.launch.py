"""The segmenter for any model and camera.

ros2 launch converseg_ros segmenter.launch.py camera:=realsense model:=compact rviz:=true
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription, OpaqueFunction
from launch.conditions import IfCondition
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode

from converseg_ros.ros.launching import (
    COMMON,
    PACKAGE,
    TYPES,
    choose_profile,
    common_options,
    declare,
    existing_file,
    parameter,
    values,
)
from launch import LaunchDescription

TOPICS = {
    'image': 'colour topic',
    'depth': 'depth topic',
    'camera_info': 'camera_info topic',
    'depth_camera_info': "the depth camera's own camera_info, where depth is not registered to colour",
}
PARAMETERS = {
    'image_transport': ('str', 'raw or compressed'),
    'depth_transport': ('str', 'raw or compressedDepth'),
    'autostart': ('bool', 'configure and activate at start; false: controlled by a lifecycle manager'),
}
# argument -> (default, description)
ARGUMENTS = {
    **COMMON,
    'camera': ('', 'camera configuration: realsense, orbbec, zed, kinect_azure, oak, a YAML file, or empty'),
    'model': ('', 'name or folder of the network'),
    **{n: ('', f'{text}; empty: that of the camera configuration') for n, text in TOPICS.items()},
    **{n: ('', f'{text}; empty: the value of the parameter files') for n, (_, text) in PARAMETERS.items()},
    'rviz': ('false', 'show everything in RViz'),
}


def _configuration(said: dict[str, str], share: Path) -> tuple[list[str], dict[str, str]]:
    """Return the parameter files of the camera and the topics that its first comment lines name (`# image: /topic`).

    A topic that is given replaces the one of the configuration. Colour of one camera with depth of another one is
    refused: `image` requires `depth` and `camera_info`.
    """
    given = {name: said[name] for name in TOPICS if said[name]}
    if not said['camera']:
        return [], given
    named = share / 'config' / 'cameras' / f'{said["camera"]}.yaml'
    path = named if named.is_file() else Path(said['camera'])
    if not path.is_file():
        known = ', '.join(sorted(p.stem for p in named.parent.glob('*.yaml')))
        raise RuntimeError(f'camera:={said["camera"]} is neither a file nor one of: {known}')
    topics = {}
    for line in path.read_text().splitlines():
        name, _, topic = line.lstrip('# ').partition(':')
        if line.startswith('#') and name in TOPICS:
            topics[name] = topic.strip()
    missing = [f'{n}:=' for n in ('depth', 'camera_info') if n in topics and n not in given]
    if 'image' in given and given['image'] != topics.get('image') and missing:
        raise RuntimeError(
            f'image:={given["image"]} is not the topic of camera:={said["camera"]}; give {" and ".join(missing)} '
            'of the same camera too'
        )
    return [str(path)], {**topics, **given}


def _segmenter(context: LaunchContext) -> list[LifecycleNode]:
    """Make the node of the arguments' values."""
    said = values(context, ARGUMENTS)
    share = Path(get_package_share_directory(PACKAGE))
    files, topics = _configuration(said, share)
    given = {n: parameter(n, said[n], TYPES[kind]) for n, (kind, _) in PARAMETERS.items() if said[n]}
    given['use_sim_time'] = parameter('use_sim_time', said['use_sim_time'], bool)
    model = share / 'config' / 'models' / f'{said["model"]}.yaml'
    if said['model'] and model.is_file():
        files.append(str(model))
    elif said['model']:
        given['model'] = parameter('model', said['model'], str)
    files += existing_file('params_file', said['params_file'])
    return [
        LifecycleNode(
            executable='segmenter_node',
            name='segmenter',
            parameters=[*files, given],
            remappings=list(topics.items()),
            **common_options(said),
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node, RViz if asked for."""
    share = Path(get_package_share_directory(PACKAGE))
    return LaunchDescription([
        *declare(ARGUMENTS),
        OpaqueFunction(function=choose_profile),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / 'launch' / 'rviz.launch.py')),
            launch_arguments={n: LaunchConfiguration(n) for n in ('namespace', 'use_sim_time')}.items(),
            condition=IfCondition(LaunchConfiguration('rviz')),
        ),
        OpaqueFunction(function=_segmenter),  # last: where RViz is not installed, no node is left behind
    ])  # fmt: skip
