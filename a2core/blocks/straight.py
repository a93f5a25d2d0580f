"""Blocks as one straight line of operations, for what writes networks down: the same numbers, no choice.

A block chooses how it computes by the shape at hand: an order, what is folded, runs of positions. An exporter
follows one way and has to have it right for every size. Here each is the way that is right for all: the left
order with the expansion applied to the bag, and beside its answer what a trace keeps of it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from a2core.blocks.covariance_pooling import CovariancePooling
from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.equations import expansion
from a2core.blocks.pairwise import Pairwise
from a2core.blocks.position_block import PositionBlock
from a2core.blocks.squeeze_excitation import SqueezeExcitation
from a2core.errors import NetworkError

Told = dict[str, Tensor]


class Attending(NamedTuple):
    """What a pass through double attention keeps, for a gradient to go back through it."""

    source: Tensor  # (batch, c, N): what the projections read
    length: Tensor  # (batch, 1, N): what brought each position to one length; 1 where nothing did
    gather: Tensor  # (batch, n, N)
    distribute: Tensor  # (batch, n, N)
    primitives: Tensor  # (batch, m, n)
    expanded: Tensor  # (batch, c, n): the bag after the expansion


class StraightBag(nn.Module):
    """Double attention in evaluation mode, its norms in its weights where they can be.

    The weights are those of the block at the time; `forward` takes (batch, c, h, w), or frames of clips,
    (batch, frames, c, h, w), which are attended to jointly.
    """

    tells = ("gather", "distribute", "primitives", "output", "change")
    maps_weight: Tensor
    maps_bias: Tensor
    phi_weight: Tensor
    phi_bias: Tensor
    expand_weight: Tensor
    expand_bias: Tensor
    norm_weight: Tensor | None
    norm_bias: Tensor

    def __init__(self, block: DoubleAttention) -> None:
        super().__init__()
        self.n, self.residual, self.position_norm = block.c_n, block.residual, block.position_norm
        norm, apart = block.input_norm, bool(block.position_norm)
        with torch.no_grad():
            scale = torch.rsqrt(norm.running_var + norm.eps) if norm is not None and apart else None
            kept = {
                "maps": block._weights(block.theta, block.rho),
                "phi": block._weights(block.phi),
                "expand": expansion(block),
                "norm": None if scale is None else (scale[:, None], norm.running_mean),
            }
            for name, tensors in kept.items():
                weight, bias = (None, None) if tensors is None else tensors
                self.register_buffer(f"{name}_weight", None if weight is None else weight.clone())
                self.register_buffer(f"{name}_bias", None if bias is None else bias[:, None].clone())

    def extra_repr(self) -> str:
        """What its numbers depend on beside its weights."""
        return f"n={self.n}, residual={self.residual}, position_norm={self.position_norm!r}"

    def forward(self, x: Tensor) -> tuple[Tensor, Told]:
        """Y in the shape of `x`; and B, V (batch, n, *positions), G (batch, m, n), Z and |Y − X| / |X|."""
        flat, grid = flattened(x)
        gather, distribute, primitives = self.attend(flat)[2:5]
        y = self.handed_out(flat, primitives, distribute)
        maps = {"gather": gather, "distribute": distribute, "output": primitives @ distribute}
        told = {name: of.unflatten(2, grid) for name, of in maps.items()}
        told |= {"primitives": primitives, "change": changed(flat, y).unflatten(1, grid)}
        return unflattened(y, x), {name: told[name] for name in self.tells}

    def attend(self, flat: Tensor) -> Attending:
        """What it does with (batch, c, N)."""
        source = flat if self.norm_weight is None else (flat - self.norm_bias) * self.norm_weight
        length = flat.new_ones(1, 1, 1)
        if self.position_norm:
            if self.position_norm == "centred":
                source = source - source.mean(dim=2, keepdim=True)
            length = torch.rsqrt(source.square().mean(dim=1, keepdim=True) + 1e-6)
            source = source * length
        theta, rho = (self.maps_weight @ source + self.maps_bias).split([self.n, self.n], dim=1)
        gather, distribute = theta.softmax(dim=2), rho.softmax(dim=1)
        primitives = self.phi_weight @ (source @ gather.transpose(1, 2)) + self.phi_bias
        expanded = self.expand_weight @ primitives + self.expand_bias
        return Attending(source, length, gather, distribute, primitives, expanded)

    def back(self, it: Attending, gradient: Tensor) -> Tensor:
        """The gradient with respect to what was read, (batch, c, N), of that with respect to Y."""
        of_bag = gradient @ it.distribute.transpose(1, 2)
        of_weights = it.expanded.transpose(1, 2) @ gradient
        of_rho = it.distribute * (of_weights - (it.distribute * of_weights).sum(dim=1, keepdim=True))
        pooled = self.phi_weight.mT @ (self.expand_weight.mT @ of_bag)  # (batch, c, n)
        of_maps = pooled.transpose(1, 2) @ it.source
        of_theta = it.gather * (of_maps - (it.gather * of_maps).sum(dim=2, keepdim=True))
        found = pooled @ it.gather + self.maps_weight.mT @ torch.cat([of_theta, of_rho], dim=1)
        if self.position_norm:
            found = it.length * (found - it.source * (it.source * found).mean(dim=1, keepdim=True))
            if self.position_norm == "centred":
                found = found - found.mean(dim=2, keepdim=True)
        if self.norm_weight is not None:
            found = found * self.norm_weight
        return gradient + found if self.residual else found

    def handed_out(self, flat: Tensor, primitives: Tensor, distribute: Tensor) -> Tensor:
        """Y (batch, c, N) of what was read, a bag (batch, m, n) and weights (batch, n, N)."""
        added = (self.expand_weight @ primitives + self.expand_bias) @ distribute
        return flat + added if self.residual else added


class StraightOther(nn.Module):
    """A relative, in evaluation mode, with what can be asked of it; `forward` takes (batch, c, h, w)."""

    def __init__(self, block: PositionBlock) -> None:
        super().__init__()
        self.block = copy.deepcopy(block)
        self.kind = block.attends
        if isinstance(block, Pairwise):
            self.tells: tuple[str, ...] = ("queries", "keys", "change")
        else:
            self.tells = ("gates" if isinstance(block, SqueezeExcitation) else "statistics", "change")

    def forward(self, x: Tensor) -> tuple[Tensor, Told]:
        """Y, and queries and keys (batch, heads, d, N), gates (batch, c), or statistics (batch, m, n)."""
        block: Any = self.block
        y = block(x)
        told = {"change": changed(x, y)}
        if isinstance(block, Pairwise):
            told["queries"], told["keys"], _ = block.compared(x)
        elif isinstance(block, SqueezeExcitation):
            told["gates"] = torch.sigmoid(block.excite(block.bottleneck(x)))
        else:
            told["statistics"] = block.statistics(x)
        return y, {name: told[name] for name in self.tells}


def straight(block: nn.Module) -> StraightBag | StraightOther:
    """The block as one straight line of operations.

    Raises:
        NetworkError: a block of another kind, or not for pictures.
    """
    ours = DoubleAttention | Pairwise | SqueezeExcitation | CovariancePooling
    if not isinstance(block, ours) or block.dims != 2:
        raise NetworkError(
            f"A {type(block).__name__} cannot be exported. Export a network with blocks of a2core that stand "
            "behind features of pictures."
        )
    return StraightBag(block) if isinstance(block, DoubleAttention) else StraightOther(block)


def told_by(block: nn.Module, x: Tensor) -> Mapping[str, Tensor]:
    """The same as a straight block tells of (batch, c, h, w), in the block's own ways: to check it by."""
    any_block: Any = block
    grid, y = tuple(x.shape[2:]), any_block(x)
    told = {"change": changed(x, y), "input": x}
    if isinstance(block, DoubleAttention):
        attended = block.attend(x)._asdict()
        return told | {
            key: of if key == "primitives" else of.unflatten(2, grid) for key, of in attended.items()
        }
    if isinstance(block, Pairwise):
        queries, keys, _ = block.compared(x)
        return told | {"queries": queries, "keys": keys}
    if isinstance(block, SqueezeExcitation):
        return told | {"gates": torch.sigmoid(any_block.excite(any_block.bottleneck(x)))}
    return told | {"statistics": any_block.statistics(x)}


def flattened(x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """(batch, c, N), and the shape of the positions."""
    if x.dim() == 4:
        return x.flatten(2), tuple(x.shape[2:])
    return x.transpose(1, 2).flatten(2), (x.shape[1], *x.shape[3:])


def unflattened(y: Tensor, like: Tensor) -> Tensor:
    """The reverse."""
    if like.dim() == 4:
        return y.unflatten(2, tuple(like.shape[2:]))
    return y.unflatten(2, (like.shape[1], *like.shape[3:])).transpose(1, 2)


def changed(x: Tensor, y: Tensor) -> Tensor:
    """|Y − X| / |X| at each position."""
    return (y - x).norm(dim=1) / x.norm(dim=1).clamp_min(1e-12)
