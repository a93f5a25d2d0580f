"""The words of step 3: softmax over positions, at the network's temperature and at others."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("Θ", "τ", "j")
NAME, TITLE = "Where to look", "Softmax over positions makes a map of where to look"
FORMULA = (
    r"\theta_{ij} = \frac{\exp(\tilde\theta_{ij}/\tau)}{\sum_{j'} \exp(\tilde\theta_{ij'}/\tau)}, "
    r"\qquad \sum_j \theta_{ij} = 1"
)
LOGITS_ALT, MAP_ALT = "The logits of one primitive", "The gather map of one primitive"
HEAVIEST, HEAVIEST_ALT = "the heaviest cells of the map, largest first", "Weights of the heaviest cells"
HEAVIEST_AXES = ("share of the peak", "cells, by weight →")
EVEN = "The line is plain averaging: the same 1/N for each cell."
PEAK = "peak, max<sub>j</sub> θ<sub>ij</sub>"
ONE_OVER_N = "plain averaging, 1/N"
HALF = "half of it lies in so many cells"
OF_CELLS = "of N cells"
SUM = "sum over all positions"

LIMIT = "the limit: the arg-max takes it all"  # in the lines of NumPy

# The temperature, said by what it does.
FLAT = (
    "At a very large temperature the logits no longer matter: every cell gets the same share, and gathering "
    "becomes plain averaging."
)


def overlay(primitive: str) -> str:
    """What lies over the picture."""
    return f"the gather map θ{primitive} at this temperature"


def logits(primitive: str) -> str:
    """The first map."""
    return f"θ̃{primitive}, logits"


def shares(primitive: str) -> str:
    """The second map."""
    return f"θ{primitive}, after softmax"


def zero_shared(winners: object) -> str:
    """Temperature zero, where several logits are the largest."""
    return (
        f"At temperature zero nothing but the largest logit counts: {winners} cells have it and share the "
        "whole weight equally."
    )


def zero(place: str) -> str:
    """Temperature zero, with the largest logit at `place`."""
    return (
        "At temperature zero softmax becomes the arg-max: the whole weight falls on the one cell with the "
        f"largest logit, {place}."
    )


def one(place: str) -> str:
    """The network's own temperature, with the peak at `place`."""
    return (
        f"Each row of Θ̃ becomes a map that sums to one over all positions; it peaks at {place}. The network "
        "itself uses temperature one."
    )


def colder(place: str) -> str:
    """Below one."""
    return f"Colder than the network: the best cells, above all {place}, take more of the whole."


def warmer(place: str) -> str:
    """Above one."""
    return f"Warmer than the network: the map spreads, though it still peaks at {place}."


in_each_language(__name__)
