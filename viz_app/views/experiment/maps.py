"""An experiment's maps as small pictures: where the output changed, what each primitive gathers; pure."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from a2core import BlockTrace
from a2core.canvas import cover
from a2core.lesson import opaque, painted, webp_url

TILE_WIDTH_PX = 120
TILES_A_ROW = 8
TILE_OPACITY = 0.85
VEIL_SCALE = 8  # pixels a cell of a map that lies over the picture
RAMP_STOPS = 9


def veil(values: np.ndarray, peak: float) -> str:
    """A map (rows, cols) over a picture: the nearer to zero, the more of the picture shows."""
    rows, cols = values.shape
    level = _resized(values / (peak or 1.0), VEIL_SCALE * cols, VEIL_SCALE * rows)
    return webp_url(np.dstack([painted(level, "change"), opaque(level)]))


def ramp() -> str:
    """The colours of such a map, from nothing to its peak, as a CSS gradient."""
    stops = painted(np.linspace(0, 1, RAMP_STOPS), "change")
    return f"linear-gradient(to right, {', '.join(f'#{r:02x}{g:02x}{b:02x}' for r, g, b in stops)})"


def tile_sheet(block: BlockTrace, frames: np.ndarray) -> str:
    """The gather maps of all primitives over the picture, `TILES_A_ROW` in a row, as one data URL.

    Each map is stretched to its own peak. Of a clip each primitive shows the frame that it gathers
    most from. `frames` is the model input, (T, H, W, 3) uint8.
    """
    width, height = tile_size(frames)
    small = [_shrunk(frame, width, height) for frame in frames]
    rows = math.ceil(block.n / TILES_A_ROW)
    sheet = np.zeros((rows * height, TILES_A_ROW * width, 3), np.uint8)
    for i, maps in enumerate(block.gather):
        t = int(maps.sum(axis=(1, 2)).argmax())
        level = _resized(maps[t] / (float(maps[t].max()) or 1.0), width, height)
        shares = cover(level, TILE_OPACITY)[..., None]
        tile = small[t] * (1 - shares) + painted(level, "gather") * shares
        top, left = height * (i // TILES_A_ROW), width * (i % TILES_A_ROW)
        sheet[top : top + height, left : left + width] = np.rint(tile)
    return webp_url(sheet)


def tile_size(frames: np.ndarray) -> tuple[int, int]:
    """(width, height) of a tile in pixels; very long pictures are squeezed."""
    _, height_px, width_px, _ = frames.shape
    aspect = min(2.0, max(0.75, width_px / height_px))
    return TILE_WIDTH_PX, round(TILE_WIDTH_PX / aspect)


def _shrunk(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """The frame small, grey and dim: what maps are drawn over."""
    grey = Image.fromarray(frame).convert("L").resize((width, height), Image.Resampling.BOX)
    return np.repeat(0.6 * np.asarray(grey, np.float32)[..., None], 3, axis=2)


def _resized(values: np.ndarray, width: int, height: int) -> np.ndarray:
    """A map (rows, cols) of values from 0 to 1 made larger, linear between the centres of its cells."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.clip(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)), 0, 1)
