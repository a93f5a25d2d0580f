"""A network as runs of modules: those that go frame by frame, and those that need all of a clip at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from a2core.errors import FORWARD_FAULTS, NetworkError, Stopped, first_line
from a2core.languages import sentence


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


@contextlib.contextmanager
def taking(side: tuple[int, int], took_px: tuple[int, int] | None) -> Iterator[None]:
    """While open a network runs on pictures of `side` (height, width); its faults are put in words.

    Args:
        side: of the pictures.
        took_px: such a side that it was seen to take.

    Raises:
        NetworkError: it does not run on them.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except FORWARD_FAULTS as error:
        remedy = "Choose another size."
        if took_px is not None and took_px != side:
            remedy = sentence(
                "It did take {width} × {height}: choose such a picture and size={size}, or make the network "
                "for any size.",
                width=took_px[1],
                height=took_px[0],
                size=max(took_px),
            )
        raise NetworkError(
            "The network does not run on {width} × {height} pixels ({fault}). {remedy}",
            width=side[1],
            height=side[0],
            fault=first_line(error),
            remedy=remedy,
        ) from error


def in_turn(
    modules: Sequence[nn.Module],
    x: Any,
    around: Callable[[], contextlib.AbstractContextManager[None]],
    progress: Callable[[float], None] | None,
    stop: Callable[[], bool] | None,
) -> Any:
    """What the last of `modules` makes of `x`, each run inside of `around()`.

    Raises:
        Stopped: `stop` said so before one of them.
    """
    total, done = sum(size_of([module]) for module in modules), 0
    for module in modules:
        refuse_to_go_on(stop)
        with around():
            x = module(x)
        done += size_of([module])
        if progress is not None:
            progress(done / total)
    return x


def refuse_to_go_on(stop: Callable[[], bool] | None) -> None:
    """End the work where `stop` says so.

    Raises:
        Stopped: it does.
    """
    if stop is not None and stop():
        raise Stopped("The trace was stopped before it was done. Start again when ready.")
