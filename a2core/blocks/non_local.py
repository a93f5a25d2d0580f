"""The non-local block: each position takes from all positions, weighed by likeness."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from a2core.blocks.pairwise import Pairwise, accurate
from a2core.blocks.position_block import LENGTH, PositionNorm
from a2core.errors import BlockError


class NonLocal(Pairwise):
    """Non-local block: z_p = Σ_j w(p, j) g(x_j), Y = X + W_z z.

    "embedded_gaussian" weighs by softmax over j of q_pᵀ k_j; "dot_product" by q_pᵀ k_j / N, whose
    rows need not sum to 1 and may be negative (`row_sums_to_one` says which).

    Args:
        in_channels: c.
        inner: channels of q, k and g; c // 2 when None, as in the paper.
        dims: 1, 2 or 3 position axes.
        weighing: "embedded_gaussian" or "dot_product".
        residual: add the input to the result.
        fused: True never writes the N×N weights (fused softmax; for the dot product, by bracketing
            q (kᵀ g)); False writes them out as the published block does. The numbers agree.
        input_norm: read the input standardised per channel.
        position_norm: after that, as `DoubleAttention` has it.

    Raises:
        BlockError: sizes below 1, an unknown weighing, or an input of the wrong rank, channels, dtype or
            with no positions.

    Source: Wang, Girshick, Gupta, He, "Non-local Neural Networks", CVPR 2018, arXiv 1711.07971.
    """

    kind = "non_local"
    title = "Non-local"
    summary = "The pixel is compared with every cell; the likest give most."
    sizes = {"inner": LENGTH, "input_norm": True, "position_norm": "centred"}

    def __init__(
        self,
        in_channels: int,
        inner: int | None = None,
        dims: int = 2,
        *,
        weighing: Literal["embedded_gaussian", "dot_product"] = "embedded_gaussian",
        residual: bool = True,
        fused: bool = True,
        input_norm: bool = False,
        position_norm: PositionNorm = False,
    ) -> None:
        super().__init__(
            in_channels, inner, dims, residual=residual, input_norm=input_norm, position_norm=position_norm
        )
        if weighing not in ("embedded_gaussian", "dot_product"):
            raise BlockError(f"weighing is {weighing!r}: choose 'embedded_gaussian' or 'dot_product'.")
        self.weighing, self.fused = weighing, fused

    @property
    def row_sums_to_one(self) -> bool:
        """Whether the weights of one position over all positions are a distribution."""
        return self.weighing == "embedded_gaussian"

    def _weigh(self, q: Tensor, k: Tensor) -> Tensor:
        scores = accurate(q @ k.transpose(1, 2))
        weights = F.softmax(scores, dim=-1) if self.row_sums_to_one else scores / k.shape[1]
        return weights[:, None]

    def _take(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.weighing == "dot_product":
            scaled = k / k.shape[1]
            return q @ (scaled.transpose(1, 2) @ v) if self.fused else (q @ scaled.transpose(1, 2)) @ v
        if self.fused:
            return F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], scale=1.0)[:, 0]
        return F.softmax(q @ k.transpose(1, 2), dim=-1) @ v
