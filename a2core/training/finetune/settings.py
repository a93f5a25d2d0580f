"""What a fine-tuned network is and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings
from a2core.errors import TrainingError
from a2core.networks.backbones import BACKBONES
from a2core.networks.paper import PAPER_NETWORKS, PAPER_TRUNK, paper_architecture
from a2core.training.subject import Subject, subject

Recipe = Literal["adamw", "sgd"]
# Of SGD, as networks with residuals are trained on ImageNet: for each 256 photos of a step; shares of all
# steps after which the rate falls to a tenth (30, 60 and 80 of 90 epochs).
SGD_RATE, SGD_DECAY, SGD_MOMENTUM, SGD_FALLS = 0.1, 1e-4, 0.9, (30 / 90, 60 / 90, 80 / 90)


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
    weights: str = ""  # tells files of weights of one name apart
    recipe: Recipe = "adamw"


PAPER = "paper/"  # before the name of one of PAPER_NETWORKS, in place of its "a2-"


def subject_to_tune(network: str | None, at: Sequence[str] = (), *, from_scratch: bool = False) -> Subject:
    """What fine-tuning has to know of a network: one of the paper's, or any (`subject`).

    Raises:
        NetworkError: as `subject`.
        TrainingError: other places for the blocks of one of the paper's networks.
    """
    if network is not None and network.startswith(PAPER):
        network = f"a2-{network.removeprefix(PAPER)}"
    if network not in PAPER_NETWORKS:
        return subject(network, at, from_scratch=from_scratch, to_classify=True)
    if at:
        raise TrainingError(
            f"{network} has its blocks where the paper puts them. Leave --at out, or give --network "
            f"{PAPER_TRUNK}."
        )
    trunk = BACKBONES[PAPER_TRUNK]
    return Subject(network, network, {}, trunk.input, len(trunk.labels()), is_random=from_scratch)


def architecture(of: Subject, kind: str, classes: tuple[str, ...], *, freeze_trunk: bool) -> dict[str, Any]:
    """The network with blocks of a kind at its sites and these classes, as its card holds it.

    Raises:
        TrainingError: a random trunk to be frozen, or a rival in the paper's networks.
    """
    if of.is_random and freeze_trunk:
        raise TrainingError("A random trunk must not stay frozen. Leave --freeze-trunk out, or give weights.")
    if of.source not in PAPER_NETWORKS:
        blocks = {name: block_settings(kind, channels) for name, (channels, _) in of.sites.items()}
        described = {"backbone": of.source, "blocks": blocks, **of.layouts()}
    elif kind == DOUBLE_ATTENTION:
        described = paper_architecture(PAPER_NETWORKS[of.source])
    else:
        raise TrainingError(
            f"{of.source} is the paper's network with double attention. Leave --kind out, or give "
            f"--network {PAPER_TRUNK}."
        )
    described["labels"] = list(classes)
    if of.classifier:
        described["classifier"] = list(of.classifier)
    if not freeze_trunk:
        described["trunk"] = "own"
    return described


def of_recipe(recipe: Recipe, batch_size: int) -> dict[str, Any]:
    """The settings that come with a recipe, for steps of so many photos."""
    if recipe == "adamw":
        return {}
    return {"recipe": recipe, "learning_rate": SGD_RATE * batch_size / 256, "weight_decay": SGD_DECAY}
