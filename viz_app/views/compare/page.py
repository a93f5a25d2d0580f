"""The Compare page: double attention beside its relatives, or any two networks, under one pointer."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

import numpy as np
import streamlit as st

import a2core
from a2core import Reading, Rival
from viz_app.components.probe_canvas import send_layer, send_payload
from viz_app.components.side_by_side import Pane, asked_in, side_by_side
from viz_app.server import faults, models, traces
from viz_app.server.traces import Shown
from viz_app.ui import guards, language, places
from viz_app.ui.guards import callback, fragment
from viz_app.ui.selection import (
    cell_was_marked,
    choose_block,
    current_block,
    looked_at,
    mark,
    marked_cell,
    remember,
)
from viz_app.ui.shell import current_shown, styled, waiting
from viz_app.ui.state import Probe, presenting
from viz_app.views.compare import content, service, words
from viz_app.views.compare.charts import cost_curves


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses."""

    WHAT = "compare-what"  # widget: kinds of block, or two networks
    OTHER = "compare-other"  # widget: the label of the other network
    BLOCK = "compare-block"
    ROW = "compare-canvases"
    PLACE = "compare-row"
    SPOT = "compare-spot"  # (probe, spot) as it was asked in the row


def render() -> None:
    """Draw the page."""
    styled("figures.css", "compare.css")
    st.html(words.LEAD)
    with waiting(words.TRACING) as look:
        shown = current_shown(look=look)
    if not presenting():
        if Key.WHAT not in st.session_state:
            st.session_state[Key.WHAT] = "networks" if shown.weights.yours else "kinds"
        st.segmented_control(
            words.WHAT,
            list(words.BOTH),
            format_func=words.BOTH.__getitem__,
            required=True,
            key=Key.WHAT,
            label_visibility="collapsed",
        )
    if st.session_state.get(Key.WHAT) == "networks":
        _networks(shown)
    else:
        _kinds(shown)


def _kinds(shown: Shown) -> None:
    """Double attention and its relatives on one trunk."""
    block = current_block(shown, Key.BLOCK)
    with waiting(words.RUNNING) as look:
        found = service.readings(shown, block, look=look)
    if any(not rival.trained for rival, _ in found):
        st.html(words.UNTRAINED)
    for rival, reading in found:
        with waiting(words.RUNNING) as look:
            payload = service.payload(shown, block, rival, reading, look=look)
        send_payload(payload, key=f"{Key.ROW}-{rival.kind}")
    _five(shown, block, found)
    if presenting():
        return  # the pictures have the window to themselves
    choose_block(shown, Key.BLOCK)
    settings = {
        rival.kind: json.dumps(a2core.rival_settings(rival, block), sort_keys=True) for rival, _ in found
    }
    positions = int(np.prod(found[0][1].grid))
    _costs(settings, positions)
    _growth(settings, positions)


@fragment()
def _five(shown: Shown, block: str, found: list[tuple[Rival, Reading]]) -> None:
    """What changes with the pixel; reruns alone."""
    position, seen = marked_cell(shown, block), shown.trace.blocks[block]
    identity = f"{shown.key}/{block}"
    panes = [
        Pane(
            service.payload_key(shown, block, rival),
            content.heading(rival),
            content.under_picture(rival.kind, reading),
            words.moves(language.told(shown.picture.alt), words.NAMES[rival.kind]),
            {"block": rival.kind, "probe": list(position), "pinned": cell_was_marked(shown)},
        )
        for rival, reading in found
    ]

    def asked() -> None:
        said = asked_in(Key.ROW, identity, len(panes))
        if said is not None:
            t = min(said.t, seen.grid[0] - 1)
            mark(shown, position=(t, *places.cell_at(seen, said.spot)))

    _row(shown, panes, identity, (*_rounded(places.spot_of(seen, position)), position[0]), asked, small=True)


def _networks(shown: Shown) -> None:
    """Any two networks on the same picture."""
    others = [weights for weights in models.list_weights()[0] if weights != shown.weights]
    if not others:
        st.html(f"<p>{words.NO_OTHER}</p>")
        return
    by_label = {weights.label: weights for weights in others}
    if st.session_state.get(Key.OTHER) not in by_label:
        st.session_state[Key.OTHER] = next(iter(by_label))
    st.selectbox(words.OTHER, list(by_label), key=Key.OTHER, width=320)
    with waiting(words.TRACING) as look:
        other = traces.show(shown.picture, by_label[st.session_state[Key.OTHER]], shown.size_px, look=look)
    traces.keep_on_screen(shown, other)
    for at, each in enumerate((shown, other)):
        send_payload(each.payload, key=f"{Key.ROW}-{at}")
    _two(shown, other)


