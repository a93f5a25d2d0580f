"""The measures of what primitives mean, on codes (n, N) and plain arrays.

Every function takes what any method says of cells (`codes`), so the block and its baselines are measured by
the same code. Definitions, n primitives, N cells of a picture, P pictures:

- **stability**: of two runs' codes over all cells of all pictures, the correlation of each primitive with its
  partner, partners chosen one to one so that the sum is highest (Hungarian); one that never changes has 0.
- **class purity**: the share of the most frequent class among a primitive's 20 top pictures by mean code.
- **MonoScore**: the mean cosine similarity of another network's pooled features over all pairs of these 20,
  less that over all pairs of pictures.
- **part purity**: the share of the most frequent label among a primitive's 100 top cells, of those cells of
  which a label other than the background (0) covers most.
- **mIoU**: each pixel to its highest primitive; labelled regions matched with these segments one to one
  (Hungarian); mean intersection over union of the regions; on pictures at 128 pixels at most.
- **mass-Jaccard**: the fewest cells that hold 60 % of a map's mass against the region that fits them best
  (cells of which at least half is inside), intersection over union; mean over a picture's maps, each weighing
  what it holds of the regions: maps of the background have none to fit.
- **deletion**: primitives switched off in an order; area under the curve of the probability of the network's
  own class over the share that is off.
- **J&F**: the mask of a clip's first frame carried to another: a cell is given the mean of the mask over the
  5 cells of the first frame that score highest, upsampled and cut at one half. J is intersection over union
  with the true mask, F the harmonic mean of precision and recall of its boundary within 0.8 % of the
  diagonal; J&F their mean, over all frames but the first.

Where several are equally high (codes of 0 and 1 are), those to be taken are drawn by seed 0, or share.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from a2core.training.evaluate.measures import INSIDE_SHARE, OVERLAP_PX, Regions

TOP_PICTURES, TOP_CELLS, MASS, NEIGHBOURS, BOUNDARY_SHARE = 20, 100, 0.60, 5, 0.008


def matched_correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlations over cells of rows of a (n, cells) with their partners in b (m, cells): (min(n, m),)."""
    table = _standardised_rows(a) @ _standardised_rows(b).T
    return table[linear_sum_assignment(table, maximize=True)]


def _standardised_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and length 1; of one that is the same everywhere, zeros."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.where(length > 1e-9, centred / np.maximum(length, 1e-9), 0)


def top_of(scores: np.ndarray, count: int) -> np.ndarray:
    """(n, count): where each column of scores (P, n) is highest; equal ones in an order drawn by seed 0."""
    drawn = np.random.default_rng(0).permutation(len(scores))
    return drawn[np.argsort(-scores[drawn], axis=0, kind="stable")[:count]].T


