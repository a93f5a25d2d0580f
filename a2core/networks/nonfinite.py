"""Where values first stop being finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from a2core.networks.hooks import hooked


def find_nonfinite(network: nn.Module, *inputs: Tensor) -> str | None:
    """Name of the first module whose output is not finite when `network` runs on `inputs`.

    Returns:
        "input" when the inputs already are not finite, a module's name ("" for the network itself),
        or None when all is finite. The innermost module that is at fault is named.
    """
    if not all(bool(torch.isfinite(x).all()) for x in inputs):
        return "input"
    found: list[str] = []

    def watch(name: str) -> Callable[..., None]:
        def look(module: nn.Module, args: Any, output: Any) -> None:
            if not found and isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
                found.append(name)

        return look

    looks = (module.register_forward_hook(watch(name)) for name, module in network.named_modules())
    with hooked(looks), torch.no_grad():
        network(*inputs)
    return found[0] if found else None
