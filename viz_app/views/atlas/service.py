"""What the Primitives page asks of an atlas, and of the network when a picture is looked at again."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import a2core
from a2core import A2Error, Atlas, AtlasError, Clip, Exemplar, Photo
from a2core.canvas import data_url as frame_url
from a2core.canvas import percent
from a2core.lesson import overlay_url
from viz_app.components.tile_board import Figure, Glance, Tile
from viz_app.server import atlases, traces
from viz_app.server.faults import attempt
from viz_app.server.models import Weights
from viz_app.server.pictures import DECODED_SIDE_PX, Picture, picture_of
from viz_app.server.traces import Shown
from viz_app.server.visitors import Look
from viz_app.ui import language
from viz_app.ui.plots import CHOSEN, GRID
from viz_app.views.atlas import content, words

BINS = 40
SHOWN_PX = 448  # of a picture that is traced again, at most
GLANCE_PX = 224  # beside a tile that somebody dwells on
PICTURES_KEPT = 32
MOST_WORDS = 40  # on the map; the others say theirs under the mouse


def key_of(atlas: Atlas) -> str:
    """Tells one atlas from another, and from what it was before it was built again."""
    return str(atlas.told["parts"]["primitives.parquet"]["sha256"])[:16]


@st.cache_resource(max_entries=16, show_spinner=False)
def _tiles(_atlas: Atlas, key: str, block: str) -> list[bytes]:
    del key
    return _atlas.tiles(block)


def tiles(atlas: Atlas, block: str) -> list[bytes]:
    """A picture for each primitive of a block."""
    return _tiles(atlas, key_of(atlas), block)


def exemplars(
    atlas: Atlas, block: str, primitive: int, order: str, count: int | None = None
) -> tuple[list[Exemplar], list[Tile]]:
    """The exemplars of one order, and a tile for each."""
    found = atlas.exemplars(block, primitive, order, count)
    return found, content.exemplar_tiles(found, atlas.photos(one.photo for one in found))


def has_more(atlas: Atlas, block: str, primitive: int, count: int) -> bool:
    """Whether there are more than `count` exemplars of an order."""
    del block, primitive
    return int(atlas.slim.get("exemplars", atlas.told["exemplars"])) > count


def nearest(
    atlas: Atlas, number: int, block: str, primitive: int, count: int
) -> tuple[list[int], list[Tile]]:
    """The pictures most like one, and a tile for each: small, or a crop that is kept of it."""
    found = atlas.nearest(number, count)
    photos = atlas.photos(near for near, _ in found)
    crops = {} if atlas.slim else _crops(atlas, block, primitive)
    tiles = [
        Tile(
            picture=content.data_url(shown)
            if (shown := _small(atlas, photos[near]) or crops.get(near))
            else "",
            title=photos[near].title,
            said=words.likeness(percent(likeness)),
            hint="; ".join(filter(None, [photos[near].shown_path, language.told(photos[near].credit)])),
        )
        for near, likeness in found
    ]
    return [near for near, _ in found], tiles


def _crops(atlas: Atlas, block: str, primitive: int) -> dict[int, bytes]:
    """Crops that are kept of pictures, by their numbers, among the exemplars of one primitive."""
    return {one.photo: one.crop for order in words.ORDERS for one in atlas.exemplars(block, primitive, order)}


def _small(atlas: Atlas, photo: Photo) -> bytes:
    """A small version of a picture: kept, or made from its file; b"" where it is gone."""
    kept = atlas.small(photo.number)
    if kept:
        return kept
    try:
        return _shrunk(atlas, key_of(atlas), photo)
    except A2Error:
        return b""


@st.cache_data(max_entries=512, show_spinner=False)
def _shrunk(_atlas: Atlas, key: str, photo: Photo) -> bytes:
    del key
    frames = _from_file(_atlas, photo).frames
    return base64.b64decode(frame_url(frames[0], quality=60, max_side_px=160).partition(",")[2])


def traced(atlas: Atlas, photo: Photo, weights: Weights, *, look: Look | None = None) -> Shown:
    """A picture of the atlas traced again, as the atlas saw it; from its small version where it is gone.

    Raises:
        AtlasError: neither is there.
        A2Error: as `traces.show`.
    """
    return traces.show(_picture(atlas, key_of(atlas), photo), weights, atlas.told["size_px"], look=look)


@st.cache_resource(max_entries=PICTURES_KEPT, show_spinner=False)
def _picture(_atlas: Atlas, key: str, photo: Photo) -> Picture:
    """It, or its small version; its id begins with "whole" or "small"."""
    del key
    try:
        clip, how = _from_file(_atlas, photo), "whole"
    except A2Error:
        small = _atlas.small(photo.number)
        if not small:
            raise
        clip, how = a2core.read_media(small), "small"
    return picture_of(clip, id=f"{how}-{photo.id}", alt=photo.shown_path, credit=photo.credit, public=True)


def _from_file(atlas: Atlas, photo: Photo) -> Clip:
    """A picture, or the frame of a clip, from its file, where that is the one that the atlas saw.

    No other is shown: where a file lies is what the atlas says, and the atlas may be somebody else's.

    Raises:
        AtlasError: it is gone, or another one now.
        A2Error: it cannot be read.
    """
    path = atlas.picture(photo.number)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        digest = ""
    if digest != photo.id:
        raise AtlasError("The picture {path} is gone; its crop is kept.", path=photo.shown_path)
    clip = a2core.read_media(path, max_side_px=DECODED_SIDE_PX, max_frames=int(atlas.told["frames"]))
    one = slice(photo.frame, photo.frame + 1)
    return replace(clip, frames=clip.frames[one], times_s=clip.times_s[one])


def figures(shown: Shown, block: str, primitive: int, side_px: int) -> list[Figure]:
    """The picture twice: where the primitive is gathered, and to where it is handed out."""
    own = shown.trace.blocks[block]
    picture = frame_url(shown.trace.model_input[0], quality=70, max_side_px=side_px)
    return [
        Figure(picture=picture, veil=overlay_url(maps, what, high=float(maps.max())), mark=None, said=said)
        for maps, what, said in (
            (own.gather[primitive, 0], "gather", words.GATHERED),
            (own.distribute[primitive, 0], "distribute", words.HANDED),
        )
    ]


def maps_html(shown: Shown, block: str, primitive: int) -> str:
    """The same as HTML."""
    alt = html.escape(language.told(shown.picture.alt))
    found = [
        f'<figure><div><img src="{one["picture"]}" alt="{alt}"><img src="{one["veil"]}" alt=""></div>'
        f"<figcaption>g<sub>{primitive}</sub> {one['said']}</figcaption></figure>"
        for one in figures(shown, block, primitive, SHOWN_PX)
    ]
    return f'<div class="a2-again">{"".join(found)}</div>'


def glance(atlas: Atlas, block: str, primitive: int, one: Exemplar, index: int) -> Glance:
    """The maps of an exemplar, traced now, for the tile `index`; where it cannot be, why, and its crop."""
    photo, weights = atlas.photo(one.photo), atlases.weights_of(atlas)
    if weights is None:
        return Glance(index=index, figures=marked(one, photo), said=words.UNTRACED)
    shown, fault = attempt(lambda: traced(atlas, photo, weights))
    if shown is None:
        return Glance(index=index, figures=marked(one, photo), said=fault)
    return Glance(
        index=index,
        figures=figures(shown, block, primitive, GLANCE_PX),
        said=words.how_traced(whole=shown.picture.id.startswith("whole"), px=shown.size_px),
    )


def marked(one: Exemplar, photo: Photo) -> list[Figure]:
    """The crop of an exemplar whose picture is not here, with its cell; nothing where no crop was kept."""
    if not one.crop:
        return []
    mark = one.place_in_crop(photo)
    return [Figure(picture=content.data_url(one.crop), veil="", mark=mark, said=words.CELL)]


def title_html(block: str, row: Mapping[str, Any]) -> str:
    """What a primitive is called, and in which block."""
    name = f" · {html.escape(row['name'])}" if row["name"] else ""
    heading = f"g<sub>{row['primitive']}</sub>{name} <small>{html.escape(block)}</small>"
    return f'<h2 class="a2-primitive">{heading}</h2>'


def histogram(atlas: Atlas, block: str, primitive: int) -> tuple[go.Figure, str]:
    """How its mean ρ is spread over the pictures, and that in words."""
    mean = 100 * atlas.primitive(block, primitive)["mean"]
    counts, edges = np.histogram(mean, BINS)
    figure = go.Figure(
        go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, marker={"color": CHOSEN, "line": {"width": 0}})
    )
    figure.update_xaxes(title=words.MEAN_AXIS, gridcolor=GRID)
    figure.update_yaxes(title=words.PICTURES_AXIS, gridcolor=GRID)
    figure.update_layout(bargap=0.05, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
    low, middle, high = np.percentile(mean, [5, 50, 95])
    return figure, words.middle(f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}")


def map_of(rows: Sequence[Mapping[str, Any]], order: Sequence[int]) -> go.Figure:
    """Primitives as dots, where the measures put them; larger where they are used more."""
    shown = [rows[index] for index in order]
    use = np.sqrt([row["use"] for row in shown])
    often = sorted((row["use"] for row in shown), reverse=True)[:MOST_WORDS][-1]
    figure = go.Figure(
        go.Scatter(
            x=[row["x"] for row in shown],
            y=[row["y"] for row in shown],
            mode="markers+text",
            text=[
                html.escape(content.called(row)) if row["name"] or row["use"] >= often else ""
                for row in shown
            ],
            textposition="top center",
            textfont={"size": 10},
            hovertext=[
                f"{html.escape(content.called(row))}<br>{html.escape(content.said(row))}" for row in shown
            ],
            hoverinfo="text",
            marker={"size": 6 + 18 * use / (use.max() or 1), "color": CHOSEN, "opacity": 0.75},
        )
    )
    axis = {"gridcolor": GRID, "zeroline": False, "showticklabels": False, "title": None}
    figure.update_layout(
        height=560,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=axis,
        yaxis=axis,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


@st.cache_data(max_entries=4, show_spinner=False)
def _credits(_atlas: Atlas, key: str) -> dict[str, list[Any]]:
    del key
    photos = _atlas.photos(range(len(_atlas))).values()
    columns: dict[str, list[Any]] = {
        name: [getattr(photo, name) for photo in photos] for name in ("path", "author", "licence")
    }
    return {**columns, "link": [photo.web_link for photo in photos]}


def credits(atlas: Atlas) -> dict[str, list[Any]]:
    """Whose each picture is, as columns."""
    return _credits(atlas, key_of(atlas))


def credit_columns() -> dict[str, Any]:
    """How they are shown."""
    named = {name: st.column_config.Column(label) for name, label in words.CREDIT_COLUMNS.items()}
    return {**named, "link": st.column_config.LinkColumn(words.CREDIT_COLUMNS["link"])}
