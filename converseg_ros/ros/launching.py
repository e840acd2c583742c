"""What the launch files share: their common arguments, arguments that become parameters, and errors that name them.

A launch argument that is empty leaves a parameter to the parameter files and to the default of the node.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
import yaml

PACKAGE = 'converseg_ros'
# argument -> (default, description); every node of the package has these
COMMON = {
    'namespace': ('', 'namespace of the node and its topics'),
    'params_file': ('', 'further parameters, read last'),
    'use_sim_time': ('false', 'take the time from /clock'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
    'respawn': ('false', 'start the node again when it dies'),
    'fastdds_profile': ('true', 'use the profile with room for large images, unless the environment names one'),
}
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')  # Jazzy's name, Kilted's
LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
TYPES: dict[str, type] = {'bool': bool, 'int': int, 'float': float, 'str': str}


def declare(arguments: Mapping[str, tuple[str, str]]) -> list[DeclareLaunchArgument]:
    """Return the declarations of arguments with their defaults and descriptions."""
    return [DeclareLaunchArgument(n, default_value=d, description=text) for n, (d, text) in arguments.items()]


def values(context: LaunchContext, names: Iterable[str]) -> dict[str, str]:
    """Return what the arguments of these names say."""
    return {name: LaunchConfiguration(name).perform(context) for name in names}


def typed(name: str, text: str, kind: type) -> Any:
    """Return an argument as YAML reads it (true, True, yes, on); raise RuntimeError where it has another type."""
    if kind is str:
        return text
    value = yaml.safe_load(text)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise RuntimeError(f'{name}:={text} is not of the type {kind.__name__}')
    return value


def existing_file(name: str, text: str) -> list[str]:
    """Return the file that an argument names, [] for none; raise RuntimeError where it does not exist."""
    if text and not Path(text).is_file():
        raise RuntimeError(f'{name}:={text} is not a file')
    return [text] if text else []


def parameter(name: str, text: str, kind: type) -> ParameterValue:
    """Return an argument as a parameter, so that launch does not guess its type."""
    return ParameterValue(typed(name, text, kind), value_type=kind)


def common_options(said: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of a node's action that the common arguments give, apart from its parameters."""
    if said['log_level'].lower() not in LEVELS:
        raise RuntimeError(f'log_level:={said["log_level"]} is not one of: {", ".join(LEVELS)}')
    return {
        'package': PACKAGE,
        'namespace': said['namespace'],
        'ros_arguments': ['--log-level', said['log_level'].lower()],
        'output': 'screen',
        'respawn': typed('respawn', said['respawn'], bool),
        'respawn_delay': 2.0,
    }


def choose_profile(context: LaunchContext) -> list[SetEnvironmentVariable]:
    """Choose the package's profile of Fast DDS for what is started next; one that the user has set stays."""
    if not typed('fastdds_profile', LaunchConfiguration('fastdds_profile').perform(context), bool):
        return []
    if any(context.environment.get(name) for name in PROFILES):
        return []
    profile = str(Path(get_package_share_directory(PACKAGE)) / 'config' / 'fastdds.xml')
    return [SetEnvironmentVariable(name, profile) for name in PROFILES]


def one_node(
    executable: str, name: str, topics: Mapping[str, str], parameters: Mapping[str, tuple[str, str]]
) -> LaunchDescription:
    """Describe a launch file that starts one node.

    `topics`: topic of the node -> description; the argument of this name remaps it. `parameters`: parameter -> (type,
    description); the argument of this name sets it.
    """
    own = {n: ('', text) for n, text in topics.items()} | {n: ('', text) for n, (_, text) in parameters.items()}

    def make(context: LaunchContext) -> list[Node]:
        said = values(context, {**COMMON, **own})
        given = {n: parameter(n, said[n], TYPES[kind]) for n, (kind, _) in parameters.items() if said[n]}
        given['use_sim_time'] = parameter('use_sim_time', said['use_sim_time'], bool)
        return [
            Node(
                executable=executable,
                name=name,
                parameters=[*existing_file('params_file', said['params_file']), given],
                remappings=[(n, said[n]) for n in topics if said[n]],
                **common_options(said),
            )
        ]

    return LaunchDescription(
        [*declare({**COMMON, **own}), OpaqueFunction(function=choose_profile), OpaqueFunction(function=make)]
    )
