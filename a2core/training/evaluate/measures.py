"""The measures by which attention maps are judged, on pictures with labelled regions.

Every function takes plain maps, so the block, its baselines and a stranger's method are measured
by the same code. Definitions:

- **click-AUC**: for every labelled region covering 2 % to 60 % of the picture, 5 random cells
  (seed 0) of which at least 70 % lies in the region; cell j scores E(p, j) and counts as inside when
  at least half of it is; area under the ROC curve; mean over all clicks.
- **best-of-n overlap**: for every such region, every map is bilinearly upsampled to the picture (at 128
  pixels at most: cells are larger than what that loses) and cut at its region-area-many highest pixels;
  intersection over union with the region; best over the maps; mean over regions. Pixels of equal value
  share what is left of the cut.
- **reach**: exp of the entropy of a gather map, as a share of N. **dead**: primitives whose mean ρ
  is below 0.1/n. **redundancy**: mean over primitives of the highest cosine similarity of a gather
  map with another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional as F

SMALLEST_SHARE, LARGEST_SHARE = 0.02, 0.60
CLICKS, CLICK_SHARE, INSIDE_SHARE = 5, 0.70, 0.50
OVERLAP_PX = 128  # overlaps are counted on pictures of so many pixels at most


@dataclass(frozen=True)
class Regions:
    """The labelled regions of one picture that count, at the picture's size S×S.

    Those of a clip likewise, its frames one above the other: T·S high, on a grid T·h high.
    """

    masks: np.ndarray  # (R, S, S) bool

    def cells(self, h: int, w: int) -> np.ndarray:
        """(R, h, w) float32: the share of each cell that lies in each region."""
        shares = [cv2.resize(m.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA) for m in self.masks]
        return np.array(shares, dtype=np.float32).reshape(-1, h, w)

    def at_most(self, side_px: int) -> np.ndarray:
        """The masks (R, …) bool on pictures no wider than so many pixels."""
        height, width = self.masks.shape[1:]
        if width <= side_px or len(self.masks) == 0:
            return self.masks
        size = (side_px, round(height * side_px / width))
        small = [
            cv2.resize(m.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) for m in self.masks
        ]
        return np.array(small, dtype=bool)


def regions_of(segmentations: np.ndarray, side_px: int, frames: int = 1) -> Regions:
    """Regions of all annotators' label maps (annotators, H, W), resized to side·frames × side pixels."""
    masks = []
    for labels in segmentations:
        resized = cv2.resize(
            labels.astype(np.float32), (side_px, side_px * frames), interpolation=cv2.INTER_NEAREST_EXACT
        )
        for label in np.unique(resized):
            mask = resized == label
            if SMALLEST_SHARE <= mask.mean() <= LARGEST_SHARE:
                masks.append(mask)
    return Regions(np.array(masks, dtype=bool).reshape(-1, side_px * frames, side_px))


def click_cells(inside_share: np.ndarray, rng: np.random.Generator) -> list[tuple[int, int]]:
    """(region, flat cell) of the clicks: up to 5 random cells a region, each at least 70 % in it."""
    clicks = []
    for region, share in enumerate(inside_share.reshape(len(inside_share), -1)):
        cells = np.flatnonzero(share >= CLICK_SHARE)
        inside = share >= INSIDE_SHARE
        if len(cells) == 0 or inside.all():
            continue
        chosen = rng.choice(cells, size=min(CLICKS, len(cells)), replace=False)
        clicks += [(region, int(cell)) for cell in chosen]
    return clicks


def click_aucs(
    scores_of: Callable[[np.ndarray], np.ndarray], regions: Regions, grid: tuple[int, int]
) -> np.ndarray:
    """Area under the ROC curve of every click on one picture.

    `scores_of` takes flat cells (K,) and returns their scores for all cells (K, N).
    """
    shares = regions.cells(*grid)
    clicks = click_cells(shares, np.random.default_rng(0))
    if not clicks:
        return np.zeros(0)
    region, cell = np.array(clicks).T
    scores = scores_of(cell)
    inside = (shares.reshape(len(shares), -1) >= INSIDE_SHARE)[region]
    ranks = rankdata(scores, axis=1)
    positives = inside.sum(axis=1)
    negatives = inside.shape[1] - positives
    u = (ranks * inside).sum(axis=1) - positives * (positives + 1) / 2
    return u / (positives * negatives)


