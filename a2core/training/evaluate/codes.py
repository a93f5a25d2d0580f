"""Codes: what a method says of each cell of a picture by n numbers, (n, N), that sum to 1 over the n.

Of a block these are its distribution weights ρ. Beside it stand, with equally many numbers: a block of
random weights; **k-means** over the data set, cells of all pictures that are measured clustered together,
the nearest centre 1 and the others next to nothing, the nearer the more, so that what is highest is never
left to chance; **NMF** over the data set, a cell's loadings as shares; **chance**,
numbers drawn at random for every cell. All but chance read what the block reads: the features with its
`input_norm` and its `position_norm` applied.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.position_block import position_normalised
from a2core.errors import TrainingError
from a2core.tracing.model import Model

CELLS, CELLS_OF_NMF = 20_000, 4096  # of all pictures, that clusters and components are found in
NEARNESS = 1e-4  # of a centre that is not the nearest, at most
NMF_ROUNDS, NMF_ROUNDS_OF_A_PICTURE = 100, 50
BLOCK, RANDOM, K_MEANS, OF_NMF, CHANCE = (
    "block",
    "random block",
    "k-means, data set",
    "NMF, data set",
    "chance",
)
Coder = Callable[[Tensor], Tensor]  # what the block reads of one picture, (c, N), to its codes (n, N)


def block_reads(block: Any, features: Tensor) -> Tensor:
    """What the projections of a block read, (c, N), of one picture or clip (T, c, h, w)."""
    flat = block.flatten(features)
    norm = getattr(block, "input_norm", None)
    return position_normalised(flat if norm is None else norm(flat), getattr(block, "position_norm", False))[
        0
    ]


def with_norm_of(random: nn.Module, block: nn.Module) -> nn.Module:
    """A block of random weights that reads its features as `block` reads them."""
    twin: Any = copy.deepcopy(random)
    if getattr(twin, "input_norm", None) is not None:
        twin.input_norm.load_state_dict(getattr(block, "input_norm").state_dict())  # noqa: B009
    return twin.eval()


def sampled(reads: Sequence[Tensor], most: int = CELLS) -> np.ndarray:
    """(cells, c): so many cells at most of what was read of all pictures (c, N), alike of each, by seed 0."""
    rng, each = np.random.default_rng(0), -(-most // len(reads))
    picked = [x[:, rng.permutation(x.shape[1])[:each]].T.numpy() for x in reads]
    return np.concatenate(picked)[:most]


def k_means_coder(cells: np.ndarray, count: int, seed: int = 0) -> Coder:
    """Cells (c, N) to the nearest of `count` centres, or as many as there are cells."""
    count = min(count, len(cells))
    means = MiniBatchKMeans(count, n_init=3, batch_size=2048, random_state=seed).fit(cells)
    centres = torch.from_numpy(means.cluster_centers_).float()

    def code(read: Tensor) -> Tensor:
        distance = torch.cdist(centres, read.T.float())  # (k, N)
        own = F.one_hot(distance.argmin(dim=0), count).T
        near = own + NEARNESS * (1 - distance / distance.amax().clamp_min(1e-12))
        return near / near.sum(dim=0)

    return code


def nmf_coder(cells: np.ndarray, count: int, seed: int = 0) -> Coder:
    """Cells (c, N) to their shares of `count` components; what is negative in them is set to zero first."""
    model = NMF(count, init="random", solver="mu", max_iter=NMF_ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # so many rounds it is given
        model.fit(np.maximum(_thinned(cells), 0))
    model.max_iter = NMF_ROUNDS_OF_A_PICTURE

    def code(read: Tensor) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            loadings = torch.from_numpy(model.transform(read.T.clamp_min(0).numpy())).T.float()
        return (loadings + 1e-12) / (loadings + 1e-12).sum(dim=0, keepdim=True)

    return code


def _thinned(cells: np.ndarray) -> np.ndarray:
    return cells[np.sort(np.random.default_rng(0).permutation(len(cells))[:CELLS_OF_NMF])]


def chance_coder(count: int, seed: int = 0) -> Coder:
    """Numbers that know nothing: a softmax of normal noise in every cell, other noise in every picture."""
    generator = torch.Generator().manual_seed(seed)

    def code(read: Tensor) -> Tensor:
        return torch.randn(count, read.shape[1], generator=generator).softmax(dim=0)

    return code


def coders(reads: Sequence[Tensor], count: int, seed: int = 0) -> Mapping[str, Coder]:
    """The baselines by name, found in what a block reads of all pictures, (c, N) each."""
    cells = sampled(reads)
    return {
        K_MEANS: k_means_coder(cells, count, seed),
        OF_NMF: nmf_coder(cells, count, seed),
        CHANCE: chance_coder(count, seed),
    }


def double_attention(model: Model) -> dict[str, DoubleAttention]:
    """The blocks of a network that have primitives.

    Raises:
        TrainingError: it has none.
    """
    found = {name: block for name, block in model.blocks.items() if isinstance(block, DoubleAttention)}
    if not found:
        raise TrainingError(
            f"{model.name} has no double attention block, so no primitives whose meaning could be measured. "
            "Leave --classes, --parts and --tracks out."
        )
    return found


def codes_of(
    block: DoubleAttention, random: nn.Module, features: Sequence[Tensor], seed: int = 0
) -> dict[str, list[Tensor]]:
    """What the block, its random twin and the baselines say of the cells of each picture, (n, N).

    `features` are what the block reads of each picture or clip, (T, c, h, w). `seed` is the baselines' own.
    """
    reads = [block_reads(block, x) for x in features]
    twin: Any = with_norm_of(random, block)
    found = {
        BLOCK: [block.attend(x).distribute[0] for x in features],
        RANDOM: [twin.attend(x).distribute[0] for x in features],
    }
    return found | {
        name: [coder(read) for read in reads] for name, coder in coders(reads, block.c_n, seed).items()
    }
