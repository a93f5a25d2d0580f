"""The charts under Explore's canvas: of the marked pixel, and over time; worded in `content.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure

from a2core import BlockTrace
from viz_app.components.in_sight import in_sight
from viz_app.server.traces import Shown
from viz_app.ui import pixel, plots
from viz_app.ui.pixel import PinnedArrays
from viz_app.ui.state import Key, Probe
from viz_app.views.explore import content, screen, words

CONFIG = {"displayModeBar": False}


def of_pixel(shown: Shown, probe: Probe) -> None:
    """What the marked pixel receives, the bag, one primitive; and the sum as a table, when it is opened."""
    block = shown.trace.blocks[probe.block]
    pinned = pixel.pinned_arrays(block, probe.position, probe.primitive)
    with st.container(key="charts"):
        if not st.session_state.get(Key.CHARTS):
            st.session_state[Key.CHARTS] = in_sight("charts-near")
        st.html(content.pinned_sentence(shown.trace, block, probe.position, pinned))
        received, bag, vector = st.columns(3, gap="medium")
        with received:
            _received(pinned)
        with bag:
            st.html(words.BAG)
            figure = partial(plots.bag_heatmap, pinned.bag, pinned.primitive)
            _chart(figure, key="bag", alt=words.bag_alt(block.n, block.m, pinned.primitive))
        with vector:
            st.html(words.vector_title(pinned.primitive))
            figure = partial(plots.vector_bars, pinned.vector, pinned.primitive)
            _chart(figure, key="vector", alt=words.vector_alt(block.m, pinned.primitive))
        table = st.expander(words.SUM, key=Key.SUM, on_change="rerun")
        if table.open:
            with table:
                _sum(block, probe)


def _chart(figure: Callable[[], Figure], *, key: str, alt: str) -> None:
    """A chart; or its room, while nobody has come near: what draws charts is half of what a page loads."""
    if st.session_state[Key.CHARTS]:
        st.plotly_chart(figure(), key=key, config=CONFIG, alt=alt)
    else:
        st.html(f'<div style="height: {plots.HEIGHT_PX}px"></div>')


def _received(pinned: PinnedArrays) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.html(words.SHARES, width="content")
        order = st.segmented_control(
            words.ORDER,
            list(words.BARS),
            format_func=words.BARS.__getitem__,
            required=True,
            key=Key.ORDER,
            label_visibility="collapsed",
        )
    by_rank = order == "rank"
    figure = partial(plots.distribution_bars, pinned.weights, pinned.primitive, by_rank=by_rank)
    _chart(figure, key="rho", alt=content.shares_alt(pinned))


def _sum(block: BlockTrace, probe: Probe) -> None:
    """z_p = Σ ρ_i g_i as a table that can be copied, sorted and downloaded."""
    terms = pixel.pinned_sum(block, probe.position)
    st.html(content.sum_sentence(block, terms))
    column = st.column_config.NumberColumn
    formats = {"rho": "%.6f", "length": "%.4f", "share": "%.3f"}
    st.dataframe(
        {
            "rank": range(1, block.n + 1),
            "primitive": terms.primitives,
            "rho": terms.weights,
            "length": terms.lengths,
            "share": 100 * terms.shares,
        },
        hide_index=True,
        width=760,
        height=318,
        column_config={
            name: column(title, format=formats[name]) if name in formats else column(title, width="small")
            for name, title in words.SUM_COLUMNS.items()
        },
        alt=words.sum_alt(block.n),
    )


def over_time(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> None:
    """Primitives × time: how much of each is gathered, and handed out, at each moment; a click goes there."""
    block = shown.trace.blocks[probe.block]
    gathered, handed = content.life(block)
    times = shown.trace.clip.times_s
    order = np.argsort(
        (gathered * np.arange(gathered.shape[1])).sum(axis=1) / gathered.sum(axis=1), kind="stable"
    )
    chosen = probe.primitive
    if chosen is None:
        chosen = int(block.distribute[(slice(None), *probe.position)].argmax())
    st.html(words.LIFE)
    for column, shares, colours, name in zip(
        st.columns(2, gap="medium"),
        (gathered, handed),
        ("Magma", "Viridis"),
        ("gathered", "handed"),
        strict=True,
    ):
        with column:
            title = words.LIFE_TITLES[name]
            st.caption(title)
            figure = plots.life_heatmap(shares, times, order, chosen=chosen, now=probe.t, colours=colours)
            event = st.plotly_chart(
                figure,
                key=f"life-{name}",
                config=CONFIG,
                on_select="rerun",
                selection_mode="points",
                alt=words.life_alt(title, *shares.shape),
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
    layer = "distribute" if name == "handed" else "gather"
    screen.go(shown, replace(probe, key=shown.key, primitive=primitive, t=t), view, layer=layer)
    st.rerun(scope="app")
