"""What a network takes and answers, found by running it on a small picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, NetworkError, first_line
from a2core.networks.hooks import hooked
from a2core.networks.insert import named_parts
from a2core.networks.spec import InputSpec

# Heights and widths tried one after the other: first small and not square, then what networks of one size
# are mostly made for.
_TRIED_PX = ((64, 96), (224, 224), (32, 32), (384, 384))
_COARSE_PX = 8  # finer patches are joined later on, to cells of 32 pixels mostly
_OTHER_INPUTS = {1: "signals (batch, channels, length)", 3: "clips (batch, channels, T, h, w)"}


@dataclass(frozen=True)
class Tried:
    """What a network did with a picture.

    Attributes:
        classes: how many logits it returned; 0 where it answers with something else.
        answers_with: what, in words; "" for logits.
        input: the pictures that it takes, as far as that was known, and now seen.
        took_px: (height, width) of the picture that it took.
    """

    classes: int
    answers_with: str
    input: InputSpec
    took_px: tuple[int, int]


class _FailedError(Exception):
    """A network did not run; the cause is what it raised."""

    def __init__(self, name: str, module: nn.Module, is_first: bool) -> None:
        super().__init__(name)
        self.name, self.module = name, module  # the innermost that had begun
        self.is_first = is_first  # no convolution had worked on the picture before


def try_network(network: nn.Module, device: torch.device, takes: InputSpec | None = None) -> Tried:
    """Run `network` on pictures until it is known which it takes; mode and gradients are the caller's.

    Args:
        network: as it is.
        device: where it is.
        takes: what is known of its input; its channels are corrected where its first layer has others.

    Raises:
        NetworkError: it takes no pictures, or runs at none of the sizes tried. And what its blocks raise.
    """
    takes = takes or InputSpec()
    fixed = [] if takes.fixed_px is None else [takes.fixed_px]
    sizes = dict.fromkeys(fixed or [_TRIED_PX[0], *_declared_px(network), *_TRIED_PX[1:]])
    for height, width in sizes:
        answer, failed = _answer(network, takes, height, width, device)
        if failed is not None and (count := _other_channels(failed, takes)):
            takes = takes.for_channels(count)
            answer, failed = _answer(network, takes, height, width, device)
        if failed is not None:
            last = f"at {width} × {height} module {failed.name!r} fails with: {first_line(failed.__cause__)}"
            continue
        said = answers_with(network, answer)
        if not fixed:
            takes = _sized(network, takes, height, width, device)
        return Tried(0 if said else answer.shape[1], said, takes, (height, width))
    tried = ", ".join(f"{width} × {height}" for height, width in sizes)
    raise NetworkError(
        "The network runs at none of the sizes tried ({tried} pixels): {last}. Wrap it in a "
        "module that takes pictures (batch, 3, h, w) of any size and makes of them what it takes.",
        tried=tried,
        last=last,
    )


def _answer(
    network: nn.Module, takes: InputSpec, height: int, width: int, device: torch.device
) -> tuple[Any, _FailedError | None]:
    try:
        return _run(network, torch.zeros(1, takes.channels, height, width, device=device)), None
    except _FailedError as failed:
        return None, failed


def _sized(network: nn.Module, takes: InputSpec, height: int, width: int, device: torch.device) -> InputSpec:
    """Multiples of what it takes, seen from a picture that it took; or that it takes that size alone."""
    patches = list(_patches_px(network))
    if height != width and not patches:  # free, as networks without a size of their own are
        return takes
    for multiple in dict.fromkeys([*patches, takes.multiple_px, height]):
        if height % multiple == 0 and _answer(network, takes, height, width + multiple, device)[1] is None:
            return replace(takes, multiple_px=multiple)
    return replace(takes, fixed_px=(height, width))


def _patches_px(network: nn.Module) -> Iterator[int]:
    """Sides of the patches that a Transformer cuts pictures into, as it says, where it joins them no more."""
    for holder in (network, getattr(network, "patch_embed", None)):
        side = getattr(holder, "patch_size", None)
        side = side[0] if isinstance(side, tuple) and side else side
        if isinstance(side, int) and side >= _COARSE_PX:
            yield side


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


def _other_channels(failed: _FailedError, takes: InputSpec) -> int | None:
    """How many channels the first layer takes, where that is why it failed; None where it is not.

    Raises:
        NetworkError: it takes no pictures at all.
    """
    name, layer = failed.name, failed.module
    weight = getattr(layer, "weight", None)
    channels = getattr(layer, "in_channels", None)
    if not failed.is_first or not isinstance(weight, Tensor) or not isinstance(channels, int):
        return None
    if weight.dim() - 2 in _OTHER_INPUTS:
        raise NetworkError(
            "The network takes {taken}: its first layer, {name!r}, is a {kind}. Here it has to take "
            "pictures (batch, channels, h, w).",
            taken=_OTHER_INPUTS[weight.dim() - 2],
            name=name,
            kind=type(layer).__name__,
        )
    return channels if channels != takes.channels else None


def answers_with(network: nn.Module, answer: Any) -> str:
    """What a network answered with for one picture, in words; "" for logits (1, classes)."""
    if isinstance(answer, Tensor):
        if answer.dim() == 2 and len(answer) == 1:
            return "features" if getattr(network, "num_classes", None) == 0 else ""
        return f"a tensor {tuple(answer.shape)}"
    first = answer[0] if isinstance(answer, list | tuple) and answer else answer
    if isinstance(first, Mapping):
        return "boxes" if "boxes" in first else f"maps ({', '.join(map(repr, list(first)[:4]))})"
    if isinstance(answer, list | tuple) and isinstance(first, Tensor):
        return f"{len(answer)} {'tensors' if len(answer) > 1 else 'tensor'} of features"
    kind = type(answer).__name__
    return f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}"
