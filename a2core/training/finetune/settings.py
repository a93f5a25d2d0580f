"""What a fine-tuned network is and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings
from a2core.errors import TrainingError
from a2core.networks.backbones import BACKBONES
from a2core.networks.paper import PAPER_NETWORKS, PAPER_TRUNK, paper_architecture

PLACES = {name: trunk.sites for name, trunk in BACKBONES.items() if trunk.sites}
NETWORKS = (*PLACES, *PAPER_NETWORKS)


@dataclass(frozen=True)
class FineTuneSettings:
    """How to fine-tune. A run can only be resumed with the same settings."""

    architecture: Mapping[str, Any]
    from_scratch: bool = False  # a random trunk, batch norms over the batch; else the published trunk
    freeze_trunk: bool = False  # train the blocks and the classifier only
    size_px: int = 224
    epochs: int = 10
    batch_size: int = 32  # photos of one step, over all processes and parts
    learning_rate: float = 5e-4
    warm_up: float = 0.05  # share of all steps
    weight_decay: float = 0.02
    seed: int = 0


def architecture(
    network: str, kind: str, classes: tuple[str, ...], *, from_scratch: bool, freeze_trunk: bool
) -> dict[str, Any]:
    """The architecture of a network by name, as its card holds it.

    Raises:
        TrainingError: an unknown network, or a rival in the paper's networks.
    """
    if network in PAPER_NETWORKS:
        if kind != DOUBLE_ATTENTION:
            raise TrainingError(
                f"{network} is the paper's network with double attention. Leave --kind out, or give "
                f"--network {PAPER_TRUNK}."
            )
        described = paper_architecture(PAPER_NETWORKS[network])
    elif network in PLACES:
        blocks = {name: block_settings(kind, site.channels) for name, site in PLACES[network].items()}
        described = {"backbone": network, "blocks": blocks}
    else:
        raise TrainingError(f"Unknown network {network!r}. Choose one of {', '.join(NETWORKS)}.")
    described["labels"] = list(classes)
    if from_scratch or not freeze_trunk:
        described["trunk"] = "own"
    return described
