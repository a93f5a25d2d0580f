"""The Compare page: the same picture and pixel, with double attention and its relatives side by side."""

from __future__ import annotations

import html
import json
from enum import StrEnum

import numpy as np
import streamlit as st

import a2core
from a2core import Cost, Exponent, Reading, Rival, canvas
from viz_app.components.cell_picker import cell_picker, picked
from viz_app.pages.compare.charts import cost_curves
from viz_app.pages.learn import lesson
from viz_app.pages.learn import service as teaching
from viz_app.pages.learn.page import LESSON_STYLE
from viz_app.server import faults, traces
from viz_app.server.traces import Shown
from viz_app.ui import guards, places
from viz_app.ui.figures import megabytes, number, overlay_url, whole
from viz_app.ui.guards import callback, fragment
from viz_app.ui.shell import styled, waiting

NAMES = {
    "squeeze_excitation": "Squeeze-and-excitation",
    "covariance_pooling": "Covariance pooling",
    "non_local": "Non-local",
    "self_attention": "Self-attention",
    "double_attention": "A², double attention",
}
GATHERS = {
    "squeeze_excitation": "One average over the whole picture becomes one gate for each channel.",
    "covariance_pooling": "How channels vary together over the picture becomes one vector.",
    "non_local": "The pixel is compared with every cell; the likest give most.",
    "self_attention": "As non-local, in several heads; shown is their mean.",
    "double_attention": "A small bag of primitives is gathered once; the pixel takes its own mixture.",
}


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses."""

    BLOCK = "compare-block"
    FRAME = "compare-frame"
    PLACE = "compare-place"  # ((trace key, block, probe), position)
    PICKER = "compare-picker"  # and the kind of block behind it


def render() -> None:
    """Draw the page."""
    styled()
    st.html(LESSON_STYLE)
    st.html(
        '<div class="a2-lead"><h1>Where does this pixel get its information from?</h1>'
        "<p>The same picture, the same trunk, five kinds of block. Drag in any of the pictures.</p></div>"
    )
    with waiting("Tracing the picture") as look:
        shown = traces.current_shown(look=look)
    _page(shown)


@fragment()
def _page(shown: Shown) -> None:
    """What changes with the pixel; reruns alone."""
    with st.container(key="lesson"):
        _side_by_side(shown)


def _side_by_side(shown: Shown) -> None:
    names = list(shown.trace.blocks)
    if st.session_state.get(Key.BLOCK) not in names:
        st.session_state[Key.BLOCK] = traces.current_probe(shown).block
    block: str = st.session_state[Key.BLOCK]
    position = _place(shown, block)
    with waiting("Running the other kinds of block") as look:
        found = teaching.readings(shown, block, look=look)
    frames = found[0][1].grid[0]
    if frames > 1:
        st.session_state.setdefault(Key.FRAME, position[0])
        t = st.slider("Frame", 0, frames - 1, key=Key.FRAME)
        position = (t, *position[1:])
    if any(not rival.trained for rival, _ in found):
        st.html(
            '<div class="a2-untrained" role="status"><strong>Untrained where it says so.</strong> Blocks '
            "without a "
            "checkpoint have random weights: what they cost is right, where they look means nothing.</div>"
        )
    with st.container(key="compare-row"):
        columns = st.columns(len(found), gap="small")
    for column, (rival, reading) in zip(columns, found, strict=True):
        with column:
            _one(shown, block, rival, reading, position)
    if len(names) > 1:
        words = {
            name: f"{canvas.block_word(entry, shown.trace, shown.card)} ({name})"
            for name, entry in shown.trace.blocks.items()
        }
        st.segmented_control(
            "Block",
            names,
            format_func=words.__getitem__,
            required=True,
            key=Key.BLOCK,
            label_visibility="collapsed",
            persist_state="session",
        )
    settings = {
        rival.kind: json.dumps(a2core.rival_settings(rival, block), sort_keys=True) for rival, _ in found
    }
    positions = int(np.prod(found[0][1].grid))
    _costs(settings, positions)
    _growth(settings, positions)


def _place(shown: Shown, block: str) -> tuple[int, int, int]:
    """The cell that is compared: the one marked on Explore until another is picked here."""
    probe = traces.current_probe(shown)
    about = (shown.key, block, probe)
    kept = st.session_state.get(Key.PLACE)
    if kept is not None and kept[0] == about:
        position: tuple[int, int, int] = kept[1]
        return position
    position = probe.position
    if block != probe.block:
        spot = places.spot_of(shown.trace.blocks[probe.block], probe.position)
        position = (probe.t, *places.cell_at(shown.trace.blocks[block], spot))
    st.session_state[Key.PLACE] = (about, position)
    st.session_state.pop(Key.FRAME, None)
    return position


def _one(shown: Shown, block: str, rival: Rival, reading: Reading, position: tuple[int, int, int]) -> None:
    """One kind of block: its map for the pixel, what it says, and whether others are handed the same."""
    t, row, col = position
    _, rows, cols = reading.grid
    attention = reading.row(position)
    name, key = NAMES[rival.kind], f"{Key.PICKER}-{rival.kind}"
    about = f"{shown.key}/{block}"
    flag = (
        f'<span class="a2-soft">trained: {html.escape(rival.checkpoint)}</span>'
        if rival.trained
        else '<em class="a2-random">untrained</em>'
    )
    st.html(f'<div class="a2-compare"><h2>{name}</h2>{flag}</div>')
    # Scaled to its peak, but never so that an even map looks full: that one is drawn even.
    high = max(float(attention.max()), 2.0 / attention.size)
    _, height_px, width_px, _ = shown.trace.model_input.shape
    cell_picker(
        teaching.small_frames(shown)[t],
        overlay_url(attention[t], "magma", high=high),
        identity=about,
        cell=(row, col),
        grid=(rows, cols),
        aspect=width_px / height_px,
        label=f"{shown.picture.alt}, {name}. Arrow keys move the pixel.",
        key=key,
        on_change=callback(lambda: _pick(key, about, t, (rows, cols))),
    )
    reach = lesson.effective_count(attention.ravel().astype(float))
    peak = number(f"{rival.kind}_peak", float(attention.max()))
    held = number(f"{rival.kind}_reach", reach)
    spread = number(f"{rival.kind}_spread", reading.spread)
    if reading.same_everywhere:
        same = (
            f"<b>The same for every pixel.</b> Its {'gates' if reading.handed == 'gates' else 'addition'} "
            "differ "
            f"between any two pixels by at most {spread}, of {number(f'{rival.kind}_scale', reading.scale)}: "
            "rounding."
        )
    else:
        same = f"Its own for every pixel: what two of them are handed differs by up to {spread}."
    st.html(
        f'<div class="a2-compare"><p>{GATHERS[rival.kind]}</p><p>{same}</p>'
        f'<p class="a2-soft">Peak {peak}, held by {held} cells.</p></div>'
    )


def _pick(key: str, identity: str, t: int, grid: tuple[int, int]) -> None:
    cell = picked(key, identity, grid)
    if cell is not None:
        about, _ = st.session_state[Key.PLACE]
        st.session_state[Key.PLACE] = (about, (t, *cell))


def _costs(settings: dict[str, str], positions: int) -> None:
    """What each block costs on this picture."""
    rows = ""
    for kind, settings_json in settings.items():
        with waiting(f"Measuring {NAMES[kind]}") as look:
            cost = teaching.cost_here(settings_json, positions, look=look)
        memory = "" if cost.peak_mib is None else _memory(cost.peak_mib)
        time = "" if cost.ms is None else f"{_three_digits(cost.ms)} ms"
        rows += (
            f"<tr><td>{NAMES[kind]}</td><td>{cost.parameters:,}</td>"
            f"<td>{_three_digits(cost.multiply_adds / 1e6)} M</td>"
            f"<td>{memory}</td><td>{time}</td></tr>"
        )
    full, _ = lesson.weights_bytes(positions, 1)
    st.html(
        f'<section class="a2-costs"><h2>What one block costs here, on {whole("N", positions)} positions</h2>'
        '<table class="a2-table"><thead><tr><th></th><th>parameters</th><th>multiply-adds</th>'
        "<th>memory at its peak</th><th>time on this machine</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p>Multiply-adds are those of matrix products, counted. Memory is "
        "beyond "
        "input, weights and output; time is the median of a few runs: both measured, in float32, one "
        "picture. "
        "Non-local and self-attention run fused: they never write the N × N map, which by itself would be "
        f"{megabytes('full_map', full)}.</p></section>"
    )


def _memory(mib: float) -> str:
    return f"{_three_digits(mib)} MiB" if mib >= 0.1 else f"{1024 * mib:.1f} KiB"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def _growth(settings: dict[str, str], positions: int) -> None:
    """How the cost grows with the positions: measured on demand, computed beyond, and said which."""
    known = {kind: teaching.known_curve(settings_json) for kind, settings_json in settings.items()}
    st.html('<section class="a2-costs"><h2>How the cost grows with the number of positions</h2></section>')
    slot = st.empty()  # measured once, it is there for everybody: the button goes
    if not all(known.values()) and slot.button("Measure on this machine", icon=":material/timer:"):
        _, fault = faults.attempt(lambda: _measure(settings))
        if fault:
            guards.tell(fault)
        known = {kind: teaching.known_curve(settings_json) for kind, settings_json in settings.items()}
        if all(known.values()):
            slot.empty()
    if all(known.values()):
        curves = {kind: (NAMES[kind], costs) for kind, costs in known.items() if costs}
        words = (
            "Discs are measured on this machine, open circles computed from the last disc by multiply-adds."
        )
    else:
        curves = {kind: (NAMES[kind], teaching.counted_curve(text)) for kind, text in settings.items()}
        words = "Multiply-adds, computed. Press the button for measured times: it takes about half a minute."
    figure = cost_curves(curves, here=positions)
    st.plotly_chart(figure, key="growth", config={"displayModeBar": False}, alt="Cost over positions")
    st.html(f'<p class="a2-overlay-says">{words} The dashed line is this picture.</p>')
    if all(known.values()):
        st.html(_exponents({kind: costs for kind, costs in known.items() if costs}))


def _measure(settings: dict[str, str]) -> None:
    """Measure what is not known yet, one kind after the other."""
    for kind, text in settings.items():
        with waiting(f"Measuring {NAMES[kind]}") as look:
            teaching.measure_curve(text, look=look)


def _exponents(known: dict[str, list[Cost]]) -> str:
    """The fitted exponents as a table."""
    rows = ""
    for kind, costs in known.items():
        fit: Exponent | None = a2core.fit_exponent(costs)
        if fit is None:
            rows += f"<tr><td>{NAMES[kind]}</td><td>too few points measured</td><td></td><td></td></tr>"
            continue
        rows += (
            f"<tr><td>{html.escape(NAMES[kind])}</td><td><b>{fit.value:.2f}</b> [{fit.low:.2f}, "
            f"{fit.high:.2f}]</td>"
            f"<td>{fit.counted:.2f}</td><td>{fit.points}, {fit.least:,} to {fit.most:,}</td></tr>"
        )
    return (
        '<section class="a2-costs"><h3>Time grows as N to the power of</h3><table '
        'class="a2-table"><thead><tr>'
        "<th></th><th>measured, with its 95 % interval</th><th>counted multiply-adds</th>"
        f"<th>points, positions</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )
