"""Double attention to the letter, equation by equation, nothing folded: to follow, change or check it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.position_block import position_normalised


def expanded_bag(block: DoubleAttention, primitives: np.ndarray, device: torch.device) -> Tensor:
    """ĝ, (c, n): each primitive after the expansion and the norm that may follow it."""
    bag = torch.tensor(primitives, device=device)[None, :, :, None]
    expanded = block.expand(bag).flatten(2)
    return (expanded if block.output_norm is None else block.output_norm(expanded))[0]


def handed_out(block: DoubleAttention, features: Tensor, expanded: Tensor, weights: Tensor) -> Tensor:
    """Y = X + ĝ W of features (T, c, h, w) and weights (n, N), in the shape and type of the features."""
    frames, _, rows, cols = features.shape
    added = (weights.T @ expanded.T).reshape(frames, rows, cols, -1).permute(0, 3, 1, 2)
    return (features + added if block.residual else added).to(features.dtype)


def spelled_out(block: DoubleAttention, x: Tensor) -> dict[str, Tensor]:
    """Every tensor of the paper's equations on features (c, N), in float32.

    `features` X, `normed` as the projections read X, `phi` A, `theta_logits` and `rho_logits` before any
    softmax, `gather` Θ (the paper's B), `distribute` R (its V), `primitives` G (m, n), `output` Z, `added`
    expand(Z).
    """
    normed = x
    if block.input_norm is not None:
        normed = block.input_norm(normed[None])[0]
    normed = position_normalised(normed[None], block.position_norm)[0]
    phi, theta_logits, rho_logits = (_applied(layer, normed) for layer in (block.phi, block.theta, block.rho))
    gather, distribute = theta_logits.softmax(dim=1), rho_logits.softmax(dim=0)
    primitives = phi @ gather.T
    output = primitives @ distribute
    weight, bias = expansion(block)
    return {
        "features": x,
        "normed": normed,
        "phi": phi,
        "theta_logits": theta_logits,
        "rho_logits": rho_logits,
        "gather": gather,
        "distribute": distribute,
        "primitives": primitives,
        "output": output,
        "added": weight @ output + bias[:, None],
    }


def expansion(block: DoubleAttention) -> tuple[Tensor, Tensor]:
    """Weight (c, m) and bias (c,) of the expansion, the batch norm that may follow it multiplied in."""
    weight, bias = block.expand.weight.flatten(1), block.expand.bias
    if block.output_norm is not None:
        norm = block.output_norm
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight, bias = scale[:, None] * weight, scale * (bias - norm.running_mean) + norm.bias
    return weight, bias


def _applied(layer: Any, x: Tensor) -> Tensor:
    return layer.weight.flatten(1) @ x + layer.bias[:, None]
