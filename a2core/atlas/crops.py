"""What an exemplar shows: 96 × 96 pixels of its picture, around the cell; and four of them as a tile."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from a2core.errors import AtlasError

CROP_PX = 96  # of a picture whose long side is 256: three eighths of it
TILE_PX = 128
_MOST_PX = 4096 * 4096  # of a picture in an atlas, which somebody else may have made
_QUALITY, _EFFORT = 65, 2
_TILE_QUALITY, _TILE_EFFORT = 40, 4


def window(
    width_px: int, height_px: int, x: float, y: float, side_px: int = CROP_PX
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the crop around (x, y), shares of the sides, inside a picture.

    A side that is shorter than the crop is taken whole.
    """
    wide, high = min(side_px, width_px), min(side_px, height_px)
    left = min(max(0, round(x * width_px - wide / 2)), width_px - wide)
    top = min(max(0, round(y * height_px - high / 2)), height_px - high)
    return left, top, left + wide, top + high


def crops_of(small: bytes, places: list[tuple[float, float]], side_px: int = CROP_PX) -> list[bytes]:
    """WebP crops of a small picture, JPEG or WebP, around each of `places` (x, y), shares of the sides.

    Raises:
        AtlasError: it is damaged, or larger than any that an atlas holds.
    """
    picture = np.asarray(_opened(small))
    made: dict[tuple[int, int, int, int], bytes] = {}
    found = []
    for x, y in places:
        box = window(picture.shape[1], picture.shape[0], x, y, side_px)
        if box not in made:
            left, top, right, bottom = box
            crop = Image.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
            made[box] = webp(crop, _QUALITY, _EFFORT)
        found.append(made[box])
    return found


def tile_of(crops: Sequence[bytes]) -> bytes:
    """Four crops, or fewer, as one WebP of 128 × 128 pixels, about 3 kB; b"" of none.

    A page shows hundreds of primitives at once: one small picture each is what it can scroll.
    """
    if not crops:
        return b""
    tile = Image.new("RGB", (TILE_PX, TILE_PX), (128, 128, 128))
    half = TILE_PX // 2 - 1  # two pixels lie between them
    for at, crop in enumerate(crops[:4]):
        fitted = ImageOps.fit(_opened(crop), (half, half), Image.Resampling.LANCZOS)
        tile.paste(fitted, (at % 2 * (half + 2), at // 2 * (half + 2)))
    return webp(tile, _TILE_QUALITY, _TILE_EFFORT)


def _opened(data: bytes) -> Image.Image:
    """A small picture, measured before a pixel of it is decoded.

    Raises:
        AtlasError: it is damaged, or larger than any that an atlas holds.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=["JPEG", "WEBP"])
        if picture.width * picture.height > _MOST_PX:
            raise AtlasError("A small picture of this atlas is no small one. Build the atlas again.")
        picture.load()
    except (OSError, Image.DecompressionBombError) as error:
        raise AtlasError("A picture in this atlas is damaged. Build the atlas again.") from error
    return picture


def webp(picture: Image.Image, quality: int, effort: int) -> bytes:
    """A picture as WebP."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=effort)
    return file.getvalue()


def centre(cell: int, rows: int, cols: int) -> tuple[float, float]:
    """The middle of a cell, numbered row by row, as shares (x, y) of the sides."""
    return (cell % cols + 0.5) / cols, (cell // cols + 0.5) / rows
