"""Maps painted over frames, for files: the colours, opacity and alignment of the canvas, in NumPy.

Colour maps are perceptually uniform and safe for colour-blind eyes: magma for "gathered from",
viridis for "handed out to", cividis for "changed". The value of a cell sits at its centre.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from a2core.canvas import colour_table, cover

Colours = Literal["magma", "viridis", "cividis"]


def overlay(
    frame: np.ndarray, values: np.ndarray, *, top: float, colours: Colours, opacity: float = 0.75
) -> np.ndarray:
    """`frame` (H, W, 3) uint8 with a map (h, w) over it, `top` being painted brightest; a new array.

    Low values let the picture through. Half-pixel exact: a cell's value is at the centre of the pixels
    that it covers.
    """
    import cv2

    height, width = frame.shape[:2]
    scaled = np.clip(values / top, 0, 1) if top > 0 else np.zeros_like(values)
    large = cv2.resize(scaled.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    opaque = cover(large, opacity)[..., None]
    painted = colour_table(colours)[np.rint(255 * large).astype(np.uint8)]
    return np.rint(frame * (1 - opaque) + painted * opaque).astype(np.uint8)
