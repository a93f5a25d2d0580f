"""What both ways of training share: a run's state on disk, a checkpoint to start from, options, names."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from a2core.checkpoints import (
    TRAINING_STATE,
    fill_tensors,
    find_checkpoint,
    read_checkpoint,
    stored_tensors,
    write_atomically,
)
from a2core.errors import TrainingError


def read_state(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The state that a run with these settings left in `folder`; None when there is none.

    Raises:
        TrainingError: a state of other settings, naming them, or one that cannot be read.
    """
    path = folder / TRAINING_STATE
    if not path.exists():
        return None
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        found = state["settings"]
    except Exception as error:
        raise TrainingError(f"{path} is no state of a run ({error}). Give another --out.") from error
    changed = sorted(key for key in {*settings, *found} if found.get(key) != settings.get(key))
    if changed:
        raise TrainingError(
            f"The run in {folder} was started with other settings ({', '.join(changed)}). "
            "Use the same ones, or give another --out."
        )
    return state


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write `folder`/state.pt so that a kill at any moment leaves the old one or the new."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    write_atomically(folder / TRAINING_STATE, buffer.getvalue())


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Say in one line that a run's folder cannot be written to.

    Raises:
        TrainingError: instead of an OSError from inside.
    """
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"The run in {folder} cannot be written ({error.strerror or error}). Free space and give the "
            "same command again: it goes on from the last whole state."
        ) from error


def start_from(
    name: str, blocks: Mapping[str, nn.Module], network: nn.Module, architecture: Mapping[str, Any]
) -> None:
    """Fill what a checkpoint of this architecture stores from the one called `name`.

    Raises:
        TrainingError: it is of another architecture, naming the first thing that differs.
        CheckpointError: there is none, or it is damaged.
    """
    path = find_checkpoint(name)
    tensors, card = read_checkpoint(path)
    theirs, ours = (json.loads(json.dumps(a)) for a in (card.architecture, architecture))
    for key in ("backbone", "trunk", "labels", "blocks"):
        if theirs.get(key) != ours.get(key):
            raise TrainingError(
                f"The checkpoint {path.stem} is of another architecture: its {key} is "
                f"{_short(theirs.get(key))}, not {_short(ours.get(key))}. "
                "Choose the same network and blocks, or leave --init out."
            )
    fill_tensors(stored_tensors(blocks, network, architecture), tensors, path.name)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:159] + "…"


def given(args: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """The options that were given, by name; the others keep the defaults of the settings.

    Raises:
        TrainingError: one that is not above 0, unless it is the seed.
    """
    values = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    for name, value in values.items():
        if value < 0 or (value == 0 and name not in ("seed", "attention_steps", "prediction_steps")):
            raise TrainingError(
                f"--{name.replace('_', '-')} {value} is too small. Leave it out, or raise it."
            )
    return values


def source_names(sources: Sequence[str]) -> list[str]:
    """Sources as a card names them: without the folders of one machine."""
    return [Path(s).name if Path(s).is_absolute() else s for s in sources]
