"""A network as runs of modules: those that go frame by frame, and those that need all of a clip at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn


def runs_of(
    stages: Sequence[nn.Module] | None, network: nn.Module, blocks: Iterable[nn.Module]
) -> list[tuple[list[nn.Module], bool]]:
    """The network as runs of modules, and whether a run needs all frames of the clip at once."""
    if stages is None:
        return [([network], True)]
    attending = set(blocks)
    runs: list[tuple[list[nn.Module], bool]] = []
    for stage in stages:
        whole = any(module in attending for module in stage.modules())
        if runs and runs[-1][1] == whole:
            runs[-1][0].append(stage)
        else:
            runs.append(([stage], whole))
    return runs


def size_of(modules: Sequence[nn.Module]) -> int:
    """How many modules there are inside: how long they take, near enough for a progress bar."""
    return sum(1 for module in modules for _ in module.modules())
