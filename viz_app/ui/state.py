"""What one visitor's session remembers, and the probe that comes back from the browser.

Session keys are a StrEnum, so that a key is never a loose string. A probe is parsed and validated
here; whatever does not fit the trace on screen is dropped, never repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from a2core import BlockTrace, Trace
from a2core.languages import LANGUAGES, language_of
from viz_app.ui.places import attending, choices


class Key(StrEnum):
    """Every key of `st.session_state` that the app uses."""

    PAGE = "page"  # url path of the page shown last
    SAMPLE = "sample"  # widget: id of the chosen picture
    SIZE = "size"  # widget: long side in pixels
    CHECKPOINT = "checkpoint"  # widget: name of the checkpoint
    ORDER = "order"  # widget: order of the bars
    SUM = "sum"  # widget: whether the table of the sum is open
    UPLOADS = "uploads"  # dict of picture id to pictures.Picture, newest last
    UPLOADER_ROUND = "uploader_round"  # grows after each upload, so that the drop zone empties itself
    CAMERA = "camera"  # widget: whether the camera is open
    CAMERA_TAKES = "camera_takes"  # widget: a picture or a clip
    INCOMING = "incoming"  # the files that are still to be read, as explore.File
    CUT = "cut"  # (picture id, pictures.Cut) that is still to be cut
    RECEIVED = "received"  # ids of the files that were taken from the drop zone or the camera last
    FAULT = "fault"  # what went wrong with the last upload, to be told until the next action
    SHOWN = "shown"  # the traces.Shown on screen: the last trace that worked
    EXPLORE = "explore_page"  # Explore as Streamlit knows it, for going there from another page
    PRIMITIVES = "primitives_page"  # the Primitives page, likewise
    ATLAS = "atlas"  # widget: index of the chosen atlas
    ATLAS_BLOCK = "atlas_block"  # widget: the block whose primitives are shown
    ATLAS_SORT = "atlas_sort"  # widget: by what they are sorted
    ATLAS_WORDS = "atlas_words"  # widget: words that they must hold
    ATLAS_VIEW = "atlas_view"  # widget: tiles, or a map of them
    ATLAS_NAMES = "atlas_names"  # widget: the file of names that is taken in
    NAMES = "names"  # dict of a checkpoint's sha256 to names that the visitor gave its primitives
    TILES = "tiles"  # the component that shows them
    VIEW = "view"  # (Shown, view) that the canvas was mounted with
    PROBE = "probe"  # the Probe that the charts are about
    SETTINGS = "settings"  # what the visitor set inside the canvas: opacity, scale, order of the gallery, …
    MARKS = "marks"  # dict of picture id to selection.Mark, the picture looked at last being the last
    TOGETHER = "together"  # widget: whether the frames of a clip are attended to jointly
    SOURCES = "sources"  # dict of picture id to uploads.Source, to cut other frames from, newest last
    STOPPED = "stopped"  # key of the trace that the visitor stopped
    LIFE_SEEN = "life_seen"  # the clicks in the heat maps over time that were followed
    ADDRESS = "address"  # query parameters of what is on screen
    HOME = "home"  # query parameters of what an address without any stands for
    AWAITED = "awaited"  # query parameters of a link whose picture the visitor still has to bring
    DRAWN = "drawn"  # revision of the view that the charts were drawn for
    CHARTS = "charts_seen"  # whether the visitor has come near the charts, which are heavy to load
    GLOSSARY = "symbols"  # the component with the symbols and words
    CANVAS = "canvas"  # the component in which people look
    PRESENT = "present"  # whether the visitor presents, on any page
    PRESENTER = "presenter"  # the component that switches it
    TURNS = "turns"  # how far the visitor stepped through the playlist, as the component counts
    LINKS = "links"  # how often the link was asked for
    LINK = "link"  # the presenter.Asked with a link that is to be shown
    PLAYLIST = "playlist"  # dict of picture id to (title, query parameters) to step through
    TICKET = "ticket"  # under which what the visitor brought is fetched after a reload
    HEARD = "heard"  # whether the browser has said which ticket it has from before
    LANGUAGE = "language"  # which the visitor chose, by the switch or a link
    LANGUAGE_SWITCH = "languages"  # the buttons that switch it
    GO = "go"  # query parameters of the stop that was stepped to and is not on screen yet


@dataclass(frozen=True)
class Probe:
    """A pixel of one block's grid and perhaps a primitive, valid for the trace with this `key`.

    `row` and `col` count cells of the block's grid from the top left, `t` its frames. Of a layer of the
    network's own attention the primitive is a head, and `token` one of those beside the picture that is asked
    instead of the pixel.
    """

    key: str
    block: str
    t: int
    row: int
    col: int
    primitive: int | None  # None: nobody chose one
    token: int | None = None

    @property
    def position(self) -> tuple[int, int, int]:
        """(t, row, col), in cells."""
        return self.t, self.row, self.col


def parse_probe(raw: Any, trace: Trace, key: str) -> Probe | None:
    """The browser's answer as a Probe, or None when it is malformed, stale or outside the trace.

    `raw` is anything at all; a single field that does not fit drops the whole answer.
    """
    if not isinstance(raw, Mapping) or raw.get("key") != key:
        return None
    name = raw.get("block")
    block = attending(trace, name) if isinstance(name, str) else None
    if block is None or not isinstance(name, str):
        return None
    frames, rows, cols = block.grid
    t, row, col = _index(raw.get("t"), frames), _index(raw.get("row"), rows), _index(raw.get("col"), cols)
    if t is None or row is None or col is None:
        return None
    tokens = 0 if isinstance(block, BlockTrace) else block.prefix
    chosen = {"primitive": choices(trace, name), "token": tokens}
    found = {field: _index(raw.get(field), size) for field, size in chosen.items()}
    if any(value is None and raw.get(field) is not None for field, value in found.items()):
        return None
    return Probe(key, name, t, row, col, **found)


def parse_settings(raw: Any) -> dict[str, str | float | bool]:
    """What the visitor set inside the canvas, as the browser reports it; {} when that is malformed.

    Only plain values pass: the canvas checks each against its own list when it gets them back, and
    what is about one picture (pins, a region) is not a setting.
    """
    view = raw.get("view") if isinstance(raw, Mapping) else None
    if not isinstance(view, Mapping):
        return {}
    plain = {name: value for name, value in view.items() if isinstance(value, str | int | float | bool)}
    return {name: value for name, value in plain.items() if isinstance(name, str) and len(str(value)) < 64}


def _index(value: Any, size: int) -> int | None:
    """`value` as an index below `size`, or None. JSON has no integers: 3.0 is 3, True is nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value % 1:
        return None
    return int(value) if 0 <= value < size else None


