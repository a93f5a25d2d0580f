"""What non-local blocks and self-attention share: each position weighs all N positions itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from a2core.blocks.position_block import CONVOLUTION, Inside, PositionNorm, StandardisedBlock, project


class Pairwise(StandardisedBlock):
    """A block in which each position weighs all N positions itself."""

    attends = "pairs"
    width = "inner"

    def __init__(
        self,
        in_channels: int,
        inner: int | None,
        dims: int,
        *,
        residual: bool,
        input_norm: bool,
        position_norm: PositionNorm,
        **sizes: int,
    ) -> None:
        self_inner = max(1, in_channels // 2) if inner is None else inner
        super().__init__(
            in_channels, dims, input_norm=input_norm, position_norm=position_norm, inner=self_inner, **sizes
        )
        conv: Any = CONVOLUTION[dims]
        self.inner, self.residual = self_inner, residual
        self.query = conv(in_channels, self_inner, 1)
        self.key = conv(in_channels, self_inner, 1)
        self.value = conv(in_channels, self_inner, 1)
        self.expand = conv(self_inner, in_channels, 1)

    def _weigh(self, q: Tensor, k: Tensor) -> Tensor:
        """Weights of queries (batch, R, inner) over keys (batch, N, inner): (batch, heads, R, N)."""
        raise NotImplementedError

    def compared(self, x: Tensor) -> tuple[Tensor, Tensor, float]:
        """What positions are compared by: queries and keys, (batch, heads, d, N), and what multiplies both.

        Raises:
            BlockError: as `forward`.
        """
        self._check(x)
        source = self._source(self.flatten(x))
        q, k = (self._split(tokens(layer, source)).transpose(2, 3) for layer in (self.query, self.key))
        return accurate(q), accurate(k), self.score_scale

    @property
    def score_scale(self) -> float:
        """What the product of query and key is multiplied with."""
        return 1.0

    def _split(self, tensor: Tensor) -> Tensor:
        """(batch, N, inner) to (batch, heads, N, inner / heads)."""
        return tensor[:, None]

    def _take(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """What each query takes of the values, (batch, N, inner), by the fastest way."""
        raise NotImplementedError

    def _taken(self, source: Tensor) -> Tensor:
        """Z, (batch, inner, N), of what the projections read."""
        taken = self._take(*(tokens(layer, source) for layer in (self.query, self.key, self.value)))
        return taken.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """X plus what each position took from all, the shape, dtype and memory format of `x`."""
        self._check(x)
        flat = self.flatten(x)
        y = project(self.expand, self._taken(self._source(flat)))
        return self._unflatten(flat + y if self.residual else y, x)

    def attend(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of some positions over all, and what every position took.

        Args:
            x: as for `forward`.
            positions: (batch, R), flat.

        Returns:
            (batch, R, N), the mean over heads, at least float32; and Z, (batch, inner, N).

        Raises:
            BlockError: as `forward`.
        """
        self._check(x)
        source = self._source(self.flatten(x))
        at = source.gather(2, positions[:, None].expand(-1, source.shape[1], -1))
        weights = self._weigh(tokens(self.query, at), tokens(self.key, source))
        return weights.mean(dim=1), self._taken(source)

    def inside(self, x: Tensor, rows: Tensor) -> Inside:
        """As of every block: the weights of `rows`, and Z."""
        return Inside(*self.attend(x, rows))

    def _rows(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Weights of one position over all, (batch, heads, *positions), in O(c·N)."""
        self._check(x)
        p = self._flat_position(x, position)
        source = self._source(self.flatten(x))
        weights = self._weigh(tokens(self.query, source[:, :, p : p + 1]), tokens(self.key, source))
        return self._as_maps(weights.squeeze(2), x)

    def attention_row(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where `position` gets its information from: its weights over all, the mean over heads, in O(c·N).

        Returns:
            (batch, *positions), at least float32; sums to 1 where `row_sums_to_one`.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        return self._rows(x, position).mean(dim=1)


def tokens(layer: Any, flat: Tensor) -> Tensor:
    """The same as (batch, N, rows), rows side by side in memory: what torch's fused attention asks for."""
    return F.linear(flat.transpose(1, 2), layer.weight.flatten(1), layer.bias)


def accurate(scores: Tensor) -> Tensor:
    """At least float32."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
