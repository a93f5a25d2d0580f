"""Covariance pooling: second-order statistics, unattended, the same for every position."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from a2core.blocks.position_block import CONVOLUTION, Inside, SameEverywhere, project


class CovariancePooling(SameEverywhere):
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

    kind = "covariance_pooling"
    title = "Covariance pooling"
    summary = "How channels vary together over the picture becomes one vector."
    sizes = {"c_m": 16, "input_norm": True}
    width = "c_m"

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

    def inside(self, x: Tensor, rows: Tensor) -> Inside:
        """As of every block: A Bᵀ / N, the same for all positions."""
        return Inside(None, self.statistics(x).flatten(1)[:, :, None])

    def statistics(self, x: Tensor) -> Tensor:
        """A Bᵀ / N of `x`, (batch, c_m, c_n); symmetric when it is a covariance."""
        self._check(x)
        flat = self._source(self.flatten(x))
        a = project(self.phi, flat)
        b = a - a.mean(dim=2, keepdim=True) if self.psi is None else project(self.psi, flat)
        return (b if self.psi is None else a) @ b.transpose(1, 2) / flat.shape[2]

    def forward(self, x: Tensor) -> Tensor:
        """X plus one descriptor everywhere, the shape, dtype and memory format of `x`."""
        descriptor = self.expand(self.statistics(x).flatten(1))[:, :, None]  # (batch, c, 1)
        flat = self.flatten(x)
        return self._unflatten(flat + descriptor if self.residual else descriptor.expand_as(flat), x)
