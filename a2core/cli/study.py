"""`python -m a2core study`: double attention and its relatives as part of one classifier."""

from __future__ import annotations

import argparse
from pathlib import Path

from a2core.extras import need_extra

HELP = "compare double attention with its relatives as part of one classifier"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--photos", nargs="+", required=True, help="folders that hold train/<class>/ and val/<class>/"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/study"), help="folder of the study (default: %(default)s)"
    )
    parser.add_argument("--limit", type=int, help="train on so many photos, chosen at random")
    parser.add_argument("--size", type=int, default=224, help="picture size (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=3, help="of a run (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of a variant (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Six variants of one classifier, trained alike; goes on where it was stopped."""
    need_extra("train", "The study")
    from a2core.training.finetune.study import study

    return study(args)
