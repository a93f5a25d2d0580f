"""Tensors as what a trace keeps: arrays on the processor that nobody can write to."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def frozen(values: Tensor | np.ndarray) -> np.ndarray:
    """Read-only and contiguous; a tensor as float32, apart from its memory where it is shared."""
    if isinstance(values, Tensor):
        values = values.detach().float().cpu().contiguous().numpy()
    array = np.ascontiguousarray(values)
    array.flags.writeable = False
    return array
