"""Weights that can be used, and their networks: each loaded once for the whole server.

Not in here: what a network makes of a picture (`traces.py`, `replays.py`).
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

import a2core
from a2core import CheckpointInfo, Model

MODELS_KEPT = 4

DOUBLE_ATTENTION = a2core.DoubleAttention.kind

RANDOM_SUFFIX = ", random blocks"

# The paper's network for clips, of which nobody published weights. In the app it carries the two blocks of
# its coarser stage: the maps of all five take more than a hundred megabytes for each clip.
VIDEO_NETWORK, VIDEO_DEPTH, VIDEO_BLOCKS = "Video ResNet-26, untrained", 26, 2


@dataclass(frozen=True)
class Weights:
    """One choice of weights: a checkpoint, or the same network with random blocks."""

    label: str
    checkpoint: str
    fingerprint: str  # changes when the file does, so that a new file is loaded, not an old one kept
    trained: bool
    on_clips: bool = False  # whether its trained blocks learned on clips, not on photos


def list_weights() -> tuple[list[Weights], list[CheckpointInfo]]:
    """The weights that can be used, and the checkpoints that cannot, each with its `fault`.

    A checkpoint comes before its network with random blocks, which is there to compare with, and before
    the paper's network for clips; two of the same architecture have one random twin. Those of other kinds of
    block have no primitives to look at: they are Compare's.
    """
    folder = a2core.checkpoint_folder()
    files = [path for path in sorted(folder.iterdir()) if path.is_file()] if folder.is_dir() else []
    return _weights_of(tuple((str(path), (at := path.stat()).st_mtime_ns, at.st_size) for path in files))


@st.cache_resource(max_entries=4, show_spinner=False)
def _weights_of(files: tuple[tuple[str, int, int], ...]) -> tuple[list[Weights], list[CheckpointInfo]]:
    """The same, read anew when a file has come, gone or changed: cards are long."""
    del files
    usable, refused = [], []
    twins: list[Any] = []
    for info in a2core.list_checkpoints():
        if info.contents is None:
            refused.append(info)
            continue
        trained, how = info.contents.trained, info.card.get("trained")
        on_clips = trained and isinstance(how, Mapping) and how.get("frames", 1) > 1
        blocks = info.card["architecture"].get("blocks", {}).values()
        if blocks and all(block.get("kind", DOUBLE_ATTENTION) != DOUBLE_ATTENTION for block in blocks):
            continue
        fingerprint = str(info.card.get("sha256", ""))[:16]
        usable.append(Weights(info.name, info.name, fingerprint, trained=trained, on_clips=on_clips))
        if trained and info.card["architecture"] not in twins:
            twins.append(info.card["architecture"])
            usable.append(Weights(info.name + RANDOM_SUFFIX, info.name, fingerprint, trained=False))
    if usable:
        usable.append(Weights(VIDEO_NETWORK, VIDEO_NETWORK, "", trained=False))
    return sorted(usable, key=lambda weights: not weights.trained), refused


def read_card(weights: Weights) -> Mapping[str, Any]:
    """The card of the checkpoint that `weights` come from, or {} when it is gone; loads no tensors."""
    return next((info.card for info in a2core.list_checkpoints() if info.name == weights.checkpoint), {})


def load_model(weights: Weights) -> Model:
    """The network of `weights`, loaded once for the whole server.

    Raises:
        A2Error: the checkpoint is refused, or the device cannot be used.
    """
    return _loaded(weights)[0]


def model_number(weights: Weights) -> int:
    """Tells the object that `load_model` returns from any that it returned before or will return later.

    Raises:
        A2Error: as `load_model`.
    """
    return _loaded(weights)[1]


@st.cache_resource(show_spinner=False)
def _numbers() -> itertools.count[int]:
    return itertools.count(1)


@st.cache_resource(max_entries=MODELS_KEPT, show_spinner=False)
def _loaded(weights: Weights) -> tuple[Model, int]:
    if weights.label == VIDEO_NETWORK:
        model = a2core.video_model(VIDEO_DEPTH, blocks=VIDEO_BLOCKS)
    elif weights.label == weights.checkpoint:
        model = a2core.load_model(weights.checkpoint)
    else:
        model = a2core.untrained_model(weights.checkpoint)
    return model, next(_numbers())


@st.cache_resource(show_spinner=False)
def use_cores() -> int:
    """Set how many threads torch and OpenCV work with, once for the server; how many."""
    return a2core.use_cores()


def set_apart() -> None:
    """Keep the collector from the modules that were imported, which stay for as long as the server runs.

    Streamlit collects all generations after each run of a script, which with torch's million objects
    takes a quarter of a second of processor time: ten times what a step of the lesson itself takes.
    Libraries import more when they are first used, so this is for the end of each run.
    """
    _set_modules_apart(len(sys.modules))


@st.cache_resource(show_spinner=False)
def _set_modules_apart(count: int) -> None:
    del count
    gc.collect()
    gc.freeze()
