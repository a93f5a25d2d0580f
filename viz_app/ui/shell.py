"""What pages share: style, waiting, and following a link."""

from __future__ import annotations

import contextlib
import html
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from a2core import lesson
from viz_app.server import models, samples, traces, uploads
from viz_app.server.jobs import Standing
from viz_app.server.traces import Shown
from viz_app.server.visitors import Look
from viz_app.ui import address, link_words, places, text
from viz_app.ui.guards import callback
from viz_app.ui.selection import current_probe, remember
from viz_app.ui.state import Key, Probe

STYLES = Path(__file__).resolve().parent / "style"
OF_THE_LESSON = ("figures", "lesson")
STYLE_OF_ALL = ("style.css", "presenting.css", "streamlit.css")
MOST_REMARKS = 6
WORDS_AFTER_S = 0.4  # of waiting: what is there sooner needs none


def styled(*sheets: str) -> None:
    """Put the app's own type and spacing over Streamlit's, then a page's own."""
    st.html(f"<style>{''.join(map(style, (*STYLE_OF_ALL, *sheets)))}</style>")


def style(sheet: str) -> str:
    """What is in a style sheet of the app, over what the lesson has under the same name."""
    own, stem = STYLES / sheet, sheet.removesuffix(".css")
    shared = lesson.style(stem, within=".st-key-lesson") if stem in OF_THE_LESSON else ""
    return shared + (own.read_text(encoding="utf-8") if own.is_file() else "")


def follow(link: Mapping[str, str] | None) -> tuple[Mapping[str, str] | None, list[str]]:
    """Choose the picture, weights and size of `link`; what of it holds, and a remark on all else."""
    if link is None:
        return None, []
    remarks = []
    st.session_state.pop(Key.AWAITED, None)
    pictures = {sample.name: text.picture(sample.name, sample.title) for sample in samples.SAMPLES}
    pictures[samples.MADE] = text.picture(samples.MADE, samples.sample_clip().title)
    pictures |= {name: picture.title for name, picture in st.session_state.get(Key.UPLOADS, {}).items()}
    name = wanted = link.get(address.PICTURE) or samples.SAMPLES[0].name
    if wanted not in pictures:
        name = samples.SAMPLES[0].name
        if wanted.startswith(uploads.UPLOAD_PREFIX):
            st.session_state[Key.AWAITED] = dict(link)
            remarks.append(link_words.own_picture(pictures[name]))
        else:
            remarks.append(link_words.no_picture(wanted, pictures[name]))
        link = address.without_places(link)
    st.session_state[Key.SAMPLE] = name

    size = link.get(address.SIZE, str(traces.DEFAULT_SIZE_PX))
    sizes = {str(size_px): size_px for size_px in traces.SIZES_PX}
    if size not in sizes:
        remarks.append(link_words.no_size(size, traces.DEFAULT_SIZE_PX))
    st.session_state[Key.SIZE] = sizes.get(size, traces.DEFAULT_SIZE_PX)

    labels = [weights.label for weights in models.list_weights()[0]]
    label = link.get(address.WEIGHTS) or next(iter(labels), "")
    if labels and label not in labels:
        remarks.append(link_words.no_weights(label, labels[0]))
    st.session_state[Key.CHECKPOINT] = label  # unknown: the first is chosen where the choice is drawn
    return link, remarks


def open_at(asked: Mapping[str, str], *, look: Look | None = None) -> list[str]:
    """Have the picture and the mark of a link on a page that is not Explore; what could not be had."""
    link, remarks = follow(asked)
    usable, _ = models.list_weights()
    if not usable or link is None:
        return remarks
    weights = {weights.label: weights for weights in usable}.get(st.session_state[Key.CHECKPOINT])
    name: str = st.session_state[Key.SAMPLE]
    sample = next((sample for sample in samples.SAMPLES if sample.name == name), None)
    given = samples.sample_clip() if sample is None else samples.load_sample(sample)
    picture = uploads.own().get(name, given)
    shown = traces.show(picture, weights or usable[0], st.session_state[Key.SIZE], look=look)
    probe, faults = _probe_of(link, shown)
    st.session_state[Key.SHOWN] = shown
    remember(shown, probe)
    # What it says itself stays as it is, and first.
    completed = {**link, **address.written(probe, {}, shown.trace), **link}
    # On Explore the picture it is about can be brought.
    st.session_state[Key.ADDRESS] = dict(st.session_state.get(Key.AWAITED, completed))
    return remarks + faults


def _probe_of(link: Mapping[str, str], shown: Shown) -> tuple[Probe, list[str]]:
    """The mark that `link` asks for, where it names no place the visitor's own; what could not be had."""
    view, faults = address.followed(link, shown.trace)
    if not link.keys() & {address.BLOCK, *address.PLACES}:
        return current_probe(shown), faults
    block = places.attending(shown.trace, view["block"]) or places.default_block(shown.trace)
    t, row, col = view.get("probe") or places.default_position(block, shown.picture.spot)
    return Probe(shown.key, view["block"], t, row, col, view["primitive"], view["token"]), faults


def current_shown(*, look: Look) -> Shown:
    """What the visitor looked at last, on any page, or what was just stepped to in front of a class.

    Where a visit begins with a link, its picture; what of it could not be had is told here.

    Raises:
        A2Error: there is no checkpoint to use, or it is refused.
        Whatever `look` raises.
    """
    asked = st.session_state.pop(Key.GO, None)
    if asked is None and Key.SHOWN not in st.session_state and address.PICTURE in st.query_params:
        asked = address.without_language(st.query_params.to_dict())
    if asked is not None:
        tell_link(st.container(), open_at(asked, look=look))
    return traces.current_shown(look=look)


def to_explore() -> None:
    """Go to Explore, which starts at what is chosen; nothing after this runs."""
    st.switch_page(st.session_state[Key.EXPLORE])


def tell_link(notices: DeltaGenerator, remarks: list[str]) -> None:
    """Say what of a link could not be had, and what was done instead."""
    if remarks:
        lines = "".join(f"<p>{html.escape(remark)}</p>" for remark in remarks[:MOST_REMARKS])
        notices.html(f'<div class="a2-note" role="status">{lines}</div>')


@contextlib.contextmanager
def waiting(
    what: str,
    place: DeltaGenerator | None = None,
    *,
    on_stop: Callable[..., None] | None = None,
    args: tuple[Any, ...] = (),
    key: str = "",
) -> Iterator[Look]:
    """Say in `place` how `what` stands while the visitor waits for it: its place in the line, its progress.

    Gives what `look` of the server's work wants. Clicking anything, and closing the page, ends a script at
    its next word to the browser: here. With `on_stop` there is a button to click for that, which calls it
    with `args`; `key` is the button's, another one for each wait of a run.
    """
    began_s = time.monotonic()
    spot = bar = None

    def look(standing: Standing) -> None:
        nonlocal spot, bar
        if bar is None:
            if time.monotonic() - began_s < WORDS_AFTER_S:
                return
            spot = (st if place is None else place).empty()
            with spot.container(horizontal=True, vertical_alignment="center", gap="medium"):
                bar = st.progress(0.0)
                if on_stop is not None:
                    st.button(text.STOP, on_click=callback(on_stop), args=args, key=f"stop-{key}")
        bar.progress(min(1.0, standing.share), text.waiting(what, standing.ahead))

    yield look
    if spot is not None:
        spot.empty()
