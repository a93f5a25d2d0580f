"""Networks as chains of modules, where their kind is known to be one."""

from __future__ import annotations

import sys
from typing import TypeGuard

from torch import nn

from a2core.errors import NetworkError
from a2core.networks.insert import WithBlock
from a2core.networks.video import VideoResNet

# The kinds known as chains, their stages in order, and the methods that run them. By module and class: a
# library that was never imported has made no network that anybody could hand over.
_EFFICIENTNET = ["conv_stem", "bn1", "blocks", "conv_head", "bn2", "global_pool", "classifier"]
_LAYERS = ["layer1", "layer2", "layer3", "layer4"]
_RESNET = ["conv1", "bn1", "relu", "maxpool", *_LAYERS, "avgpool", "flatten", "fc"]
_KINDS = (
    ("timm.models.efficientnet", "EfficientNet", _EFFICIENTNET, "forward forward_features forward_head"),
    ("torchvision.models", "ResNet", _RESNET, "forward _forward_impl"),
    (VideoResNet.__module__, "VideoResNet", _RESNET, "forward"),
)


def stages(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The network as a chain of (module name, module), each taking what the one before returns.

    Known for timm's EfficientNets, torchvision's ResNets and `VideoResNet`, with or without inserted
    blocks; what follows a block can then be run again without what stands before it. A ResNet's chain
    has a "flatten" that is no module of the network: ResNets do it in passing.

    Raises:
        NetworkError: a network of another kind, or one that does more than its kind: a `forward` of its
            own, hooks.
    """
    for home, name, names, runs in _KINDS:
        kind = getattr(sys.modules.get(home), name, None)
        if kind is not None and isinstance(network, kind):
            _refuse_own_ways(network, kind, runs.split())
            return _named_stages(network, names)
    raise NetworkError(
        f"{type(network).__name__} is not known as a chain of stages. Use an EfficientNet of timm or a "
        "ResNet of torchvision."
    )


def _named_stages(network: nn.Module, names: list[str]) -> list[tuple[str, nn.Module]]:
    found: list[tuple[str, nn.Module]] = []
    for name in names:
        module = nn.Flatten(1) if name == "flatten" else network.get_submodule(name)
        if name == "blocks" and _only_holds(module):
            found += [(f"blocks.{index}", block) for index, block in enumerate(module)]
        else:
            found.append((name, module))
    return found


def _refuse_own_ways(network: nn.Module, kind: type[nn.Module], runs: list[str]) -> None:
    """Refuse a network that does not run its stages as its kind does, as far as that can be read off it."""
    own = [
        name
        for name in runs
        if name in vars(network) or getattr(type(network), name) is not getattr(kind, name)
    ]
    if own or _hooked(network):
        what = f"a {own[0]} of its own" if own else "hooks, which may change what goes in and out"
        raise NetworkError(
            f"This {type(network).__name__} has {what}, so it is not known as a chain of stages. Run it "
            "whole."
        )


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _only_holds(module: nn.Module) -> TypeGuard[nn.Sequential]:
    """Whether to run `module` is to run the modules in it one after the other, and nothing else."""
    plain = type(module).forward is nn.Sequential.forward and "forward" not in vars(module)
    return isinstance(module, nn.Sequential) and plain and not _hooked(module)


def chain(network: nn.Module) -> list[nn.Module] | None:
    """The modules that a picture goes through one after the other, inserted blocks on their own.

    None when the network is not known as such a chain: an nn.Sequential is, and what `stages` knows.
    What is known is the network's kind; `passage.Passage` holds it against what the network does.
    """
    try:
        found = [module for _, module in stages(network)]
    except NetworkError:
        found = [network]
    parts = [part for module in found for part in _unchained(module)]
    return None if parts == [network] else parts


def _unchained(module: nn.Module) -> list[nn.Module]:
    if isinstance(module, WithBlock) and not _hooked(module):
        return [*_unchained(module.host), module.block]
    if _only_holds(module):
        return [part for inner in module for part in _unchained(inner)]
    return [module]
