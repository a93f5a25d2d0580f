"""The relatives of double attention, with its interface: what it is compared with.

Each is a module (batch, channels, *positions) -> the same shape in one, two or three dimensions, can
be inserted wherever a double attention block can, and answers `attention_row(x, position)`: "where
does this position get its information from?". Each is written here from its paper's equations.

| block | gathers | hands out |
|---|---|---|
| SqueezeExcitation | one global average | the same channel gates to every position |
| CovariancePooling | second-order statistics, unattended | one descriptor, the same to every position |
| NonLocal | nothing compact | per position, over all N positions |
| SelfAttention | nothing compact | per position and head, over all N positions |

The first two look at all positions alike and hand the same to all of them, so their row is the
uniform 1/N wherever one asks: that is the honest answer, not a placeholder.

As published, none of them standardises what it reads. With `input_norm`, and `position_norm` for
those that compare positions, each reads its input as `DoubleAttention` does with the same options:
side by side on a frozen trunk, they then differ in how they attend and in nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.double_attention import CONVOLUTION, PositionBlock, PositionNorm, position_normalised
from a2core.errors import BlockError


class _Relative(PositionBlock):
    """A block whose projections may read the input standardised, as those of double attention do."""

    def __init__(
        self,
        in_channels: int,
        dims: int,
        *,
        input_norm: bool,
        position_norm: PositionNorm = False,
        **sizes: int,
    ) -> None:
        super().__init__(in_channels, dims, **sizes)
        self.input_norm: Any = nn.BatchNorm1d(in_channels, affine=False) if input_norm else None
        self.position_norm = position_norm

    def _source(self, flat: Tensor) -> Tensor:
        """What the projections read of flattened features (batch, c, N)."""
        if self.input_norm is not None:
            if self.input_norm.training and flat.shape[0] * flat.shape[2] < 2:
                raise BlockError(
                    f"Got {flat.shape[0]} × {flat.shape[2]} positions while training: a batch norm needs at "
                    "least two values per channel. Use a larger batch, block.eval(), or input_norm=False."
                )
            flat = self.input_norm(flat)
        return position_normalised(flat, self.position_norm)


class _SameEverywhere(_Relative):
    """A block that hands every position the same: its row is uniform."""

    same_everywhere = True
    row_sums_to_one = True

    def attention_row(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where `position` gets its information from: every position alike, 1/N.

        Returns:
            (batch, *positions), at least float32, each entry of the batch summing to 1.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        self._check(x)
        self._flat_position(x, position)
        rows = self.flatten(x)[:, 0]
        accurate = torch.promote_types(x.dtype, torch.float32)
        return self._as_maps(torch.full_like(rows, 1 / rows.shape[1], dtype=accurate), x)


class SqueezeExcitation(_SameEverywhere):
    """Channel gates from the global average: Y = X · σ(W₂ relu(W₁ mean X)).

    Args:
        in_channels: c.
        reduction: the bottleneck has max(1, c // reduction) channels.
        dims: 1, 2 or 3 position axes.
        input_norm: read the input standardised per channel.

    Raises:
        BlockError: sizes below 1, or an input of the wrong rank, channels, dtype or with no positions.

    Source: Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018, arXiv 1709.01507.
    """

    def __init__(
        self, in_channels: int, reduction: int = 16, dims: int = 2, *, input_norm: bool = False
    ) -> None:
        super().__init__(in_channels, dims, input_norm=input_norm, reduction=reduction)
        hidden = max(1, in_channels // reduction)
        self.squeeze = nn.Linear(in_channels, hidden)
        self.excite = nn.Linear(hidden, in_channels)

    def bottleneck(self, x: Tensor) -> Tensor:
        """What the gates are made of, relu(W₁ mean X): (batch, c // reduction)."""
        self._check(x)
        return F.relu(self.squeeze(self._source(self.flatten(x)).mean(dim=2)))

    def forward(self, x: Tensor) -> Tensor:
        """X scaled per channel, the shape, dtype and memory format of `x`."""
        gates = torch.sigmoid(self.excite(self.bottleneck(x)))  # (batch, c)
        return self._unflatten(self.flatten(x) * gates[:, :, None], x)


class CovariancePooling(_SameEverywhere):
    """Second-order statistics of all positions, added to each of them: Y = X + W vec(A Bᵀ / N).

    A and B are projections of X. With `c_n=None` they are one centred projection and A Bᵀ / N is
    its covariance; else two uncentred ones, as in bilinear pooling.

    Args:
        in_channels: c.
        c_m: channels of A; W has c·c_m·c_n weights, so keep it small.
        c_n: channels of B, None for the covariance of A.
        dims: 1, 2 or 3 position axes.
        residual: add the input to the result.
        input_norm: read the input standardised per channel.

    Raises:
        BlockError: sizes below 1, or an input of the wrong rank, channels, dtype or with no positions.

    Source: Lin, RoyChowdhury, Maji, "Bilinear CNN Models", ICCV 2015, arXiv 1504.07889.
    """

    def __init__(
        self,
        in_channels: int,
        c_m: int = 32,
        c_n: int | None = None,
        dims: int = 2,
        *,
        residual: bool = True,
        input_norm: bool = False,
    ) -> None:
        super().__init__(in_channels, dims, input_norm=input_norm, c_m=c_m, c_n=c_m if c_n is None else c_n)
        conv: Any = CONVOLUTION[dims]
        self.phi = conv(in_channels, c_m, 1)
        self.psi = None if c_n is None else conv(in_channels, c_n, 1)
        self.expand = nn.Linear(c_m * (c_m if c_n is None else c_n), in_channels)
        self.residual = residual

    def statistics(self, x: Tensor) -> Tensor:
        """A Bᵀ / N of `x`, (batch, c_m, c_n); symmetric when it is a covariance."""
        self._check(x)
        flat = self._source(self.flatten(x))
        a = _project(self.phi, flat)
        b = a - a.mean(dim=2, keepdim=True) if self.psi is None else _project(self.psi, flat)
        return (b if self.psi is None else a) @ b.transpose(1, 2) / flat.shape[2]

    def forward(self, x: Tensor) -> Tensor:
        """X plus one descriptor everywhere, the shape, dtype and memory format of `x`."""
        descriptor = self.expand(self.statistics(x).flatten(1))[:, :, None]  # (batch, c, 1)
        flat = self.flatten(x)
        return self._unflatten(flat + descriptor if self.residual else descriptor.expand_as(flat), x)


class _Pairwise(_Relative):
    """A block in which each position weighs all N positions itself."""

    same_everywhere = False

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

    def _take(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """What each query takes of the values, (batch, N, inner), by the fastest way."""
        raise NotImplementedError

    def _taken(self, source: Tensor) -> Tensor:
        """Z, (batch, inner, N), of what the projections read."""
        tokens = (_tokens(layer, source) for layer in (self.query, self.key, self.value))
        return self._take(*tokens).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """X plus what each position took from all, the shape, dtype and memory format of `x`."""
        self._check(x)
        flat = self.flatten(x)
        y = _project(self.expand, self._taken(self._source(flat)))
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
        weights = self._weigh(_tokens(self.query, at), _tokens(self.key, source))
        return weights.mean(dim=1), self._taken(source)

    def _rows(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Weights of one position over all, (batch, heads, *positions), in O(c·N)."""
        self._check(x)
        p = self._flat_position(x, position)
        source = self._source(self.flatten(x))
        weights = self._weigh(_tokens(self.query, source[:, :, p : p + 1]), _tokens(self.key, source))
        return self._as_maps(weights.squeeze(2), x)

    def attention_row(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where `position` gets its information from: its weights over all, the mean over heads, in O(c·N).

        Returns:
            (batch, *positions), at least float32; sums to 1 where `row_sums_to_one`.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        return self._rows(x, position).mean(dim=1)


class NonLocal(_Pairwise):
    """Non-local block: z_p = Σ_j w(p, j) g(x_j), Y = X + W_z z.

    "embedded_gaussian" weighs by softmax over j of q_pᵀ k_j; "dot_product" by q_pᵀ k_j / N, whose
    rows need not sum to 1 and may be negative (`row_sums_to_one` says which).

    Args:
        in_channels: c.
        inner: channels of q, k and g; c // 2 when None, as in the paper.
        dims: 1, 2 or 3 position axes.
        kind: "embedded_gaussian" or "dot_product".
        residual: add the input to the result.
        fused: True never writes the N×N weights (fused softmax; for the dot product, by bracketing
            q (kᵀ g)); False writes them out as the published block does. The numbers agree.
        input_norm: read the input standardised per channel.
        position_norm: after that, as `DoubleAttention` has it.

    Raises:
        BlockError: sizes below 1, an unknown kind, or an input of the wrong rank, channels, dtype or
            with no positions.

    Source: Wang, Girshick, Gupta, He, "Non-local Neural Networks", CVPR 2018, arXiv 1711.07971.
    """

    def __init__(
        self,
        in_channels: int,
        inner: int | None = None,
        dims: int = 2,
        *,
        kind: Literal["embedded_gaussian", "dot_product"] = "embedded_gaussian",
        residual: bool = True,
        fused: bool = True,
        input_norm: bool = False,
        position_norm: PositionNorm = False,
    ) -> None:
        super().__init__(
            in_channels, inner, dims, residual=residual, input_norm=input_norm, position_norm=position_norm
        )
        if kind not in ("embedded_gaussian", "dot_product"):
            raise BlockError(f"kind is {kind!r}: choose 'embedded_gaussian' or 'dot_product'.")
        self.kind, self.fused = kind, fused

    @property
    def row_sums_to_one(self) -> bool:
        """Whether the weights of one position over all positions are a distribution."""
        return self.kind == "embedded_gaussian"

    def _weigh(self, q: Tensor, k: Tensor) -> Tensor:
        scores = _accurate(q @ k.transpose(1, 2))
        weights = F.softmax(scores, dim=-1) if self.row_sums_to_one else scores / k.shape[1]
        return weights[:, None]

    def _take(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.kind == "dot_product":
            scaled = k / k.shape[1]
            return q @ (scaled.transpose(1, 2) @ v) if self.fused else (q @ scaled.transpose(1, 2)) @ v
        if self.fused:
            return F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], scale=1.0)[:, 0]
        return F.softmax(q @ k.transpose(1, 2), dim=-1) @ v


class SelfAttention(_Pairwise):
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

    row_sums_to_one = True

    def __init__(
        self,
        in_channels: int,
        heads: int = 8,
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

    def _weigh(self, q: Tensor, k: Tensor) -> Tensor:
        scores = self._split(q) @ self._split(k).transpose(2, 3)
        return F.softmax(_accurate(scores) / math.sqrt(self.inner // self.heads), dim=-1)

    def _take(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        z = F.scaled_dot_product_attention(self._split(q), self._split(k), self._split(v))
        return z.transpose(1, 2).flatten(2)

    def attention_rows(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where each head of `position` looks: (batch, heads, *positions), each summing to 1.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        return self._rows(x, position)


def _project(layer: Any, flat: Tensor) -> Tensor:
    """A 1×1 convolution of any rank on flattened positions (batch, c, N)."""
    return F.conv1d(flat, layer.weight.flatten(2), layer.bias)


def _tokens(layer: Any, flat: Tensor) -> Tensor:
    """The same as (batch, N, rows), rows side by side in memory: what torch's fused attention asks for."""
    return F.linear(flat.transpose(1, 2), layer.weight.flatten(1), layer.bias)


def _accurate(scores: Tensor) -> Tensor:
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