@fragment()
def _two(shown: Shown, other: Shown) -> None:
    probe = looked_at(shown)
    seen = places.attending(shown.trace, probe.block) or places.default_block(shown.trace)
    spot = places.spot_of(seen, probe.position)
    identity = f"{shown.key}+{other.key}"
    said = asked_in(Key.ROW, identity, 2)
    panes = []
    for at, each in enumerate((shown, other)):
        name = said.blocks[at] if said is not None else ""
        if places.attending(each.trace, name) is None:
            name = probe.block if at == 0 else places.first_looked_at(each.trace)
        block = places.attending(each.trace, name) or places.default_block(each.trace)
        t = min(probe.t, block.grid[0] - 1)
        with waiting(words.FETCHING) as look:
            layer = traces.layer(each, name, look=look)
        if layer is not None:
            send_layer(layer, each.key, key=f"{Key.ROW}-{at}")
        cell = [t, *places.cell_at(block, spot)]
        view = {"block": name, "probe": cell, "pinned": cell_was_marked(shown)}
        label = words.moves(language.told(each.picture.alt), each.weights.label)
        panes.append(Pane(each.key, content.network(each), "", label, view, name if layer else ""))

    def asked() -> None:
        found = asked_in(Key.ROW, identity, 2)
        if found is None:
            return
        name = found.blocks[0]
        block = places.attending(shown.trace, name)
        if block is not None:
            t = min(found.t, block.grid[0] - 1)
            remember(shown, Probe(shown.key, name, t, *places.cell_at(block, found.spot), None))

    _row(shown, panes, identity, (*_rounded(spot), probe.t), asked, small=False)


def _row(
    shown: Shown,
    panes: list[Pane],
    identity: str,
    spot: tuple[float, float, int],
    asked: Callable[[], None],
    *,
    small: bool,
) -> None:
    """The canvases; where the visitor asked last, as they said it, so that they are not moved back."""
    kept: tuple[Probe, tuple[float, float, int]] | None = st.session_state.get(Key.SPOT)
    if kept is not None and kept[0] == looked_at(shown):
        spot = kept[1]

    def note() -> None:
        asked()
        found = asked_in(Key.ROW, identity, len(panes))
        if found is not None:
            st.session_state[Key.SPOT] = (looked_at(shown), (*found.spot, found.t))

    with st.container(key=Key.PLACE):
        side_by_side(
            panes,
            identity=identity,
            spot=spot,
            small=small,
            scale=words.SCALE,
            presenting=presenting(),
            key=Key.ROW,
            on_change=callback(note),
        )


def _rounded(spot: tuple[float, float]) -> tuple[float, float]:
    """As the browser says it."""
    return round(spot[0], 4), round(spot[1], 4)


def _costs(settings: dict[str, str], positions: int) -> None:
    """What each block costs on this picture."""
    found = {}
    for kind, settings_json in settings.items():
        with waiting(words.measuring(kind)) as look:
            found[kind] = service.cost_here(settings_json, positions, look=look)
    st.html(content.costs(found, positions))


def _growth(settings: dict[str, str], positions: int) -> None:
    """How the cost grows with the positions: measured on demand, computed beyond, and said which."""
    known = service.known_curves(settings)
    st.html(words.GROWTH)
    slot = st.empty()  # measured once, it is there for everybody: the button goes
    if known is None and slot.button(words.MEASURE, icon=":material/timer:"):
        _, fault = faults.attempt(lambda: _measure(settings))
        if fault:
            guards.tell(fault)
        known = service.known_curves(settings)
        if known is not None:
            slot.empty()
    curves = known or {kind: service.counted_curve(text) for kind, text in settings.items()}
    figure = cost_curves({kind: (words.NAMES[kind], costs) for kind, costs in curves.items()}, here=positions)
    st.plotly_chart(figure, key="growth", config={"displayModeBar": False}, alt=words.GROWTH_ALT)
    st.html(words.growth(measured=known is not None))
    if known is not None:
        st.html(content.exponents(known))


def _measure(settings: dict[str, str]) -> None:
    """Measure what is not known yet, one kind after the other."""
    for kind, text in settings.items():
        with waiting(words.measuring(kind)) as look:
            service.measure_curve(text, look=look)
