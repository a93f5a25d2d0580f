"""What can be taken away from Explore: files of what is on screen, each made when it is asked for."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st

import a2core
from a2core import Movie
from a2core.canvas import ROLLOUT, standalone_html, with_effects, with_fitting_layers
from viz_app.server.traces import Shown
from viz_app.ui import language, text
from viz_app.ui.state import Probe
from viz_app.views.explore import words


class Take(NamedTuple):
    """A file to take away: what it is called, of which kind, and what makes it."""

    what: str
    kind: str
    name: str
    mime: str
    make: Callable[[], str | bytes]


def draw(shown: Shown, effects: Mapping[str, np.ndarray], probe: Probe, view: Mapping[str, Any]) -> None:
    """A row of downloads of what is on screen."""
    stem = text.file_stem(shown.picture.title)
    files = _files(shown, effects, probe, view, stem)
    if shown.picture.plays:
        files += _movies(shown, probe, stem)
    with st.container(key="take", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(words.TAKE, width="content")
        for file in files:
            st.download_button(
                f"{file.what} :small[{file.kind}]",
                file.make,
                file_name=file.name,
                mime=file.mime,
                key=f"take-{file.kind.split(',')[0]}",
                on_click="ignore",
                type="secondary",
            )


def _files(
    shown: Shown, effects: Mapping[str, np.ndarray], probe: Probe, view: Mapping[str, Any], stem: str
) -> list[Take]:
    pins = [probe.position, *(tuple(pin) for pin in view.get("pins") or () if tuple(pin) != probe.position)]
    view = {name: value for name, value in view.items() if name != "revision"}
    view |= {"block": probe.block, "probe": list(probe.position), "primitive": probe.primitive}
    view["token"] = probe.token

    spoken = language.current()

    def page() -> str:
        payload = with_effects(with_fitting_layers(shown.payload, shown.trace, probe.block), effects)
        return standalone_html(payload, view=view, title=shown.picture.title, language=spoken)

    figure, rho = f"{stem}-{probe.block}.png", f"{stem}-{probe.block}-rho.csv"
    kind = f"HTML, {page_megabytes(shown):.1f} MB" if shown.picture.plays else "HTML"
    in_block = probe.block in shown.trace.blocks
    takes = [
        Take(words.FIGURE, "PNG", figure, "image/png", lambda: figure_file(shown, probe, view)),
        Take(words.PAGE, kind, f"{stem}.html", "text/html", page),
        Take(words.ARRAYS, "NPZ", f"{stem}.npz", "application/octet-stream", lambda: npz_file(shown)),
        Take(words.RHO, "CSV", rho, "text/csv", lambda: rho_file(shown, probe.block, pins)),
    ]
    if probe.block == ROLLOUT:
        return takes[1:-1]  # of all layers together there is no figure
    return takes if in_block else takes[:-1]


def _movies(shown: Shown, probe: Probe, stem: str) -> list[Take]:
    """Movies to take away: of the marked pixel, and of the chosen primitive."""

    def make(of_primitive: bool) -> Callable[[], bytes]:
        return lambda: movie(shown, probe, of_primitive=of_primitive).data

    takes = [Take(words.MOVIE, "WebM", f"{stem}-attention.webm", "video/webm", make(False))]
    if probe.primitive is not None:
        name = f"{stem}-g{probe.primitive}.webm"
        takes.append(Take(words.movie_of(probe.primitive), "WebM ", name, "video/webm", make(True)))
    return takes


def figure_file(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> bytes:
    """The figure of what the canvas shows at `probe`, as PNG."""
    layer, primitive = view.get("layer", "attention"), probe.primitive
    if layer in ("gather", "distribute") and primitive is None:
        layer = "attention"  # as in the canvas: a map of one primitive needs one that was chosen
    direction: Literal["from", "to"] = "to" if view.get("direction") == "to" else "from"
    return a2core.figure_png(
        shown.trace,
        probe.block,
        probe.position if probe.token is None else probe.token,
        direction=direction,
        layer=layer,
        primitive=primitive,
        credit=shown.picture.credit,
    )


def npz_file(shown: Shown) -> bytes:
    """All arrays of the trace, as `python -m a2core trace` writes them."""
    file = io.BytesIO()
    a2core.write_npz(file, shown.trace)
    return file.getvalue()


def rho_file(shown: Shown, block: str, positions: Sequence[tuple[int, int, int]]) -> str:
    """ρ of `block` at `positions` (t, row, col) as CSV."""
    return a2core.rho_csv(shown.trace, block, positions)


def movie(shown: Shown, probe: Probe, *, of_primitive: bool) -> Movie:
    """The clip with the attention of the marked pixel, or the gather map of the chosen primitive, over it."""
    block = shown.trace.blocks[probe.block]
    if of_primitive:
        return a2core.overlay_movie(shown.trace, block.gather[probe.primitive or 0])
    return a2core.overlay_movie(shown.trace, a2core.effective_attention(block, probe.position))


def page_megabytes(shown: Shown) -> float:
    """How large the offline page becomes: nearly all of it are the frames and maps of the payload."""
    payload = shown.payload
    blocks = (block for block in payload["blocks"] if "gather" in block)
    maps = (block[name]["data"] for block in blocks for name in ("gather", "distribute", "change"))
    return (sum(map(len, payload["frames"])) + sum(map(len, maps)) + _page_bytes()) / 1e6


@cache
def _page_bytes() -> int:
    """Of the offline page, without a payload."""
    return len(standalone_html({}).encode())
