"""Every tensor of one double attention block on one clip, for those who want to follow it by hand.

A trace keeps what the block handed out; a lesson also keeps what went in (X), what the projections
made of it (φ, θ, ρ before any softmax), their weights, and what was added. Each equation is computed
here as the paper writes it, nothing folded, so that the arrays add up line by line in NumPy.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.position_block import position_normalised
from a2core.errors import BlockError
from a2core.media import Clip
from a2core.tracing.trace import Model


@dataclass(frozen=True)
class Lesson:
    """What went through one block; arrays are float32 and read-only, positions are (T, h, w) cells.

    phi = phi_weight · normed + phi_bias at each position, and likewise theta and rho; added =
    expand_weight · output + expand_bias, and the block's output is features + added.
    """

    name: str  # of the module that the block stands behind
    features: np.ndarray  # (c, T, h, w): X, what the block was given
    normed: np.ndarray  # (c, T, h, w): X as the projections read it, standardised where the block does so
    phi: np.ndarray  # (m, T, h, w): A = φ(X), the features that are gathered
    theta: np.ndarray  # (n, T, h, w): θ(X), the logits of the gather maps
    rho: np.ndarray  # (n, T, h, w): ρ(X), the logits of the distribution weights
    gather: np.ndarray  # (n, T, h, w): B, the softmax of theta over positions
    distribute: np.ndarray  # (n, T, h, w): V, the softmax of rho over primitives
    primitives: np.ndarray  # (m, n): G, column i is g_i
    output: np.ndarray  # (m, T, h, w): Z = G V
    added: np.ndarray  # (c, T, h, w): expand(Z), what the block adds to X
    phi_weight: np.ndarray  # (m, c)
    phi_bias: np.ndarray  # (m,)
    theta_weight: np.ndarray  # (n, c)
    theta_bias: np.ndarray  # (n,)
    rho_weight: np.ndarray  # (n, c)
    rho_bias: np.ndarray  # (n,)
    expand_weight: np.ndarray  # (c, m); a batch norm after the expansion is multiplied in
    expand_bias: np.ndarray  # (c,)

    @property
    def c(self) -> int:
        """Channels of the block's input."""
        return self.features.shape[0]

    @property
    def m(self) -> int:
        """Length of each primitive."""
        return self.primitives.shape[0]

    @property
    def n(self) -> int:
        """Number of primitives."""
        return self.primitives.shape[1]

    @property
    def grid(self) -> tuple[int, int, int]:
        """(T, h, w), in cells."""
        t, h, w = self.features.shape[1:]
        return t, h, w

    @property
    def positions(self) -> int:
        """N = T·h·w."""
        return self.features[0].size

    def to_npz(self) -> bytes:
        """The arrays as an NPZ file, under "<block>/<name of the array>".

        `gather`, `distribute`, `primitives` and `output` are called as in an exported trace.
        """
        out = io.BytesIO()
        arrays = {f"{self.name}/{key}": value for key, value in self.arrays().items()}
        np.savez_compressed(out, allow_pickle=False, **arrays)
        return out.getvalue()

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array, by the name of its field."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "name"}


def take_lesson(model: Model, clip: Clip, block: str, size: int = 448) -> Lesson:
    """Run `clip` through `model` with its long side at `size` pixels and keep all of block `block`.

    Raises:
        BlockError: the model has no such block, or it is no double attention block.
        NetworkError: as `Model.trace`.
    """
    found = model.blocks.get(block)
    if found is None:
        known = ", ".join(map(repr, model.blocks)) or "none"
        raise BlockError(f"{model.name} has no block {block!r}. It has {known}.")
    if not isinstance(found, DoubleAttention):
        raise BlockError(
            f"Block {block!r} of {model.name} is a {type(found).__name__}; the lesson is about double "
            "attention. Choose other weights."
        )
    with watching({block: found}) as seen:
        model.trace(clip, size)
    with model.looking():
        return _worked_out(block, found, seen[block], frames=len(clip.frames))


@contextlib.contextmanager
def watching(blocks: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """While open, keep the input of each of `blocks`, (frames, c, h, w), as this thread first runs them."""
    seen: dict[str, Tensor] = {}
    thread = threading.get_ident()  # another visitor may run the same network at the same time

    def look(name: str) -> Any:
        def keep(module: nn.Module, args: tuple[Tensor, ...]) -> None:
            if threading.get_ident() == thread:
                seen.setdefault(name, args[0].detach().clone())

        return keep

    handles = [block.register_forward_pre_hook(look(name)) for name, block in blocks.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@torch.inference_mode()
def _worked_out(name: str, block: DoubleAttention, x: Tensor, *, frames: int) -> Lesson:
    """The paper's equations, one by one, in float32."""
    x = x.float()
    shape = (frames, *x.shape[2:]) if x.dim() == 4 else tuple(x.shape[2:])
    flat = x.transpose(0, 1).flatten(1) if x.dim() == 4 else x[0].flatten(1)  # (c, N)

    normed = flat
    if block.input_norm is not None:
        normed = block.input_norm(normed[None])[0]
    normed = position_normalised(normed[None], block.position_norm)[0]
    phi, theta, rho = (_applied(layer, normed) for layer in (block.phi, block.theta, block.rho))
    gather, distribute = theta.softmax(dim=1), rho.softmax(dim=0)
    primitives = phi @ gather.T
    output = primitives @ distribute
    weight, bias = block.expand.weight.flatten(1), block.expand.bias
    if block.output_norm is not None:
        norm = block.output_norm
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight, bias = scale[:, None] * weight, scale * (bias - norm.running_mean) + norm.bias
    added = weight @ output + bias[:, None]

    maps = {
        "features": flat,
        "normed": normed,
        "phi": phi,
        "theta": theta,
        "rho": rho,
        "gather": gather,
        "distribute": distribute,
        "output": output,
        "added": added,
    }
    return Lesson(
        name=name,
        primitives=_frozen(primitives),
        phi_weight=_frozen(block.phi.weight.flatten(1)),
        phi_bias=_frozen(block.phi.bias),
        theta_weight=_frozen(block.theta.weight.flatten(1)),
        theta_bias=_frozen(block.theta.bias),
        rho_weight=_frozen(block.rho.weight.flatten(1)),
        rho_bias=_frozen(block.rho.bias),
        expand_weight=_frozen(weight),
        expand_bias=_frozen(bias),
        **{key: _frozen(value.unflatten(1, shape)) for key, value in maps.items()},
    )


def _applied(layer: Any, x: Tensor) -> Tensor:
    return layer.weight.flatten(1) @ x + layer.bias[:, None]


def _frozen(tensor: Tensor) -> np.ndarray:
    array = tensor.detach().float().cpu().contiguous().numpy().copy()
    array.flags.writeable = False
    return array
