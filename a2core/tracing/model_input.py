"""What a network sees of a picture: its size, and the frames at that size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from a2core.errors import NetworkError
from a2core.networks.spec import InputSpec

SMALLEST_SIZE_PX, LARGEST_SIZE_PX = 32, 2048
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue are


def input_shape(height_px: int, width_px: int, size: int, takes: InputSpec | None = None) -> tuple[int, int]:
    """(Hm, Wm) of the model input: long side `size`, shape kept, both sides rounded to multiples.

    Multiples of 32, the stride of most networks' deepest features, or as the network `takes` them: where it
    takes one size only, that is the size.

    Raises:
        NetworkError: `size` is below 32 or above 2048.
    """
    takes = takes or InputSpec()
    if not SMALLEST_SIZE_PX <= size <= LARGEST_SIZE_PX:
        raise NetworkError(
            "Picture size {size} is out of range. Choose {least} to {most} pixels.",
            size=size,
            least=SMALLEST_SIZE_PX,
            most=LARGEST_SIZE_PX,
        )
    if takes.fixed_px is not None:
        return takes.fixed_px
    scale = size / max(height_px, width_px)
    cells = scale / takes.multiple_px
    height, width = (max(1, int(side * cells + 0.5)) * takes.multiple_px for side in (height_px, width_px))
    return height, width


def resize_frames(frames: np.ndarray, shape: tuple[int, int], interpolation: str = "") -> np.ndarray:
    """Frames (T, H, W, 3) uint8 resized to `shape` (Hm, Wm).

    As `InputSpec.interpolation` says, with a filter as wide as a pixel becomes, which is what timm and
    torchvision do to a photo; where it says nothing, averaged when smaller, bicubic when larger.
    """
    import cv2

    height, width = shape
    if frames.shape[1:3] == shape:
        return frames
    if interpolation:
        how = Image.Resampling[interpolation.upper()]
        return np.stack([np.asarray(Image.fromarray(frame).resize((width, height), how)) for frame in frames])
    shrinks = height * width < frames.shape[1] * frames.shape[2]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (width, height), interpolation=method) for frame in frames])


def standardised(x: Tensor, takes: InputSpec) -> Tensor:
    """Pixels (B, 3, Hm, Wm), 0 to 255, as a network takes them: its channels, its mean and deviation.

    One channel is the brightness; of more than three, red, green and blue come in turn.
    """
    count = takes.channels
    if count == 1:
        x = (x * torch.tensor(_LUMA, device=x.device)[:, None, None]).sum(dim=1, keepdim=True)
    elif count != 3:
        x = x[:, [index % 3 for index in range(count)]]
    mean, std = (torch.tensor(of, device=x.device).mul(255)[:, None, None] for of in (takes.mean, takes.std))
    return x.sub_(mean).div_(std)


def standardised_array(frames: np.ndarray, takes: InputSpec) -> np.ndarray:
    """`standardised` of frames (T, Hm, Wm, 3) uint8, (T, c, Hm, Wm) float32, by NumPy alone.

    For whoever runs a network without torch: torch's threads go on turning round for milliseconds after they
    have worked, and keep the cores from what comes next.
    """
    x = frames.astype(np.float32)
    if takes.channels == 1:
        x = (x * np.array(_LUMA, np.float32)).sum(axis=3, keepdims=True)
    elif takes.channels != 3:
        x = x[..., [index % 3 for index in range(takes.channels)]]
    mean, std = (np.array(of, np.float32) * np.float32(255) for of in (takes.mean, takes.std))
    x -= mean
    x /= std
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
