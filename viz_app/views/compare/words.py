"""The words of Compare; pure."""

from __future__ import annotations

import a2core
from viz_app.ui import language

LEAD = (
    '<div class="a2-lead"><h1>Where does this pixel get its information from?</h1>'
    "<p>Point into any of the pictures: all of them answer for the same spot.</p></div>"
)
BOTH = {"kinds": "Kinds of block", "networks": "Two networks"}
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
UNTRAINED_KIND = "untrained"


def measuring(kind: str) -> str:
    """What is done while a visitor waits for costs."""
    return f"Measuring {NAMES[kind]}"


def trained(checkpoint: str) -> str:
    """That somebody trained a kind of block."""
    return f"trained: {checkpoint}"


def moves(alt: str, name: str) -> str:
    """What the picture is, for who cannot see it, and how the pixel is moved in it."""
    return f"{alt}, {name}. Arrow keys move the pixel."


def costs_here(positions: object) -> str:
    """The title over what one block costs."""
    return f"What one block costs here, on {positions} positions"


def about_costs(full: object) -> str:
    """How costs were counted and measured."""
    return (
        "Multiply-adds are those of matrix products, counted. Memory is "
        "beyond input, weights and output; time is the fastest of a few runs: both measured, in float32, one "
        "picture. Non-local and self-attention run fused: they never write the N × N map, which by itself "
        f"would be {full}."
    )


def fitted_to(points: int, least: str, most: str) -> str:
    """To how many points an exponent was fitted, and between which positions."""
    return f"{points}, {least} to {most}"


def growth(*, measured: bool) -> str:
    """What the points of the chart are."""
    points = MEASURED_POINTS if measured else COMPUTED_POINTS
    return f'<p class="a2-overlay-says">{points} The dashed line is this picture.</p>'


def point(name: str, how: str, unit: str) -> str:
    """What a point of the chart is, `how` being whether it was measured, in Plotly's language."""
    return f"{name}, {how}<br>%{{x:,}} positions<br><b>%{{y:,.3g}}</b> {unit}<extra></extra>"


language.in_each_language(__name__)
