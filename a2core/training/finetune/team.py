"""The processes that train together."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist

from a2core.networks.devices import pick_device


@dataclass(frozen=True)
class Team:
    """The processes that train together, as torchrun started them, and this one's place among them."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def join(cls, device: str) -> Team:
        """Meet the others; alone where torchrun started nothing.

        Raises:
            NetworkError: a device that there is not.
        """
        rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        chosen = pick_device(device)
        if chosen.type == "cuda":
            chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(chosen)
        if size > 1:
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        return cls(rank, size, chosen)

    def leave(self) -> None:
        """Part from the others."""
        if self.size > 1:
            dist.destroy_process_group()

    def total(self, *values: float) -> list[float]:
        """Each value summed over all processes."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return tensor.tolist()
