"""The words of the Primitives page; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viz_app.ui import language
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
TOGETHER = "Used together with"
CELL = "the cell that the atlas kept"
UNTRACED = "No checkpoint here is the atlas's, so the picture is not traced."
ORDERS = {
    "mean": "Handed out most over the whole picture",
    "peak": "Handed out most at one place",
    "effect": "Added most to the answer",
    "idle": "Handed out in plenty, and the answer did not hang on it",
}
HISTOGRAM = "How many pictures it is handed out in, and how much"
NO_MATCH = "No primitive is called so."
MEAN_AXIS, PICTURES_AXIS = "mean ρ in the picture, %", "pictures"

CREDIT_COLUMNS = {"path": "file", "author": "author", "licence": "licence", "link": "link"}


def likeness(share: str) -> str:
    """How like one picture another is, by what the primitives were used for in both."""
    return f"{share} alike"


def about(told: Mapping[str, Any]) -> str:
    """What the atlas is of, in a sentence of Markdown."""
    alike = f", {told['alike']:,} of them nearly the same as another" if told["alike"] else ""
    network = as_markdown(str(told["checkpoint"]["name"]))
    return f"{told['photos']:,} pictures{alike}, seen by {network} at {told['size_px']} pixels."


def stale(told: Mapping[str, Any]) -> str:
    """That no checkpoint here is the atlas's."""
    return (
        f"This atlas was built with {as_markdown(str(told['checkpoint']['name']))} as it was then. "
        "No checkpoint here is that one, so its primitives are other ones, and no picture is traced again."
    )


def how_traced(*, whole: bool, px: int) -> str:
    """What the maps of a picture were made from."""
    if whole:
        return f"Traced now from the picture's file, at {px} pixels, as the atlas saw it."
    return f"Traced now from the small copy that the atlas keeps, at {px} pixels: coarser than what it saw."


def tracing(place: str) -> str:
    """What is waited for."""
    return f"Looking at {as_markdown(place)} again"


def middle(middle: str, low: str, high: str) -> str:
    """How a mean ρ is spread over the pictures, in per cent."""
    return f"Mean ρ is {middle} % in the middle picture, {low} to {high} % in nine of ten."


def spread(use: str, reach: str) -> str:
    """How much of a primitive is handed out and how evenly over the pictures, as a sentence."""
    return (
        f"{use} of all that its block hands out, spread over the pictures as evenly as if "
        f"{reach} of them had the same of it."
    )


def adds(effect: str) -> str:
    """What it does to the answer."""
    return f"It adds {effect} to the winning class's logit on average, to first order."


def lie_in(share: str, folder: str) -> str:
    """How many of its exemplars are of one folder."""
    return f"{share} of its exemplars lie in the folder {folder}."


def twin(primitive: object, correlation: str) -> str:
    """Which is most like it with another seed."""
    return f"With another seed g{primitive} is most like it (correlation {correlation})."


language.in_each_language(__name__)
