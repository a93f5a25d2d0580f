"""What the Primitives page says and shows: words, tiles, exemplars as HTML; pure."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from a2core import Exemplar, Photo
from a2core.canvas import percent
from viz_app.components.tile_board import Tile
from viz_app.ui.exemplars import data_url, hint, value
from viz_app.ui.numbers import decimal, signed
from viz_app.ui.primitives import called, said
from viz_app.ui.text import as_markdown

LEAD = (
    '<div class="a2-lead"><h1>What is each primitive?</h1>'
    "<p>See where it was handed out most, over all pictures of an atlas.</p></div>"
)
NONE = (
    "There is no atlas to show yet. Build one of your own pictures, `make atlas PHOTOS=FOLDER`, and start "
    "the explorer with it: `A2_ATLAS=atlas make app`."
)
ATLAS, BLOCK, SORT, WORDS, VIEW = "Atlas", "Block", "Sorted by", "Words", "View"
TILES, MAP, CREDITS = "tiles", "map", "credits"
VIEWS = {TILES: "Tiles", MAP: "Map", CREDITS: "Whose pictures"}
PRIMITIVES = "Primitives"
ABOUT_MAP = (
    "Primitives that are used in the same pictures lie near each other: the first two principal components "
    "of how their use correlates. Larger dots are used more. A click goes to the primitive."
)
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
YOURS = "Names that you give are yours: they stay in this session, and no other visitor sees them."
SHARED = "Names on this server are kept beside the atlas: everybody who visits it sees and may change them."
TAKE_NAMES, BRING_NAMES = "Take the names with you", "Bring names"
MORE, CLOSE, LIKE_THIS = "Show all exemplars", "Close", "Pictures like this one"
GATHERED, HANDED = "gathered from", "handed out to"
ORDERS = {
    "mean": "Handed out most over the whole picture",
    "peak": "Handed out most at one place",
    "effect": "Added most to the answer",
    "idle": "Handed out in plenty, and the answer did not hang on it",
}
HISTOGRAM = "How many pictures it is handed out in, and how much"
NO_MATCH = "No primitive is called so."


def about(told: Mapping[str, Any]) -> str:
    """What the atlas is of, in a sentence of Markdown."""
    alike = f", {told['alike']:,} of them nearly the same as another" if told["alike"] else ""
    network = as_markdown(str(told["checkpoint"]["name"]))
    return f"{told['photos']:,} pictures{alike}, seen by {network} at {told['size_px']} pixels."


def tiles(rows: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> list[Tile]:
    """A tile for each primitive."""
    return [
        Tile(
            picture=data_url(picture) if picture else "",
            title=called(row),
            said=said(row),
            hint=row.get("note") or "",
        )
        for row, picture in zip(rows, pictures, strict=True)
    ]


def exemplar_tiles(exemplars: Sequence[Exemplar], photos: Mapping[int, Photo]) -> list[Tile]:
    """A tile for each exemplar."""
    return [
        Tile(
            picture=data_url(one.crop) if one.crop else "",
            title=photos[one.photo].title,
            said=value(one),
            hint=hint(one, photos[one.photo]),
        )
        for one in exemplars
    ]


def stale(told: Mapping[str, Any]) -> str:
    """That no checkpoint here is the atlas's, in Markdown."""
    name = as_markdown(str(told["checkpoint"]["name"]))
    return (
        f"This atlas was built with {name} as it was then. No checkpoint here is "
        "that one, so its primitives are other ones, and no picture is traced again."
    )


def answer_html(photo: Photo) -> str:
    """What the network answered for a picture."""
    first = ", ".join(f"{label} {percent(share)}" for label, share in photo.top[:3])
    return f"<p>{html.escape(first)}</p>" if first else ""


def ordered(rows: Sequence[Mapping[str, Any]], sort: str, words: str) -> list[int]:
    """Which primitives hold all of `words`, in the order asked for."""
    wanted = words.lower().split()

    def text(row: Mapping[str, Any]) -> str:
        parts = [called(row), row.get("note"), row.get("purity_group"), *(row.get("labels") or ())]
        return " ".join(filter(None, parts)).lower()

    chosen = [index for index, row in enumerate(rows) if all(word in text(row) for word in wanted)]
    if sort == "primitive":
        return chosen

    def measured(index: int) -> float:
        value = rows[index].get(sort)
        return -math.inf if value is None else value

    return sorted(chosen, key=measured, reverse=True)


def measures_html(row: Mapping[str, Any]) -> str:
    """What is measured of one primitive."""
    lines = [
        f"{percent(row['use'])} of all that its block hands out, spread over the pictures as evenly as if "
        f"{percent(row['reach'])} of them had the same of it."
    ]
    if row.get("effect") is not None:
        lines.append(
            f"It adds {signed(row['effect'])} to the winning class's logit on average, to first order."
        )
    if row.get("purity") is not None:
        lines.append(f"{percent(row['purity'])} of its exemplars lie in the folder {row['purity_group']}.")
    if row.get("stability") is not None:
        lines.append(
            f"With another seed g{row['twin']} is most like it (correlation {decimal(row['stability'])})."
        )
    if row.get("note"):
        lines.append(row["note"])
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def escaped(text: str) -> str:
    """As HTML."""
    return html.escape(text)


def tracing(photo: Photo) -> str:
    """What is waited for, in Markdown."""
    return f"Looking at {as_markdown(photo.shown_path)} again"


def how_traced(*, whole: bool, px: int) -> str:
    """What the maps of a picture were made from."""
    if whole:
        return f"Traced now from the picture's file, at {px} pixels, as the atlas saw it."
    return f"Traced now from the small copy that the atlas keeps, at {px} pixels: coarser than what it saw."
