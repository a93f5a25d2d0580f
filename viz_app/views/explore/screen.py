"""What is on Explore's screen: where it starts, what is carried over to another picture, and its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from viz_app.components.runtime import override
from viz_app.server.traces import Shown
from viz_app.ui import address, places, playlist
from viz_app.ui.selection import looked_at, parameters_of, remember
from viz_app.ui.state import Key, Probe, came_by_history, language_parameter, presenting
from viz_app.views.explore import words

FIRST_BARS = "rank"
FIRST_VIEW: dict[str, Any] = {
    "direction": "from",
    "layer": "attention",
    "scale": "relative",
    "sort": "rho",
    "tiles": "gather",
    "opacity": 0.75,
}


def link_to_follow() -> Mapping[str, str] | None:
    """The query parameters to follow in this run; None: the visitor goes on from what is there."""
    if (stop := st.session_state.pop(Key.GO, None)) is not None:
        return stop
    asked = address.without_language(st.query_params.to_dict())
    awaited: Mapping[str, str] | None = st.session_state.get(Key.AWAITED)
    if awaited is not None and st.session_state.get(Key.SAMPLE) == awaited[address.PICTURE]:
        return awaited
    if came_by_history():
        return asked or st.session_state.get(Key.HOME) or {}
    if Key.VIEW in st.session_state:
        return None
    # The page was opened, or come back to from another.
    st.session_state[Key.HOME] = st.session_state.get(Key.ADDRESS) or {}
    return asked or st.session_state[Key.HOME]


def is_chosen(shown: Shown) -> bool:
    """Whether `shown` is what the controls ask for, and not what was there before because that failed."""
    asked = (Key.SAMPLE, Key.CHECKPOINT, Key.SIZE)
    return [st.session_state.get(key) for key in asked] == [
        shown.picture.id,
        shown.weights.label,
        shown.size_px,
    ]


def first_view(shown: Shown, link: Mapping[str, str] | None) -> tuple[dict[str, Any], list[str]]:
    """How the canvas starts, and what of `link` could not be had.

    Kept as it is while the trace stays and no link is followed, so that the canvas never remounts. A new
    trace keeps the block that was looked at and all settings, and of the same picture also the place.
    """
    kept: tuple[Shown, dict[str, Any]] | None = st.session_state.get(Key.VIEW)
    if link is None and kept is not None and kept[0].key == shown.key:
        return dict(kept[1]), []
    faults: list[str] = []
    if link is None:
        probe = looked_at(shown)
        view = FIRST_VIEW | st.session_state.get(Key.SETTINGS, {})
    else:
        asked, faults = address.followed(link, shown.trace)
        view = FIRST_VIEW | asked
        st.session_state[Key.SETTINGS] = {name: view[name] for name in FIRST_VIEW}
        block = places.attending(shown.trace, view["block"]) or places.default_block(shown.trace)
        t, row, col = view.get("probe") or places.default_position(block, shown.picture.spot)
        probe = Probe(shown.key, view["block"], t, row, col, view["primitive"], view["token"])
    view |= {"block": probe.block, "probe": list(probe.position), "primitive": probe.primitive}
    view["token"] = probe.token
    view["revision"] = override(Key.CANVAS, shown.key)
    if not view.get("pins"):
        view.pop("pins", None)  # no pins would take the canvas back to where it rested before
    st.session_state[Key.VIEW] = (shown, view)
    remember(shown, probe)
    if link is not None:
        # The first address of a visit stays in the bar as it is until something changes, and the back
        # button leaves; a later one is completed, in place.
        first = Key.ADDRESS not in st.session_state
        st.session_state[Key.ADDRESS] = address_of(shown, probe, view) if first else None
    return dict(view), faults


def address_of(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> dict[str, str]:
    """What is on screen, as query parameters."""
    return {
        **parameters_of(shown),
        **address.written(probe, {**view, "presentation": presenting()}, shown.trace),
        address.BARS: st.session_state.get(Key.ORDER, FIRST_BARS),
    }


def bars_of(link: Mapping[str, str]) -> str:
    """In which order `link` has the bars."""
    asked = link.get(address.BARS, "")
    return asked if asked in words.BARS else FIRST_BARS


def note(shown: Shown, probe: Probe, view: Mapping[str, Any], *, pinned: bool | None) -> None:
    """What is on screen: into the address, for when the visitor comes back to this page, and for presenting.

    While presenting, the header counts the pins: one more or fewer, and all of the page is drawn again.

    Args:
        shown: the trace.
        probe: what is marked in it.
        view: how it is looked at.
        pinned: whether there are pins in the picture, None before anybody touched it.
    """
    now = address_of(shown, probe, view)
    before = len(playlist.stops())
    playlist.keep(shown.picture.title, now, pinned=pinned)
    counted_anew = presenting() and len(playlist.stops()) != before
    if now != st.session_state.get(Key.ADDRESS):
        st.session_state[Key.ADDRESS] = now
        st.query_params.from_dict(now | language_parameter())
    if counted_anew:
        st.rerun()


def go(shown: Shown, probe: Probe, view: Mapping[str, Any], *, layer: str) -> None:
    """Show `probe`, its primitive as `layer`, from the next run on."""
    wanted = dict(view) | {
        "block": probe.block,
        "probe": list(probe.position),
        "primitive": probe.primitive,
        "layer": layer,
        "revision": override(Key.CANVAS, shown.key),
    }
    for gone in ("pins", "region"):
        wanted.pop(gone, None)
    st.session_state[Key.VIEW] = (shown, wanted)
    remember(shown, probe)
