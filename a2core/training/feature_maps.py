"""Maps that need no training, from the features that a block reads: what its own are measured beside.

Cosine similarity of positions, k-means and non-negative matrix factorisation of one picture's
features, and Grad-CAM of the class that the network answers with. Features come as (c, h, w),
standardised per channel but for Grad-CAM, which takes them as the network does.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.nn import functional as F
from torchcam.methods import GradCAM

from a2core.networks import WithBlock, stages


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


def tail_of(network: nn.Module, name: str) -> nn.Sequential:
    """What of `network` follows the host module of block `name`: features (batch, c, h, w) to logits.

    Its first module hands on the features, so that they can be hooked.
    """
    following: list[nn.Module] = []
    for stage, module in stages(network):
        if stage == name:
            following = [nn.Identity(), module.block if isinstance(module, WithBlock) else nn.Identity()]
        elif following:
            following.append(module)
    return nn.Sequential(*following)


def grad_cam(tail: nn.Sequential, features: Tensor) -> Tensor:
    """Grad-CAM (torchcam's) of the top class at the features (c, h, w): (h, w) from 0 to 1."""
    with torch.enable_grad(), GradCAM(tail, tail[0]) as extractor:
        scores = tail(features[None].clone().requires_grad_(True))
        maps = extractor(int(scores.argmax()), scores)
    return maps[0][0].detach()
