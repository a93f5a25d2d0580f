"""`python -m a2core cards`: what each primitive is used for."""

from __future__ import annotations

import argparse

from a2core.extras import need_extra

HELP = "describe each primitive in the checkpoint's card"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "checkpoint",
        nargs="?",
        default="a2-lite0",
        help="name or path, or the NAME-network.json of a network of yours (default: %(default)s)",
    )
    parser.add_argument("--photos", nargs="+", required=True, help="image folders, searched whole")
    parser.add_argument(
        "--limit", type=int, default=1000, help="so many photos, chosen at random (default: %(default)s)"
    )
    parser.add_argument("--size", type=int, help="picture size (default: 352, or what the network takes)")


def run(args: argparse.Namespace) -> int:
    """Describe every primitive of a checkpoint, in its card."""
    need_extra("train", "Describing primitives")
    from a2core.training.evaluate.cards import cards

    return cards(args)
