"""Who is timed: our block, a plain writing of it, public ones, its relatives; and the floor below all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.non_local import NonLocal
from a2core.blocks.self_attention import SelfAttention

CHANNELS, SIZE = 512, 128
_LARGEST_WRITTEN_OUT = 3136  # positions; beyond, N×N in float32 with its gradients needs gigabytes


class PlainDoubleAttention(nn.Module):
    """The block as it is commonly written: three convolutions, two softmaxes, three products, one more.

    Right axes and a residual; nothing folded, fused or rearranged. What ours is compared with.
    """

    def __init__(self, channels: int, c_m: int, c_n: int, dims: int = 2) -> None:
        super().__init__()
        conv: Any = nn.Conv3d if dims == 3 else nn.Conv2d
        self.a, self.b, self.v = conv(channels, c_m, 1), conv(channels, c_n, 1), conv(channels, c_n, 1)
        self.out = conv(c_m, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """X plus the expanded result."""
        a = self.a(x)
        gather = F.softmax(self.b(x).flatten(2), dim=-1)
        distribute = F.softmax(self.v(x).flatten(2), dim=1)
        bag = torch.bmm(a.flatten(2), gather.permute(0, 2, 1))
        z = torch.matmul(bag, distribute).view_as(a)
        return x + self.out(z)


class _Alone(nn.Module):
    """A public module of the same kind, given the residual that it lacks."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return x + self.module(x)


def contenders(
    dims: int, positions: int, *, channels: int = CHANNELS, size: int = SIZE
) -> dict[str, nn.Module]:
    """Everything that is measured at one size, ours without norms as the plain writing has none."""
    found: dict[str, nn.Module] = {}
    for order in ("auto", "left", "right"):
        if order != "right" or positions <= _LARGEST_WRITTEN_OUT:
            found[f"ours, {order}"] = DoubleAttention(channels, size, size, dims, order, input_norm=False)
    found["plain writing"] = PlainDoubleAttention(channels, size, size, dims)
    if dims == 2:
        found.update(_public_blocks(channels, size))
    found["self-attention (sdpa)"] = SelfAttention(channels, heads=8, dims=dims)
    if positions <= _LARGEST_WRITTEN_OUT:
        found["non-local, written out"] = NonLocal(channels, dims=dims, fused=False)
    return found


def _public_blocks(channels: int, size: int) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for name in PUBLIC_BLOCKS:
        block = public_block(name)
        if block is not None:
            found[name] = _Alone(block(channels, size, size))
    return found


PUBLIC_BLOCKS = {
    "fightingcv-attention": ("fightingcv_attention", "attention/A2Atttention.py"),
    "pyzjr": ("pyzjr", "Models/_attention/A2.py"),
}


def public_block(name: str) -> type[nn.Module] | None:
    """The double attention class of an installed public package, None when there is none.

    Its one file is loaded by itself: the packages around it want libraries that it does not need.
    """
    package, file = PUBLIC_BLOCKS[name]
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / file
        if path.is_file():
            own = importlib.util.spec_from_file_location(f"_a2core_public_{package}", path)
            if own is not None and own.loader is not None:
                module = importlib.util.module_from_spec(own)
                own.loader.exec_module(module)
                return module.DoubleAttention
    return None


def work(channels: int, c_m: int, c_n: int, positions: int) -> int:
    """Multiply-adds of the block in the left order, each projection applied where it is cheapest."""
    phi = min(
        channels * c_m * positions + c_m * c_n * positions, channels * c_n * positions + channels * c_m * c_n
    )
    expand = min(
        c_m * c_n * positions + channels * c_m * positions, channels * c_m * c_n + channels * c_n * positions
    )
    return 2 * channels * c_n * positions + phi + expand


class Floor(nn.Module):
    """One matrix product of the shape of the projections: how fast this machine multiplies."""

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, channels))

    def forward(self, x: Tensor) -> Tensor:
        """The product."""
        return self.weight @ x.flatten(2)[0]
