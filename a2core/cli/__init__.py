"""The command line, `python -m a2core COMMAND`: one file a command.

A command is a module with HELP, `add_arguments(parser)` and `run(args)`; DESCRIPTION and EXAMPLES where it
has them. Errors that a user can cause are one line on stderr and exit status 2; anything else is a bug and
keeps its traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from a2core.cli import (
    atlas,
    bench,
    cards,
    checkpoints,
    evaluate,
    export,
    inspect,
    site,
    study,
    table,
    trace,
    train,
)
from a2core.errors import A2Error
from a2core.threads import use_cores
from a2core.version import __version__

COMMANDS = (trace, export, site, inspect, checkpoints, train, evaluate, atlas, cards, study, bench, table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 2 bad input (said in one line), 130 interrupted."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    try:
        return int(args.run(args) or 0)
    except A2Error as error:
        if os.environ.get("RANK", "0") == "0":  # under torchrun every process says the same
            print(f"a2core: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("a2core: interrupted; what was whole is kept.", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m a2core", description="A²-Nets: double attention networks."
    )
    parser.add_argument("--version", action="version", version=f"a2core {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        adding = commands.add_parser(
            command.__name__.rpartition(".")[2],
            help=command.HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            description=getattr(command, "DESCRIPTION", None),
            epilog=getattr(command, "EXAMPLES", None),
        )
        command.add_arguments(adding)
        adding.set_defaults(run=command.run)
    return parser


def console() -> None:
    """The command `a2core`: all cores that this process may use, then `main`."""
    use_cores()
    sys.exit(main())
