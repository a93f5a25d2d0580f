"""A tiny network with real double attention, seeded, that needs no trained weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from a2core import Clip, DoubleAttention, Model, insert_blocks
from a2core.networks.insert import inserted_blocks
from a2core.networks.spec import InputSpec


def tiny_network(seed: int = 0) -> nn.Module:
    """Stride 32 in two stages, blocks of 5 and 7 primitives behind them, 10 classes."""
    torch.manual_seed(seed)
    network = nn.Sequential()
    network.add_module("stem", nn.Conv2d(3, 12, 16, stride=16))
    network.add_module("deep", nn.Sequential(nn.ReLU(), nn.Conv2d(12, 16, 2, stride=2)))
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("head", nn.Sequential(nn.Flatten(), nn.Linear(16, 10)))
    blocks = {"stem": DoubleAttention(12, 6, 5), "deep": DoubleAttention(16, 8, 7)}
    for block in blocks.values():
        for projection in (block.phi, block.theta, block.rho, block.expand):
            nn.init.normal_(projection.weight, std=0.5)
            nn.init.normal_(projection.bias, std=0.5)
    return insert_blocks(network, blocks).eval()


def make_tiny_model(**options: Any) -> Model:
    network = tiny_network()
    return Model(
        network,
        inserted_blocks(network),
        name="tiny",
        labels=tuple(f"class {index}" for index in range(10)),
        input=InputSpec((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        device=torch.device("cpu"),
        **options,
    )


@pytest.fixture
def tiny_model() -> Model:
    return make_tiny_model()


@pytest.fixture
def photo() -> Clip:
    """A landscape picture of smooth colours with noise, 200 × 120 pixels."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:120, 0:200]
    smooth = np.stack([x, y, x + y], axis=-1) * 0.6
    frame = (smooth + rng.normal(0, 20, smooth.shape)).clip(0, 255).astype(np.uint8)
    return Clip(frame[None], np.zeros(1), "image", "smooth.png", ())
