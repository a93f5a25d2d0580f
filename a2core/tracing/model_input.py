"""What a network sees of a picture: its size, and the frames at that size."""

from __future__ import annotations

import numpy as np

from a2core.errors import NetworkError

STRIDE_PX = 32  # of the deepest features: sides that are multiples of it line up with every grid
LARGEST_SIZE_PX = 2048


def input_shape(height_px: int, width_px: int, size: int) -> tuple[int, int]:
    """(Hm, Wm) of the model input: long side `size`, shape kept, both sides rounded to multiples of 32.

    Raises:
        NetworkError: `size` is below 32 or above 2048.
    """
    if not STRIDE_PX <= size <= LARGEST_SIZE_PX:
        raise NetworkError(
            f"Picture size {size} is out of range. Choose {STRIDE_PX} to {LARGEST_SIZE_PX} pixels."
        )
    scale = size / max(height_px, width_px)
    cells = scale / STRIDE_PX
    height, width = (max(1, int(side * cells + 0.5)) * STRIDE_PX for side in (height_px, width_px))
    return height, width


def resize_frames(frames: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 resized to `shape` (Hm, Wm): averaged when smaller, bicubic when larger."""
    import cv2

    height, width = shape
    if frames.shape[1:3] == shape:
        return frames
    shrinks = height * width < frames.shape[1] * frames.shape[2]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (width, height), interpolation=method) for frame in frames])
