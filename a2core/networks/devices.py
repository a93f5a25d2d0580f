"""On which device a network runs."""

from __future__ import annotations

import itertools
import os

import torch
from torch import nn

from a2core.errors import NetworkError


def pick_device(device: str = "auto") -> torch.device:
    """The device asked for; "auto" is A2_DEVICE when set, else CUDA, then MPS, then the CPU.

    Raises:
        NetworkError: a device that this machine or this build of torch does not have.
    """
    wanted = os.environ.get("A2_DEVICE", "auto") if device == "auto" else device
    if wanted == "auto":
        wanted = next((kind for kind in ("cuda", "mps") if _has(kind)), "cpu")
    kind = wanted.split(":")[0]
    if kind not in ("cuda", "mps", "cpu"):
        raise NetworkError(
            "Unknown device {wanted!r}. Use auto, cuda, mps or cpu (A2_DEVICE or device=).", wanted=wanted
        )
    if not _has(kind):
        raise NetworkError(
            "This machine offers torch no {kind} device. Use device='auto' or 'cpu'.", kind=kind
        )
    return torch.device(wanted)


def _has(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    return kind == "cpu" or torch.backends.mps.is_available()


def device_of(network: nn.Module) -> torch.device:
    """Where the first of the network's tensors lies; the processor when it has none."""
    tensors = itertools.chain(network.parameters(), network.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))
