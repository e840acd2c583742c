"""Prepare a machine for rendering: unpack models, create the Cycles environment, download environment images."""

import base64
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.files import write_bytes
from converseg_ros.scenes.models import catalogue
from converseg_ros.scenes.render import cycles

HDRI_PACKAGE = '@pmndrs/assets@1.7.0'  # CC0 environment images
BPY = 'bpy==4.2.0'


def models() -> str:
    """Unpack the furniture models into the cache; return a description."""
    return f'{len(catalogue.entries())} catalogue models in {catalogue.cache_dir() / "furniture"}'


def environment_images() -> str:
    """Download the CC0 environment images with npm into the cache, once; return a description."""
    folder = catalogue.cache_dir() / 'hdri'
    if not list(folder.glob('*.exr')):
        npm = shutil.which('npm')
        if npm is None:
            return 'no environment images: npm is not installed (Cycles then uses a plain sky)'
        with tempfile.TemporaryDirectory() as temporary:
            done = subprocess.run([npm, 'pack', HDRI_PACKAGE], cwd=temporary, capture_output=True, text=True)
            archives = list(Path(temporary).glob('*.tgz'))
            if done.returncode or not archives:
                raise ConversegError(
                    'npm could not fetch the environment images', where=HDRI_PACKAGE, do=done.stderr.strip()[-200:]
                )
            with tarfile.open(archives[0]) as archive:
                for member in archive.getmembers():
                    found = re.fullmatch(r'package/hdri/(\w+)\.exr\.js', member.name)
                    content = archive.extractfile(member) if found else None
                    if found and content is not None:
                        data = re.search(rb'base64,([A-Za-z0-9+/=]+)', content.read())
                        if data:
                            write_bytes(folder / f'{found[1]}.exr', base64.b64decode(data[1]))
    return f'{len(list(folder.glob("*.exr")))} environment images in {folder}'


def blender() -> str:
    """Create a virtual environment with bpy (GPL, used as a separate program) in the cache, if there is none."""
    found = cycles.interpreter()
    if found is None:
        folder = catalogue.cache_dir() / '.venv-bpy'
        subprocess.run([sys.executable, '-m', 'venv', str(folder)], check=True)
        environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
        done = subprocess.run([str(folder / 'bin/python'), '-m', 'pip', 'install', BPY, 'numpy<2'], env=environment)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise ConversegError(
                f'{BPY} could not be installed',
                where=sys.version.split()[0],
                do='it needs Python 3.11; set CONVERSEG_BPY_PYTHON to an interpreter that has it',
            )
        found = cycles.interpreter()
    return f'Cycles by {found}'
