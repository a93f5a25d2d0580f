"""The Primitives page: all of them as tiles, and one with its exemplars. The address says which."""

from __future__ import annotations

import hashlib
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from a2core import Atlas
from viz_app.components.tile_board import opened, tile_board
from viz_app.server import atlases
from viz_app.ui import plots
from viz_app.ui.guards import callback, tell
from viz_app.ui.shell import styled
from viz_app.ui.state import Key
from viz_app.views.atlas import content, service

CHART_CONFIG = {"displayModeBar": False}


def render() -> None:
    """Draw the page."""
    styled("atlas.css")
    st.html(content.LEAD)
    found, faults = atlases.list_atlases()
    for fault in faults:
        tell(fault)
    if not found:
        st.info(content.NONE)
        return
    atlas = _atlas(found)
    block = st.query_params.get("block", "")
    block = block if block in atlas.blocks else next(iter(atlas.blocks))
    primitive = st.query_params.get("primitive", "")
    if primitive.isascii() and primitive.isdecimal() and int(primitive) < atlas.blocks[block]:
        _one(atlas, block, int(primitive))
    else:
        _all(atlas, block)


def _atlas(found: list[Atlas]) -> Atlas:
    if len(found) == 1:
        return found[0]
    asked = st.query_params.get("atlas", "")
    names = [atlas.folder.name for atlas in found]
    if asked in names and Key.ATLAS not in st.session_state:
        st.session_state[Key.ATLAS] = names.index(asked)
    index = st.selectbox(content.ATLAS, range(len(found)), format_func=names.__getitem__, key=Key.ATLAS)
    return found[index]


def _all(atlas: Atlas, block: str) -> None:
    """Every primitive of a block."""
    with st.container(key="atlas-controls", horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.segmented_control(
            content.BLOCK,
            list(atlas.blocks),
            default=block,
            required=True,
            key=f"{Key.ATLAS_BLOCK}-{block}",
            on_change=_go_block,
            args=(block,),
        )
        sort = st.selectbox(
            content.SORT,
            list(content.SORTS),
            format_func=content.SORTS.__getitem__,
            key=Key.ATLAS_SORT,
            width=160,
        )
        words = st.text_input(content.WORDS, key=Key.ATLAS_WORDS, placeholder=content.ABOUT_WORDS, width=260)
        st.caption(content.about(atlas.told), width="content")
    rows = atlas.primitives(block)
    order = content.ordered(rows, sort, words)
    if not order:
        st.info(content.NO_MATCH)
    names = hashlib.sha256(repr([content.called(row) for row in rows]).encode()).hexdigest()[:8]
    identity = f"{service.key_of(atlas)}/{block}/{names}"
    tile_board(
        service.tiles(atlas, block, names),
        order,
        identity=identity,
        key=Key.TILES,
        on_open=_opener(identity, block, len(rows)),
    )


def _opener(identity: str, block: str, count: int) -> Any:
    @callback
    def open_one() -> None:
        index = opened(Key.TILES, identity, count)
        if index is not None:
            st.query_params.from_dict(_address() | {"block": block, "primitive": str(index)})

    return open_one


@callback
def _go_block(before: str) -> None:
    chosen = st.session_state[f"{Key.ATLAS_BLOCK}-{before}"]
    st.query_params.from_dict(_address() | {"block": chosen})


@callback
def _go(block: str, primitive: int | None) -> None:
    more = {"block": block} if primitive is None else {"block": block, "primitive": str(primitive)}
    st.query_params.from_dict(_address() | more)


def _address() -> dict[str, str]:
    """What of the address stays when another primitive is looked at."""
    return {name: value for name, value in st.query_params.items() if name == "atlas"}


def _one(atlas: Atlas, block: str, primitive: int) -> None:
    """One primitive: its exemplars in each order, its measures, its neighbours, its name."""
    row = atlas.primitives(block)[primitive]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            content.BACK, icon=":material/arrow_back:", on_click=_go, args=(block, None), key="atlas-back"
        )
        st.html(service.title_html(block, row), width="content")
    words, chart = st.columns([3, 2], gap="large")
    with words:
        st.html(content.measures_html(row))
        if row.get("together"):
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.caption("Used together with", width="content")
                for other, r in zip(row["together"], row["together_r"], strict=True):
                    st.button(
                        f"g{other} ({r:.2f})", on_click=_go, args=(block, other), key=f"atlas-to-{other}"
                    )
        if atlases.may_be_named(atlas):
            _naming(atlas, block, primitive, row)
    with chart:
        figure, alt = service.histogram(atlas, block, primitive)
        st.caption(content.HISTOGRAM)
        st.plotly_chart(_dressed(figure), key="atlas-use", config=CHART_CONFIG, alt=alt)
    for order, title in content.ORDERS.items():
        shown = service.exemplars(atlas, block, primitive, order)
        if shown:
            st.html(f"<h3>{title}</h3>{shown}")


def _dressed(figure: go.Figure) -> go.Figure:
    figure.update_layout(height=plots.HEIGHT_PX, margin={"l": 48, "r": 8, "t": 8, "b": 40})
    return figure


def _naming(atlas: Atlas, block: str, primitive: int, row: dict[str, Any]) -> None:
    with (
        st.form(f"atlas-name-{block}-{primitive}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        name = st.text_input(content.NAME, value=row["name"], max_chars=80, width=220)
        note = st.text_input(content.NOTE, value=row["note"], max_chars=2000)
        if st.form_submit_button(content.KEEP):
            atlases.name(atlas, block, primitive, name, note)
            st.rerun()
