"""The features that a block reads, and maps of them that need no training: what its own are measured beside.

Cosine similarity of positions, k-means and non-negative matrix factorisation of one picture's
features, and Grad-CAM of the class that the network answers with. Features come as (c, h, w),
standardised per channel but for Grad-CAM, which takes them as the network does.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.nn import functional as F
from torchcam.methods import GradCAM

from a2core.errors import TrainingError
from a2core.networks.layout import grid_of_tokens
from a2core.tracing.model import Model
from a2core.tracing.record import watching


def check_takes_pictures(model: Model) -> None:
    """Refuse a network for clips, before any work.

    Raises:
        TrainingError: it is one.
    """
    if model.takes_clips:
        raise TrainingError(
            f"{model.name} takes clips, and these measures are of pictures. Choose a network for pictures."
        )


@torch.no_grad()
def run_watched(model: Model, pictures: np.ndarray) -> tuple[dict[str, Tensor], Any]:
    """What every block reads, (B, c, h, w), the blocks before it applied, and the logits (B, classes).

    `pictures` are (B, S, S, 3) uint8. A block may stand behind any module: it is asked itself. A network
    without classes answers with something else than logits.

    Raises:
        TrainingError: a network for clips, or a block that is not run, or not on features of a picture.
    """
    check_takes_pictures(model)
    x = model.preprocess(pictures)
    with watching(model.blocks) as read:
        answer = model.network(x)
    for name, block in model.blocks.items():
        if name not in read:
            raise TrainingError(
                f"{model.name} never runs its block {name!r}, so there is nothing to measure. Put it behind "
                "a module that every picture goes through."
            )
        shape = tuple(read[name].shape)
        if len(shape) != 4 or shape[0] != len(pictures):
            raise TrainingError(
                f"The block {name!r} of {model.name} reads {shape} of {len(pictures)} pictures. Only "
                "(pictures, channels, rows, columns) can be measured: put it behind another module."
            )
        read[name] = _over(x, block, read[name])
    return read, answer


def _over(x: Tensor, block: nn.Module, features: Tensor) -> Tensor:
    """What a block reads of pictures (B, c, H, W), tokens in line (…, N, 1) as their grid (…, h, w).

    Raises:
        TrainingError: so many make no grid of the pictures' shape.
    """
    if not getattr(block, "in_line", False):
        return features
    count, (height, width) = features.shape[-2], x.shape[2:]
    grid = grid_of_tokens(count, height, width)
    if grid is None:
        raise TrainingError(
            f"{count} tokens make no grid over {width} × {height} pixels, so there are no regions to compare "
            "with. Choose another size."
        )
    return features.squeeze(-1).unflatten(-1, grid)


def cosine_similarity(features: Tensor, cells: np.ndarray) -> np.ndarray:
    """Cosine similarity of some flat cells (K,) with all: (K, N).

    A softmax of it at any temperature ranks cells alike, so none is taken.
    """
    unit = F.normalize(features.flatten(1), dim=0)
    return (unit[:, torch.from_numpy(cells)].T @ unit).numpy()


def k_means_maps(features: Tensor, count: int) -> Tensor:
    """The clusters of the positions as maps of 0 and 1, (k, h, w); k is `count`, at most N."""
    positions = features.flatten(1).T.numpy()
    count = min(count, len(positions))
    labels = KMeans(count, n_init=1, random_state=0).fit_predict(positions)
    return F.one_hot(torch.from_numpy(labels).long(), count).T.float().unflatten(1, features.shape[1:])


def nmf_maps(features: Tensor, count: int) -> Tensor:
    """Where each of the components of the positions' features is, (k, h, w); k is `count`, at most N and c.

    What is negative is set to zero first, as Deep Feature Factorization (Collins et al. 2018) does.
    """
    positions = features.flatten(1).T.clamp_min(0).numpy()
    count = min(count, *positions.shape)
    model = NMF(count, init="nndsvda", solver="mu", max_iter=200, tol=1e-4, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # so many steps it is given, for every picture
        shares = np.ascontiguousarray(model.fit_transform(positions).T, dtype=np.float32)
    return torch.from_numpy(shares).unflatten(1, features.shape[1:])


class _Readable(nn.Module):
    """A network whose block reads through a module of its own, which can be hooked."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.read = network, nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)


def grad_cam(network: nn.Module, block: nn.Module, x: Tensor) -> Tensor:
    """Grad-CAM (torchcam's) of the top class at the features that `block` reads, wherever it stands.

    `x` is one picture (1, c, H, W) as the network takes it. (h, w) from 0 to 1.
    """
    readable = _Readable(network)

    def through(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return readable.read(args[0].detach().requires_grad_(True)), *args[1:]

    with (
        block.register_forward_pre_hook(through),
        torch.enable_grad(),
        GradCAM(readable, readable.read) as extractor,
    ):
        scores = readable(x)
        maps = extractor(int(scores.argmax()), scores)
    return _over(x, block, maps[0][0].detach())
