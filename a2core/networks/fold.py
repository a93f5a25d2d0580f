"""Batch norms folded into the convolutions before them."""

from __future__ import annotations

import itertools
import sys

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval


def fold_norms(network: nn.Module) -> nn.Module:
    """Fold the batch norms of a network that stays as it is into the convolutions before them.

    The same answers to rounding, in two thirds of the time; changes and returns `network`. Only EfficientNets
    of timm are folded, of which it is known that their modules run in the order in which they stand: norms of
    timm's kind, which carry their activation with them: it takes their place.
    """
    timm_layers = sys.modules.get("timm.layers")  # not imported: no norm in it is timm's
    efficientnets = sys.modules.get("timm.models.efficientnet")
    if timm_layers is None or efficientnets is None or not isinstance(network, efficientnets.EfficientNet):
        return network
    for parent in list(network.modules()):
        for (key, module), (norm_key, norm) in itertools.pairwise(list(parent.named_children())):
            if isinstance(module, nn.Conv2d) and isinstance(norm, timm_layers.BatchNormAct2d):
                setattr(parent, key, fuse_conv_bn_eval(module, norm).requires_grad_(False))
                setattr(parent, norm_key, norm.act)
    return network
