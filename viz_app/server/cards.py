"""What is said of each primitive of a trace: by its checkpoint's card, an atlas, and whoever named it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from a2core.canvas import card_said
from viz_app.server import atlases, names
from viz_app.server.faults import attempt
from viz_app.server.models import Weights
from viz_app.ui import language, primitives


def cards(weights: Weights, before: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Of each block of an atlas a line for each primitive, as this visitor is to see it.

    Args:
        weights: whose primitives they are; {} where no atlas here is theirs, or it cannot be read.
        before: what the checkpoint's card says of them.
    """
    atlas = atlases.of_weights(weights)
    found = {}
    for block, lines in before.items():
        if atlas is not None and len(lines) == atlas.blocks.get(block):
            rows, _ = attempt(lambda block=block: names.named(atlas, block))  # type: ignore[misc]
            if rows:
                found[block] = primitives.cards(rows, said(lines), len(atlas))
    return found


def said(lines: Sequence[str]) -> list[str]:
    """What a checkpoint's card says, a line for each primitive, in the visitor's language."""
    return [card_said(line, language.current()) for line in lines]
