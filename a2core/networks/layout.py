"""On which axis a module puts its channels, tried where a shape alone does not tell.

A Transformer's stage that returns (1, 96, 96, 96) may mean 96 channels of 96 × 96 positions, or 96 rows of
96 positions with 96 channels each: a block would take the rows for channels and say nothing. What can be
cut from the input says which: positions can be left out, and leave their axis of the output shorter;
channels cannot.
"""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS


def check_features(name: str, features: Tensor, channels: int, dims: int) -> str:
    """What keeps a block for `channels` on axis 1 and `dims` position axes from `features`; "" for nothing.

    `name` is of the module that returns them.
    """
    shape = tuple(features.shape)
    if len(shape) == dims + 2 and shape[1] == channels:
        return ""
    said = f"Module {name!r} returns {shape}"
    if len(shape) == dims + 2 and shape[-1] == channels:
        return f"{said}, {_LAST}"
    if len(shape) == 3 and dims == 2 and shape[-1] == channels:
        return f"{said}: {shape[1]} tokens without rows and columns, {_LAST}"
    return (
        f"{said}; the block behind it takes {channels} channels on axis 1 and {dims} position axes. Make the "
        "block for this shape, or choose another module."
    )


_LAST = (
    "channels last; a block takes them on axis 1. Choose a module that returns (batch, channels, "
    "*positions), or put one behind it that permutes the axes, and the block behind that."
)


def channels_last(name: str, features: Tensor) -> str:
    """The refusal of features whose axis 1 is positions, though it is as long as the block wants channels."""
    return f"Module {name!r} returns {tuple(features.shape)}, {_LAST}"


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
