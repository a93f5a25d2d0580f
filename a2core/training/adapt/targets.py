"""What the photos themselves say on which places belong together: features compared, affinities walked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, teachers_of
from a2core.networks.passage import Passage

TEACHER_PX = 256  # of whose pictures the teacher's predictions are taken; it was trained on 260
LARGEST_PX = 768  # pictures are doubled for a finer look, up to here: photos hold nothing finer


@dataclass(frozen=True)
class CacheSettings:
    """Everything that the cached numbers depend on, beside the photos themselves."""

    trunk: str = DEFAULT_TRUNK
    teacher: str = teachers_of(DEFAULT_TRUNK)[-1]
    taps: tuple[str, ...] = tuple(BACKBONES[DEFAULT_TRUNK].sites)  # stages of both, in network order
    sizes_px: tuple[int, ...] = (384, 576)
    rows: int = 24
    temperature: float = 0.1
    steps: int = 8
    seed: int = 0
    frames: int = 1


def standardise(photos: np.ndarray) -> Tensor:
    """(B, S, S, 3) uint8 to what the default trunk and its teachers take."""
    trunk = BACKBONES[DEFAULT_TRUNK]
    mean, std = (torch.tensor(values)[:, None, None] for values in (trunk.mean, trunk.std))
    return torch.from_numpy(photos).permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(std)


def unit_features(features: Tensor, grid: int, frames: int = 1) -> Tensor:
    """(B, c, T·grid²), of unit length: standardised per channel over the batch, resampled to the grid.

    `features` are (B·T, c, h, w), T = `frames`.
    """
    mean = features.mean(dim=(0, 2, 3), keepdim=True)
    std = features.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-5)
    features = (features - mean) / std
    if features.shape[-1] > grid:
        features = F.adaptive_avg_pool2d(features, grid)
    elif features.shape[-1] < grid:
        features = F.interpolate(features, size=(grid, grid), mode="bilinear", align_corners=False)
    flat = features.unflatten(0, (-1, frames)).transpose(1, 2).flatten(2)
    return F.normalize(flat, dim=1)


def walked_affinity(
    units: Sequence[Tensor], temperature: float, steps: int, rows: Tensor | None = None
) -> Tensor:
    """(B, N, N): mean cosine similarity of the unit features, as a random walk of `steps` (a power of 2).

    Rows sum to 1. With `rows` (B, R), only those: (B, R, N), far cheaper.
    """
    similarity = torch.stack([u.transpose(1, 2) @ u for u in units]).mean(dim=0)
    walk = torch.softmax(similarity / temperature, dim=-1)
    walk = walk + walk.transpose(1, 2)
    walk = walk / walk.sum(dim=-1, keepdim=True)
    if rows is not None:
        walked = walk.gather(1, rows[..., None].expand(-1, -1, walk.shape[2]))
        for _ in range(steps - 1):
            walked = walked @ walk
        return walked
    while steps > 1:
        walk, steps = walk @ walk, steps // 2
    return walk


def look(
    trunk: nn.Module, teacher: nn.Module, pictures: np.ndarray, taps: Sequence[str], device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Features of the trunk, of the teacher, and the trunk's last of enlarged pictures, with the logits."""
    with torch.inference_mode():  # each thread has its own
        x = standardise(pictures).to(device).contiguous(memory_format=torch.channels_last)
        side = max(x.shape[-1], min(2 * x.shape[-1], LARGEST_PX))
        enlarged = F.interpolate(x, size=(side, side), mode="bicubic", align_corners=False)
        large = Passage(trunk).until(enlarged, taps[-1])[taps[-1]]
        ours, theirs = (Passage(network).until(x, *taps) for network in (trunk, teacher))
        known = F.interpolate(
            x, size=(TEACHER_PX, TEACHER_PX), mode="bilinear", antialias=True, align_corners=False
        )
        logits = teacher(known)
    return ours, theirs, {"large": large, "logits": logits}
