"""The Compare page: the same picture and pixel, with double attention and its relatives side by side."""

from __future__ import annotations

import json
from enum import StrEnum

import numpy as np
import streamlit as st

import a2core
from a2core import Reading, Rival
from a2core.canvas import map_top
from viz_app.components.cell_picker import cell_picker, picked
from viz_app.server import faults
from viz_app.server.traces import Shown
from viz_app.ui import guards
from viz_app.ui.figures import overlay_url
from viz_app.ui.guards import callback, fragment
from viz_app.ui.selection import choose_block, current_block, mark, marked_cell
from viz_app.ui.shell import current_shown, styled, waiting
from viz_app.ui.state import presenting
from viz_app.views.compare import content, service
from viz_app.views.compare.charts import cost_curves


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses."""

    BLOCK = "compare-block"
    FRAME = "compare-frame"
    PICKER = "compare-picker"  # and the kind of block behind it


def render() -> None:
    """Draw the page."""
    styled("figures.css", "compare.css")
    st.html(content.LEAD)
    with waiting(content.TRACING) as look:
        shown = current_shown(look=look)
    _page(shown)


@fragment()
def _page(shown: Shown) -> None:
    """What changes with the pixel; reruns alone."""
    with st.container(key="lesson"):
        block = current_block(shown, Key.BLOCK)
        position = marked_cell(shown, block)
        with waiting(content.RUNNING) as look:
            found = service.readings(shown, block, look=look)
        grid = found[0][1].grid
        if grid[0] > 1:
            st.session_state[Key.FRAME] = position[0]
            st.slider(
                content.FRAME,
                0,
                grid[0] - 1,
                key=Key.FRAME,
                on_change=_turn,
                args=(shown, position),
            )
        if any(not rival.trained for rival, _ in found):
            st.html(content.UNTRAINED)
        st.html(content.shape(_aspect(shown)))
        with st.container(key="compare-row"):
            columns = st.columns(len(found), gap="small")
        for column, (rival, reading) in zip(columns, found, strict=True):
            with column:
                _one(shown, block, rival, reading, position)
        if presenting():
            return  # the pictures have the window to themselves
        choose_block(shown, Key.BLOCK)
        settings = {
            rival.kind: json.dumps(a2core.rival_settings(rival, block), sort_keys=True) for rival, _ in found
        }
        positions = int(np.prod(grid))
        _costs(settings, positions)
        _growth(settings, positions)


def _aspect(shown: Shown) -> float:
    """Width of the picture by its height."""
    _, height_px, width_px, _ = shown.trace.model_input.shape
    return width_px / height_px


def _one(shown: Shown, block: str, rival: Rival, reading: Reading, position: tuple[int, int, int]) -> None:
    """One kind of block: its map for the pixel, what it says, and whether others are handed the same."""
    t, row, col = position
    _, rows, cols = reading.grid
    attention = reading.row(position)
    key, about = f"{Key.PICKER}-{rival.kind}", f"{shown.key}/{block}"
    st.html(content.heading(rival))
    high = map_top(float(attention.max()), 1 / attention.size)
    cell_picker(
        service.small_frames(shown)[t],
        overlay_url(attention[t], "attention", high=high),
        identity=about,
        cell=(row, col),
        grid=(rows, cols),
        aspect=_aspect(shown),
        label=content.moves(shown.picture.alt, rival.kind),
        key=key,
        on_change=callback(lambda: _pick(key, about, shown, t, (rows, cols))),
    )
    st.html(content.under_picture(rival.kind, reading, position))


def _pick(key: str, identity: str, shown: Shown, t: int, grid: tuple[int, int]) -> None:
    cell = picked(key, identity, grid)
    if cell is not None:
        mark(shown, position=(t, *cell))


@callback
def _turn(shown: Shown, position: tuple[int, int, int]) -> None:
    mark(shown, position=(st.session_state[Key.FRAME], *position[1:]))


def _costs(settings: dict[str, str], positions: int) -> None:
    """What each block costs on this picture."""
    found = {}
    for kind, settings_json in settings.items():
        with waiting(content.measuring(kind)) as look:
            found[kind] = service.cost_here(settings_json, positions, look=look)
    st.html(content.costs(found, positions))


def _growth(settings: dict[str, str], positions: int) -> None:
    """How the cost grows with the positions: measured on demand, computed beyond, and said which."""
    known = service.known_curves(settings)
    st.html(content.GROWTH)
    slot = st.empty()  # measured once, it is there for everybody: the button goes
    if known is None and slot.button(content.MEASURE, icon=":material/timer:"):
        _, fault = faults.attempt(lambda: _measure(settings))
        if fault:
            guards.tell(fault)
        known = service.known_curves(settings)
        if known is not None:
            slot.empty()
    curves = known or {kind: service.counted_curve(text) for kind, text in settings.items()}
    figure = cost_curves(
        {kind: (content.NAMES[kind], costs) for kind, costs in curves.items()}, here=positions
    )
    st.plotly_chart(figure, key="growth", config={"displayModeBar": False}, alt=content.GROWTH_ALT)
    st.html(content.growth(measured=known is not None))
    if known is not None:
        st.html(content.exponents(known))


def _measure(settings: dict[str, str]) -> None:
    """Measure what is not known yet, one kind after the other."""
    for kind, text in settings.items():
        with waiting(content.measuring(kind)) as look:
            service.measure_curve(text, look=look)
