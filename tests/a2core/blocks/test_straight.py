"""The block as one straight line of operations, forwards and backwards, is the block."""

from __future__ import annotations

import itertools

import pytest
import torch

from a2core import DoubleAttention
from a2core.blocks.straight import StraightBag


@pytest.mark.parametrize(
    ("residual", "input_norm", "position_norm", "output_norm"),
    [
        *itertools.product([True], [True, False], [False, True, "centred"], [True]),
        (False, True, "centred", False),
    ],
)
def test_the_gradient_is_autograds(residual, input_norm, position_norm, output_norm):
    torch.manual_seed(0)
    block = DoubleAttention(
        7,
        5,
        6,
        residual=residual,
        input_norm=input_norm,
        position_norm=position_norm,
        output_norm=output_norm,
    )
    for tensor in (*block.parameters(), *(buffer for buffer in block.buffers() if buffer.dim())):
        torch.nn.init.uniform_(tensor, 0.2, 1.2)
    block.eval().double().requires_grad_(False)
    x = torch.randn(2, 7, 3, 4, dtype=torch.float64, requires_grad=True)
    y = block(x)
    gradient = torch.randn_like(y)
    (expected,) = torch.autograd.grad(y, x, gradient)
    with torch.no_grad():
        straight = StraightBag(block)
        it = straight.attend(x.flatten(2))
        added = it.expanded @ it.distribute
        torch.testing.assert_close((x.flatten(2) + added if residual else added).view_as(y), y)
        torch.testing.assert_close(straight.back(it, gradient.flatten(2)).view_as(x), expected)
