"""The Primitives page: all of them as tiles or on a map, and one of them. The address says which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from a2core import Atlas
from viz_app.components.tile_board import opened, tile_board
from viz_app.server import atlases, names
from viz_app.ui import language
from viz_app.ui.guards import callback, tell
from viz_app.ui.shell import styled
from viz_app.ui.state import Key
from viz_app.views.atlas import content, one, service, where, words

CHART_CONFIG = {"displayModeBar": False}
MAP_KEY = "atlas-map"


def render() -> None:
    """Draw the page."""
    styled("atlas.css")
    st.html(words.LEAD)
    found, faults = atlases.list_atlases()
    for fault in faults:
        tell(language.told(fault))
    if not found:
        st.info(words.NONE)
        return
    with st.container(key="primitives"):
        _draw(found)


def _draw(found: list[Atlas]) -> None:
    """What the address asks for of one of the atlases."""
    names_of = {atlas.folder.name: atlas for atlas in reversed(found)}
    atlas = names_of.get(st.query_params.get(where.ATLAS, ""), found[0])
    if atlases.weights_of(atlas) is None:
        st.info(words.stale(atlas.told))
    block = where.block_of(atlas)
    primitive = where.number(where.PRIMITIVE, atlas.blocks[block])
    if primitive is None:
        _all(atlas, block, list(names_of)[::-1])
    else:
        one.draw(atlas, block, primitive)


def _all(atlas: Atlas, block: str, choice: list[str]) -> None:
    """Every primitive of a block, and the `choice` of atlases."""
    view, sort, wanted = _controls(atlas, block, choice)
    if view == words.CREDITS:
        st.dataframe(service.credits(atlas), hide_index=True, column_config=service.credit_columns())
        return
    rows = names.named(atlas, block)
    order = content.ordered(rows, sort, wanted)
    if not order:
        st.info(words.NO_MATCH)
    elif view == words.MAP:
        _map(rows, order, block)
    if view == words.MAP:
        return
    called = hashlib.sha256(repr([content.called(row) for row in rows]).encode()).hexdigest()[:8]
    identity = f"{service.key_of(atlas)}/{block}/{called}/{language.current()}"
    tile_board(
        content.tiles(rows, service.tiles(atlas, block)),
        order,
        identity=identity,
        key=Key.TILES,
        label=words.PRIMITIVES,
        on_open=_opener(identity, block, len(rows)),
    )


def _controls(atlas: Atlas, block: str, choice: list[str]) -> tuple[str, str, str]:
    """The view, the order and the words that are asked for, each with its control."""
    views = words.VIEWS if atlas.slim else {k: v for k, v in words.VIEWS.items() if k != words.CREDITS}
    view, sort = where.choice(where.VIEW, views), where.choice(where.SORT, words.SORTS)
    wanted = st.query_params.get(where.WORDS, "")
    st.session_state[Key.ATLAS_BLOCK], st.session_state[Key.ATLAS_SORT] = block, sort
    st.session_state[Key.ATLAS_WORDS], st.session_state[Key.ATLAS_VIEW] = wanted, view
    with st.container(key="atlas-controls", horizontal=True, gap="medium", vertical_alignment="bottom"):
        if len(choice) > 1:
            st.session_state[Key.ATLAS] = atlas.folder.name
            st.segmented_control(
                words.ATLAS,
                choice,
                required=True,
                key=Key.ATLAS,
                on_change=callback(where.follow),
                args=(where.ATLAS, Key.ATLAS),
            )
        st.segmented_control(
            words.BLOCK,
            list(atlas.blocks),
            required=True,
            key=Key.ATLAS_BLOCK,
            on_change=callback(where.follow),
            args=(where.BLOCK, Key.ATLAS_BLOCK),
        )
        st.segmented_control(
            words.VIEW,
            list(views),
            format_func=views.__getitem__,
            required=True,
            key=Key.ATLAS_VIEW,
            on_change=callback(where.follow),
            args=(where.VIEW, Key.ATLAS_VIEW),
        )
        if view == words.TILES:  # a map has its own order, and pictures have theirs
            st.selectbox(
                words.SORT,
                list(words.SORTS),
                format_func=words.SORTS.__getitem__,
                key=Key.ATLAS_SORT,
                width=160,
                on_change=callback(where.follow),
                args=(where.SORT, Key.ATLAS_SORT),
            )
        if view != words.CREDITS:
            st.text_input(
                words.WORDS,
                key=Key.ATLAS_WORDS,
                placeholder=words.ABOUT_WORDS,
                width=230,
                on_change=callback(where.follow),
                args=(where.WORDS, Key.ATLAS_WORDS),
            )
    st.caption(words.about(atlas.told))
    return view, sort, wanted


def _map(rows: Sequence[Mapping[str, Any]], order: Sequence[int], block: str) -> None:
    st.caption(words.ABOUT_MAP)

    @callback
    def open_one() -> None:
        points = st.session_state[MAP_KEY]["selection"]["points"]
        if points and points[0]["point_index"] < len(order):
            where.go(block=block, primitive=str(order[points[0]["point_index"]]))

    st.plotly_chart(
        service.map_of(rows, order),
        key=MAP_KEY,
        config=CHART_CONFIG,
        on_select=open_one,
        selection_mode="points",
        alt=words.ABOUT_MAP,
    )


def _opener(identity: str, block: str, count: int) -> Any:
    @callback
    def open_one() -> None:
        index = opened(Key.TILES, identity, count)
        if index is not None:
            where.go(block=block, primitive=str(index))

    return open_one
