"""The words of Explore; pure. What is worked out for them is in content.py."""

from __future__ import annotations

from collections.abc import Sequence

from viz_app.ui import language
from viz_app.ui.text import as_markdown

LEAD = (
    '<div class="a2-lead"><h1>Point at any spot in the picture.</h1>'
    "<p>It lights up where a neural network gathered the information that it hands to that spot.</p>"
    "</div>"
)

# What is chosen.
GUESSES, NO_CLASSES = "The network guesses", "This network answers without classes"
PICTURE, SIZE, WEIGHTS = "Picture", "Detail, px", "Weights"
ABOUT_WEIGHTS = (
    "What was learned: a network, and the blocks trained in it. Other weights gather other primitives of the "
    "same picture."
)
YOURS = "yours: {name}"
BORN = "; its own attention is what it has learned"
ABOUT_SIZE = "Long side of the picture that the network sees. More pixels, finer maps, more time."
ATTEND_OVER, STRETCH, FRAMES = "Attend over", "From – to, s", "Frames, evenly spread"
TOGETHER = {"joint": "The whole clip", "each": "Each frame alone"}
ABOUT_TOGETHER = (
    "The whole clip: each primitive is gathered over all frames, and a pixel may receive from any moment. "
    "Each frame alone: as if every frame were a picture. The difference is what attending jointly adds."
)

# Bringing a picture.
DROP = "Your own pictures or clips"
ABOUT_CAMERA = "Take a picture, or a short clip"
CAMERA_TAKES, TAKE_PICTURE = "What the camera takes", "Take a picture"
TAKES = {"picture": "Picture", "clip": "Clip"}
READING_CLIP = "Reading the clip"

# Waiting for a trace.
STOPPED, TRACE_AFTER_ALL = "Stopped before it was traced.", "Trace it after all"

FETCHING = "Fetching the layer"

# Charts.
BARS = {"rank": "Largest first", "index": "By index"}  # as the address calls them
ORDER, SUM = "Order of the bars", "The sum, number by number"
SHARES = "<h3>Its shares <small>distribution weights ρ</small></h3>"
BAG = "<h3>The bag of primitives <small>G, one column each</small></h3>"
SUM_COLUMNS = {
    "rank": "rank",
    "primitive": "primitive i",
    "rho": "ρᵢ",
    "length": "|gᵢ|",
    "share": "share of |zₚ|, %",
}
LIFE = (
    '<p class="a2-pinned"><b>The life of the primitives.</b> '
    "<small>Click to go to a moment and see a primitive.</small></p>"
)
LIFE_TITLES = {"gathered": "Gathered at each moment, θ", "handed": "Handed out at each moment, mean ρ"}

# Files.
TAKE = "<h3>Take it with you</h3>"
FIGURE, PAGE, ARRAYS, RHO = "Figure", "Page that works offline", "All arrays", "ρ at the marked pixels"
MOVIE = "Movie of the marked pixel"


def movie_of(primitive: int) -> str:
    """What the movie of one primitive is called."""
    return f"Movie of g{primitive}"


def reading(name: str) -> str:
    """What is done with a file while its visitor waits, in Markdown."""
    return f"Reading {as_markdown(name)}"


def too_many(brought: int, read: int) -> str:
    """That not all files were read."""
    return f"Of {brought} files the first {read} were read. Drop the others after them."


def tracing(frames: int) -> str:
    """What is done with a picture, or with a clip of `frames`, while its visitor waits."""
    return f"Tracing {frames} frames" if frames > 1 else "Tracing the picture"


def weights_name(name: str, *, yours: bool) -> str:
    """A choice of weights; those that whoever runs the server named are told from those of the house."""
    return (
        YOURS.format(name=name.rpartition("/")[2]) if yours else name
    )  # the library is not what tells them apart


def untrained(*, whole_network: bool, yours: bool = False, born: bool = False) -> str:
    """That the maps mean nothing: of random blocks, or of a network that was never trained at all.

    `born`: the network has trained attention of its own, whose maps do mean something.
    """
    what = "These blocks were never trained: their maps"
    if whole_network:
        what = "This network was never trained, nor its blocks: the maps"
    if yours:
        return (
            '<div class="a2-untrained" role="status"><strong>Random blocks.</strong> This network came '
            "without double attention: fresh blocks were put into it, which leave its answers as they are. "
            f"Their maps mean nothing before they are trained{BORN if born else ''}.</div>"
        )
    return (
        '<div class="a2-untrained" role="status"><strong>Random weights.</strong> '
        f"{what} mean nothing. They are here to compare with.</div>"
    )


