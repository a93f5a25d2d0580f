"""Primitives switched off, kept alone or scaled: a factor for each, and the weights that follow."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2core.errors import InterventionError


def weights_of(distribute: Tensor, factors: np.ndarray, *, renormalise: bool) -> Tensor:
    """What each primitive is weighed with at each position, (n, N)."""
    scale = torch.tensor(factors, dtype=distribute.dtype, device=distribute.device)[:, None]
    if not renormalise:
        return distribute * scale
    # As logits: at a position where all that is left is too small for a float, the rest still sums to 1.
    tiny = torch.finfo(distribute.dtype).tiny
    return torch.softmax(distribute.clamp_min(tiny).log() + scale.log(), dim=0)


def factors_of(
    count: int,
    off: Iterable[int],
    only: Iterable[int] | None,
    scale: Mapping[int, float] | None,
    *,
    renormalise: bool,
) -> np.ndarray:
    """s, (n,) float64: the factor of each primitive, as `Replay.run` takes them.

    Raises:
        InterventionError: no such primitive, a factor that is no finite number, or nothing left to share out.
    """
    factors = np.ones(count)
    if only is not None:
        factors[:] = 0
        factors[[_index(i, count) for i in only]] = 1
    for i, factor in (scale or {}).items():
        if not math.isfinite(factor):
            raise InterventionError(
                f"The factor of primitive {i} is {factor}. Give a finite number: 0 switches it off, "
                "1 leaves it as it is."
            )
        factors[_index(i, count)] *= factor
    factors[[_index(i, count) for i in off]] = 0
    if renormalise and (factors < 0).any():
        worst = int(factors.argmin())
        raise InterventionError(
            f"The factor of primitive {worst} is {factors[worst]:g}: weights that are shared out anew cannot "
            "be negative. Use factors of 0 and more, or renormalise=False."
        )
    if renormalise and not factors.any():
        raise InterventionError(
            f"All {count} primitives are off: nothing is left to renormalise ρ over. Keep at least one, or "
            "use renormalise=False, which then gives the network without the block."
        )
    return factors


def _index(value: Any, count: int) -> int:
    try:
        index = operator.index(value)
    except TypeError:
        index = -1
    if not 0 <= index < count:
        raise InterventionError(
            f"The block has no primitive {value!r}: it has {count}, counted from 0 to {count - 1}."
        )
    return index
