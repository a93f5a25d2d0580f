"""The kinds of block, by the names under which cards hold them.

A new relative is one file beside this one and one line in `KINDS`: training, evaluation, Compare, the costs
and the command line know it from there. What it has to say of itself: `position_block.PositionBlock`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import torch

from a2core.blocks.covariance_pooling import CovariancePooling
from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.non_local import NonLocal
from a2core.blocks.position_block import PositionBlock
from a2core.blocks.self_attention import SelfAttention
from a2core.blocks.squeeze_excitation import SqueezeExcitation
from a2core.errors import NetworkError

# In the order of their papers, ours last.
KINDS: Mapping[str, type[PositionBlock]] = {
    block.kind: block
    for block in (
        SqueezeExcitation,
        CovariancePooling,
        NonLocal,
        SelfAttention,
        DoubleAttention,
    )
}
DOUBLE_ATTENTION = DoubleAttention.kind


def make_block(settings: Mapping[str, Any]) -> PositionBlock:
    """A block from a card's settings: the arguments of its class, and "kind" (double attention if left out).

    Raises:
        NetworkError: an unknown kind.
        BlockError: settings that its class refuses.
    """
    arguments = dict(settings)
    kind = arguments.pop("kind", DOUBLE_ATTENTION)
    if kind not in KINDS:
        raise NetworkError(f"Unknown kind of block {kind!r}. Choose one of {', '.join(KINDS)}.")
    return KINDS[kind](**arguments)


def block_settings(kind: str, channels: int, **others: Any) -> dict[str, Any]:
    """The settings of a block of `kind` behind so many channels, as a card holds them.

    Those of its class that make the kinds about equally large, `others` instead of them.
    """
    named = {} if kind == DOUBLE_ATTENTION else {"kind": kind}
    return {**named, "in_channels": channels, **KINDS[kind].sizes, **others}


def parameters_of(settings: Mapping[str, Any]) -> int:
    """Parameters of a block of these settings, which is not made in earnest."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in make_block(settings).parameters())


def settings_as_large(kind: str, like: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a block of `kind` that stands where one of settings `like` does, and is as large.

    Its width is the one that brings its parameters nearest to those of `like`: what is compared is then how
    blocks attend. Of the kind of `like` itself, those settings.
    """
    if kind == like.get("kind", DOUBLE_ATTENTION):
        return dict(like)
    wanted, channels, block = parameters_of(like), like["in_channels"], KINDS[kind]

    def wide(steps: int) -> dict[str, Any]:
        return block_settings(kind, channels, **{block.width: steps * block.width_step})

    most = max(2, wanted // channels)  # every channel of the width has more parameters than `channels`
    above = bisect_left(range(1, most), wanted, key=lambda steps: parameters_of(wide(steps))) + 1
    return min(
        (wide(steps) for steps in {max(1, above - 1), above}), key=lambda of: abs(parameters_of(of) - wanted)
    )