def presenting() -> bool:
    """Whether the visitor presents: large type, nothing that is only for one who sits before it."""
    return st.session_state.get(Key.PRESENT) is True


LANGUAGE_COOKIE = (
    "a2-language"  # which a browser keeps of the choice, from page to page and for the next visit
)
LANG = "lang"  # likewise, in an address


def enter_language() -> None:
    """On the first run of a visit: take the language of the link that was opened."""
    asked = st.query_params.get(LANG, "")
    if Key.LANGUAGE not in st.session_state and asked in LANGUAGES:
        st.session_state[Key.LANGUAGE] = asked


def choose_language(language: str) -> None:
    """Read in `language` from now on."""
    st.session_state[Key.LANGUAGE] = language
    if LANG in st.query_params:
        st.query_params[LANG] = language


def chosen_language() -> str:
    """The language that the visitor chose, now or on an earlier visit; "" where none was chosen."""
    chosen = st.session_state.get(Key.LANGUAGE) or st.context.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else ""


def language() -> str:
    """The language in which the visitor reads: the chosen one, or else the browser's."""
    return chosen_language() or language_of(str(st.context.locale or ""))


def language_parameter() -> dict[str, str]:
    """What an address says of the language: nothing unless one was chosen."""
    chosen = chosen_language()
    return {LANG: chosen} if chosen else {}


def came_by_history() -> bool:
    """Whether this run was asked for by the browser's back or forward button."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def enter_page(url_path: str) -> None:
    """Note which page is shown; on a change, let the canvas be mounted afresh at the last probe."""
    if st.session_state.get(Key.PAGE) != url_path:
        st.session_state[Key.PAGE] = url_path
        st.session_state.pop(Key.VIEW, None)
