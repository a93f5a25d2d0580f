"""What Explore shows for clips only: which frames, attending jointly or not, life over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from viz_app.components.runtime import override
from viz_app.server import clips, services
from viz_app.server.services import Picture, Shown
from viz_app.server.visitors import Look
from viz_app.ui import plots as charts
from viz_app.ui.guards import callback
from viz_app.ui.state import Key, Probe

MOST_FRAMES = 64
TOGETHER = {services.JOINT: "The whole clip", services.EACH: "Each frame alone"}
ABOUT_TOGETHER = (
    "The whole clip: each primitive is gathered over all frames, and a pixel may receive from any moment. "
    "Each frame alone: as if every frame were a picture. The difference is what attending jointly adds."
)
Take = tuple[str, str, str, str, Callable[[], str | bytes]]


def controls(picture: Picture) -> str:
    """Draw what can be chosen about a clip; "joint" or "each"."""
    with st.container(key="clip", horizontal=True, gap="medium", vertical_alignment="top"):
        together = st.segmented_control(
            "Attend over",
            list(TOGETHER),
            format_func=TOGETHER.__getitem__,
            required=True,
            default=services.JOINT,
            key=Key.TOGETHER,
            help=ABOUT_TOGETHER,
        )
        source: clips.Source | None = st.session_state.get(Key.SOURCES, {}).get(picture.id)
        if source is not None and source.held.here and picture.cut is not None and source.end_s > 0:
            _stretch(picture, source)
    return together or services.JOINT


def _stretch(picture: Picture, source: clips.Source) -> None:
    """From when to when, and how many frames; the widgets belong to this clip."""
    names = [f"{part}-{picture.id}" for part in ("stretch", "frames")]
    asked = (picture.id, *names)
    with st.container(width=260):
        st.slider(
            "From – to, s",
            0.0,
            source.end_s,
            (picture.cut.start_s, picture.cut.end_s),
            step=max(0.01, round(source.end_s / 200, 2)),
            format="%.2f",
            key=names[0],
            on_change=_ask_cut,
            args=asked,
        )
    with st.container(width=180):
        st.slider(
            "Frames, evenly spread",
            1,
            MOST_FRAMES,
            picture.cut.count,
            key=names[1],
            on_change=_ask_cut,
            args=asked,
        )


@callback
def _ask_cut(picture_id: str, stretch: str, frames: str) -> None:
    start_s, end_s = st.session_state[stretch]
    st.session_state[Key.CUT] = (picture_id, clips.Cut(start_s, end_s, st.session_state[frames]))


def cut(look: Look) -> None:
    """Take the other frames that were asked for; where that fails, the clip stays as it was and says why.

    Before the widgets are drawn, which then show what is.
    """
    asked: tuple[str, clips.Cut] | None = st.session_state.get(Key.CUT)
    if asked is None:
        return
    picture_id, wanted = asked
    uploads: dict[str, Picture] = st.session_state.get(Key.UPLOADS, {})
    source: clips.Source | None = st.session_state.get(Key.SOURCES, {}).get(picture_id)
    if source is not None and picture_id in uploads:
        before = uploads[picture_id]
        picture, fault = services.attempt(lambda: clips.cut_again(before, source, wanted, look=look))
        if picture is None:
            st.session_state[Key.FAULT] = fault
            st.session_state[f"stretch-{picture_id}"] = (before.cut.start_s, before.cut.end_s)
            st.session_state[f"frames-{picture_id}"] = before.cut.count
        else:
            uploads[picture_id] = picture
    del st.session_state[Key.CUT]  # not before: another click while it is being read has it read again


def receive(data: bytes, name: str, look: Look) -> Picture:
    """A visitor's file as a Picture; the file of a clip is kept beside it.

    Raises:
        MediaError: the file is neither picture nor clip, is damaged, or breaks a limit.
        A2Error: there is no room for it.
    """
    picture, source = clips.read_upload(data, name, look=look)
    sources: dict[str, clips.Source] = st.session_state.setdefault(Key.SOURCES, {})
    if source is not None:
        sources[picture.id] = source
    return picture


def life(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> None:
    """Primitives × time: how much of each is gathered, and handed out, at each moment; a click goes there."""
    block = shown.trace.blocks[probe.block]
    gathered, handed = clips.life(block)
    times = shown.trace.clip.times_s
    order = np.argsort(
        (gathered * np.arange(gathered.shape[1])).sum(axis=1) / gathered.sum(axis=1), kind="stable"
    )
    chosen = probe.primitive
    if chosen is None:
        chosen = int(block.distribute[(slice(None), *probe.position)].argmax())
    st.html(
        '<p class="a2-pinned"><b>The life of the primitives.</b> '
        "<small>Click to go to a moment and see a primitive.</small></p>"
    )
    for column, shares, title, colours, name in zip(
        st.columns(2, gap="medium"),
        (gathered, handed),
        ("Gathered at each moment, θ", "Handed out at each moment, mean ρ"),
        ("Magma", "Viridis"),
        ("gathered", "handed"),
        strict=True,
    ):
        with column:
            st.caption(title)
            figure = charts.life_heatmap(shares, times, order, chosen=chosen, now=probe.t, colours=colours)
            event = st.plotly_chart(
                figure,
                key=f"life-{name}",
                config={"displayModeBar": False},
                on_select="rerun",
                selection_mode="points",
                alt=f"Heat map: {title}, {len(shares)} primitives over {len(times)} frames",
            )
            points = event["selection"]["points"]
            asked = (int(order[round(points[0]["y"])]), round(points[0]["x"])) if points else None
            _go(shown, probe, view, name, asked)


def _go(
    shown: Shown, probe: Probe, view: Mapping[str, Any], name: str, asked: tuple[int, int] | None
) -> None:
    """Show the primitive and the moment that were clicked, once."""
    seen: dict[str, Any] = st.session_state.setdefault(Key.LIFE_SEEN, {})
    news = (shown.key, probe.block, asked)
    if seen.get(name) == news:
        return
    seen[name] = news
    if asked is None:
        return
    primitive, t = asked
    wanted = dict(view) | {
        "block": probe.block,
        "probe": [t, probe.row, probe.col],
        "primitive": primitive,
        "layer": "distribute" if name == "handed" else "gather",
        "revision": override(Key.CANVAS, shown.key),
    }
    for gone in ("pins", "region"):
        wanted.pop(gone, None)
    st.session_state[Key.VIEW] = (shown, wanted)
    st.session_state[Key.PROBE] = Probe(shown.key, probe.block, t, probe.row, probe.col, primitive)
    st.rerun(scope="app")


def movies(shown: Shown, probe: Probe, stem: str) -> list[Take]:
    """Movies to take away: of the marked pixel, and of the chosen primitive."""

    def make(of_primitive: bool) -> Callable[[], bytes]:
        return lambda: clips.movie(shown, probe, of_primitive=of_primitive).data

    takes: list[Take] = [
        ("Movie of the marked pixel", "WebM", f"{stem}-attention.webm", "video/webm", make(False))
    ]
    if probe.primitive is not None:
        name = f"{stem}-g{probe.primitive}.webm"
        takes.append((f"Movie of g{probe.primitive}", "WebM ", name, "video/webm", make(True)))
    return takes
