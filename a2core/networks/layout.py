"""On which axis a module puts its channels, and what a block makes of that.

A Transformer's stage that returns (1, 96, 96, 96) may mean 96 channels of 96 × 96 positions, or 96 rows of
96 positions with 96 channels each: a block would take the rows for channels and say nothing. What can be
cut from the input says which: positions can be left out, and leave their axis of the output shorter;
channels cannot. So the layout is tried where a shape alone does not tell.
"""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, NetworkError

Axes = Literal["NCHW", "NHWC", "tokens"]


@dataclass(frozen=True)
class Layout:
    """How a module returns its positions, and how a block that wants (batch, channels, rows, cols) gets them.

    Attributes:
        axes: "NCHW": channels on axis 1 (as any number of position axes); "NHWC": channels last; "tokens":
            (batch, tokens, channels), the tokens being the cells of the picture row by row.
        prefix: so many tokens come before them (class, distillation and register tokens). They go round the
            block: it neither reads nor changes them.
    """

    axes: Axes = "NCHW"
    prefix: int = 0

    def __post_init__(self) -> None:
        if self.axes not in get_args(Axes) or self.prefix < 0 or (self.prefix and self.axes != "tokens"):
            raise NetworkError(
                f"Layout {self.axes!r} with {self.prefix} prefix tokens is none. Choose NCHW, NHWC, or "
                "tokens with 0 prefix tokens or more."
            )

    def through(self, block: nn.Module, features: Tensor) -> Tensor:
        """`block` applied to what a module of this layout returned; in the module's layout again.

        Tokens go through as one column, (batch, channels, N, 1): a block weighs positions by what is at
        them, not by where they are.
        """
        if self.axes == "NCHW":
            return block(features)
        if self.axes == "NHWC":
            return block(features.movedim(-1, 1)).movedim(1, -1)
        cells = block(features[:, self.prefix :].transpose(1, 2)[..., None])[..., 0].transpose(1, 2)
        return torch.cat([features[:, : self.prefix], cells], dim=1) if self.prefix else cells

    def grid(self, features: Tensor, picture_px: tuple[int, int]) -> Tensor:
        """What a module returned of pictures of that size, as (batch, channels, rows, columns).

        Raises:
            NetworkError: tokens that make no grid.
        """
        if self.axes == "NCHW":
            return features
        if self.axes == "NHWC":
            return features.movedim(-1, 1)
        cells = features[:, self.prefix :].transpose(1, 2)
        shape = grid_of_tokens(cells.shape[2], *picture_px)
        if shape is None:
            raise NetworkError(
                f"{cells.shape[2]} tokens make no grid over {picture_px[1]} × {picture_px[0]} pixels."
            )
        return cells.unflatten(2, shape)


def layout_of(
    name: str, host: nn.Module, args: tuple[Any, ...], features: Tensor, channels: int, dims: int, prefix: int
) -> Layout:
    """In which layout module `name` returned `features`, for a block of `channels` and `dims` position axes.

    Args:
        name: of the module.
        host: the module, which may be run on parts of its input to see which axis is which.
        args: what it was given.
        features: what it returned of them.
        channels: of the block.
        dims: of the block.
        prefix: tokens before those of the picture, where they are tokens.

    Raises:
        NetworkError: the block does not fit.
    """
    shape = tuple(features.shape)
    whole = len(shape) == dims + 2
    if whole and shape[1] == channels:
        last = puts_channels_last(host, args, features)
        if not last:
            return Layout()
        if shape[-1] == channels:
            return Layout("NHWC")
    elif whole and shape[-1] == channels:
        return Layout("NHWC")
    elif len(shape) == 3 and dims == 2 and shape[-1] == channels and shape[1] > prefix:
        return Layout("tokens", prefix)
    raise NetworkError(misfit(name, shape, channels, dims))


def misfit(name: str, shape: tuple[int, ...], channels: int, dims: int) -> str:
    """What to say where a block does not fit what module `name` returns."""
    last = len(shape) == dims + 2 and shape[1] == channels
    return (
        f"Module {name!r} returns {shape}{', channels last' if last else ''}; the block behind it takes "
        f"{channels} channels and {dims} position axes. Make the block for this shape, or choose another "
        "module."
    )


def grid_of_tokens(count: int, height_px: int, width_px: int) -> tuple[int, int] | None:
    """Rows and columns of so many cells over a picture; None where none of its shape has so many.

    Cells are square: of the rectangles of `count` cells the one whose shape is the picture's, to a cell.
    """
    best = None
    for rows in range(1, count + 1):
        columns = count // rows
        off = abs(rows - columns * height_px / width_px)
        if rows * columns == count and off < 1 and (best is None or off < best[0]):
            best = off, (rows, columns)
    return best[1] if best else None


def puts_channels_last(host: nn.Module, args: tuple[Any, ...], features: Tensor) -> bool:
    """Whether the last axis of `features`, which `host` returned of `args`, is its channels.

    Only tried where something in `host` works on a last axis of that length: on a copy, twice or thrice, on
    half of the input.
    """
    last = features.shape[-1]
    if not any(_works_on_last(module, last) for module in host.modules()):
        return False
    moved = _moved_axes(host, args, features)
    if moved:
        return 1 in moved and features.dim() - 1 not in moved
    # Of one size only. Convolutions and their norms put channels first.
    return not any(
        getattr(module, "out_channels", getattr(module, "num_features", None)) == features.shape[1]
        for module in host.modules()
    )


def _works_on_last(module: nn.Module, size: int) -> bool:
    return tuple(getattr(module, "normalized_shape", ())) == (size,) or (
        isinstance(module, nn.Linear) and module.out_features == size
    )


def _moved_axes(host: nn.Module, args: tuple[Any, ...], features: Tensor) -> set[int]:
    """The axes of the output that become shorter when half of any one axis of the input is left out."""
    moved: set[int] = set()
    if not args or not isinstance(args[0], Tensor):
        return moved
    x = args[0].detach()
    with contextlib.suppress(*FORWARD_FAULTS), torch.no_grad():
        trial = copy.deepcopy(host).eval()
        for axis in range(1, x.dim()):
            with contextlib.suppress(*FORWARD_FAULTS):
                part = trial(x.narrow(axis, 0, max(1, x.shape[axis] // 2)).clone(), *args[1:])
                if isinstance(part, Tensor) and part.dim() == features.dim():
                    sizes = zip(part.shape, features.shape, strict=True)
                    moved |= {at for at, (now, before) in enumerate(sizes) if now != before}
    return moved
