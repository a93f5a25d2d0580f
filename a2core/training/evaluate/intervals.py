"""Means with their 95 % intervals, by bootstrap: other pictures would give other numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Interval = dict[str, float]  # "middle", "low" and "high"
ROUNDS = 2000


def interval(
    values: Sequence[float] | np.ndarray, groups: Sequence[int] | np.ndarray | None = None
) -> Interval:
    """The mean of values with its 95 % interval, seed 0; of paired differences, that of their mean.

    Drawn anew are the values or, where `groups` says which belong together (the clicks of one picture, the
    frames of one scene), whole groups of them; every value keeps the same weight.
    """
    values = np.asarray(values, dtype=float)
    if len(values) == 0:
        raise ValueError("there is no mean of nothing")
    which = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    sums, counts = np.bincount(which, weights=values), np.bincount(which)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(sums), size=(ROUNDS, len(sums)))
    return _told(values.mean(), sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))


def apart(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> Interval:
    """The difference of two means with its 95 % interval, where no value of `a` belongs to one of `b`."""
    rng, sides = np.random.default_rng(0), [np.asarray(values, dtype=float) for values in (a, b)]
    means = [side[rng.integers(len(side), size=(ROUNDS, len(side)))].mean(axis=1) for side in sides]
    return _told(sides[0].mean() - sides[1].mean(), means[0] - means[1])


def _told(middle: float, drawn: np.ndarray) -> Interval:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {name: round(float(x), 4) for name, x in (("middle", middle), ("low", low), ("high", high))}


def said(of: Interval, digits: int = 3) -> str:
    """An interval in a table: "+0.012 [+0.003, +0.021]"."""
    middle, low, high = (f"{of[name]:+.{digits}f}" for name in ("middle", "low", "high"))
    return f"{middle} [{low}, {high}]"
