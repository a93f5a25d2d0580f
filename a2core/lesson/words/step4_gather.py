"""The words of step 4: gathering a primitive as a weighted sum over all positions."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("a", "G")
NAME, TITLE = "Gather", "Gather: a weighted sum over all positions"
FORMULA = r"g_i = \sum_{j} \theta_{ij}\, a_j, \qquad G = A\,\Theta^\top"
SENTENCE = (
    "Every term multiplies two things read from the same cell, its weight and its features: that is what "
    "second-order means, and why no primitive need be the plain average."
)
RUNNING_ALT = "The running sum over the cells so far, with the primitive it becomes"
AVERAGE_ALT = "The plain average of the features, with the primitive"
COLLECTED, COLLECTED_ALT = "weight collected so far", "Weight collected over the cells"
COLLECTED_AXIS, COLLECTED_NOTE = "zero to one", "The thin line is plain averaging."
LAST_CELL = "last cell in the sum, j"
ITS_WEIGHT = "its weight, θ<sub>ij</sub>"
WEIGHT_COLLECTED = "weight collected"
AVERAGE_OFF = "how far the plain average is off"


def overlay(primitive: str) -> str:
    """What lies over the picture."""
    return f"θ{primitive} over the cells that are in the sum"


def running(primitive: str) -> str:
    """The bars of the sum so far."""
    return f"running sum, and {primitive} as a line"


def average(primitive: str) -> str:
    """The bars of the plain average."""
    return f"plain average of all a<sub>j</sub>, and {primitive} as a line"


in_each_language(__name__)