def purity(scores: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each column of scores (P, n): the share of the most frequent label among its top; which, (n,)."""
    shares, most = [], []
    for chosen in labels[top_of(scores, count)]:
        found, times = np.unique(chosen, return_counts=True)
        shares.append(times.max() / len(chosen))
        most.append(found[times.argmax()])
    return np.array(shares), np.array(most)


def mono_scores(scores: np.ndarray, pooled: np.ndarray, count: int = TOP_PICTURES) -> np.ndarray:
    """MonoScore of each column of scores (P, n), by another network's features (P, d): (n,)."""
    unit = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    usual = _pairs(unit)
    return np.array([_pairs(unit[chosen]) - usual for chosen in top_of(scores, count)])


def _pairs(unit: np.ndarray) -> float:
    """Mean product of all pairs of different rows: the squared length of their sum holds each twice."""
    count = len(unit)
    return float((np.square(unit.sum(axis=0)).sum() - np.square(unit).sum()) / (count * (count - 1)))


def cell_labels(labels: np.ndarray, h: int, w: int) -> np.ndarray:
    """(h, w): the label of a map (H, W) that covers most of each cell."""
    values = np.unique(labels)
    shares = [
        cv2.resize((labels == v).astype(np.float32), (w, h), interpolation=cv2.INTER_AREA) for v in values
    ]
    return values[np.argmax(shares, axis=0)]


def hungarian_ious(codes: Tensor, regions: Regions) -> np.ndarray:
    """Intersection over union of each region with its own segment of the argmax of codes (n, h, w): (R,).

    A region for which no segment is left has 0.
    """
    masks = regions.at_most(OVERLAP_PX)
    if len(masks) == 0:
        return np.zeros(0)
    grown = F.interpolate(codes[None].float(), size=masks.shape[1:], mode="bilinear", align_corners=False)
    winner = grown[0].argmax(dim=0).flatten().numpy()
    sizes = np.bincount(winner, minlength=len(codes))
    table = np.zeros((len(masks), len(codes)))
    for row, mask in zip(table, masks.reshape(len(masks), -1), strict=True):
        both = np.bincount(winner[mask], minlength=len(codes))
        row[:] = both / np.maximum(sizes + mask.sum() - both, 1)
    found = np.zeros(len(masks))
    at, segments = linear_sum_assignment(table, maximize=True)
    found[at] = table[at, segments]
    return found


def mass_jaccard(codes: np.ndarray, inside: np.ndarray) -> float:
    """How well the cells of most mass of maps (n, N) are a region's, of those that are inside (R, N) bool."""
    kept = inside[inside.any(axis=1)]
    weights = codes[:, kept.any(axis=0)].sum(axis=1) if len(kept) else np.zeros(0)
    if len(kept) == 0 or weights.sum() == 0:
        return math.nan
    best = []
    for row in codes:
        cells = most_mass(row)
        both = (kept & cells).sum(axis=1)
        best.append((both / (kept | cells).sum(axis=1)).max())
    return float(np.average(best, weights=weights))


def most_mass(row: np.ndarray) -> np.ndarray:
    """(N,) bool: the fewest cells that hold 60 % of a map; of equal ones, those drawn first by seed 0."""
    drawn = np.random.default_rng(0).permutation(len(row))
    order = drawn[np.argsort(-row[drawn], kind="stable")]
    count = (
        int(
            np.searchsorted(
                np.cumsum(row[order], dtype=np.float64), MASS * row.sum(dtype=np.float64) * (1 - 1e-9)
            )
        )
        + 1
    )
    cells = np.zeros(len(row), dtype=bool)
    cells[order[:count]] = True
    return cells


def cells_inside(regions: Regions, h: int, w: int) -> np.ndarray:
    """(R, h·w) bool: the cells of which at least half is inside of each region."""
    return regions.cells(h, w).reshape(len(regions.masks), h * w) >= INSIDE_SHARE


def area_under(values: np.ndarray, at: np.ndarray) -> float:
    """Area under the line through values at places from 0 to 1."""
    return float(np.trapezoid(values, at))


def carried(scores: np.ndarray, mask: np.ndarray, count: int = NEIGHBOURS) -> np.ndarray:
    """(P,): the mean of a mask (M,) over the cells that scores (P, M) rank highest; equal ones share."""
    count = min(count, scores.shape[1])
    cut = -np.partition(-scores, count - 1, axis=1)[:, count - 1 : count]
    above, equal = scores > cut, scores == cut
    share = (count - above.sum(axis=1)) / equal.sum(axis=1)
    return (above @ mask + share * (equal @ mask)) / count


def j_and_f(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """J and F of a mask (H, W) bool; 1 where both are empty."""
    union = (found | truth).sum()
    j = (found & truth).sum() / union if union else 1.0
    mine, theirs = _boundary(found), _boundary(truth)
    if not mine.any() or not theirs.any():
        return float(j), float(not mine.any() and not theirs.any())
    reach = math.ceil(BOUNDARY_SHARE * math.hypot(*found.shape))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near_mine, near_theirs = (cv2.dilate(b.astype(np.uint8), disk).astype(bool) for b in (mine, theirs))
    precision, recall = (mine & near_theirs).sum() / mine.sum(), (theirs & near_mine).sum() / theirs.sum()
    return float(j), float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _boundary(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask that touch, by a side, one that is not of it; the picture's rim is no boundary."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return mask & ~inner.astype(bool)


def grown(cells: np.ndarray, side_px: int) -> np.ndarray:
    """A map (h, w) as a mask of the picture (S, S): bilinear, cut at one half."""
    values = torch.from_numpy(cells).float()[None, None]
    return (
        F.interpolate(values, size=(side_px, side_px), mode="bilinear", align_corners=False)[0, 0].numpy()
        > 0.5
    )
