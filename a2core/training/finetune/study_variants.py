"""The variants of the study: one classifier, six ways to attend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from a2core.blocks.registry import make_block
from a2core.networks.chain import stages
from a2core.training.finetune.study_photos import PLACE, SITE, TRUNK

# About 37,000 parameters each, so that what is compared is how they attend.
VARIANTS: Mapping[str, dict[str, Any] | None] = {
    "no block": None,
    "squeeze-excitation": {"kind": "squeeze_excitation", "reduction": 2},
    "covariance pooling": {"kind": "covariance_pooling", "c_m": 13},
    "non-local": {"kind": "non_local", "inner": 48},
    "self-attention": {"kind": "self_attention", "inner": 48, "heads": 4},
    "A²": {"kind": "double_attention", "c_m": 48, "c_n": 48, "input_norm": False},
}


class Variant(nn.Module):
    """One variant: block (or none), the frozen rest of the trunk, a linear head that starts at zero."""

    def __init__(self, name: str, classes: int, mean: Tensor, std: Tensor, trunk: nn.Module) -> None:
        super().__init__()
        self.block = identity_block(name)
        stages_of = dict(stages(trunk))
        names = list(stages_of)
        behind = names[names.index(PLACE) + 1 : names.index(TRUNK.classifier)]
        classifier: Any = stages_of[TRUNK.classifier]
        self.head = nn.Linear(classifier.in_features, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.mean, self.std = mean, std
        self.rest = nn.Sequential(*(stages_of[name] for name in behind))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of features (batch, c, h, w)."""
        if self.block is not None:
            x = self.block((x - self.mean) / self.std) * self.std + self.mean
        return self.head(self.rest(x))


def identity_block(name: str) -> nn.Module | None:
    """The block of a variant, started at the identity; squeeze-excitation with gates of 0.95."""
    settings = VARIANTS[name]
    if settings is None:
        return None
    block: Any = make_block({"in_channels": SITE.channels, **settings})
    nn.init.zeros_(block.last_layer.weight)
    nn.init.constant_(block.last_layer.bias, 3.0 if block.hands == "gates" else 0.0)
    return block
