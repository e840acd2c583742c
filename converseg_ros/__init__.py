"""Conversational image segmentation for robots; the modules msg, srv and action are generated at build time."""

import os
import pkgutil
import sys

__version__ = '0.2.0'

# Run from the source tree, the generated interface modules are still those of the installed package.
__path__ = pkgutil.extend_path(__path__, __name__)
# The threads of OpenBLAS keep a core busy for milliseconds after each product of NumPy; the networks need all cores.
# It reads the variable when NumPy is imported first.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
# The PyPI ROS wheels install an ament prefix at sys.prefix but do not announce it.
if os.path.exists(os.path.join(sys.prefix, 'share/ament_index/resource_index/packages/converseg_ros')):
    os.environ.setdefault('AMENT_PREFIX_PATH', sys.prefix)
