"""Convolutions whose padding is worked out from the picture, made such that have it fixed.

TensorFlow's networks pad "same": how much depends on the size that comes in. Written down for free sizes that
is an expression which grows with every layer, and what writes networks down does not come to an end over it.
Of a size that is a multiple of the stride it is one number, (k − 1)·d + 1 − s: nothing has to be worked out.
"""

from __future__ import annotations

import sys
from typing import Any

from torch import nn

from a2core.errors import NetworkError


def fix_paddings(network: nn.Module) -> nn.Module:
    """Replace the convolutions of timm that pad "same"; changes and returns `network`.

    The same numbers for pictures whose sides are multiples of the network's stride.

    Raises:
        NetworkError: a layer of timm that works out another padding.
    """
    timm_layers = sys.modules.get("timm.layers")  # not imported: no layer in it is timm's
    if timm_layers is None:
        return network
    for name, layer in list(network.named_modules()):
        if type(layer) is timm_layers.Conv2dSame:
            network.set_submodule(name, _fixed(layer)) if name else None
        elif type(layer).__module__.startswith("timm.layers") and type(layer).__name__.endswith("Same"):
            raise NetworkError(
                f"Layer {name!r} is a {type(layer).__name__}, whose padding depends on the picture's size: "
                "this network cannot be exported for free sizes."
            )
    return network


def _fixed(layer: Any) -> nn.Module:
    around: list[int] = []
    for size, step, gap in zip(layer.kernel_size, layer.stride, layer.dilation, strict=True):
        whole = max((size - 1) * gap + 1 - step, 0)
        around = [whole // 2, whole - whole // 2, *around]  # the last axis first
    bare = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        0,
        layer.dilation,
        layer.groups,
        layer.bias is not None,
    )
    bare.weight, bare.bias = layer.weight, layer.bias
    return nn.Sequential(nn.ZeroPad2d(tuple(around)), bare).train(layer.training)  # type: ignore[arg-type]
