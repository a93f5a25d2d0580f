"""Squeeze-and-excitation: one global average, the same channel gates for every position."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.blocks.position_block import Inside, SameEverywhere


class SqueezeExcitation(SameEverywhere):
    """Channel gates from the global average: Y = X · σ(W₂ relu(W₁ mean X)).

    Args:
        in_channels: c.
        reduction: the bottleneck has max(1, c // reduction) channels.
        dims: 1, 2 or 3 position axes.
        input_norm: read the input standardised per channel.
        hidden: channels of the bottleneck, whatever `reduction` says; may be more than c.

    Raises:
        BlockError: sizes below 1, or an input of the wrong rank, channels, dtype or with no positions.

    Source: Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018, arXiv 1709.01507.
    """

    kind = "squeeze_excitation"
    title = "Squeeze-and-excitation"
    summary = "One average over the whole picture becomes one gate for each channel."
    hands = "gates"
    sizes = {"reduction": 1, "input_norm": True}
    width = "hidden"
    identity_bias = 6.0  # gates of 0.998: they cannot be 1 and still learn

    def __init__(
        self,
        in_channels: int,
        reduction: int = 16,
        dims: int = 2,
        *,
        input_norm: bool = False,
        hidden: int | None = None,
    ) -> None:
        hidden = max(1, in_channels // max(1, reduction)) if hidden is None else hidden
        super().__init__(in_channels, dims, input_norm=input_norm, reduction=reduction, hidden=hidden)
        self.squeeze = nn.Linear(in_channels, hidden)
        self.excite = nn.Linear(hidden, in_channels)

    @property
    def last_layer(self) -> nn.Linear:
        """What makes the gates of the bottleneck."""
        return self.excite

    def inside(self, x: Tensor, rows: Tensor) -> Inside:
        """As of every block: the bottleneck, the same for all positions."""
        return Inside(None, self.bottleneck(x)[:, :, None])

    def bottleneck(self, x: Tensor) -> Tensor:
        """What the gates are made of, relu(W₁ mean X): (batch, hidden)."""
        self._check(x)
        return F.relu(self.squeeze(self._source(self.flatten(x)).mean(dim=2)))

    def forward(self, x: Tensor) -> Tensor:
        """X scaled per channel, the shape, dtype and memory format of `x`."""
        gates = torch.sigmoid(self.excite(self.bottleneck(x)))  # (batch, c)
        return self._unflatten(self.flatten(x) * gates[:, :, None], x)