def best_overlaps(maps: Tensor, regions: Regions) -> np.ndarray:
    """Best intersection over union among `maps` (n, h, w), none negative, for every region: (R,).

    Pixels of equal value share what is left of the area below the higher ones, so that the order of
    pixels makes no difference: it would for k-means, whose maps are 0 and 1.
    """
    if len(regions.masks) == 0:
        return np.zeros(0)
    small = regions.at_most(OVERLAP_PX)
    masks = small.reshape(len(small), -1)
    areas = masks.sum(axis=1)
    inside = [np.flatnonzero(mask) for mask in masks]
    size = small.shape[1:]
    upsampled = F.interpolate(maps[None].float(), size=size, mode="bilinear", align_corners=False)[0]
    hits = np.empty((len(maps), len(masks)))
    for values, row in zip(upsampled.flatten(1).cpu().numpy(), hits, strict=True):
        cuts, above, ties = highest(values, areas)
        for r, (cut, cells) in enumerate(zip(cuts, inside, strict=True)):
            values_inside = values[cells]
            row[r] = np.count_nonzero(values_inside >= cut)
            if above[r] + ties[r] > areas[r]:
                tied = np.count_nonzero(values_inside == cut)
                row[r] += ((areas[r] - above[r]) / ties[r] - 1) * tied
    return (hits / (2 * areas - hits)).max(axis=0)


def highest(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k-th highest of `values`, for every k in `counts`; how many are above it and equal to it.

    `values` (P,) are float32, none negative: their bits then sort as they do, so only the few values
    that share their leading bits with an answer have to be sorted.
    """
    leading = (values + np.float32(0)).view(np.int32) >> 12  # + 0 turns -0 into 0
    leading -= leading.min()
    in_bin = np.bincount(leading)
    from_bin_on = np.append(np.cumsum(in_bin[::-1])[::-1], 0)  # how many values lie in this bin or above
    bins = np.searchsorted(-from_bin_on, -counts, side="right") - 1
    wanted = np.zeros(len(in_bin), dtype=bool)
    wanted[bins] = True
    few = np.sort(values[wanted[leading]])
    ends = np.cumsum(in_bin * wanted)[bins]  # of each bin, among the few
    cuts = few[ends - (counts - from_bin_on[bins + 1])]
    below, up_to = np.searchsorted(few, cuts, side="left"), np.searchsorted(few, cuts, side="right")
    return cuts, from_bin_on[bins + 1] + ends - up_to, up_to - below


def reach_share(gather: Tensor) -> Tensor:
    """Reach of gather maps (..., n, N) as a share of N: (..., n)."""
    entropy = -(gather * gather.clamp_min(1e-30).log()).sum(dim=-1)
    return entropy.exp() / gather.shape[-1]


def redundancy(gather: Tensor) -> Tensor:
    """Mean over maps (..., n, N) of the highest cosine similarity with another map: (...)."""
    unit = F.normalize(gather, dim=-1)
    similarity = unit @ unit.transpose(-1, -2)
    similarity.diagonal(dim1=-2, dim2=-1).fill_(-1)
    return similarity.amax(dim=-1).mean(dim=-1)


class Attending(NamedTuple):
    """How a block attends to one picture, or clip of T frames, and where its regions are."""

    rows: Callable[[np.ndarray], np.ndarray]  # flat cells (K,) -> where each gathers from, (K, N)
    gather: Tensor  # (n, N): θ; of a block without primitives (0, N)
    distribute: Tensor  # (n, N): ρ, likewise
    regions: Regions
    grid: tuple[int, int]  # frames one above the other


# Everything that is measured of one picture, by name: several values, whose mean over the pictures is told.
# What stands here is measured, printed and written into cards; of blocks without primitives only the first.
OF_ATTENTION: Mapping[str, Callable[[Attending], Iterable[float]]] = {
    "click-AUC": lambda of: click_aucs(of.rows, of.regions, of.grid),
}
OF_PRIMITIVES: Mapping[str, Callable[[Attending], Iterable[float]]] = {
    "overlap gather": lambda of: best_overlaps(of.gather.unflatten(1, of.grid), of.regions),
    "overlap rho": lambda of: best_overlaps(of.distribute.unflatten(1, of.grid), of.regions),
    "median reach": lambda of: [float(reach_share(of.gather).median())],
    "redundancy": lambda of: [float(redundancy(of.gather))],
}
