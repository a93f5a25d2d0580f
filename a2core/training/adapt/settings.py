"""How blocks are adapted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# How E(p, ·) is taught: weights of the losses in `attention_losses`. Shallow features know little of objects
# by themselves, so how much and in which order comes from the target. Deep ones rank cells well as they are:
# their order is kept to, and the target's followed where it knows better. Whose features these are makes no
# difference: a cell of so many pixels of the picture counts as deep.
DEEP_FROM_PX = 32
SHALLOW: Mapping[str, float] = {"target": 1.0, "rank": 1.0, "reach": 3.0, "balance": 0.1, "meaning": 1.0}
DEEP: Mapping[str, float] = {
    "correlation": 6.0,
    "similarity": 3.0,
    "reach": 6.0,
    "balance": 0.01,
    "meaning": 1.5,
}


@dataclass(frozen=True)
class AdaptSettings:
    """How to adapt. A run can only be resumed with the same settings."""

    architecture: Mapping[str, Any]
    shallow: Mapping[str, float] = field(default_factory=lambda: SHALLOW)  # weights of the losses
    deep: Mapping[str, float] = field(default_factory=lambda: DEEP)  # where a cell has DEEP_FROM_PX or more
    attention_steps: int = 7000
    prediction_steps: int = 600
    keep: float = 0.0  # of a checkpoint that was gone on from, in the mean of its weights and the new ones
    batch_size: int = 16
    learning_rate: float = 3.5e-3
    prediction_learning_rate: float = 1e-3
    weight_rebuild: float = 0.3
    weight_predict: float = 1.0
    weight_bound: float = 2.0
    teacher_share: float = 0.5  # of the answers that are learned; the rest are the plain trunk's
    weight_decay: float = 1e-3
    seed: int = 0

    def attention_weights(self, stride_px: int) -> Mapping[str, float]:
        """Weights of the losses of a block on features of which a cell is so many pixels of the picture."""
        return self.deep if stride_px >= DEEP_FROM_PX else self.shallow
