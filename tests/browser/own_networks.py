"""Small Transformers with random weights, sharpened: in even attention an error would not be seen."""

from __future__ import annotations

import timm
import torch
from torch import nn


def vit() -> nn.Module:
    """Three layers of three heads, with a class token; any size."""
    return _sharp("vit_tiny_patch16_224", depth=3, dynamic_img_size=True, num_classes=5)


def swin() -> nn.Module:
    """Windows of 7 × 7, shifted in every second layer."""
    return _sharp("swin_tiny_patch4_window7_224", depths=(2, 2, 1, 1), num_classes=5)


def _sharp(name: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    network = timm.create_model(name, **options)
    for key, parameter in network.named_parameters():
        if "qkv.weight" in key:
            nn.init.normal_(parameter, std=0.2)
        elif "relative_position_bias" in key:
            nn.init.normal_(parameter)
    return network.eval()