def refused(count: int) -> str:
    """The title over the checkpoints and networks that were refused."""
    return "A network was refused" if count == 1 else f"{count} networks were refused"


def measuring(block: str, done: int, count: int) -> str:
    """How far the effects of a block's primitives are measured."""
    return f"Switching off each primitive of {block} by itself: {done} of {count}"


def vector_title(primitive: int) -> str:
    """What stands over the chart of one primitive."""
    return f"<h3>One primitive <small>g<sub>{primitive}</sub>, channel by channel</small></h3>"


def life_alt(title: str, primitives: int, frames: int) -> str:
    """What a chart over time shows."""
    return f"Heat map: {title}, {primitives} primitives over {frames} frames"


def elsewhere(primitive: int, name: str = "") -> str:
    """The way to a primitive's exemplars in the pictures of an atlas."""
    called = f" ({as_markdown(name)})" if name else ""
    return f"Where else? g{primitive}{called} in other pictures"


def no_atlas(label: str, others: Sequence[str]) -> str:
    """That the atlases that are here are about other weights, in Markdown."""
    only = as_markdown(", ".join(dict.fromkeys(others)))
    return f"Where else? There is no atlas of {as_markdown(label)} here, only of {only}."


def taught_by(*, on_clips: bool, elsewhere: str) -> str:
    """What the blocks learned on, and, of blocks of photos, which weights learned on clips, if any did."""
    if on_clips:
        return "blocks trained on clips"
    return (
        f"blocks trained on photos; those of {elsewhere} on clips"
        if elsewhere
        else "blocks trained on photos"
    )


def took(width_px: int, height_px: int, seconds: float, device: str) -> str:
    """Where and how fast the answer was found."""
    return f"{width_px} × {height_px} px in {seconds:.2f} s on {device}"


def gives(primitive: object, share: str) -> str:
    """How much one primitive gives."""
    return f"primitive {primitive} gives {share}"


def shares_alt(count: int, leaders: Sequence[str]) -> str:
    """The weights in words and numbers, for those who cannot see the chart."""
    return f"Bars: of {count} primitives, {', '.join(leaders)}"


def bag_alt(n: int, m: int, primitive: int) -> str:
    """What the chart of the bag shows."""
    return f"Heat map of {n} primitives over {m} channels, {primitive} framed"


def vector_alt(m: int, primitive: int) -> str:
    """What the chart of one primitive shows."""
    return f"Bars: primitive {primitive} over its {m} channels"


def sum_alt(n: int) -> str:
    """What the table of the sum holds."""
    return f"Table: rank, primitive, its distribution weight, its length and its share, {n} rows"


def pinned(*, x: int, y: int, effective: str, count: int, primitive: int, share: str, rank: int) -> str:
    """One line of HTML that says which pixel the charts are about and what it receives."""
    return (
        f'<p class="a2-pinned">The marked pixel (x {x}, y {y}) receives mostly from '
        f"<b>{effective}</b> of {count} primitives; "
        f"<b>g<sub>{primitive}</sub></b> gives it <b>{share}</b>, "
        f"number {rank} of all. <small>Click in the picture to mark another pixel.</small></p>"
    )


def summed(
    *,
    n: int,
    length: str,
    bits: str,
    bits_most: str,
    even: str,
    attention_bits: str,
    attention_most: str,
    wide: str,
    cells: int,
) -> str:
    """What the table of a sum holds and how evenly it is spread, as one paragraph of HTML."""
    return (
        '<p class="a2-sum"><b>z<sub>p</sub> = Σ ρ<sub>i</sub> g<sub>i</sub></b> over all '
        f"{n} primitives, |z<sub>p</sub>| = {length}. A share is the part of ρ<sub>i</sub> "
        "g<sub>i</sub> along z<sub>p</sub>, divided by |z<sub>p</sub>|: shares add up to 100 %, and one "
        f"below zero pulls the other way. Entropy of ρ: <b>{bits} bits</b> of "
        f"{bits_most}, as even as {even} primitives in equal parts. "
        f"Entropy of the attention: <b>{attention_bits} bits</b> of "
        f"{attention_most}, as wide as {wide} of {cells} cells.</p>"
    )


language.in_each_language(__name__)
