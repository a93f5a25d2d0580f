"""Cost curves -> one Plotly figure; pure, no Streamlit. Its colours read on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

import a2core
from a2core import Cost
from viz_app.ui.plots import CHOSEN, GRID, NEGATIVE, POSITIVE, ZERO
from viz_app.views.compare import words

# Double attention as whatever is chosen elsewhere; its relatives in the order in which they come.
_RELATIVES = (ZERO, NEGATIVE, POSITIVE, "#C2487C", "#8A6D1F", "#3F7F4F")
_ORDER = [kind for kind in a2core.BLOCK_KINDS if kind != a2core.DoubleAttention.kind]
COLOURS = {kind: _RELATIVES[index % len(_RELATIVES)] for index, kind in enumerate(_ORDER)} | {
    a2core.DoubleAttention.kind: CHOSEN
}
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
        if measured:
            figure.add_trace(_line(kind, name, measured, timed=timed, measured=True))
        if computed:  # joined to the last disc
            beyond = measured[-1:] + computed
            figure.add_trace(_line(kind, name, beyond, timed=timed, measured=False, named=not measured))
    figure.add_vline(x=here, line={"color": ZERO, "width": 1, "dash": "dash"})
    axis = {"type": "log", "gridcolor": GRID, "dtick": 1, "fixedrange": True}
    figure.update_xaxes(title=words.POSITIONS_AXIS, **axis)
    figure.update_yaxes(title=words.MS_AXIS if timed else words.MULTIPLY_ADDS_AXIS, **axis)
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 10, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _line(
    kind: str, name: str, costs: Sequence[Cost], *, timed: bool, measured: bool, named: bool = True
) -> go.Scatter:
    """One curve, or the part of it that was measured or not; `named`: the legend has it."""
    how = words.MEASURED_POINT if measured else words.COMPUTED_POINT
    return go.Scatter(
        x=[cost.positions for cost in costs],
        y=[cost.ms if timed else cost.multiply_adds / 1e6 for cost in costs],
        mode="lines+markers",
        name=name,
        legendgroup=kind,
        showlegend=named,
        line={
            "color": COLOURS[kind],
            "dash": "solid" if measured else "dot",
            "width": 3 if kind == a2core.DoubleAttention.kind else 1.8,
        },
        marker={"symbol": "circle" if measured else "circle-open", "size": 7, "color": COLOURS[kind]},
        hovertemplate=words.point(name, how, words.MS if timed else words.MULTIPLY_ADDS),
    )
