"""Takes pictures out of Pillow some rows at a time.

Pillow keeps a pixel in four bytes and hands all of them over through two copies: of a picture of 64
megapixels that alone would be 0.6 GB more than the picture.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

_PIXELS = 2 * 1000 * 1000


def strips(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """(rows, these rows as a picture), from the top to the bottom."""
    width, height = picture.size
    rows = max(1, _PIXELS // max(1, width))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        yield slice(top, bottom), picture.crop((0, top, width, bottom))


def array_of(picture: Image.Image) -> np.ndarray:
    """(H, W) or (H, W, C) of a picture's samples as Pillow has them."""
    samples: np.ndarray | None = None
    for rows, strip in strips(picture):
        part = np.asarray(strip)
        if samples is None:
            samples = np.empty((picture.size[1], *part.shape[1:]), part.dtype)
        samples[rows] = part
    return np.asarray(picture) if samples is None else samples
