"""What Explore shows for clips only: which frames, attending jointly or not, progress, life over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from viz_app import charts, clips, services
from viz_app.components.runtime import override
from viz_app.guards import callback
from viz_app.services import Picture, Shown, Weights
from viz_app.state import Key, Probe

MOST_FRAMES = 64
TOGETHER = {clips.JOINT: "The whole clip", clips.EACH: "Each frame alone"}
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
            default=clips.JOINT,
            key=Key.TOGETHER,
            help=ABOUT_TOGETHER,
        )
        source: clips.Source | None = st.session_state.get(Key.SOURCES, {}).get(picture.id)
        if source is not None and picture.cut is not None and source.end_s > 0:
            _stretch(picture, source)
    return together or clips.JOINT


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
            on_change=_cut_again,
            args=asked,
        )
    with st.container(width=180):
        st.slider(
            "Frames, evenly spread",
            1,
            MOST_FRAMES,
            picture.cut.count,
            key=names[1],
            on_change=_cut_again,
            args=asked,
        )


@callback
def _cut_again(picture_id: str, stretch: str, frames: str) -> None:
    """Take other frames of the clip; where that fails, it stays as it was and says why."""
    uploads: dict[str, Picture] = st.session_state[Key.UPLOADS]
    source = st.session_state.get(Key.SOURCES, {}).get(picture_id)
    if source is None or picture_id not in uploads:
        return
    start_s, end_s = st.session_state[stretch]
    cut = clips.Cut(start_s, end_s, st.session_state[frames])
    picture, fault = services.attempt(lambda: clips.cut_again(uploads[picture_id], source, cut))
    if picture is None:
        st.session_state[Key.FAULT] = fault
        kept = uploads[picture_id].cut
        st.session_state[stretch], st.session_state[frames] = (kept.start_s, kept.end_s), kept.count
    else:
        uploads[picture_id] = picture


def receive(data: bytes, name: str) -> Picture:
    """A visitor's file as a Picture; the file of a clip is kept, those of earlier ones while they are small.

    Raises:
        MediaError: the file is neither picture nor clip, is damaged, or breaks a limit.
    """
    picture, source = clips.read_upload(data, name)
    if source is not None:
        sources: dict[str, clips.Source] = st.session_state.setdefault(Key.SOURCES, {})
        sources.pop(picture.id, None)
        sources[picture.id] = source
        while (
            len(sources) > 1 and sum(len(kept.data) for kept in sources.values()) > clips.SOURCES_KEPT_BYTES
        ):
            del sources[next(iter(sources))]
    return picture


def show(
    picture: Picture, weights: Weights, size_px: int, together: str, place: DeltaGenerator
) -> tuple[Shown | None, str]:
    """The clip traced, with progress and a button that stops it in `place`; None and why not."""
    shown = clips.known(picture, weights, size_px, together)
    if shown is not None:
        return shown, ""
    key = clips.key_of(picture, weights, size_px, together)
    if st.session_state.get(Key.STOPPED) == key:
        with place.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown("Stopped before the clip was traced.")
            st.button("Trace it after all", on_click=_forget_stop)
        return None, ""
    spot = place.empty()
    with spot.container(horizontal=True, vertical_alignment="center", gap="medium"):
        bar = st.progress(0.0, f"Tracing {len(picture.clip.frames)} frames")
        st.button("Stop", on_click=_stop, args=(key,))

    def tell(share: float) -> None:
        bar.progress(min(1.0, share), f"Tracing {len(picture.clip.frames)} frames")

    # Clicking anything, and closing the page, ends the script at its next word to the browser: here.
    found, fault = services.attempt(lambda: clips.trace(picture, weights, size_px, together, tell))
    spot.empty()
    return found, fault


@callback
def _stop(key: str) -> None:
    st.session_state[Key.STOPPED] = key


@callback
def _forget_stop() -> None:
    st.session_state.pop(Key.STOPPED, None)


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
