"""What several methods got by one measure, each with its interval, and how far one is over another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from a2core.training.evaluate.codes import BLOCK, CHANCE, K_MEANS, RANDOM
from a2core.training.evaluate.intervals import apart, interval

RIVALS = (K_MEANS, RANDOM, CHANCE)  # what a block is told to be over
Compared = dict[str, Any]  # "by", "rows", "over": see `compared`


def compared(
    values: Mapping[str, np.ndarray],
    by: str,
    *,
    paired: bool = True,
    of: str = BLOCK,
    rivals: Sequence[str] = RIVALS,
) -> Compared:
    """`rows`: the mean of each method with its interval; `over`: how far `of` is over each rival.

    Intervals are bootstraps over what a value is of: `by` says that ("primitives", "pictures", "scenes").
    They are `paired` where the k-th value of every method is of the same thing; primitives are not.
    """
    rows = {method: interval(found) for method, found in values.items() if len(found)}
    over = {}
    for rival in rivals:
        if of in rows and rival in rows and rival != of:
            a, b = values[of], values[rival]
            over[rival] = interval(np.subtract(a, b)) if paired else apart(a, b)
    return {"by": by, "of": of, "rows": rows, "over": over}
