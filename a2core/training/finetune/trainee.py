"""The network while it is fine-tuned: built for its classes, its blocks at zero, what is trained of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, TrainingError, first_line
from a2core.networks.backbones import BACKBONES, classifier_of
from a2core.networks.insert import inserted_blocks, module_at
from a2core.networks.looked import look_at
from a2core.networks.sources import build_network
from a2core.networks.spec import InputSpec
from a2core.training.finetune.settings import FineTuneSettings
from a2core.training.state import start_from


def trainee(settings: FineTuneSettings, init: str | None) -> tuple[nn.Module, InputSpec]:
    """The network to fine-tune, on the CPU, and the pictures that it takes.

    Its blocks add nothing yet, unless it starts from the checkpoint `init`.

    Raises:
        TrainingError: it does not run at the size that the photos get, or the checkpoint is of another
            architecture.
        NetworkError: it cannot be had.
    """
    described = dict(settings.architecture)
    if described.get("trunk") == "own" and not settings.from_scratch:
        described["trunk"] = "published"  # where it starts from
    made = build_network(described, vouched=True)
    network, source = made.network, described["backbone"]
    takes = made.input if source in BACKBONES else look_at(made, source).tried.input
    blocks: dict[str, Any] = dict(inserted_blocks(network))
    for block in blocks.values():
        if getattr(block, "output_norm", None) is None:  # else it starts at zero there
            block.start_as_identity()
    _check_size(network, takes, settings.size_px)
    if init is not None:
        start_from(init, blocks, network, settings.architecture)
    if settings.freeze_trunk:
        network.requires_grad_(False)
        heads = [module_at(network, name) for name in classifier_of(described)]
        for part in (*blocks.values(), *heads):
            part.requires_grad_(True)
    return network, takes


@torch.no_grad()
def _check_size(network: nn.Module, takes: InputSpec, size_px: int) -> None:
    try:
        network(torch.zeros(1, takes.channels, size_px, size_px))
    except FORWARD_FAULTS as error:
        raise TrainingError(
            f"The network does not run on {size_px} × {size_px} pixels ({first_line(error)}). Give another "
            "--size."
        ) from error


def logits_of(answer: Any) -> Tensor:
    """The logits (B, classes) in what a network answers while it trains.

    Some learn with further classifiers, of their middle, and answer with these too: they are not taught.

    Raises:
        TrainingError: there are none.
    """
    first = answer[0] if isinstance(answer, list | tuple) and answer else answer
    if not isinstance(first, Tensor) or first.dim() != 2:
        raise TrainingError(
            "While it trains, this network answers with something else than its logits. Wrap it in a module "
            "that returns them alone, (batch, classes)."
        )
    return first
