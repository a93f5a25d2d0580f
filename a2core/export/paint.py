"""Maps painted over frames, for files: the colours and the alignment of the app, in NumPy.

Colour maps are perceptually uniform and safe for colour-blind eyes: magma for "gathered from",
viridis for "handed out to", cividis for "changed". The value of a cell sits at its centre.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

Colours = Literal["magma", "viridis", "cividis"]
_TABLES = {"magma": cv2.COLORMAP_MAGMA, "viridis": cv2.COLORMAP_VIRIDIS, "cividis": cv2.COLORMAP_CIVIDIS}


def colour_table(colours: Colours) -> np.ndarray:
    """256 RGB entries (256, 3) uint8, dark to bright."""
    return cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], _TABLES[colours])[:, 0, ::-1].copy()


def overlay(
    frame: np.ndarray, values: np.ndarray, *, top: float, colours: Colours, opacity: float = 0.75
) -> np.ndarray:
    """`frame` (H, W, 3) uint8 with a map (h, w) over it, `top` being painted brightest; a new array.

    Low values let the picture through. Half-pixel exact: a cell's value is at the centre of the pixels
    that it covers.
    """
    height, width = frame.shape[:2]
    scaled = np.clip(values / top, 0, 1) if top > 0 else np.zeros_like(values)
    large = cv2.resize(scaled.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    cover = opacity * np.minimum(1, 0.12 + 0.98 * large**0.6)[..., None]
    painted = colour_table(colours)[np.rint(255 * large).astype(np.uint8)]
    return np.rint(frame * (1 - cover) + painted * cover).astype(np.uint8)
