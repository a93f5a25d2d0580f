"""Whether a network fits into the memory there is, found out before it is made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from a2core.errors import FORWARD_FAULTS, NetworkError

_ROOM = 1.2  # of a network's weights, while they are read


def refuse_too_large(title: str, make: Callable[[], nn.Module]) -> None:
    """Refuse a network whose weights alone are larger than the memory there is.

    Args:
        title: what it is called.
        make: makes it with random weights; it is run without any numbers.

    Raises:
        NetworkError: it is.
    """
    try:
        with torch.device("meta"):
            there = make()
        size = sum(tensor.numel() * tensor.element_size() for tensor in there.state_dict().values())
    except FORWARD_FAULTS:  # not every network can be made without its numbers
        return
    free = _free_bytes()
    if free is not None and size * _ROOM > free:
        raise NetworkError(
            "{title} has {gigabytes:.1f} GB of weights, and {free:.1f} GB of memory are free. Choose "
            "a smaller network.",
            title=title,
            gigabytes=size / 1e9,
            free=free / 1e9,
        )


def _free_bytes() -> int | None:
    with contextlib.suppress(OSError, ValueError, StopIteration):  # Linux; elsewhere the system says it later
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable"))
        return int(told.split()[1]) * 1024
    return None
