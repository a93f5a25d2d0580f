"""What an exemplar shows: 96 × 96 pixels of its picture, around the cell."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

CROP_PX = 96  # of a picture whose long side is 256: three eighths of it
_QUALITY, _EFFORT = 65, 2


def window(width_px: int, height_px: int, x: float, y: float) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the crop around (x, y), shares of the sides, inside a picture.

    A side that is shorter than the crop is taken whole.
    """
    wide, high = min(CROP_PX, width_px), min(CROP_PX, height_px)
    left = min(max(0, round(x * width_px - wide / 2)), width_px - wide)
    top = min(max(0, round(y * height_px - high / 2)), height_px - high)
    return left, top, left + wide, top + high


def crops_of(small: bytes, places: list[tuple[float, float]]) -> list[bytes]:
    """WebP crops of a small picture, a JPEG, around each of `places` (x, y), shares of the sides."""
    picture = np.asarray(Image.open(io.BytesIO(small), formats=["JPEG"]))
    made: dict[tuple[int, int, int, int], bytes] = {}
    found = []
    for x, y in places:
        box = window(picture.shape[1], picture.shape[0], x, y)
        if box not in made:
            left, top, right, bottom = box
            file = io.BytesIO()
            crop = Image.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
            crop.save(file, "WEBP", quality=_QUALITY, method=_EFFORT)
            made[box] = file.getvalue()
        found.append(made[box])
    return found


def centre(cell: int, rows: int, cols: int) -> tuple[float, float]:
    """The middle of a cell, numbered row by row, as shares (x, y) of the sides."""
    return (cell % cols + 0.5) / cols, (cell // cols + 0.5) / rows
