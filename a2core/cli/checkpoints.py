"""`python -m a2core checkpoints`: what there is, and what is known of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from a2core.checkpoints import list_checkpoints

HELP = "list the checkpoints and what is known of them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """List checkpoints, their blocks and size, or why one is refused."""
    for info in list_checkpoints():
        if info.contents is None:
            print(f"{info.path.name}: refused. {info.fault}")
            continue
        card = info.contents
        sizes = ", ".join(f"{name} ({_sizes(block)})" for name, block in card.blocks.items())
        said = "" if card.trained else ", random blocks"
        print(f"{info.name}: {card.backbone}, {sizes}, {card.size_bytes / 1e6:.2f} MB{said}")
    return 0


def _sizes(block: Mapping[str, Any]) -> str:
    """A block of a card in a few words."""
    if "kind" in block:
        return str(block["kind"]).replace("_", " ")
    return f"m={block['c_m']}, n={block['c_n']}"
