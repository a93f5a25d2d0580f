"""What the Primitives page says and shows: words, tiles, exemplars as HTML; pure."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from a2core.canvas import percent
from viz_app.components.tile_board import Tile
from viz_app.ui.exemplars import data_url

LEAD = (
    '<div class="a2-lead"><h1>What is each primitive?</h1>'
    "<p>See where it was handed out most, over all pictures of an atlas.</p></div>"
)
NONE = (
    "There is no atlas to show yet. Build one of your own pictures, `make atlas PHOTOS=FOLDER`, and start "
    "the explorer with it: `A2_ATLAS=atlas make app`."
)
ATLAS, BLOCK, SORT, WORDS = "Atlas", "Block", "Sorted by", "Words"
ABOUT_WORDS = "A name, a class, a folder, or g23"
SORTS: dict[str, str] = {
    "primitive": "number",
    "use": "use",
    "reach": "reach",
    "effect_size": "effect",
    "purity": "purity",
    "stability": "stability",
}
BACK, NAME, NOTE, KEEP = "All primitives", "Name", "Note", "Keep the name"
ORDERS = {
    "mean": "Handed out most over the whole picture",
    "peak": "Handed out most at one place",
    "effect": "Added most to the answer",
    "idle": "Handed out in plenty, and the answer did not hang on it",
}
HISTOGRAM = "How many pictures it is handed out in, and how much"
NO_MATCH = "No primitive is called so."


def about(told: Mapping[str, Any]) -> str:
    """What the atlas is of, in a sentence."""
    alike = f", {told['alike']:,} of them nearly the same as another" if told["alike"] else ""
    network = told["checkpoint"]["name"]
    return f"{told['photos']:,} pictures{alike}, seen by {network} at {told['size_px']} pixels."


def called(row: Mapping[str, Any]) -> str:
    """A primitive's number, and its name where somebody gave one."""
    return f"g{row['primitive']}" + (f" {row['name']}" if row.get("name") else "")


def said(row: Mapping[str, Any]) -> str:
    """Its measures in a line."""
    words = [f"use {percent(row['use'])}", f"reach {percent(row['reach'])}"]
    if row.get("purity") is not None:
        words.append(f"{percent(row['purity'])} {row['purity_group']}")
    return ", ".join(words)


def tiles(rows: Sequence[Mapping[str, Any]], crops: Sequence[Sequence[bytes]]) -> list[Tile]:
    """A tile for each primitive."""
    return [
        Tile(title=called(row), said=said(row), crops=[data_url(crop) for crop in some])
        for row, some in zip(rows, crops, strict=True)
    ]


def ordered(rows: Sequence[Mapping[str, Any]], sort: str, words: str) -> list[int]:
    """Which primitives hold all of `words`, in the order asked for."""
    wanted = words.lower().split()

    def text(row: Mapping[str, Any]) -> str:
        parts = [called(row), row.get("note"), row.get("purity_group"), *(row.get("labels") or ())]
        return " ".join(filter(None, parts)).lower()

    chosen = [index for index, row in enumerate(rows) if all(word in text(row) for word in wanted)]
    if sort == "primitive":
        return chosen
    return sorted(chosen, key=lambda index: -(rows[index].get(sort) or -1.0))


def measures_html(row: Mapping[str, Any]) -> str:
    """What is measured of one primitive."""
    lines = [
        f"{percent(row['use'])} of all that its block hands out, spread over the pictures as evenly as if "
        f"{percent(row['reach'])} of them had the same of it."
    ]
    if row.get("effect") is not None:
        effect = f"{row['effect']:+.3f}".replace("-", "−")
        lines.append(f"It adds {effect} to the winning class's logit on average, to first order.")
    if row.get("purity") is not None:
        lines.append(f"{percent(row['purity'])} of its exemplars lie in the folder {row['purity_group']}.")
    if row.get("stability") is not None:
        lines.append(
            f"With another seed g{row['twin']} is most like it (correlation {row['stability']:.2f})."
        )
    if row.get("labels"):
        lines.append(f"Used most where the answer is {', '.join(row['labels'])}.")
    if row.get("note"):
        lines.append(row["note"])
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)
