"""What every block has that can stand in a network, whatever its kind.

A module (batch, channels, *positions) -> the same shape in one, two or three dimensions, which answers
`attention_row(x, position)`: "where does this position get its information from?".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.errors import BlockError

Attends = Literal["bag", "pairs", "same"]
LENGTH = 64  # of a primitive, and of what relatives take from each position, unless asked otherwise

PositionNorm = bool | Literal["centred"]
CONVOLUTION = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_AXES = {1: "(batch, channels, L)", 2: "(batch, channels, h, w)", 3: "(batch, channels, T, h, w)"}


class Watchable(nn.Module):
    """A module that a trace looks into; what is copied or saved meanwhile is the module as it was before.

    While one does, `unwatched` holds the settings of this module that it changed.
    """

    unwatched: dict[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        return state | state.pop("unwatched", {})


class Inside(NamedTuple):
    """What a block did to a batch, for those who train it; positions are flattened to N."""

    rows: Tensor | None  # (B, R, N): the attention of the asked positions; None: all are handed the same
    output: Tensor  # (B, m, N), or (B, m, 1) where all are handed the same: what the last layer reads
    gather: Tensor | None = None  # (B, n, N): θ, of blocks with primitives
    distribute: Tensor | None = None  # (B, n, N): ρ, likewise


class PositionBlock(Watchable):
    """What every block has that can stand in a network: shape checks and the flattening of positions.

    Input and output are (batch, in_channels, *positions) with `dims` position axes.

    Attributes:
        kind: under which cards hold it; `registry` finds it by this name.
        title, summary: what people read of it.
        attends: "bag" where a few primitives are gathered and handed out, "pairs" where each position
            weighs all positions itself, "same" where all positions are handed the same.
        hands: whether what it hands out is added to its input, or multiplies it as gates.
        sizes: settings that make it about as large as double attention with m = n = 64 (4·64·c
            weights), so that what is compared is how blocks attend; squeeze-excitation comes as near as
            its shape allows. All read the same: features standardised, and scaled to one length where
            positions are compared.
        width: the setting that makes it larger or smaller; `width_step`, what it is a multiple of.
        identity_bias: of the last layer, where the block leaves the network's answers as they are.
        row_sums_to_one: whether the weights of one position over all positions are a distribution.
        frames_per_clip: when k > 1, every k consecutive entries of the batch are frames of one clip
            and are attended to jointly: N = k·h·w. For blocks inside a network that works frame
            by frame.
        check_finite: when true, an input that is not finite is refused, saying where it first is.
        in_line: positions come as one column of tokens, of which the picture's shape makes rows and columns.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    attends: ClassVar[Attends]
    hands: ClassVar[Literal["addition", "gates"]] = "addition"
    sizes: ClassVar[Mapping[str, Any]]
    width: ClassVar[str]
    width_step: ClassVar[int] = 1
    identity_bias: ClassVar[float] = 0.0
    expand: Any

    def __init__(self, in_channels: int, dims: int, **sizes: int) -> None:
        super().__init__()
        for label, value in {"in_channels": in_channels, **sizes}.items():
            if value < 1:
                raise BlockError(f"{label} is {value}: a {type(self).__name__} block needs at least 1.")
        if dims not in CONVOLUTION:
            raise BlockError(f"dims is {dims}: choose 1 (signals), 2 (pictures) or 3 (clips).")
        self.in_channels, self.dims = in_channels, dims
        self.frames_per_clip = 1
        self.check_finite = False
        self.in_line = False

    @property
    def last_layer(self) -> nn.Module:
        """What the block puts its result through before it meets the input again."""
        return self.expand

    def start_as_identity(self) -> None:
        """Make a fresh block leave the network's answers as they are."""
        self.hand_out_nothing()

    def hand_out_nothing(self) -> None:
        """Make a block leave the network's answers as they are, however it attends: its attention stays."""
        last: Any = self.last_layer
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, self.identity_bias)

    def inside(self, x: Tensor, rows: Tensor) -> Inside:
        """What happens inside on `x` (B, c, *positions), with the attention of `rows` (B, R), flat.

        Raises:
            BlockError: as `forward`.
        """
        raise NotImplementedError

    def attention_row(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where `position` gets its information from, (batch, *positions), at least float32.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        raise NotImplementedError

    def attention_rows(self, x: Tensor, position: int | Sequence[int]) -> Tensor | None:
        """The same for each head, (batch, heads, *positions); None of a kind that has none."""
        return None

    def _check(self, x: Tensor) -> None:
        if x.dim() != self.dims + 2:
            raise BlockError(
                f"Got a tensor of {x.dim()} axes, {tuple(x.shape)}; this block works on "
                f"{_AXES[self.dims]}. Add the missing axis or choose dims={max(1, min(3, x.dim() - 2))}."
            )
        if x.shape[1] != self.in_channels:
            raise BlockError(
                f"Got {x.shape[1]} channels; this block was made for {self.in_channels}. "
                f"Channels are axis 1 of {_AXES[self.dims]}."
            )
        if not x.is_floating_point():
            raise BlockError(f"Got {x.dtype}; convert to a floating-point type with x.float().")
        if 0 in x.shape[2:]:
            raise BlockError(f"Got {tuple(x.shape)}: there are no positions to gather from.")
        if x.shape[0] % self.frames_per_clip:
            raise BlockError(
                f"Got a batch of {x.shape[0]}, which is no multiple of "
                f"frames_per_clip={self.frames_per_clip}."
            )
        if self.check_finite and not torch.isfinite(x).all():
            index = torch.nonzero(~torch.isfinite(x))[0].tolist()
            raise BlockError(
                f"The input is not finite: {float(x[tuple(index)])} first at batch {index[0]}, channel "
                f"{index[1]}, position {tuple(index[2:])}. a2core.find_nonfinite(network, x) names the "
                "module it comes from."
            )

    def flatten(self, x: Tensor) -> Tensor:
        """(batch·k, c, *positions) to (batch, c, k·N): a view, unless frames of a clip are joined."""
        flat = x.flatten(2)
        k = self.frames_per_clip
        if k > 1:
            batch = flat.shape[0] // k
            flat = flat.unflatten(0, (batch, k)).transpose(1, 2).flatten(2)
        return flat

    def _unflatten(self, y: Tensor, like: Tensor) -> Tensor:
        """The reverse, in the memory format of `like`."""
        k = self.frames_per_clip
        if k > 1:
            y = y.unflatten(2, (k, -1)).transpose(1, 2).flatten(0, 1)
        y = y.unflatten(2, like.shape[2:])
        if channels_last(like):
            y = y.movedim(1, -1).contiguous().movedim(-1, 1)
        return y

    def _grid(self, x: Tensor) -> tuple[int, ...]:
        """The shape of all positions that are attended to jointly."""
        return (self.frames_per_clip, *x.shape[2:]) if self.frames_per_clip > 1 else tuple(x.shape[2:])

    def _flat_position(self, x: Tensor, position: int | Sequence[int]) -> int:
        """Index among the N positions of one given as (row, col), (t, row, col), (i,) or a flat index."""
        grid = self._grid(x)
        where = (position,) if isinstance(position, int) else tuple(position)
        shape = (math.prod(grid),) if isinstance(position, int) else grid
        if len(where) != len(shape) or not all(0 <= p < size for p, size in zip(where, shape, strict=False)):
            raise BlockError(f"There is no position {position} on a grid of {grid}. Counting starts at 0.")
        flat = 0
        for p, size in zip(where, shape, strict=True):
            flat = flat * size + p
        return flat

    def _as_maps(self, rows: Tensor, x: Tensor) -> Tensor:
        return rows.unflatten(-1, self._grid(x))


def position_normalised(x: Tensor, norm: PositionNorm) -> Tensor:
    """Features (batch, c, N) as `position_norm` has them; see `DoubleAttention`."""
    if not norm:
        return x
    accurate = x.to(torch.promote_types(x.dtype, torch.float32))
    if norm == "centred":
        accurate = accurate - accurate.mean(dim=2, keepdim=True)
    return (accurate * torch.rsqrt(accurate.square().mean(dim=1, keepdim=True) + 1e-6)).to(x.dtype)


def channels_last(x: Tensor) -> bool:
    """Whether the channels of one position lie side by side in memory, and there are several."""
    return x.shape[1] > 1 and x.stride(1) == 1 and not x.is_contiguous()


class StandardisedBlock(PositionBlock):
    """A block whose projections may read the input standardised, as those of double attention do.

    As published, no relative standardises what it reads. With `input_norm`, and `position_norm` for those
    that compare positions, each reads its input as `DoubleAttention` does with the same options: side by
    side on a frozen trunk, they then differ in how they attend and in nothing else.
    """

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


class SameEverywhere(StandardisedBlock):
    """A block that looks at all positions alike and hands the same to all of them.

    So its row is the uniform 1/N wherever one asks: that is the honest answer, not a placeholder.
    """

    attends = "same"
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


def project(layer: Any, flat: Tensor) -> Tensor:
    """A 1×1 convolution of any rank on flattened positions (batch, c, N)."""
    return F.conv1d(flat, layer.weight.flatten(2), layer.bias)
