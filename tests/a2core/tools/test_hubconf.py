"""torch.hub finds the networks in a clone."""

from __future__ import annotations

from pathlib import Path

import torch

import a2core

ROOT = str(Path(__file__).resolve().parents[3])


def test_torch_hub_loads_them_from_a_clone():
    network = torch.hub.load(ROOT, "a2_lite0", source="local")
    ours = a2core.checkpoint_network("a2-lite0")
    assert network.state_dict().keys() == ours.state_dict().keys()
    assert all(torch.equal(tensor, ours.state_dict()[name]) for name, tensor in network.state_dict().items())
    assert not network.training
    block = torch.hub.load(ROOT, "double_attention", 8, 4, 2, source="local")
    assert block(torch.zeros(1, 8, 3, 5)).shape == (1, 8, 3, 5)
