"""`python -m a2core bench`: what the block costs, or a trace."""

from __future__ import annotations

import argparse

from a2core.bench import block, engines, trace

HELP = "time the block beside a plain writing of it and its rivals"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    block.add_arguments(parser)
    trace.add_arguments(parser)
    engines.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Time the block, or what looking and asking cost where that is asked for."""
    if args.engines:
        return engines.run(args)
    return trace.run(args) if trace.wanted(args) else block.run(args)
