"""Cost curves -> one Plotly figure; pure, no Streamlit. Its colours read on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from a2core import Cost

COLOURS = {
    "squeeze_excitation": "#8C93A8",
    "covariance_pooling": "#7A68C4",
    "non_local": "#D9691A",
    "self_attention": "#C2487C",
    "double_attention": "#1F9A90",
}
GRID = "rgba(128,128,128,0.22)"
HEIGHT_PX = 420


def cost_curves(curves: Mapping[str, tuple[str, Sequence[Cost]]], *, here: int) -> go.Figure:
    """Milliseconds (or, where nothing was measured, multiply-adds) over positions, both logarithmic.

    `curves` is kind -> (name, costs, ascending). Measured points are discs on a line; computed ones are
    open circles on a dotted line. `here` marks the positions of the picture at hand.
    """
    timed = any(cost.ms is not None for _, costs in curves.values() for cost in costs)
    figure = go.Figure()
    for kind, (name, costs) in curves.items():
        measured = [cost for cost in costs if cost.measured]
        computed = [cost for cost in costs if not cost.measured]
        joint = measured[-1:] if measured else []
        for part, dash, symbol in ((measured, "solid", "circle"), (joint + computed, "dot", "circle-open")):
            if not part or (part == joint and not computed):
                continue
            said = "measured" if dash == "solid" else "computed"
            figure.add_trace(
                go.Scatter(
                    x=[cost.positions for cost in part],
                    y=[cost.ms if timed else cost.multiply_adds / 1e6 for cost in part],
                    mode="lines+markers",
                    name=name,
                    legendgroup=kind,
                    showlegend=part is measured or not measured,
                    line={
                        "color": COLOURS[kind],
                        "dash": dash,
                        "width": 3 if kind == "double_attention" else 1.8,
                    },
                    marker={"symbol": symbol, "size": 7, "color": COLOURS[kind]},
                    hovertemplate=f"{name}, {said}<br>%{{x:,}} positions<br><b>%{{y:,.3g}}</b>"
                    + (" ms" if timed else " M multiply-adds")
                    + "<extra></extra>",
                )
            )
    figure.add_vline(x=here, line={"color": "#8C93A8", "width": 1, "dash": "dash"})
    figure.update_xaxes(title="positions N", type="log", gridcolor=GRID, dtick=1, fixedrange=True)
    figure.update_yaxes(
        title="milliseconds" if timed else "million multiply-adds",
        type="log",
        gridcolor=GRID,
        dtick=1,
        fixedrange=True,
    )
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 10, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
