"""What an intervention did to the network's answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from a2core.tracing.trace import BlockTrace


@dataclass(frozen=True)
class ClassShift:
    """One class before and after: probabilities in [0, 1], of a clip their mean over its frames."""

    label: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def log_odds(self) -> float:
        """Change of log(p / (1 − p)), in nats: tells how much moved also where p is near 0 or 1."""
        return _log_odds(self.after) - _log_odds(self.before)


@dataclass(frozen=True)
class Outcome:
    """What the network answers after an intervention; arrays are read-only."""

    labels: tuple[str, ...]
    before: np.ndarray  # (classes,) float64: probabilities, of a clip their mean over its frames
    after: np.ndarray  # (classes,) float64
    moved: np.ndarray  # (T, h, w): |Y' − Y| / |Y|, how much the block's output changed at each position
    # The block as it was made to work, and the blocks behind it as they then worked. Of a transplant
    # `gather` stays the receiving picture's own: where the bag was gathered is in the donor's trace.
    blocks: dict[str, BlockTrace]
    elapsed_s: float

    def top(self, count: int = 5) -> list[ClassShift]:
        """The classes among the `count` best before or after, ordered by what they were before."""
        best = {*_best(self.before, count), *_best(self.after, count)}
        order = sorted(best, key=lambda index: -self.before[index])
        return [ClassShift(self.labels[i], float(self.before[i]), float(self.after[i])) for i in order]

    @property
    def divergence(self) -> float:
        """Kullback-Leibler divergence of the answer after from the answer before, in nats."""
        tiny = np.finfo(np.float64).tiny
        ratio = np.log(np.maximum(self.before, tiny)) - np.log(np.maximum(self.after, tiny))
        return max(0.0, float(self.before @ ratio))


@dataclass(frozen=True)
class Attribution:
    """What each primitive does for one class, twice: the first-order term and the true effect.

    Both are in units of the class's logit, of a clip its mean over the frames, and positive where the
    primitive speaks for the class. The first-order term is what ablation would do if the network
    behind the block were linear; it is not, and `rank_correlation` says how far the two agree.
    """

    label: str
    first_order: np.ndarray  # (n,): ∂logit/∂s_i at s = 1; by `zero` that is Σ_j ∂logit/∂Y_j · (V_ij ĝ_i)
    ablated: np.ndarray  # (n,): the logit as it is, minus the logit with this primitive off
    rank_correlation: float  # Spearman's, over the n primitives; nan where one of the two is constant


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays (n,), ties at their mean rank; nan when one is constant."""
    ranks = [_ranks(values) for values in (a, b)]
    spread = [float(np.std(rank)) for rank in ranks]
    if min(spread, default=0.0) == 0.0:
        return math.nan
    return float(np.mean((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean())) / math.prod(spread))


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _best(probabilities: np.ndarray, count: int) -> list[int]:
    return np.argsort(-probabilities, kind="stable")[:count].tolist()


def _log_odds(p: float) -> float:
    tiny = 1e-300
    return math.log(max(p, tiny)) - math.log(max(1 - p, tiny))
