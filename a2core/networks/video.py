"""The paper's networks for clips: ResNets with 3-D convolutions."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from a2core.errors import NetworkError
from a2core.networks.wheels import torchvision_resnet

_UNITS = {50: (3, 4, 6, 3), 29: (2, 2, 3, 2), 26: (2, 2, 2, 2)}


KINETICS_CLASSES = 400


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


def video_resnet(depth: int, classes: int, weights: bool) -> VideoResNet:
    """ResNet-26, -29 or -50 for clips, with torchvision's ImageNet weights inflated or random.

    Raises:
        NetworkError: another depth, or weights that cannot be had.
    """
    check_depth(depth)
    if weights and depth != 50:
        raise NetworkError(
            f"There are no ImageNet weights for ResNet-{depth}. Use depth=50 or weights=False."
        )
    network = VideoResNet(_UNITS[depth], width_of(depth), classes)
    if weights:
        inflate_weights(torchvision_resnet("resnet50", True).state_dict(), network)
    return network


def check_depth(depth: int) -> None:
    """Refuse a depth that there is not."""
    if depth not in _UNITS:
        raise NetworkError(f"There is no ResNet-{depth} here. Choose 26, 29 or 50.")


def width_of(depth: int) -> int:
    """Channels of the first stage's bottlenecks."""
    return 64 if depth == 50 else 32
