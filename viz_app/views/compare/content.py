"""What Compare says, in words and tables: pure, no Streamlit, no Plotly."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import a2core
from a2core import Cost, Exponent, Reading, Rival
from a2core.canvas import percent
from viz_app.server.traces import Shown
from viz_app.ui.figures import table
from viz_app.ui.measures import weights_bytes
from viz_app.ui.numbers import decimal, megabytes, number, whole

LEAD = (
    '<div class="a2-lead"><h1>Where does this pixel get its information from?</h1>'
    "<p>Point into any of the pictures: all of them answer for the same spot.</p></div>"
)
KINDS, NETWORKS = "Kinds of block", "Two networks"
WHAT, OTHER = "What is compared", "Compared with"
SCALE = {
    "shared": "One scale for all",
    "unit": "attention per cell",
    "own": "each picture is painted up to its own peak",
}
# What a kind of block is called and does, it says of itself.
NAMES = {kind: block.title for kind, block in a2core.BLOCK_KINDS.items()}
GATHERS = {kind: block.summary for kind, block in a2core.BLOCK_KINDS.items()}
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>Untrained where it says so.</strong> Blocks without a '
    "checkpoint have random weights: what they cost is right, where they look means nothing.</div>"
)
NO_RIVALS = (
    "{name} has no rivals here: the five kinds of block were trained on one network of ours. Compare it with "
    "another network, or choose weights that are not yours on Explore."
)
NO_OTHER = "There is no other network to compare with: whoever runs the server names some with A2_NETWORKS."
NO_CLASSES, UNTRAINED_BLOCKS = "answers without classes", "random blocks"
TRACING, RUNNING = "Tracing the picture", "Running the other kinds of block"
FETCHING = "Fetching the layer"

# One kind of block.
SAME_GATES = (
    '<b>The same for every pixel.</b> <span class="a2-detail">Its gates differ between any two pixels by at '
    "most {spread}, of {scale}: rounding.</span>"
)
SAME_ADDITION = (
    '<b>The same for every pixel.</b> <span class="a2-detail">Its addition differs between any two pixels by '
    "at most {spread}, of {scale}: rounding.</span>"
)
OWN = (
    'Its own for every pixel<span class="a2-detail">: what two of them are handed differs by up to {spread}'
    "</span>."
)

# Costs here.
COST_COLUMNS = ("", "parameters", "multiply-adds", "memory at its peak", "time on this machine")

# How costs grow.
GROWTH = '<section class="a2-costs"><h2>How the cost grows with the number of positions</h2></section>'
MEASURE, GROWTH_ALT = "Measure on this machine", "Cost over positions"
MEASURED_POINTS = (
    "Discs are measured on this machine, open circles computed from the last disc by multiply-adds."
)
COMPUTED_POINTS = (
    "Multiply-adds, computed. Press the button for measured times: it takes about half a minute."
)
POSITIONS_AXIS, MS_AXIS, MULTIPLY_ADDS_AXIS = "positions N", "milliseconds", "million multiply-adds"
MEASURED_POINT, COMPUTED_POINT = "measured", "computed"
MS, MULTIPLY_ADDS = "ms", "M multiply-adds"
EXPONENTS = "Time grows as N to the power of"
EXPONENT_COLUMNS = ("", "measured, with its 95 % interval", "counted multiply-adds", "points, positions")
TOO_FEW = "too few points measured"


def measuring(kind: str) -> str:
    """What is done while a visitor waits for costs."""
    return f"Measuring {NAMES[kind]}"


def heading(rival: Rival) -> str:
    """The kind of block, and whether somebody trained it."""
    flag = (
        f"<span>trained: {html.escape(rival.checkpoint)}</span>"
        if rival.trained
        else '<em class="a2-random">untrained</em>'
    )
    return f"<h2>{NAMES[rival.kind]}</h2>{flag}"


def network(shown: Shown) -> str:
    """The network, and what it answers."""
    top = shown.trace.top
    said = f"{html.escape(top[0][0])} {percent(top[0][1])}" if top else NO_CLASSES
    flag = "" if shown.trace.trained else f' <em class="a2-random">{UNTRAINED_BLOCKS}</em>'
    return f"<h2>{html.escape(shown.weights.label)}</h2><span>{said}</span>{flag}"


def moves(alt: str, name: str) -> str:
    """What the picture is, for who cannot see it, and how the pixel is moved in it."""
    return f"{alt}, {name}. Arrow keys move the pixel."


def under_picture(kind: str, reading: Reading) -> str:
    """How a kind of block gathers, and whether it hands the same to all."""
    return f'<p class="a2-gathers">{GATHERS[kind]}</p><p>{_handed(kind, reading)}</p>'


def _handed(kind: str, reading: Reading) -> str:
    spread = number(f"{kind}_spread", reading.spread)
    if not reading.same_everywhere:
        return OWN.format(spread=spread)
    says = SAME_GATES if reading.handed == "gates" else SAME_ADDITION
    return says.format(spread=spread, scale=number(f"{kind}_scale", reading.scale))


def costs(found: Mapping[str, Cost], positions: int) -> str:
    """What one block of each kind costs on so many positions, as a table."""
    rows = [
        (
            NAMES[kind],
            f"{cost.parameters:,}",
            f"{_three_digits(cost.multiply_adds / 1e6)} M",
            "" if cost.peak_mib is None else _memory(cost.peak_mib),
            "" if cost.ms is None else f"{_three_digits(cost.ms)} ms",
        )
        for kind, cost in found.items()
    ]
    full, _ = weights_bytes(positions, 1)
    return (
        f'<section class="a2-costs"><h2>What one block costs here, on {whole("N", positions)} positions</h2>'
        f"{table(COST_COLUMNS, rows)}<p>Multiply-adds are those of matrix products, counted. Memory is "
        "beyond input, weights and output; time is the fastest of a few runs: both measured, in float32, one "
        "picture. Non-local and self-attention run fused: they never write the N × N map, which by itself "
        f"would be {megabytes('full_map', full)}.</p></section>"
    )


def exponents(known: Mapping[str, Sequence[Cost]]) -> str:
    """The exponents that were fitted to measured curves, as a table."""
    rows = [(html.escape(NAMES[kind]), *_fitted(a2core.fit_exponent(curve))) for kind, curve in known.items()]
    return f'<section class="a2-costs"><h3>{EXPONENTS}</h3>{table(EXPONENT_COLUMNS, rows)}</section>'


def _fitted(fit: Exponent | None) -> tuple[str, str, str]:
    if fit is None:
        return TOO_FEW, "", ""
    return (
        f"<b>{decimal(fit.value)}</b> [{decimal(fit.low)}, {decimal(fit.high)}]",
        decimal(fit.counted),
        f"{fit.points}, {fit.least:,} to {fit.most:,}",
    )


def growth(*, measured: bool) -> str:
    """What the points of the chart are."""
    points = MEASURED_POINTS if measured else COMPUTED_POINTS
    return f'<p class="a2-overlay-says">{points} The dashed line is this picture.</p>'


def point(name: str, how: str, unit: str) -> str:
    """What a point of the chart is, `how` being whether it was measured, in Plotly's language."""
    return f"{name}, {how}<br>%{{x:,}} positions<br><b>%{{y:,.3g}}</b> {unit}<extra></extra>"


def _memory(mib: float) -> str:
    return f"{_three_digits(mib)} MiB" if mib >= 0.1 else f"{1024 * mib:.1f} KiB"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"
