"""What makes the logits of a network: found, and put anew for other classes.

It is the last layer that, made for another number of classes, lets the whole network answer with so many.
Where no layer does so alone (two heads, of which the mean is taken; no classes so far), timm's networks know
a way themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from a2core.errors import FORWARD_FAULTS, NetworkError
from a2core.networks.hooks import hooked
from a2core.networks.insert import named_parts, replace_module
from a2core.networks.tried import Tried, answers_with


def find_classifier(network: nn.Module, tried: Tried) -> tuple[str, ...]:
    """The modules that make the logits of `network`, for `put_classifier`; it has other classes afterwards.

    Args:
        network: without blocks; changed.
        tried: what it answers now; without classes too, where it knows how to get some.

    Raises:
        NetworkError: nothing in it can be made for other classes.
    """
    count = tried.classes + 2  # which it answers with for no other reason
    for name, layer in reversed(_layers_that_ran(network, tried)):
        if tried.classes and _width(layer) == tried.classes:
            replace_module(network, name, _for_classes(layer, count))
            if _logits(network, tried) == count:
                return (name,)
            replace_module(network, name, layer)
    before = list(network.modules())
    if _reset(network, count) and _logits(network, tried) == count:
        return _outermost_new(network, before)
    raise NetworkError(
        f"This network answers with {tried.answers_with or f'{tried.classes} classes'}, and no layer in it "
        "can be made for other classes. Give one that ends with an nn.Linear, or train blocks alone, with "
        "--mode adapt."
    )


def put_classifier(network: nn.Module, names: Sequence[str], count: int) -> None:
    """Make the classifier of `network`, the modules `names`, anew for so many classes, with random weights.

    Raises:
        NetworkError: it has none by these names, or no way to make them.
    """
    parts = dict(network.named_modules())
    layers = {name: parts.get(name) for name in names}
    if all(_width(layer) for layer in layers.values()):
        for name, layer in layers.items():
            replace_module(network, name, _for_classes(layer, count))
    elif None in layers.values() or not _reset(network, count):
        raise NetworkError(
            f"The network has no classifier {', '.join(map(repr, names))} to make for {count} classes. Take "
            "the version of its library that it was trained with."
        )


def _width(layer: nn.Module | None) -> int:
    """How many numbers a layer that can be made anew answers with at a place; 0 of any other module."""
    if isinstance(layer, nn.Linear):
        return layer.out_features
    return layer.out_channels if isinstance(layer, nn.Conv2d) and layer.groups == 1 else 0


def _for_classes(layer: Any, count: int) -> nn.Module:
    """The same layer with random weights, for so many classes."""
    like: dict[str, Any] = {
        "bias": layer.bias is not None,
        "device": layer.weight.device,
        "dtype": layer.weight.dtype,
    }
    if isinstance(layer, nn.Linear):
        new: nn.Module = nn.Linear(layer.in_features, count, **like)
    else:
        shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        new = nn.Conv2d(layer.in_channels, count, *shape, **like)
    return new.train(layer.training)


def _reset(network: Any, count: int) -> bool:
    """Let a network of timm make its classifier itself; whether it can."""
    reset = getattr(network, "reset_classifier", None)
    if not callable(reset):
        return False
    try:
        reset(count)
    except FORWARD_FAULTS:  # of a kind that cannot, or somebody's method of the same name
        return False
    network.train(network.training)
    return True


def _outermost_new(network: nn.Module, before: Sequence[nn.Module]) -> tuple[str, ...]:
    """Modules with weights that were not there `before`, but for those inside of others."""
    known = {id(module) for module in before}
    new: list[str] = []
    for name, module in network.named_modules():
        inside = any(name.startswith(f"{outer}.") for outer in new)
        if id(module) not in known and not inside and module.state_dict():
            new.append(name)
    return tuple(new)


@torch.no_grad()
def _run(network: nn.Module, tried: Tried) -> Any:
    return network(torch.zeros(1, tried.input.channels, *tried.took_px))


def _logits(network: nn.Module, tried: Tried) -> int:
    """How many logits the network answers with now; 0 where it answers with something else, or fails."""
    try:
        answer = _run(network, tried)
    except FORWARD_FAULTS:
        return 0
    return 0 if answers_with(network, answer) else int(answer.shape[1])


def _layers_that_ran(network: nn.Module, tried: Tried) -> list[tuple[str, nn.Module]]:
    """Layers with weights, by name, in the order in which they ended."""
    ran: dict[str, nn.Module] = {}

    def note(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, *_: Any) -> None:
            ran.pop(name, None)
            ran[name] = module

        return keep

    layers = [(name, part) for name, part in named_parts(network) if name and _width(part)]
    with hooked(part.register_forward_hook(note(name)) for name, part in layers):
        _run(network, tried)
    return list(ran.items())
