"""What a visitor has chosen, one selection for all pages: of each picture the marked pixel, block, primitive.

Every page reads it here and writes it here, so that a cell picked in the lesson is the one that Explore marks
and Compare compares. A picture that is come back to has its mark; another network or size keeps the spot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from a2core import canvas
from viz_app.server.traces import Shown
from viz_app.ui import address, places, text
from viz_app.ui.guards import callback
from viz_app.ui.state import Key, Probe

MARKS_KEPT = 64  # pictures


@dataclass(frozen=True)
class Mark:
    """A probe as it still means something under other weights and at another size."""

    spot: tuple[float, float]  # (x, y), fractions of the picture
    t: int
    block: str
    primitive: int | None  # of this block under these weights alone
    weights: str


def current_probe(shown: Shown) -> Probe:
    """The pixel that the visitor marked last in `shown`, in a block of double attention, with its primitive.

    Where the visitor looked into the network's own attention, the same spot in the first block.
    """
    probe = looked_at(shown)
    if probe.block in shown.trace.blocks:
        return probe
    block, seen = places.default_block(shown.trace), places.attending(shown.trace, probe.block)
    spot = places.spot_of(seen or block, probe.position)
    return Probe(shown.key, block.name, 0, *places.cell_at(block, spot), None)


def looked_at(shown: Shown) -> Probe:
    """What the visitor looked at last in `shown`: a pixel, in a block or a layer, and what is chosen of it.

    Of what was marked under other weights or at another size, as much as still means something; where nothing
    was marked, the first spot of the picture, in the block that was looked at last.
    """
    probe: Probe | None = st.session_state.get(Key.PROBE)
    if probe is not None and probe.key == shown.key:
        return probe
    marks: dict[str, Mark] = st.session_state.get(Key.MARKS, {})
    last = next(reversed(marks.values()), None)
    mark = marks.get(shown.picture.id)
    name = last.block if last else ""
    block = places.attending(shown.trace, name)
    if block is None:
        name = places.first_looked_at(shown.trace)
        block = places.attending(shown.trace, name) or places.default_block(shown.trace)
    if mark is None:
        return Probe(shown.key, name, *places.default_position(block, shown.picture.spot), None)
    same = mark.weights == shown.weights.label and mark.block == name
    t = min(mark.t, block.grid[0] - 1)
    return Probe(shown.key, name, t, *places.cell_at(block, mark.spot), mark.primitive if same else None)


def remember(shown: Shown, probe: Probe) -> None:
    """Have `probe` be what is chosen in `shown`, on every page."""
    st.session_state[Key.PROBE] = probe
    marks: dict[str, Mark] = st.session_state.setdefault(Key.MARKS, {})
    marks.pop(shown.picture.id, None)  # the newest stands last
    seen = places.attending(shown.trace, probe.block) or places.default_block(shown.trace)
    spot = places.spot_of(seen, probe.position)
    marks[shown.picture.id] = Mark(spot, probe.t, probe.block, probe.primitive, shown.weights.label)
    while len(marks) > MARKS_KEPT:
        del marks[next(iter(marks))]


def mark(
    shown: Shown,
    *,
    block: str | None = None,
    position: tuple[int, int, int] | None = None,
    primitive: int | None = None,
) -> None:
    """Choose another block, position (t, row, col) or primitive, on a page that is not Explore.

    What is left out stays; another block keeps the pixel that was marked, and none of its primitives is
    chosen. Explore starts there when it is come back to.
    """
    before = current_probe(shown)
    name = block or before.block
    if position is not None:
        where = position
    elif cell_was_marked(shown):
        where = marked_cell(shown, name)
    else:  # nor is a cell of the other block, whatever its size
        where = places.default_position(shown.trace.blocks[name], shown.picture.spot)
    chosen = before.primitive if primitive is None and name == before.block else primitive
    probe = Probe(shown.key, name, *where, chosen)
    if probe == before:
        return
    remember(shown, probe)
    here = parameters_of(shown)
    left = st.session_state.get(Key.ADDRESS) or {}
    kept = left if all(left.get(name) == value for name, value in here.items()) else {}
    view = address.without_places(kept)
    st.session_state[Key.ADDRESS] = view | here | address.written(probe, {}, shown.trace)


def parameters_of(shown: Shown) -> dict[str, str]:
    """The picture, the weights and the size, as query parameters."""
    return {
        address.PICTURE: shown.picture.id,
        address.WEIGHTS: shown.weights.label,
        address.SIZE: str(shown.size_px),
    }


def current_block(shown: Shown, key: str) -> str:
    """The block that a page is about, whose choice is the widget `key`: the one that was looked at last."""
    block = current_probe(shown).block
    if st.session_state.get(key) != block:
        st.session_state[key] = block
    return block


def choose_block(shown: Shown, key: str) -> None:
    """Let the visitor choose among several blocks; where there is one, draw nothing."""
    if len(shown.trace.blocks) == 1:
        return
    st.segmented_control(
        text.BLOCK,
        list(shown.trace.blocks),
        format_func=block_words(shown),
        required=True,
        key=key,
        label_visibility="collapsed",
        on_change=callback(take_block),
        args=(shown, key),
    )


def take_block(shown: Shown, key: str) -> None:
    """Have the block that was chosen in the widget `key` be the one that is looked at."""
    mark(shown, block=st.session_state[key])


def block_words(shown: Shown) -> Callable[[str], str]:
    """What each block is called where one is chosen."""
    words = {
        name: f"{text.block_word(canvas.block_word(block, shown.trace, shown.card))} ({name})"
        for name, block in shown.trace.blocks.items()
    }
    return words.__getitem__


def marked_cell(shown: Shown, block: str) -> tuple[int, int, int]:
    """The cell (t, row, col) of `block` that the pixel marked last is in."""
    probe = current_probe(shown)
    if block == probe.block:
        return probe.position
    spot = places.spot_of(shown.trace.blocks[probe.block], probe.position)
    return (probe.t, *places.cell_at(shown.trace.blocks[block], spot))


def cell_was_marked(shown: Shown) -> bool:
    """Whether the cell is another than the one that the app chose at first."""
    probe = looked_at(shown)
    seen = places.attending(shown.trace, probe.block) or places.default_block(shown.trace)
    return probe.position != places.default_position(seen, shown.picture.spot)
