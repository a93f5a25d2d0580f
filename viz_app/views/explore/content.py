"""What Explore says and shows, in words and numbers: pure, no Streamlit, no torch."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from a2core import BlockTrace, Trace
from a2core.canvas import percent
from viz_app.ui.pixel import PinnedArrays, PinnedSum
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
CAMERA_TAKES, PHOTO, CLIP, TAKE_PICTURE = "What the camera takes", "Picture", "Clip", "Take a picture"
READING_CLIP = "Reading the clip"

# Waiting for a trace.
STOPPED, TRACE_AFTER_ALL = "Stopped before it was traced.", "Trace it after all"

FETCHING = "Fetching the layer"

# Charts.
BY_RANK, BY_INDEX = "Largest first", "By index"
BARS = {"rank": BY_RANK, "index": BY_INDEX}  # as the address calls them
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


def answer(trace: Trace, credit: str, taught: str) -> str:
    """The network's five best classes as one slim line, and where and how fast that was found."""
    classes = "".join(
        f'<li><span class="a2-name">{html.escape(name)}</span><span class="a2-share">'
        f'{percent(share)}</span><span class="a2-bar"><i style="width:{100 * share:.1f}%"></i>'
        "</span></li>"
        for name, share in trace.top
    )
    _, height_px, width_px, _ = trace.model_input.shape
    took = f"{width_px} × {height_px} px in {trace.elapsed_s:.2f} s on {trace.device}"
    notes = [credit, *trace.clip.notes, *trace.notes, taught, took]
    guesses = f"<h2>{GUESSES}</h2><ol>{classes}</ol>" if classes else f"<h2>{NO_CLASSES}</h2>"
    return (
        f'<div class="a2-answer">{guesses}'
        f"<p>{' · '.join(html.escape(note) for note in notes if note)}</p></div>"
    )


def shares_alt(pinned: PinnedArrays) -> str:
    """The weights in words and numbers, for those who cannot see the chart."""
    best = np.argsort(-pinned.weights, kind="stable")[:3]
    leaders = ", ".join(f"primitive {i} gives {percent(float(pinned.weights[i]))}" for i in best)
    return f"Bars: of {len(pinned.weights)} primitives, {leaders}"


def bag_alt(block: BlockTrace, primitive: int) -> str:
    """What the chart of the bag shows."""
    return f"Heat map of {block.n} primitives over {block.m} channels, {primitive} framed"


def vector_title(primitive: int) -> str:
    """What stands over the chart of one primitive."""
    return f"<h3>One primitive <small>g<sub>{primitive}</sub>, channel by channel</small></h3>"


def vector_alt(block: BlockTrace, primitive: int) -> str:
    """What the chart of one primitive shows."""
    return f"Bars: primitive {primitive} over its {block.m} channels"


def sum_alt(block: BlockTrace) -> str:
    """What the table of the sum holds."""
    return f"Table: rank, primitive, its distribution weight, its length and its share, {block.n} rows"


def life_alt(title: str, primitives: int, frames: int) -> str:
    """What a chart over time shows."""
    return f"Heat map: {title}, {primitives} primitives over {frames} frames"


def pinned_sentence(
    trace: Trace, block: BlockTrace, position: tuple[int, int, int], pinned: PinnedArrays
) -> str:
    """One line of HTML that says which pixel the charts are about and what it receives."""
    _, height_px, width_px, _ = trace.model_input.shape
    _, rows, cols = block.grid
    _, row, col = position
    x, y = int((col + 0.5) * width_px / cols), int((row + 0.5) * height_px / rows)
    return (
        f'<p class="a2-pinned">The marked pixel (x {x}, y {y}) receives mostly from '
        f"<b>{pinned.effective:.0f}</b> of {block.n} primitives; "
        f"<b>g<sub>{pinned.primitive}</sub></b> gives it <b>{percent(pinned.share)}</b>, "
        f"number {pinned.rank} of all. <small>Click in the picture to mark another pixel.</small></p>"
    )


def sum_sentence(block: BlockTrace, terms: PinnedSum) -> str:
    """What the table of a PinnedSum holds and how evenly it is spread, as one paragraph of HTML."""
    return (
        '<p class="a2-sum"><b>z<sub>p</sub> = Σ ρ<sub>i</sub> g<sub>i</sub></b> over all '
        f"{block.n} primitives, |z<sub>p</sub>| = {terms.length:.4g}. A share is the part of ρ<sub>i</sub> "
        "g<sub>i</sub> along z<sub>p</sub>, divided by |z<sub>p</sub>|: shares add up to 100 %, and one "
        f"below zero pulls the other way. Entropy of ρ: <b>{terms.weights_bits:.2f} bits</b> of "
        f"{np.log2(block.n):.2f}, as even as {2**terms.weights_bits:.1f} primitives in equal parts. "
        f"Entropy of the attention: <b>{terms.attention_bits:.2f} bits</b> of "
        f"{np.log2(terms.cells):.2f}, as wide as {2**terms.attention_bits:.0f} of {terms.cells} cells.</p>"
    )


def life(block: BlockTrace) -> tuple[np.ndarray, np.ndarray]:
    """How much of each primitive is gathered, and handed out, at each moment; both (n, T).

    Gathered mass sums to 1 over the clip (each frame alone: in each frame); the mean distribution
    weight sums to 1 over the primitives at each moment.
    """
    return block.gather.sum(axis=(2, 3)), block.distribute.mean(axis=(2, 3))


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
