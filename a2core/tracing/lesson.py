"""Every tensor of one double attention block on one clip, for those who want to follow it by hand.

A trace keeps what the block handed out; a lesson also keeps what went in (X), what the projections
made of it (A, and the logits Θ̃ and R̃ before any softmax), their weights, and what was added. Each equation
is computed here as the paper writes it, nothing folded, so that the arrays add up line by line in NumPy.

θ and ρ name the maps after their softmax, as everywhere; the paper calls these tables B and V. Logits carry
a tilde, and `_logits` in the names of arrays.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.equations import expansion, spelled_out
from a2core.errors import BlockError
from a2core.media import Clip
from a2core.tracing.arrays import frozen
from a2core.tracing.model import Model


@dataclass(frozen=True)
class Lesson:
    """What went through one block; arrays are float32 and read-only, positions are (T, h, w) cells.

    phi = phi_weight · normed + phi_bias at each position, likewise theta_logits and rho_logits; added =
    expand_weight · output + expand_bias, and the block's output is features + added.
    """

    name: str  # of the module that the block stands behind
    features: np.ndarray  # (c, T, h, w): X, what the block was given
    normed: np.ndarray  # (c, T, h, w): X̂, as the projections read X: standardised where the block does so
    phi: np.ndarray  # (m, T, h, w): A, the features that are gathered
    theta_logits: np.ndarray  # (n, T, h, w): Θ̃, the logits of the gather maps
    rho_logits: np.ndarray  # (n, T, h, w): R̃, the logits of the distribution weights
    gather: np.ndarray  # (n, T, h, w): Θ, the softmax of theta_logits over positions
    distribute: np.ndarray  # (n, T, h, w): R, the softmax of rho_logits over primitives
    primitives: np.ndarray  # (m, n): G, column i is g_i
    output: np.ndarray  # (m, T, h, w): Z = G R
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
        np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
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
            "Block {block!r} of {network} is a {kind}; the lesson is about double attention. Choose other "
            "weights.",
            block=block,
            network=model.name,
            kind=type(found).__name__,
        )
    trace, seen = model.trace_with_features(clip, size, [block])
    with model.looking():
        return _worked_out(block, found, seen[block], trace.blocks[block].grid)


@torch.inference_mode()
def _worked_out(name: str, block: DoubleAttention, x: Tensor, shape: tuple[int, ...]) -> Lesson:
    flat = x.float().transpose(0, 1).flatten(1) if x.dim() == 4 else x[0].float().flatten(1)  # (c, N)
    steps = spelled_out(block, flat)
    weight, bias = expansion(block)
    return Lesson(
        name=name,
        primitives=frozen(steps.pop("primitives")),
        phi_weight=_kept(block.phi.weight.flatten(1)),
        phi_bias=_kept(block.phi.bias),
        theta_weight=_kept(block.theta.weight.flatten(1)),
        theta_bias=_kept(block.theta.bias),
        rho_weight=_kept(block.rho.weight.flatten(1)),
        rho_bias=_kept(block.rho.bias),
        expand_weight=_kept(weight),
        expand_bias=_kept(bias),
        **{key: frozen(value.unflatten(1, shape)) for key, value in steps.items()},
    )


def _kept(tensor: Any) -> np.ndarray:
    """A copy: the network's weights are its own."""
    return frozen(tensor.clone())
