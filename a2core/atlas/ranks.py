"""Which pictures are the exemplars of a primitive, and which values a picture has to reach to be one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

ORDERS = ("mean", "peak", "effect")
IDLE = "idle"  # counter-examples: handed out in plenty, and the answer did not hang on it
EXEMPLARS = 64
_POOL = 4  # counter-examples are looked for among so many times the exemplars


def best(values: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` largest of `values` (N,), largest first; among equals by their ids."""
    if len(values) > count:
        bar = np.partition(values, -count)[-count]
        chosen = np.flatnonzero(values >= bar)
    else:
        chosen = np.arange(len(values))
    order = np.lexsort((chosen, ids[chosen], -values[chosen].astype(np.float64)))
    return chosen[order[:count]]


def exemplars_of(uses: np.ndarray, ids: np.ndarray, count: int, effects: bool) -> dict[str, np.ndarray]:
    """Order to the indices of its exemplars among the uses (N,) of one primitive, best first.

    Counter-examples are those with the least effect, whatever its sign, among the largest peaks: four times
    as many as exemplars, of few pictures a quarter of them.

    Args:
        uses: USE of the pictures that count.
        ids: of the same, to decide between equals.
        count: so many of each order; a quarter of them counter-examples.
        effects: whether the network has classes.
    """
    found = {order: best(uses[order], ids, count) for order in ORDERS if effects or order != "effect"}
    if effects:
        pool = best(uses["peak"], ids, min(_POOL * count, -(-len(uses) // 4)))
        idle = best(-np.abs(uses["effect"][pool].astype(np.float32)), ids[pool], max(1, count // 4))
        found[IDLE] = pool[idle]
    return found


class Bars:
    """The values that a picture has to reach to be among the best so far, of any primitive.

    Only what was seen so far is known, so whoever ends among the best has always reached them.

    Args:
        primitives: P.
        count: exemplars of each order.
    """

    def __init__(self, primitives: int, count: int) -> None:
        deep = {"mean": count, "peak": _POOL * count, "effect": count}
        self._best = {order: np.full((deep[order], primitives), -np.inf, np.float32) for order in ORDERS}

    def values(self) -> dict[str, np.ndarray]:
        """Order to (P,) float32."""
        return {order: kept.min(axis=0) for order, kept in self._best.items()}

    def add(self, uses: np.ndarray) -> None:
        """Take the uses (N, P) of more pictures that count."""
        for order, kept in self._best.items():
            both = np.concatenate([kept, uses[order].astype(np.float32)])
            self._best[order] = np.partition(both, len(both) - len(kept), axis=0)[-len(kept) :]


def reaches(uses: np.ndarray, bars: Mapping[str, np.ndarray]) -> bool:
    """Whether a picture (P,) may be among the best of any primitive."""
    return any(bool((uses[order] >= bar).any()) for order, bar in bars.items())
