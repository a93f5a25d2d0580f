"""The blocks of a network while they learn, each with its linear read-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from a2core.networks.fold import fold_norms
from a2core.networks.insert import inserted_blocks
from a2core.networks.passage import Passage
from a2core.networks.sources import build_network
from a2core.networks.tried import try_network
from a2core.tracing.model_input import standardised


class Trainee(nn.Module):
    """The blocks of a network, each with its linear read-out, and the tail that predicts."""

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        made = build_network(architecture, vouched=True)
        self.network, self.input = fold_norms(made.network.requires_grad_(False)), made.input
        self.blocks: dict[str, Any] = dict(inserted_blocks(self.network))
        self.passage = Passage(self.network)
        if self.passage.chain is None:
            with torch.no_grad():
                self.input = try_network(self.network, torch.device("cpu"), made.input).input
        for block in self.blocks.values():
            block.requires_grad_(True)
            block.start_as_identity()
        self.read_outs = nn.ModuleDict(
            {name.replace(".", "_"): self._read_out(block) for name, block in self.blocks.items()}
        )

    @staticmethod
    def _read_out(block: Any) -> nn.Linear:
        last: Any = block.last_layer
        return nn.Linear(last.weight.shape[1], block.in_channels)

    def set_statistics(self, name: str, features: Tensor) -> None:
        """Fix the input norm of a block to the statistics of `features` (B, c, h, w)."""
        norm: Any = self.blocks[name].input_norm
        if norm is not None:
            norm.running_mean.copy_(features.mean(dim=(0, 2, 3)))
            norm.running_var.copy_(features.var(dim=(0, 2, 3)))
            norm.eval()

    def trained_tensors(self) -> dict[str, Tensor]:
        """State of everything that is trained, for resuming."""
        state = {f"read_outs.{k}": v for k, v in self.read_outs.state_dict().items()}
        for name, block in self.blocks.items():
            state |= {f"{name}/{k}": v for k, v in block.state_dict().items()}
        return state

    def load_trained_tensors(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `trained_tensors`."""
        self.read_outs.load_state_dict(
            {k.removeprefix("read_outs."): v for k, v in state.items() if k.startswith("read_outs.")}
        )
        for name, block in self.blocks.items():
            prefix = f"{name}/"
            block.load_state_dict(
                {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            )

    def predict(self, features: Tensor, pictures: Callable[[], Tensor]) -> Tensor:
        """Logits with all blocks applied.

        Args:
            features: what the module before the first block returned; where the network is a chain of
                stages, it goes on from there.
            pictures: makes what these are features of, (B, 3, S, S), values 0 to 255; asked for where the
                network cannot go on from its middle, so that all of it runs.
        """
        block = next(iter(self.blocks.values()))
        onwards = self.passage.onwards(block, None)
        if onwards.behind is not None:
            return onwards(block(features), pictures)
        return self.network(standardised(pictures(), self.input))
