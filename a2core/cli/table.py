"""`python -m a2core table`: how large the paper's networks are."""

from __future__ import annotations

from a2core.bench.counts import add_arguments, run

HELP = "parameters and multiply-adds of the paper's networks"

__all__ = ["HELP", "add_arguments", "run"]
