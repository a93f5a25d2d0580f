"""The networks of the paper with their blocks, for pictures and for clips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.registry import make_block
from a2core.errors import NetworkError
from a2core.networks.insert import insert_blocks
from a2core.networks.video import KINETICS_CLASSES, check_depth, video_resnet, width_of
from a2core.networks.wheels import torchvision_resnet

# res3 units 1 and 3, res4 units 1, 3 and 5, counted from one: where the first author's later code
# (GloRe) puts its units. The order is that in which a network with fewer blocks takes them.
_PLACES = {
    50: ("layer3.4", "layer3.2", "layer3.0", "layer2.2", "layer2.0"),
    29: ("layer3.2", "layer3.1", "layer3.0", "layer2.1", "layer2.0"),
    26: ("layer3.1", "layer3.0", "layer2.1", "layer2.0", "layer1.1"),
}


def _paper_settings(channels: int, divisor: int) -> dict[str, Any]:
    """The block as the paper has it: biased projections, batch norm last, to the letter, left order."""
    sizes = {"in_channels": channels, "c_m": channels // divisor, "c_n": channels // divisor}
    return {**sizes, "order": "left", "input_norm": False, "output_norm": True, "fold": False}


# The paper's ResNet-50 with five blocks, by the divisor of m = n = C / divisor.
PAPER_TRUNK = "resnet50"
PAPER_NETWORKS = {"a2-resnet50-c4": 4, "a2-resnet50-c2": 2}


def paper_architecture(divisor: int) -> dict[str, Any]:
    """`paper_network(divisor)` as a card holds it, for `build_network`."""
    channels = {"layer2": 512, "layer3": 1024}
    blocks = {place: _paper_settings(channels[place.split(".")[0]], divisor) for place in _PLACES[50]}
    return {"backbone": PAPER_TRUNK, "blocks": blocks}


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
    network = torchvision_resnet(PAPER_TRUNK, weights)
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


def video_network(
    depth: int = 50,
    *,
    blocks: int = 0,
    divisor: int = 4,
    classes: int = KINETICS_CLASSES,
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
    network = video_resnet(depth, classes, weights)
    made = {place: make_block(settings) for place, settings in architecture["blocks"].items()}
    return insert_blocks(network, made)


def video_architecture(depth: int = 26, *, blocks: int = 5, divisor: int = 4) -> dict[str, Any]:
    """`video_network` as a card holds it, for `build_network`: its trunk is the checkpoint's own.

    Raises:
        NetworkError: as `video_network`.
    """
    check_depth(depth)
    channels = {f"layer{stage + 1}": 4 * width_of(depth) * 2**stage for stage in range(3)}
    _check_blocks(depth, blocks, divisor, channels)
    settings = {
        place: {**_paper_settings(channels[place.split(".")[0]], divisor), "dims": 3}
        for place in _PLACES[depth][:blocks]
    }
    return {"backbone": f"video_resnet{depth}", "trunk": "own", "blocks": settings}
