"""Weights that can be used, and their networks: each loaded once for the whole server.

Not in here: what a network makes of a picture (`traces.py`, `replays.py`).
"""

from __future__ import annotations

import gc
import itertools
import os
import shlex
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

import a2core
from a2core import A2Error, CheckpointInfo, Model, NetworkError
from a2core.languages import sentence

NETWORKS_MB = 2000  # of all networks in memory, unless A2_NETWORKS_MB says otherwise
NETWORKS = (
    "A2_NETWORKS"  # names the networks of whoever runs the server: names, specifications, folders of them
)

DOUBLE_ATTENTION = a2core.DoubleAttention.kind

UNREAD = "{variable} cannot be read ({why})."

RANDOM_SUFFIX = ", random blocks"

# The paper's network for clips, of which nobody published weights. In the app it carries the two blocks of
# its coarser stage: the maps of all five take more than a hundred megabytes for each clip.
VIDEO_NETWORK, VIDEO_DEPTH, VIDEO_BLOCKS = "Video ResNet-26, untrained", 26, 2


@dataclass(frozen=True)
class Weights:
    """One choice of weights: a checkpoint, the same network with random blocks, or a network by its name."""

    label: str
    checkpoint: str  # or a network's specification
    fingerprint: str  # changes when the file does, so that a new file is loaded, not an old one kept
    trained: bool
    yours: bool = False  # named by whoever runs the server
    on_clips: bool = False  # whether its trained blocks learned on clips, not on photos


def list_weights() -> tuple[list[Weights], list[CheckpointInfo]]:
    """The weights that can be used, and the checkpoints that cannot, each with its `fault`.

    A checkpoint comes before its network with random blocks, which is there to compare with, and before
    the paper's network for clips; two of the same architecture have one random twin. Those of other kinds of
    block have no primitives to look at: they are Compare's. Networks of whoever runs the server (A2_NETWORKS)
    come behind what was trained here.
    """
    folder = a2core.checkpoint_folder()
    files = [path for path in sorted(folder.iterdir()) if path.is_file()] if folder.is_dir() else []
    ours, refused = _weights_of(tuple(_stamp(path) for path in files))
    yours, faults = _named_networks()
    trained = [weights for weights in ours if weights.trained]
    return [*trained, *yours, *ours[len(trained) :]], [*refused, *faults]


def _stamp(path: Path) -> tuple[str, int, int]:
    at = path.stat()
    return str(path), at.st_mtime_ns, at.st_size


def _named_networks() -> tuple[list[Weights], list[CheckpointInfo]]:
    """The networks that A2_NETWORKS names, and those that cannot be read."""
    usable, refused = [], []
    try:
        named = shlex.split(os.environ.get(NETWORKS, ""))
    except ValueError as error:
        return [], [
            CheckpointInfo(NETWORKS, Path(NETWORKS), {}, sentence(UNREAD, variable=NETWORKS, why=str(error)))
        ]
    for text in named:
        folder = Path(text)
        inside = sorted(map(str, folder.glob("*.json"))) if folder.is_dir() else None
        # Beside specifications lie the cards of the checkpoints that they name.
        for each in [text] if inside is None else filter(a2core.is_spec, inside):
            try:
                usable.append(_named(each))
            except A2Error as error:
                refused.append(CheckpointInfo(each, Path(each), {}, error.args[0]))
    return list({weights.label: weights for weights in usable}.values()), refused


def _named(text: str) -> Weights:
    spec = a2core.read_spec(text)
    files = [Path(text), spec.folder / spec.weights, spec.folder / spec.blocks]
    stamps = [_stamp(path) for path in files if path.is_file()]
    return Weights(spec.title, text, repr(stamps), trained=bool(spec.blocks), yours=True)


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


class Shelf:
    """Networks in memory, the least recently used let go first where they take more than `limit_bytes`.

    The one that was asked for last stays, however large. Whoever works with one keeps it alive meanwhile.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._kept: dict[Weights, tuple[Model, int]] = {}  # the last used last
        self._lock = threading.Lock()

    def get(self, weights: Weights, load: Callable[[Weights], Model]) -> tuple[Model, int]:
        """The network of `weights` with its number; loaded where it is not there.

        Raises:
            Whatever `load` raises.
        """
        with self._lock:  # one is loaded at a time: loading takes memory of its own
            found = self._kept.pop(weights, None) or (load(weights), next(_numbers()))
            self._kept[weights] = found
            sizes = {kept: size_bytes(model) for kept, (model, _) in self._kept.items()}
            for kept in list(self._kept)[:-1]:
                if sum(sizes.values()) > self.limit_bytes:
                    del self._kept[kept], sizes[kept]
            return found


def size_bytes(model: Model) -> int:
    """What a network's weights take in memory."""
    tensors = {id(tensor): tensor for tensor in model.network.state_dict().values()}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf:
    text = os.environ.get("A2_NETWORKS_MB", str(NETWORKS_MB))
    if not text.isdecimal() or int(text) == 0:
        raise NetworkError(
            "A2_NETWORKS_MB is {text!r}. Give it a whole number of megabytes, 2000 for one.", text=text
        )
    return Shelf(int(text) * 10**6)


def _loaded(weights: Weights) -> tuple[Model, int]:
    return _shelf().get(weights, _load)


def _load(weights: Weights) -> Model:
    if weights.label == VIDEO_NETWORK:
        return a2core.video_model(VIDEO_DEPTH, blocks=VIDEO_BLOCKS)
    if weights.yours or weights.label == weights.checkpoint:
        return a2core.load_model(weights.checkpoint)
    return a2core.untrained_model(weights.checkpoint)


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
