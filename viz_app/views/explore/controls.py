"""What is chosen on Explore: the picture, its detail, the weights; of a clip its frames and how they attend.

Not in here: bringing pictures of one's own (`uploads.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from viz_app.server import models, samples, traces
from viz_app.server.models import Weights
from viz_app.server.pictures import Cut, Picture
from viz_app.server.uploads import Source, own, source_of
from viz_app.ui import text
from viz_app.ui.guards import callback
from viz_app.ui.state import Key
from viz_app.ui.text import as_markdown
from viz_app.views.explore import uploads, words

MOST_FRAMES = 64


class Choice(NamedTuple):
    """What was chosen; None where there is nothing to choose from, and `trouble` then says why."""

    picture: Picture | None
    weights: Weights | None
    size_px: int
    trouble: str


def choice(row: DeltaGenerator) -> Choice:
    """Draw the row of controls; what they say."""
    usable, _ = models.list_weights()
    with row:
        picture, trouble = _picture()
        size = st.segmented_control(
            words.SIZE, traces.SIZES_PX, required=True, key=Key.SIZE, help=words.ABOUT_SIZE
        )
        weights = _weights(usable)
    return Choice(
        picture, weights, size or traces.DEFAULT_SIZE_PX, text.NO_CHECKPOINT if weights is None else trouble
    )


def _picture() -> tuple[Picture | None, str]:
    """The picture chosen in the strip, or None and why it cannot be had."""
    loaded, troubles = samples.load_samples()
    strip = {**own(), **loaded}
    if not strip:
        return None, troubles[0]
    if not troubles:
        strip[samples.MADE] = samples.sample_clip()
    if st.session_state.get(Key.SAMPLE) not in strip:
        st.session_state[Key.SAMPLE] = next(iter(strip))
    chosen = st.segmented_control(
        words.PICTURE,
        list(strip),
        format_func=lambda name: (
            f"![]({strip[name].thumbnail}) {as_markdown(text.picture(name, strip[name].title))}"
        ),
        required=True,
        key=Key.SAMPLE,
        label_visibility="collapsed",
    )
    uploads.draw()
    return strip.get(chosen or ""), ""


def _weights(usable: list[Weights]) -> Weights | None:
    by_label = {weights.label: weights for weights in usable}
    if not by_label:
        return None
    if st.session_state.get(Key.CHECKPOINT) not in by_label:
        st.session_state[Key.CHECKPOINT] = next(iter(by_label))
    with st.container(key="weights", width=240 if any(weights.yours for weights in usable) else 180):
        label = st.selectbox(
            words.WEIGHTS,
            list(by_label),
            format_func=lambda name: words.weights_name(name, yours=by_label[name].yours),
            key=Key.CHECKPOINT,
            help=words.ABOUT_WEIGHTS,
        )
    return by_label[label]


# ---- of a clip


def clip(picture: Picture) -> str:
    """Draw what can be chosen about a clip; what its blocks attend over."""
    with st.container(key="clip", horizontal=True, gap="medium", vertical_alignment="top"):
        together = st.segmented_control(
            words.ATTEND_OVER,
            list(words.TOGETHER),
            format_func=words.TOGETHER.__getitem__,
            required=True,
            default=traces.JOINT,
            key=Key.TOGETHER,
            help=words.ABOUT_TOGETHER,
        )
        source = source_of(picture)
        if source is not None and source.held.here and picture.cut is not None and source.end_s > 0:
            _stretch(picture, picture.cut, source)
    return together or traces.JOINT


def _stretch(picture: Picture, cut: Cut, source: Source) -> None:
    """From when to when, and how many frames; the widgets belong to this clip."""
    stretch, frames = uploads.cut_keys(picture.id)
    asked = (picture.id, stretch, frames)
    with st.container(width=260):
        st.slider(
            words.STRETCH,
            0.0,
            source.end_s,
            (cut.start_s, cut.end_s),
            step=max(0.01, round(source.end_s / 200, 2)),
            format="%.2f",
            key=stretch,
            on_change=_ask_cut,
            args=asked,
        )
    with st.container(width=180):
        st.slider(words.FRAMES, 1, MOST_FRAMES, cut.count, key=frames, on_change=_ask_cut, args=asked)


@callback
def _ask_cut(picture_id: str, stretch: str, frames: str) -> None:
    start_s, end_s = st.session_state[stretch]
    st.session_state[Key.CUT] = (picture_id, Cut(start_s, end_s, st.session_state[frames]))
