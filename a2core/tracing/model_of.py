"""Somebody's own network, ready to be looked into."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from a2core.errors import NetworkError
from a2core.networks.backbones import imagenet_labels
from a2core.networks.borrowed import undisturbed
from a2core.networks.devices import device_of, pick_device
from a2core.networks.insert import inserted_blocks, named_parts, underneath
from a2core.networks.spec import InputSpec
from a2core.networks.tried import Tried, try_network
from a2core.tracing.adopt import AdoptedBlock
from a2core.tracing.attention import attended
from a2core.tracing.model import Model


def model_of(
    network: nn.Module,
    *,
    name: str = "your network",
    labels: Sequence[str] | None = None,
    mean: tuple[float, ...] = InputSpec().mean,
    std: tuple[float, ...] = InputSpec().std,
    device: str = "auto",
    trained: bool = True,
) -> Model:
    """A network of yours with inserted or adopted blocks, or with attention of its own, ready to `trace`.

    The network stays yours: mode, gradients, device and memory format stay as they are, and it may go on
    being trained between two traces. One that torch.compile, DataParallel or DistributedDataParallel
    stands round is run without it.

    Args:
        network: takes pictures (batch, channels, h, w), of one channel, three or more, of any size or of one;
            returns logits (batch, classes). Whatever else it returns is not shown.
        name: shown in traces.
        labels: one per class; ImageNet's when there are 1000 and none are given, else numbers.
        mean: of the input that the network wants, for pixel values in [0, 1]; torchvision's.
        std: of the same.
        device: "auto" is where the network is; another than that is refused.
        trained: say False where the blocks are fresh: nobody can see it in their weights. Figures then
            say that they are random.

    Raises:
        NetworkError: neither blocks nor attention, another device than the network's, a network that does
            not run on a picture (`tried.try_network`), or labels of another number than its classes.
    """
    network = underneath(network)
    blocks = blocks_in(network)
    target = device_of(network)
    if device != "auto" and pick_device(device).type != target.type:
        raise NetworkError(f"The network is on {target}. Move it yourself, with network.to({device!r}).")
    with undisturbed(network), torch.no_grad():
        tried = try_network(network, target, InputSpec(mean, std))
        height, width = tried.took_px
        like = torch.zeros(1, tried.input.channels, height, width, device=target)
        if not blocks and not attended(network, like):
            raise NetworkError(
                "This network has no blocks, and no softmax attention of its own that can be followed. "
                "Insert a block with insert_blocks, or adopt what it has."
            )
    return Model(
        network,
        blocks,
        name=name,
        labels=labels_for(tried, labels),
        input=tried.input,
        device=target,
        trained=trained,
        born_trained=trained or bool(blocks),
        took_px=tried.took_px,
        answers_with=tried.answers_with,
        borrowed=True,
    )


def blocks_in(network: nn.Module) -> dict[str, nn.Module]:
    """What a trace of `network` looks into, by name: inserted blocks, and adopted ones by their heads."""
    blocks = inserted_blocks(network)
    for key, module in named_parts(network):
        if isinstance(module, AdoptedBlock):  # another block may stand behind it
            blocks |= module.watched(f"{key}.host" if key in blocks else key)
    return blocks


def labels_for(tried: Tried, labels: Sequence[str] | None) -> tuple[str, ...]:
    """One for each class: those given, else ImageNet's where there are 1000, else numbers.

    Raises:
        NetworkError: of another number.
    """
    count = tried.classes
    if count == 0:
        return ()
    if not labels:
        return imagenet_labels() if count == 1000 else tuple(f"class {index}" for index in range(count))
    if len(labels) != count:
        raise NetworkError(f"Got {len(labels)} labels for {count} classes. Give one for each.")
    return tuple(labels)
