"""The kinds of block, by the names under which cards hold them.

A new relative is one file beside this one and one line in `KINDS`: training, evaluation, Compare, the costs
and the command line know it from there. What it has to say of itself: `position_block.PositionBlock`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
