"""What the Primitives page asks of an atlas; kept for the whole server where it is large."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from a2core import Atlas
from viz_app.components.tile_board import Tile
from viz_app.ui.exemplars import exemplars_html
from viz_app.ui.plots import CHOSEN, GRID
from viz_app.views.atlas import content

BINS = 40


def key_of(atlas: Atlas) -> str:
    """Tells one atlas from another, and from what it was before it was built again."""
    return str(atlas.told["parts"]["exemplars.parquet"]["sha256"])[:16]


@st.cache_resource(max_entries=16, show_spinner=False)
def _tiles(_atlas: Atlas, key: str, block: str, names: str) -> list[Tile]:
    del key, names
    return content.tiles(_atlas.primitives(block), _atlas.tiles(block))


def tiles(atlas: Atlas, block: str, names: str) -> list[Tile]:
    """A tile for each primitive of a block; `names` changes when one is called otherwise."""
    return _tiles(atlas, key_of(atlas), block, names)


def exemplars(atlas: Atlas, block: str, primitive: int, order: str, count: int | None = None) -> str:
    """The exemplars of one order as HTML; "" where there are none."""
    found = atlas.exemplars(block, primitive, order, count)
    return exemplars_html(found, lambda photo: atlas.photo(photo).path) if found else ""


def title_html(block: str, row: Mapping[str, Any]) -> str:
    """What a primitive is called, and in which block."""
    name = f" · {html.escape(row['name'])}" if row["name"] else ""
    words = f"g<sub>{row['primitive']}</sub>{name} <small>{html.escape(block)}</small>"
    return f'<h2 class="a2-primitive">{words}</h2>'


def histogram(atlas: Atlas, block: str, primitive: int) -> tuple[go.Figure, str]:
    """How its mean ρ is spread over the pictures, and that in words."""
    mean = 100 * atlas.primitive(block, primitive)["mean"]
    counts, edges = np.histogram(mean, BINS)
    figure = go.Figure(
        go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, marker={"color": CHOSEN, "line": {"width": 0}})
    )
    figure.update_xaxes(title="mean ρ in the picture, %", gridcolor=GRID)
    figure.update_yaxes(title="pictures", gridcolor=GRID)
    figure.update_layout(bargap=0.05, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
    low, middle, high = np.percentile(mean, [5, 50, 95])
    return (
        figure,
        f"Mean ρ is {middle:.2f} % in the middle picture, {low:.2f} to {high:.2f} % in nine of ten.",
    )
