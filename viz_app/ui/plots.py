"""Arrays -> Plotly figures for the pinned pixel; pure, no Streamlit.

Every colour reads on a light and on a dark page, so that a figure need not know the theme. What a
pixel receives is teal, as in the canvas, the chosen primitive in full strength; signed values run
from purple through the page itself (transparent at zero) to orange, which colour-blind eyes tell
apart.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.colors import get_colorscale, hex_to_rgb

from a2core.canvas import percent
from viz_app.ui import chart_words

CHOSEN = "#1F9A90"
REST = "rgba(86,150,148,0.42)"
ZERO = "#8C93A8"
POSITIVE = "#D9691A"
NEGATIVE = "#7A68C4"
DIVERGING = [
    (0.0, "rgba(84,60,160,1)"),
    (0.25, "rgba(122,104,196,0.62)"),
    (0.5, "rgba(140,140,140,0)"),
    (0.75, "rgba(217,105,26,0.62)"),
    (1.0, "rgba(196,80,8,1)"),
]
HEIGHT_PX = 300
GRID = "rgba(128,128,128,0.22)"


def distribution_bars(weights: np.ndarray, chosen: int, *, by_rank: bool) -> go.Figure:
    """ρ at one pixel over all n primitives, (n,), as bars; the chosen primitive stands out.

    `by_rank` puts the largest first; otherwise the bars stand in the order of their index.
    """
    order = np.argsort(-weights, kind="stable") if by_rank else np.arange(len(weights))
    shares = 100 * weights[order]
    figure = go.Figure(
        go.Bar(
            x=np.arange(len(order)),
            y=shares,
            marker={"color": [CHOSEN if i == chosen else REST for i in order], "line": {"width": 0}},
            customdata=np.stack([order, np.argsort(np.argsort(-weights, kind="stable"))[order] + 1], axis=1),
            hovertemplate=chart_words.received(len(weights)),
        )
    )
    place = int(np.flatnonzero(order == chosen)[0])
    figure.add_annotation(
        x=place,
        y=float(shares[place]),
        text=f"<b>g<sub>{chosen}</sub></b> {percent(float(weights[chosen]))}",
        showarrow=False,
        yshift=12,
        xanchor="left" if place < len(order) * 0.8 else "right",
        xshift=-6 if place < len(order) * 0.8 else 6,
        font={"color": CHOSEN, "size": 13},
    )
    figure.update_xaxes(
        title=chart_words.BY_RANK if by_rank else chart_words.BY_INDEX,
        tickvals=None if not by_rank else _rank_ticks(len(order)),
        ticktext=None if not by_rank else [str(rank + 1) for rank in _rank_ticks(len(order))],
        range=[-0.8, len(order) - 0.2],
    )
    figure.update_yaxes(title=chart_words.SHARE, rangemode="tozero", range=[0, 1.18 * float(shares.max())])
    figure.update_layout(bargap=0.18)
    return _dressed(figure)


def bag_heatmap(bag: np.ndarray, chosen: int) -> go.Figure:
    """The bag of primitives G, (m, n), with the column of the chosen primitive framed."""
    reach = float(np.abs(bag).max()) or 1.0
    channels, count = bag.shape
    figure = go.Figure(
        go.Heatmap(
            z=bag,
            zmin=-reach,
            zmax=reach,
            colorscale=DIVERGING,
            colorbar={
                "title": {"text": chart_words.VALUE, "side": "right"},
                "thickness": 10,
                "outlinewidth": 0,
                "nticks": 5,
            },
            hovertemplate="primitive %{x}, channel %{y}<br><b>%{z:.3f}</b><extra></extra>",
        )
    )
    figure.add_shape(
        type="rect",
        x0=chosen - 0.5,
        x1=chosen + 0.5,
        y0=-0.5,
        y1=channels - 0.5,
        line={"color": CHOSEN, "width": 2},
    )
    figure.add_annotation(
        x=chosen,
        y=channels - 0.5,
        text=f"<b>g<sub>{chosen}</sub></b>",
        showarrow=False,
        yshift=11,
        font={"color": CHOSEN, "size": 13},
    )
    figure.update_xaxes(title=chart_words.BY_INDEX, showgrid=False, range=[-0.5, count - 0.5])
    figure.update_yaxes(title=chart_words.CHANNELS, showgrid=False, range=[-0.5, channels - 0.5])
    return _dressed(figure)


def vector_bars(vector: np.ndarray, chosen: int) -> go.Figure:
    """One primitive g_i over its m channels, (m,), positive and negative told apart."""
    figure = go.Figure(
        go.Bar(
            x=np.arange(len(vector)),
            y=vector,
            marker={
                "color": [POSITIVE if value >= 0 else NEGATIVE for value in vector],
                "line": {"width": 0},
            },
            hovertemplate="channel %{x}<br><b>%{y:.3f}</b><extra></extra>",
        )
    )
    figure.update_xaxes(title=chart_words.CHANNELS, range=[-0.8, len(vector) - 0.2])
    figure.update_yaxes(title=chart_words.value_in(chosen), zeroline=True, zerolinecolor=ZERO)
    figure.update_layout(bargap=0.18)
    return _dressed(figure)


def effect_scatter(first_order: np.ndarray, ablated: np.ndarray, *, named: int = 6) -> go.Figure:
    """First-order terms (n,) against true effects (n,) of primitives, with the line where both agree.

    The `named` primitives with the largest true effects carry their names.
    """
    both = np.concatenate([first_order, ablated, [0.0]])
    margin = 0.09 * float(np.ptp(both)) or 1.0
    reach = [float(both.min()) - margin, float(both.max()) + margin]
    largest = np.argsort(-np.abs(ablated), kind="stable")[:named]
    figure = go.Figure(
        [
            go.Scatter(
                x=reach,
                y=reach,
                mode="lines",
                line={"color": ZERO, "width": 1, "dash": "dot"},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=first_order,
                y=ablated,
                mode="markers+text",
                text=[f"g<sub>{i}</sub>" if i in largest else "" for i in range(len(ablated))],
                textposition="top left",
                textfont={"color": CHOSEN, "size": 13},
                marker={"color": CHOSEN, "size": 8, "opacity": 0.75, "line": {"width": 0}},
                customdata=np.arange(len(ablated)),
                hovertemplate=chart_words.EFFECT,
            ),
        ]
    )
    figure = _dressed(figure).update_layout(height=380)
    axis = {"range": reach, "zeroline": True, "zerolinecolor": ZERO, "showgrid": True, "gridcolor": GRID}
    figure.update_xaxes(title=chart_words.FIRST_ORDER, **axis)
    figure.update_yaxes(title=chart_words.TRUE_EFFECT, **axis)
    return figure


def life_heatmap(
    shares: np.ndarray, times_s: np.ndarray, order: np.ndarray, *, chosen: int, now: int, colours: str
) -> go.Figure:
    """Primitives × time: `shares` (n, T) as rows in `order`, the chosen primitive and the moment marked.

    Points that cannot be seen lie over the cells, since a heat map itself answers no click; each
    carries (primitive, frame).
    """
    count, frames = shares.shape
    bar = {"title": {"text": "%", "side": "right"}, "thickness": 10, "outlinewidth": 0, "nticks": 5}
    figure = go.Figure(
        go.Heatmap(
            z=100 * shares[order],
            zmin=0,
            zmax=100 * float(shares.max()),
            colorscale=_as_written(colours),
            colorbar=bar,
            hoverinfo="skip",
        )
    )
    _add_points(figure, shares, times_s, order)
    row = int(np.flatnonzero(order == chosen)[0])
    line = {"color": CHOSEN, "width": 2}
    figure.add_shape(type="rect", x0=-0.5, x1=frames - 0.5, y0=row - 0.5, y1=row + 0.5, line=line)
    figure.add_shape(type="rect", x0=now - 0.5, x1=now + 0.5, y0=-0.5, y1=count - 0.5, line=line)
    figure.add_annotation(
        x=-0.5,
        y=row,
        xanchor="right",
        text=f"<b>g<sub>{chosen}</sub></b>",
        showarrow=False,
        font={"color": CHOSEN, "size": 13},
    )
    ticks = np.arange(0, frames, max(1, round(frames / 8)))
    figure.update_xaxes(
        title=chart_words.TIME,
        tickvals=ticks,
        ticktext=[f"{times_s[t]:.1f}" for t in ticks],
        range=[-0.5, frames - 0.5],
    )
    figure.update_yaxes(
        title=chart_words.EARLIEST,
        showticklabels=False,
        showgrid=False,
        range=[count - 0.5, -0.5],
    )
    return _dressed(figure).update_layout(height=350, margin_t=12)


def _add_points(figure: go.Figure, shares: np.ndarray, times_s: np.ndarray, order: np.ndarray) -> None:
    """A point that cannot be seen on each cell of a heat map over time, to click and to read."""
    rows, cols = (index.ravel() for index in np.indices(shares.shape))
    figure.add_scatter(
        x=cols,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": 9, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=np.stack([order[rows], cols, times_s[cols], 100 * shares[order].ravel()], axis=1),
        hovertemplate=chart_words.MOMENT,
    )


def _as_written(colours: str) -> list[tuple[float, str]]:
    """The colour scale of this name in other words: Streamlit takes #000004 and the like for its theme’s."""
    return [(at, f"rgb{hex_to_rgb(colour)}") for at, colour in get_colorscale(colours)]


def _rank_ticks(count: int) -> list[int]:
    step = 10 if count <= 80 else 20 * max(1, round(count / 160))
    return [0, *range(step - 1, count, step)]


def _dressed(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 26, "b": 8},
        showlegend=False,
        dragmode=False,
        hoverlabel={"align": "left"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title_standoff=8, automargin=True, fixedrange=True, showgrid=False)
    figure.update_yaxes(title_standoff=8, automargin=True, fixedrange=True, gridcolor=GRID)
    return figure
