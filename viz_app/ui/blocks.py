"""Which block a page is about, and where in it the pixel is that was marked last."""

from __future__ import annotations

import streamlit as st

from a2core import canvas
from viz_app.server import traces
from viz_app.server.traces import Shown
from viz_app.ui import address, places
from viz_app.ui.text import BLOCK


def current_block(shown: Shown, key: str) -> str:
    """The block that was chosen last under `key`; before any was, the one that was looked at last."""
    if st.session_state.get(key) not in shown.trace.blocks:
        st.session_state[key] = traces.current_probe(shown).block
    block: str = st.session_state[key]
    return block


def choose_block(shown: Shown, key: str) -> None:
    """Let the visitor choose among several blocks; where there is one, draw nothing."""
    if len(shown.trace.blocks) == 1:
        return
    words = {
        name: f"{canvas.block_word(block, shown.trace, shown.card)} ({name})"
        for name, block in shown.trace.blocks.items()
    }
    st.segmented_control(
        BLOCK,
        list(words),
        format_func=words.__getitem__,
        required=True,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )


def marked_cell(shown: Shown, block: str) -> tuple[int, int, int]:
    """The cell (t, row, col) of `block` that the pixel marked last is in."""
    probe = traces.current_probe(shown)
    if block == probe.block:
        return probe.position
    spot = places.spot_of(shown.trace.blocks[probe.block], probe.position)
    return (probe.t, *places.cell_at(shown.trace.blocks[block], spot))


def cell_was_marked(shown: Shown) -> bool:
    """Whether the visitor, or a link, chose the cell, and not the app at first."""
    probe = traces.current_probe(shown)
    first = places.default_position(shown.trace.blocks[probe.block], shown.picture.spot)
    return probe.position != first or address.AT in st.query_params
