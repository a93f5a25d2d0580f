"""Arrays as the canvas payload holds them: base64 of 16-bit numbers, with a scale for each row."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from a2core.canvas.vocabulary import read_vocabulary


def quantise(maps: np.ndarray) -> dict[str, Any]:
    """Non-negative maps (k, ...) as uint16 with one scale a map: {"data": base64, "scale": [k]}.

    Little endian, in C order; value = data · scale / 65535, scale being the peak of its map, so
    that the error is at most scale / 131070.
    """
    flat = np.asarray(maps, dtype=np.float64).reshape(len(maps), -1)
    scale = flat.max(axis=1)
    safe = np.where(scale > 0, scale, 1.0)[:, None]
    data = np.rint(np.clip(flat / safe, 0.0, 1.0) * read_vocabulary().levels).astype("<u2")
    return {"data": base64.b64encode(data.tobytes()).decode("ascii"), "scale": [float(s) for s in scale]}


def quantise_signed(rows: np.ndarray, masked: np.ndarray | None = None) -> dict[str, Any]:
    """Rows (k, ...) of any sign as int16 with one scale a row: {"data": base64, "scale": [k]}.

    Little endian, in C order; value = data · scale / 32767, scale being the largest magnitude of its row,
    so that the error is at most scale / 65534. What is `masked` is -32768 and stands for -∞.
    """
    flat = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    hidden = np.zeros(flat.shape, bool) if masked is None else masked.reshape(flat.shape)
    flat = np.where(hidden, 0.0, flat)
    scale = np.abs(flat).max(axis=1)
    safe = np.where(scale > 0, scale, 1.0)[:, None]
    levels = read_vocabulary().signed_levels
    data = np.where(hidden, -levels - 1, np.rint(flat / safe * levels)).astype("<i2")
    return {"data": base64.b64encode(data.tobytes()).decode("ascii"), "scale": [float(s) for s in scale]}
