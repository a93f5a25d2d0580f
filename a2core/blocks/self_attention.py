"""Multi-head self-attention over positions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from a2core.blocks.pairwise import Pairwise, accurate
from a2core.blocks.position_block import LENGTH, PositionNorm
from a2core.errors import BlockError

HEADS = 8


class SelfAttention(Pairwise):
    """Multi-head self-attention over positions, through torch's scaled-dot-product attention.

    Args:
        in_channels: c.
        heads: number of heads; must divide `inner`.
        inner: channels of q, k and v over all heads; c when None.
        dims: 1, 2 or 3 position axes.
        residual: add the input to the result.
        input_norm: read the input standardised per channel.
        position_norm: after that, as `DoubleAttention` has it.

    Raises:
        BlockError: sizes below 1, heads that do not divide `inner`, or an input of the wrong rank,
            channels, dtype or with no positions.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv 1706.03762.
    """

    kind = "self_attention"
    title = "Self-attention"
    summary = "As non-local, in several heads; shown is their mean."
    sizes = {"inner": LENGTH, "heads": HEADS, "input_norm": True, "position_norm": "centred"}
    width_step = HEADS
    row_sums_to_one = True

    def __init__(
        self,
        in_channels: int,
        heads: int = HEADS,
        inner: int | None = None,
        dims: int = 2,
        *,
        residual: bool = True,
        input_norm: bool = False,
        position_norm: PositionNorm = False,
    ) -> None:
        inner = in_channels if inner is None else inner
        super().__init__(
            in_channels,
            inner,
            dims,
            residual=residual,
            input_norm=input_norm,
            position_norm=position_norm,
            heads=heads,
        )
        if inner % heads:
            raise BlockError(f"{heads} heads do not divide {inner} channels. Choose a divisor of {inner}.")
        self.heads = heads

    def _split(self, tensor: Tensor) -> Tensor:
        """(batch, N, inner) to (batch, heads, N, inner / heads)."""
        return tensor.unflatten(2, (self.heads, -1)).transpose(1, 2)

    @property
    def score_scale(self) -> float:
        """1 / √d, d channels in each head."""
        return 1 / math.sqrt(self.inner // self.heads)

    def _weigh(self, q: Tensor, k: Tensor) -> Tensor:
        scores = self._split(q) @ self._split(k).transpose(2, 3)
        return F.softmax(accurate(scores) / math.sqrt(self.inner // self.heads), dim=-1)

    def _take(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        z = F.scaled_dot_product_attention(self._split(q), self._split(k), self._split(v))
        return z.transpose(1, 2).flatten(2)

    def attention_rows(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where each head of `position` looks: (batch, heads, *positions), each summing to 1.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        return self._rows(x, position)
