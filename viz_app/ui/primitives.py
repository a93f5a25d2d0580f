"""What is said of a primitive by an atlas and by people, for every page that shows one; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from a2core.canvas import percent
from viz_app.ui import text


def called(row: Mapping[str, Any]) -> str:
    """A primitive's number, and its name where somebody gave one."""
    return f"g{row['primitive']}" + (f" {row['name']}" if row.get("name") else "")


def said(row: Mapping[str, Any]) -> str:
    """Its measures in a line."""
    parts = [text.used(percent(row["use"])), text.reaches(percent(row["reach"]))]
    if row.get("purity") is not None:
        parts.append(f"{percent(row['purity'])} {row['purity_group']}")
    return text.BETWEEN.join(parts)


def cards(rows: Sequence[Mapping[str, Any]], before: Sequence[str], photos: int) -> list[str]:
    """A line for each primitive: its name, what its card says, what the atlas measured, the note.

    Args:
        rows: of the primitives of a block, with their measures and names.
        before: the same primitives' cards, "" for none.
        photos: how many pictures the atlas holds.
    """
    return [
        " \u00b7 ".join(filter(None, [row.get("name"), card, text.over(photos, said(row)), row.get("note")]))
        for row, card in zip(rows, before, strict=True)
    ]
