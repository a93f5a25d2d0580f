"""`python -m a2core`: see `cli.py`."""

import sys

from a2core.cli import main

sys.exit(main())
