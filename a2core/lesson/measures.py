"""Two measures of maps that several pages print: how many cells count, and what maps weigh; pure."""

from __future__ import annotations

import numpy as np

FLOAT_BYTES = 4


def effective_count(shares: np.ndarray) -> float:
    """How many of `shares` (k,), which sum to 1, really count: exp of their entropy."""
    used = shares[shares > 0]
    return float(np.exp(-(used * np.log(used)).sum()))


def weights_bytes(positions: int, n: int) -> tuple[int, int]:
    """Bytes in float32 of the N×N map, and of the two factors B and V that stand for it."""
    return FLOAT_BYTES * positions**2, FLOAT_BYTES * 2 * n * positions
