"""`python -m converseg_ros` is `converseg`."""

import sys

from converseg_ros.cli import main

sys.exit(main())
