"""`python -m a2core`: see `cli.py`."""

import sys

from a2core.cli import main
from a2core.threads import use_cores

use_cores()
sys.exit(main())
