"""What a network takes and answers, found by running it on a small picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, NetworkError, first_line
from a2core.networks.hooks import hooked
from a2core.networks.insert import named_parts

# Heights and widths tried one after the other: first small and not square, then what networks of one size
# are mostly made for.
_TRIED_PX = ((64, 96), (224, 224), (32, 32), (384, 384))
_OTHER_INPUTS = {1: "signals (batch, channels, length)", 3: "clips (batch, channels, T, h, w)"}


@dataclass(frozen=True)
class Tried:
    """What a network did with a picture."""

    classes: int
    height_px: int  # of the picture that it took
    width_px: int


class _FailedError(Exception):
    """A network did not run; the cause is what it raised."""

    def __init__(self, name: str, module: nn.Module, is_first: bool) -> None:
        super().__init__(name)
        self.name, self.module = name, module  # the innermost that had begun
        self.is_first = is_first  # no convolution had worked on the picture before


def try_network(network: nn.Module, device: torch.device) -> Tried:
    """Run `network` on a picture of a size that it takes, as it is: mode and gradients are the caller's.

    Raises:
        NetworkError: it takes no picture of three channels, runs at none of the sizes tried, or returns no
            logits (batch, classes). And what its blocks raise.
    """
    sizes = dict.fromkeys([_TRIED_PX[0], *_declared_px(network), *_TRIED_PX[1:]])
    for height, width in sizes:
        try:
            answer = _run(network, torch.zeros(1, 3, height, width, device=device))
        except _FailedError as failed:
            _refuse_other_inputs(failed)
            last = f"at {width} × {height} module {failed.name!r} fails with: {first_line(failed.__cause__)}"
            continue
        if not isinstance(answer, Tensor) or answer.dim() != 2 or len(answer) != 1:
            raise NetworkError(
                f"The network returns {_described(answer)}, no logits (batch, classes). Trace a classifier, "
                "or wrap the network in a module that returns logits."
            )
        return Tried(answer.shape[1], height, width)
    tried = ", ".join(f"{width} × {height}" for height, width in sizes)
    raise NetworkError(
        f"The network runs at none of the sizes tried ({tried} pixels): {last}. Wrap it in a module that "
        "takes pictures (batch, 3, h, w) of any size and makes of them what it takes."
    )


def _declared_px(network: nn.Module) -> Iterator[tuple[int, int]]:
    """Sizes that the network says it is made for: torchvision's Transformers and timm's networks do."""
    side = getattr(network, "image_size", None)
    if isinstance(side, int):
        yield side, side
    sides = getattr(getattr(network, "patch_embed", None), "img_size", None)
    if isinstance(sides, tuple) and len(sides) == 2:
        yield int(sides[0]), int(sides[1])
    for name in ("pretrained_cfg", "default_cfg"):
        config = getattr(network, name, None)
        shape = config.get("input_size") if isinstance(config, dict) else None
        if isinstance(shape, tuple | list) and len(shape) == 3:
            yield int(shape[1]), int(shape[2])


def _run(network: nn.Module, x: Tensor) -> Any:
    running: list[tuple[str, nn.Module]] = []
    layers: list[nn.Module] = []  # that have done their work

    def ends(module: nn.Module, *_: Any) -> None:
        running.pop()
        if hasattr(module, "in_channels"):
            layers.append(module)

    parts = tuple(named_parts(network))
    begins = (
        module.register_forward_pre_hook(lambda m, _, name=name: running.append((name, m)))
        for name, module in parts
    )
    with hooked(begins), hooked(module.register_forward_hook(ends) for _, module in parts):
        try:
            return network(x)
        except FORWARD_FAULTS as error:
            name, module = running[-1] if running else ("", network)
            raise _FailedError(name, module, not layers) from error


def _refuse_other_inputs(failed: _FailedError) -> None:
    """Refuse a network whose first layer takes no pictures of three channels."""
    name, layer = failed.name, failed.module
    weight = getattr(layer, "weight", None)
    channels = getattr(layer, "in_channels", None)
    if not failed.is_first or not isinstance(weight, Tensor) or not isinstance(channels, int):
        return
    if weight.dim() - 2 in _OTHER_INPUTS:
        raise NetworkError(
            f"The network takes {_OTHER_INPUTS[weight.dim() - 2]}: its first layer, {name!r}, is a "
            f"{type(layer).__name__}. Here it has to take pictures (batch, 3, h, w)."
        )
    if channels == 3:
        return
    remedy = (
        "Put a module before it that makes one of them: nn.Sequential(torchvision.transforms.Grayscale(), "
        "network)."
        if channels == 1
        else f"Put a module before it that makes {channels} of 3."
    )
    raise NetworkError(
        f"The network's first layer, {name!r}, takes {channels} channel{'s' if channels > 1 else ''}, and a "
        f"picture has 3. {remedy}"
    )


def _described(answer: Any) -> str:
    if isinstance(answer, Tensor):
        return f"a tensor {tuple(answer.shape)}"
    kind = type(answer).__name__
    article = "an" if kind[0] in "AEIOUaeiou" else "a"
    if isinstance(answer, dict):
        return f"{article} {kind} of {', '.join(map(repr, list(answer)[:4]))}"
    return f"{article} {kind} of {len(answer)}" if isinstance(answer, list | tuple) else f"{article} {kind}"
