"""Somebody's own network, left as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from a2core.networks.devices import device_of


@contextlib.contextmanager
def undisturbed(network: nn.Module) -> Iterator[None]:
    """While open, `network` is in evaluation mode; afterwards whoever trains it finds it as it was.

    Each module's own mode, the random numbers, and what modules keep for themselves: nothing they make
    meanwhile is an inference tensor, of which no gradient could be taken later. What torch.compile made
    of the network runs uncompiled meanwhile, since compiled for training it cannot be looked into.
    """
    modules = list(network.modules())
    training = [module for module in modules if getattr(module, "training", False)]
    device, gradients = device_of(network), torch.is_grad_enabled()
    compiled = any(m._compiled_call_impl is not None or "_orig_mod" in m._modules for m in modules)
    with (
        torch.inference_mode(False),
        torch.set_grad_enabled(gradients),
        torch.random.fork_rng([device] if device.type == "cuda" else []),
        torch.compiler.set_stance("force_eager") if compiled else contextlib.nullcontext(),
    ):
        try:
            for module in training:  # not eval(): some modules do more than that there, and do not undo it
                module.training = False
            yield
        finally:
            for module in training:
                module.training = True
