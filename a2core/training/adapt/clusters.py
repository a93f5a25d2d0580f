"""Kinds of things: clusters of the cells of all photos, which primitives are tied to while they learn.

What belongs together in one picture says nothing of what a primitive stands for in the next. So each is
given one cluster to stay near. A cell is described by what the block reads of it and, as far as a linear map
can tell from the cell alone, by what the trunk answers to the picture that it is in: fur of one animal then
lies nearer to fur of another than to a carpet. No label is looked at. How near a cell is to a cluster is
linear in what the block reads, as ρ is: −|x − c|² = 2 c·x − |c|² + what is the same for all clusters, which
a softmax does not see.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor
from torch.nn import functional as F

CELLS = 30_000  # that clusters are found in
CELLS_EACH = 40  # of a photo
RANK = 64  # of what is told of the answers
RIDGE = 0.01
SOFTNESS = 0.25  # of nearness, in mean squared lengths of the descriptions


class Clusters(NamedTuple):
    """How near a cell is to each of n clusters, before the softmax: weight (n, c) · what is read + bias."""

    weight: Tensor
    bias: Tensor

    def near(self, reads: Tensor) -> Tensor:
        """(B, n, N), 1 in sum over the clusters, of what a block reads (B, c, N)."""
        return F.conv1d(reads, self.weight[:, :, None], self.bias).softmax(dim=1)


def some_cells(reads: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, k, c): some cells of what is read of each picture, (B, c, N)."""
    count = min(CELLS_EACH, reads.shape[2])
    cells = np.stack([rng.choice(reads.shape[2], count, replace=False) for _ in reads])
    at = torch.from_numpy(cells).to(reads.device)[:, None].expand(-1, reads.shape[1], -1)
    return reads.gather(2, at).transpose(1, 2)


def told_of_answers(cells: Tensor, logits: Tensor) -> Tensor:
    """(c, r): the linear map of cells (B, k, c) to what says most of their pictures' logits (B, classes).

    Scaled so that what it tells has a mean squared length of 1.
    """
    answers = logits - logits.mean(dim=0)
    answers = answers - answers.mean(dim=1, keepdim=True)
    axes = torch.linalg.svd(answers, full_matrices=False).Vh[:RANK]
    wanted = (answers @ axes.T)[:, None].expand(-1, cells.shape[1], -1).flatten(0, 1)
    flat = cells.flatten(0, 1)
    ridge = RIDGE * torch.eye(flat.shape[1], device=flat.device)
    found = torch.linalg.solve(flat.T @ flat / len(flat) + ridge, flat.T @ wanted / len(flat))
    return _of_length_one(found, flat)


def found_clusters(cells: Tensor, logits: Tensor | None, count: int) -> Clusters:
    """`count` clusters of cells (B, k, c) of pictures to which the trunk answers with `logits` (B, classes).

    Where there are fewer cells than that, the last clusters are those of before once more.
    """
    flat = cells.flatten(0, 1)
    described = _of_length_one(torch.eye(flat.shape[1], device=flat.device), flat)
    if logits is not None:  # both count alike
        described = _of_length_one(torch.cat([described, told_of_answers(cells, logits)], dim=1), flat)
    few = torch.from_numpy(np.random.default_rng(0).permutation(len(flat))[:CELLS]).to(flat.device)
    points = (flat[few] @ described).cpu().numpy()
    # A seed of its own: runs of other seeds are tied to the same kinds.
    means = MiniBatchKMeans(min(count, len(points)), n_init=2, batch_size=2048, random_state=0).fit(points)
    centres = torch.from_numpy(means.cluster_centers_).to(flat)
    centres = centres[torch.arange(count, device=flat.device) % len(centres)]
    weight, bias = 2 * centres @ described.T, -centres.square().sum(dim=1)
    return Clusters(weight / SOFTNESS, bias / SOFTNESS)


def in_order_of(codes: Tensor, clusters: Clusters, cells: Tensor) -> Clusters:
    """The clusters in the order of the primitives that are most like them, one to one (Hungarian).

    By how `codes` (n, M), ρ of cells (M, c), and nearness correlate over the cells.
    """
    near = clusters.near(cells.T[None])[0]
    ours, theirs = (F.normalize(x - x.mean(dim=1, keepdim=True), dim=1) for x in (codes, near))
    _, order = linear_sum_assignment((ours @ theirs.T).cpu().numpy(), maximize=True)
    at = torch.from_numpy(order).to(near.device)
    return Clusters(clusters.weight[at], clusters.bias[at])


def _of_length_one(described: Tensor, cells: Tensor) -> Tensor:
    """A linear description (c, r), scaled so that of cells (M, c) it has a mean squared length of 1."""
    return described / (cells @ described).square().sum(dim=1).mean().sqrt().clamp_min(1e-9)
