"""What the photos themselves say on which places belong together: features compared, affinities walked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, teachers_of
from a2core.networks.layout import Layout
from a2core.networks.passage import Passage
from a2core.networks.spec import InputSpec
from a2core.tracing.model_input import standardised

ANSWERS = "logits"
LARGEST_PX = 768  # pictures are doubled for a finer look, up to here: photos hold nothing finer


@dataclass(frozen=True)
class CacheSettings:
    """Everything that the cached numbers depend on, beside the photos themselves.

    The teacher may be the trunk itself. `weights` tells files of weights of one name apart.
    """

    trunk: str = DEFAULT_TRUNK
    teacher: str = teachers_of(DEFAULT_TRUNK)[-1]
    taps: tuple[str, ...] = tuple(BACKBONES[DEFAULT_TRUNK].sites)  # stages of both, in network order
    sizes_px: tuple[int, ...] = (384, 576)
    rows: int = 24
    temperature: float = 0.1
    steps: int = 8
    seed: int = 0
    frames: int = 1
    weights: str = ""
    answers: bool = True  # whether the trunk answers with classes, which are kept as well


@dataclass(frozen=True)
class Seen:
    """A network that features are taken of: what it takes, and how each tap returns its positions."""

    network: nn.Module
    input: InputSpec
    layouts: Mapping[str, Layout]
    classes: int  # 0 where it answers with something else

    def features(self, pictures: Tensor, *taps: str) -> dict[str, Tensor]:
        """Of pictures (B, 3, S, S), values 0 to 255: (B, c, h, w) of each tap."""
        x = standardised(pictures.clone(), self.input).contiguous(memory_format=torch.channels_last)
        found = Passage(self.network).until(x, *taps)
        return {tap: self.layouts[tap].grid(value, (x.shape[2], x.shape[3])) for tap, value in found.items()}

    def logits(self, pictures: Tensor) -> Tensor:
        """(B, classes) at the size that it was trained on."""
        side = (self.input.fixed_px or (self.input.usual_px,))[0]
        known = F.interpolate(
            pictures, size=(side, side), mode="bilinear", antialias=True, align_corners=False
        )
        return self.network(standardised(known, self.input))


def standardise(photos: np.ndarray) -> Tensor:
    """(B, S, S, 3) uint8 to what the default trunk and its teachers take."""
    return standardised(as_pixels(photos), BACKBONES[DEFAULT_TRUNK].input)


def as_pixels(photos: np.ndarray) -> Tensor:
    """(B, S, S, 3) uint8 as (B, 3, S, S) float32, values 0 to 255."""
    return torch.from_numpy(photos).permute(0, 3, 1, 2).float()


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
    trunk: Seen, teacher: Seen, pictures: np.ndarray, taps: Sequence[str], device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Features of the trunk, of the teacher, and the trunk's last of enlarged pictures beside their answers.

    The answers are the trunk's own, where it has classes.
    """
    with torch.inference_mode():  # each thread has its own
        x = as_pixels(pictures).to(device)
        ours = trunk.features(x, *taps)
        theirs = ours if teacher is trunk else teacher.features(x, *taps)
        side = max(x.shape[-1], min(2 * x.shape[-1], LARGEST_PX))
        side -= side % trunk.input.multiple_px
        large = ours[taps[-1]]
        if trunk.input.fixed_px is None and side > x.shape[-1]:
            enlarged = F.interpolate(x, size=(side, side), mode="bicubic", align_corners=False)
            large = trunk.features(enlarged, taps[-1])[taps[-1]]
        answers = {ANSWERS: trunk.logits(x)} if trunk.classes else {}
    return ours, theirs, {"large": large, **answers}
