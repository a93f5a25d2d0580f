"""Brings samples of any depth to the 8 bits that are shown, and says in a note what range became what.

Three kinds are told apart. Samples that use the range of their type (8 bits, true 16 bits, a stated
maximum) are scaled by that range: two pictures of one scene stay comparable. Counts of a sensor in a
wider type (10, 12 or 14 bits in 16) would come out nearly black, so they are stretched by their own
range. Signed, 32-bit and floating samples have no agreed black and white at all.
"""

from __future__ import annotations

import cv2
import numpy as np

from a2core.languages import sentence

# A sensor of 14 bits or fewer in a type of 16 never leaves the lowest quarter. A photo in true 16 bits does,
# with its first bright pixel.
_USED_OF_RANGE = 4
# Left out at either end when a range is looked for: hot and dead pixels.
_OUTLIERS = 0.001
_MOST_LOOKED_AT = 4 * 1000 * 1000
_STRIP_SAMPLES = 4 * 1000 * 1000


def from_integers(
    values: np.ndarray, white: int, notes: list[str], *, colours: int | None = None
) -> np.ndarray:
    """Unsigned samples of 9 to 16 bits as uint8.

    Scaled by ``white``, unless not one of them reaches a quarter of it: then the file holds fewer bits than
    its type, and the range between the 0.1st and 99.9th percentile becomes black to white. All colours are
    stretched alike, so that hues stay. A picture of one value only has no range and is scaled by ``white``.

    Args:
        values: (H, W) or (H, W, C) uint16.
        white: The brightest value that their type, or their file, allows.
        notes: A sentence is added where anything was done to the samples.
        colours: How many bands are colours; those after them (alpha) are scaled by ``white`` in any case.
    """
    bits = max(1, int(white).bit_length())
    # By white, not white + 1, so that white stays white.
    plain = _rounded(np.arange(65536, dtype=np.float32) * np.float32(255 / white))
    shown = values if values.ndim == 2 or colours is None else values[..., :colours]
    low, high = int(shown.min()), int(shown.max())
    if high * _USED_OF_RANGE <= white and low < high:
        low, high = _counted_range(shown)
        steps = np.arange(65536, dtype=np.float32)
        table = _rounded((steps - low) * np.float32(255 / max(high - low, 1)))
        notes.append(
            sentence(
                "{bits}-bit samples that use only {low} to {high} were stretched from black to white.",
                bits=bits,
                low=low,
                high=high,
            )
        )
    else:
        table = plain
        if white != 255:
            notes.append(sentence("{bits}-bit samples were reduced to 8 bits.", bits=bits))
    eight_bit = np.empty(values.shape, np.uint8)
    for strip, out in zip(_strips(values), _strips(eight_bit), strict=True):
        out[...] = _looked_up(strip, table)
        if shown.shape != values.shape:
            out[..., colours:] = _looked_up(strip[..., colours:], plain)
    return eight_bit


def _looked_up(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    # Not by NumPy, which makes an index of eight bytes of every sample.
    return cv2.LUT(np.ascontiguousarray(values), table).reshape(values.shape)


def from_any(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Signed, 32-bit or floating samples of any shape as uint8, by the range that they seem to be in.

    Floats in 0…1 and numbers in 0…255 mean what they mean everywhere. Any other range is stretched: what
    lies between the 0.1st and 99.9th percentile becomes black to white.
    """
    floating = np.issubdtype(values.dtype, np.floating)
    low, high = _limits(values) if floating else (float(values.min()), float(values.max()))
    if floating and not all(np.isfinite(strip).all() for strip in _strips(values)):
        notes.append("Samples that are no finite number are shown black.")
    if low >= 0 and high <= 1 and floating:
        notes.append("Samples from 0 to 1 were reduced to 8 bits.")
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    elif low == high:
        notes.append(sentence("All samples are {low:g}: they are shown black.", low=low))
    else:
        low, high = _range(values)
        notes.append(
            sentence(
                "Samples from {low:g} to {high:g} were stretched from black to white.", low=low, high=high
            )
        )
    eight_bit = np.empty(values.shape, np.uint8)
    for strip, out in zip(_strips(values), _strips(eight_bit), strict=True):
        wide = strip.astype(np.float64)
        wide[~np.isfinite(wide)] = low
        out[...] = _rounded((wide - low) / max(high - low, 1e-300) * 255)
    return eight_bit


def _strips(values: np.ndarray) -> list[np.ndarray]:
    """Views of some rows each: a copy of all of them at 64 bits would be the largest thing in memory."""
    rows = max(1, _STRIP_SAMPLES // max(1, values[:1].size))
    return [values[top : top + rows] for top in range(0, len(values), rows)]


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest finite sample; 0 and 0 where there is none."""
    low, high = np.inf, -np.inf
    for strip in _strips(values):
        finite = strip[np.isfinite(strip)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 0.0)


def _range(values: np.ndarray) -> tuple[float, float]:
    """The percentiles that become black and white, of every so manieth sample where there are many."""
    looked_at = values.reshape(-1)[:: max(1, values.size // _MOST_LOOKED_AT)]
    looked_at = looked_at[np.isfinite(looked_at)]
    low = float(np.quantile(looked_at, _OUTLIERS, method="lower"))
    high = float(np.quantile(looked_at, 1 - _OUTLIERS, method="higher"))
    return (low, high) if low < high else _limits(values)


def _counted_range(values: np.ndarray) -> tuple[int, int]:
    """The same of 16-bit samples, exactly."""
    counts = np.zeros(65536, np.int64)
    for strip in _strips(values):
        found = cv2.calcHist([np.ascontiguousarray(strip).reshape(-1, 1)], [0], None, [65536], [0, 65536])
        counts += found.reshape(-1).astype(np.int64)
    below = np.cumsum(counts)
    low = int(np.searchsorted(below, _OUTLIERS * below[-1], side="right"))
    high = int(np.searchsorted(below, (1 - _OUTLIERS) * below[-1], side="left"))
    if low < high:
        return low, high
    seen = np.flatnonzero(counts)
    return int(seen[0]), int(seen[-1])


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)
