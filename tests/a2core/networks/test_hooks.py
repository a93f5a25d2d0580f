"""Hooks that are hung on a network for a while leave nothing behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from a2core.networks.hooks import hooked


class Refuses(nn.Linear):
    def register_forward_hook(self, *_, **__):
        raise RuntimeError("no hooks here")


def counting(network: nn.Module, ran: list[nn.Module]):
    return (module.register_forward_hook(lambda m, *_: ran.append(m)) for module in network)


def test_hooks_run_while_it_is_open_and_are_gone_after_it_also_when_the_network_fails():
    network, ran = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)), []
    with hooked(counting(network, ran)):
        network(torch.zeros(1, 3))
    assert ran == list(network)
    with pytest.raises(RuntimeError, match="shapes"), hooked(counting(network, ran)):
        network(torch.zeros(1, 5))
    assert not any(module._forward_hooks for module in network)


def test_a_module_that_refuses_leaves_no_hook_on_those_before_it():
    network = nn.Sequential(nn.Linear(3, 2), Refuses(2, 1))
    with pytest.raises(RuntimeError, match="no hooks"), hooked(counting(network, [])):
        pytest.fail("it is not open")
    assert not any(module._forward_hooks for module in network)
