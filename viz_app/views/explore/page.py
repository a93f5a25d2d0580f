"""The Explore page: its parts in their order, and what of it reruns alone."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from viz_app.components.probe_canvas import probe_canvas, send_cards, send_layer, send_payload
from viz_app.components.runtime import fresh
from viz_app.server import models, replays, traces
from viz_app.server.faults import attempt
from viz_app.server.pictures import Picture
from viz_app.server.traces import Shown
from viz_app.ui import language
from viz_app.ui.guards import callback, fragment, guarded, tell
from viz_app.ui.selection import remember
from viz_app.ui.shell import follow, styled, tell_link, waiting
from viz_app.ui.state import Key, parse_probe, parse_settings
from viz_app.ui.text import as_markdown
from viz_app.views.explore import (
    charts,
    content,
    controls,
    elsewhere,
    exports,
    screen,
    service,
    uploads,
    words,
)
from viz_app.views.explore.controls import Choice

# Charts keep the browser busy for longer than the canvas does: a new picture answers the mouse before
# they follow. While the server waits, the charts before stay on screen.
CHARTS_LATER_S = 0.25
MEASURED_EVERY_S = 0.4


def render() -> None:
    """Draw the page: one sentence, the controls, the canvas, the charts."""
    styled()
    st.html(words.LEAD)
    row = st.container(key="controls", horizontal=True, gap="small", vertical_alignment="bottom")
    notices = st.container(key="notices")  # always there: a notice must not move, and so remount, the canvas
    uploads.take_in(notices)  # first: a link may have waited for what was dropped
    link, remarks = follow(screen.link_to_follow())
    if link is not None:
        st.session_state[Key.ORDER] = screen.bars_of(link)
    shown = _shown(row, notices)
    if shown is None:
        return
    view, faults = screen.first_view(shown, link if screen.is_chosen(shown) else None)
    tell_link(notices, [*remarks, *faults])
    if not shown.trace.trained:
        whole_network = shown.weights.label == models.VIDEO_NETWORK
        born = bool(shown.trace.attention) and shown.trace.born_trained
        notices.html(words.untrained(whole_network=whole_network, yours=shown.weights.yours, born=born))
    taught = shown.trace.trained and shown.picture.is_clip
    st.html(
        content.answer(shown.trace, shown.picture.credit, service.taught_by(shown.weights) if taught else "")
    )
    send_payload(shown.payload, key=Key.CANVAS)  # here, not in the fragment: a pin does not send it again
    with st.container(key="parcel-said"):  # always there, as the notices, and never in sight
        cards = send_cards(service.cards(shown), shown.key, key=Key.CANVAS)
    _canvas_and_charts(shown, view, cards)
    traces.prepare_samples(shown.weights)


def _shown(row: DeltaGenerator, notices: DeltaGenerator) -> Shown | None:
    """What the controls ask for, traced; or, when that fails, what was on screen, under a message."""
    chosen = controls.choice(row)
    fault = st.session_state.pop(Key.FAULT, "") or chosen.trouble
    shown: Shown | None = None
    if chosen.weights is None:
        fault = chosen.trouble
    elif chosen.picture is not None:
        shown, trouble = _traced(chosen, chosen.picture, notices)
        fault = fault or trouble
    if shown is None:
        shown = st.session_state.get(Key.SHOWN)
        if shown is not None and not shown.held.here:
            shown = None
    st.session_state[Key.SHOWN] = shown
    with notices:
        if fault:
            tell(fault)
        _tell_refused()
    return shown


def _traced(chosen: Choice, picture: Picture, notices: DeltaGenerator) -> tuple[Shown | None, str]:
    """The picture traced, with its place in the line and a button that stops it; None and why not."""
    if chosen.weights is None:
        return None, chosen.trouble
    together = traces.JOINT
    if picture.is_clip:
        with notices:  # before them; elsewhere they would move, and so remount, the canvas
            together = controls.clip(picture)
    asked = (picture, chosen.weights, chosen.size_px, together)
    key = traces.shown_key(*asked)
    if st.session_state.get(Key.STOPPED) == key and not traces.known(*asked):
        with notices.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(words.STOPPED)
            st.button(words.TRACE_AFTER_ALL, on_click=_forget_stop)
        return None, ""
    what = words.tracing(picture.frames)
    with waiting(what, notices, on_stop=_stop, args=(key,), key="tracing") as look:
        return attempt(lambda: traces.show(*asked, look=look))


def _stop(key: str) -> None:
    st.session_state[Key.STOPPED] = key


@callback
def _forget_stop() -> None:
    st.session_state.pop(Key.STOPPED, None)


def _tell_refused() -> None:
    _, refused = models.list_weights()
    if refused:
        with st.expander(words.refused(len(refused))):
            for info in refused:
                st.markdown(f"**{as_markdown(info.path.name)}**: {as_markdown(language.told(info.fault))}")


@fragment()
def _canvas_and_charts(shown: Shown, view: dict[str, Any], cards: str) -> None:
    """The canvas and what depends on its pin; a pin reruns this alone."""
    still = not shown.picture.is_clip
    answers = still and bool(shown.trace.top)  # what a primitive does to the answer needs one
    found, fault = attempt(lambda: replays.measured_effects(shown) if answers else {})
    effects = found or {}
    layer = _send_layer(shown, view)
    raw = probe_canvas(
        shown.key,
        view=view,
        key=Key.CANVAS,
        measures=("effect",) if answers else (),
        effects={name: values.tolist() for name, values in effects.items()},
        layer=layer,
        cards=cards,
    )
    probe = parse_probe(raw, shown.trace, shown.key)
    if raw is not None and probe is not None:
        remember(shown, probe)
        st.session_state[Key.SETTINGS] = parse_settings(raw)
        view = view | raw["view"]
    probe = st.session_state[Key.PROBE]
    measuring = st.container(key="measuring")
    if fault:
        with measuring:
            tell(fault)
    # Before the charts, during which a visitor may go.
    guarded(screen.note)(shown, probe, view, pinned=None if raw is None else bool(raw["pinned"]))
    if st.session_state.get(Key.DRAWN) != view["revision"]:
        st.session_state[Key.DRAWN] = view["revision"]
        time.sleep(CHARTS_LATER_S)
    # Each by itself: a fault in one takes none of the others off the screen.
    if probe.block in shown.trace.blocks:
        guarded(elsewhere.draw)(shown, probe)
        guarded(charts.of_pixel)(shown, probe)
    if shown.picture.plays and st.session_state.get(Key.CHARTS):
        guarded(charts.over_time)(shown, probe, view)
    guarded(exports.draw)(shown, effects, probe, view)
    if answers and view.get("sort") == "effect" and probe.block in shown.trace.blocks:
        with measuring:  # begun last: nothing of the page waits for it
            guarded(_effects)(shown, probe.block)


def _send_layer(shown: Shown, view: dict[str, Any]) -> str:
    """Send the layer that is looked at, where the payload has it by name alone; its name, "" for none."""
    told = parse_probe(fresh(Key.CANVAS, "probe", shown.key), shown.trace, shown.key)
    name = told.block if told is not None else str(view.get("block"))
    with waiting(words.FETCHING) as look:
        found, _ = attempt(lambda: traces.layer(shown, name, look=look))
    if found is None:
        return ""
    send_layer(found, shown.key, key=Key.CANVAS)
    return name


def _effects(shown: Shown, block: str) -> None:
    """Have the effects of the block's primitives measured, and say how far that is."""
    effects = replays.effects(shown, block)
    if fault := effects.take_fault():
        tell(fault)
    elif not effects.whole:
        _measuring(shown, block)


@fragment(run_every=MEASURED_EVERY_S)
def _measuring(shown: Shown, block: str) -> None:
    """Progress; when all is measured the page runs again and hands it to the canvas."""
    effects = replays.effects(shown, block)
    if effects.whole or effects.fault:
        st.rerun()
    count = len(effects.values)
    st.progress(effects.done / count, words.measuring(block, effects.done, count))
