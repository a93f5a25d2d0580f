"""`python -m a2core`: see `cli`."""

from a2core.cli import console

console()
