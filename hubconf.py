"""For torch.hub: `torch.hub.load("OWNER/REPOSITORY", "a2_lite0")`, or of a clone with source="local".

Each entry is an ordinary torch module, in evaluation mode, whose parameters can be trained. To look into one:
`a2core.model_of(network).trace(…)`.
"""

from __future__ import annotations

from typing import Any

from torch import nn

dependencies = ["torch", "torchvision", "timm", "numpy", "PIL", "safetensors", "scipy", "cv2"]


def a2_lite0(pretrained: bool = True, **settings: Any) -> nn.Module:
    """EfficientNet-Lite0 with two double attention blocks; settings as of timm: num_classes, drop_rate."""
    import a2core.tools.timm_models as networks

    return networks.a2_tf_efficientnet_lite0(pretrained, **settings).eval()


def a2_lite2(pretrained: bool = True, **settings: Any) -> nn.Module:
    """EfficientNet-Lite2, likewise."""
    import a2core.tools.timm_models as networks

    return networks.a2_tf_efficientnet_lite2(pretrained, **settings).eval()


def double_attention(in_channels: int, c_m: int, c_n: int, **settings: Any) -> nn.Module:
    """One block, fresh: Y = X + expand(G R)."""
    import a2core

    return a2core.DoubleAttention(in_channels, c_m, c_n, **settings)
