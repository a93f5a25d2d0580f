"""What is worked out for one marked pixel: what it receives, and the sum that it is, term by term; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from a2core import BlockTrace, effective_attention, reach


@dataclass(frozen=True)
class PinnedArrays:
    """What the charts under the canvas draw for one pinned pixel and one primitive.

    `weights` is ρ at the pixel, (n,), and sums to 1; `bag` is G, (m, n); `vector` is its column
    `primitive`, (m,).
    """

    weights: np.ndarray
    bag: np.ndarray
    vector: np.ndarray
    primitive: int
    rank: int
    share: float
    effective: float  # how many primitives the pixel really uses: exp of the entropy of ρ


def pinned_arrays(block: BlockTrace, position: tuple[int, int, int], primitive: int | None) -> PinnedArrays:
    """The arrays of `block` for the pixel at `position` (t, row, col), in cells, and `primitive`.

    No primitive means the one that the pixel receives most of.
    """
    t, row, col = position
    weights = block.distribute[:, t, row, col]
    order = np.argsort(-weights, kind="stable")
    if primitive is None:
        primitive = int(order[0])
    return PinnedArrays(
        weights=weights,
        bag=block.bag(t),
        vector=block.bag(t)[:, primitive],
        primitive=primitive,
        rank=int(np.flatnonzero(order == primitive)[0]) + 1,
        share=float(weights[primitive]),
        effective=float(reach(weights[None])[0]),
    )


@dataclass(frozen=True)
class PinnedSum:
    """The sum z_p = Σ_i ρ_i g_i of one pixel, term by term, the largest ρ first; arrays are (n,) float64.

    `shares` is the part of each term along the sum, (ρ_i g_i · z_p) / |z_p|²: together 1, and negative
    for a term that points away from the sum.
    """

    primitives: np.ndarray  # indices i
    weights: np.ndarray  # ρ_i
    lengths: np.ndarray  # |g_i|
    shares: np.ndarray
    length: float  # |z_p|
    weights_bits: float  # entropy of ρ at the pixel
    attention_bits: float  # entropy of the effective attention of the pixel
    cells: int  # of the block, over which that attention is spread


def pinned_sum(block: BlockTrace, position: tuple[int, int, int]) -> PinnedSum:
    """What adds up to the output of `block` at `position` (t, row, col), in cells."""
    t, row, col = position
    weights = block.distribute[:, t, row, col].astype(np.float64)
    order = np.argsort(-weights, kind="stable")
    terms = block.bag(t).astype(np.float64) * weights  # (m, n)
    total = terms.sum(axis=1)
    squared = float(total @ total)
    attention = effective_attention(block, position)
    return PinnedSum(
        primitives=order,
        weights=weights[order],
        lengths=np.linalg.norm(block.bag(t).astype(np.float64), axis=0)[order],
        shares=(total @ terms)[order] / squared if squared > 0 else np.zeros(block.n),
        length=squared**0.5,
        weights_bits=entropy_bits(weights),
        attention_bits=entropy_bits(attention),
        cells=attention.size,
    )


def entropy_bits(shares: np.ndarray) -> float:
    """Entropy of shares that sum to 1, in bits."""
    held = shares[shares > 0].astype(np.float64)
    return float(-(held * np.log2(held)).sum())
