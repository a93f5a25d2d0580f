"""The network with all that an atlas keeps of a picture as one graph that ONNX Runtime runs.

On a processor that takes well under half of torch's time: the way there, the way back from the winning class
to what the first block handed out, and the reductions of the maps, none of which is handed to Python. As with
`tracing.engine` only where nobody can tell: a network whose graph is at hand, and that gave torch's numbers.
"""

from __future__ import annotations

import hashlib
import importlib.util
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from a2core.blocks.straight import Attending, StraightBag
from a2core.networks.backwards import TwoWays, Values
from a2core.networks.chain import chain
from a2core.tracing import graphs
from a2core.tracing.engine import UnfitError, open_session, run_session
from a2core.tracing.model import Model

_OF_BLOCK = ("mean", "peak", "peak_cell", "mass", "cell", "effect", "grid")
_SIDES = (3, 5)  # of the picture that it is drawn with, times what sides are multiples of


class Found(NamedTuple):
    """What there is of one picture."""

    logits: np.ndarray  # (classes,)
    blocks: dict[str, dict[str, np.ndarray]]  # by block the numbers of its primitives, (n,)
    grids: dict[str, tuple[int, int]]  # rows and columns of its cells


class Lens(nn.Module):
    """A picture (1, c, h, w) to logits (1, classes) and, of each block, what `_OF_BLOCK` names.

    Args:
        parts: of the network, as `graphs.parts_of` gives them; taken over.

    Raises:
        NetworkError: a gradient is not known of what stands behind the first block.
    """

    classes: Tensor

    def __init__(self, parts: list[graphs.Part], classes: int) -> None:
        super().__init__()
        self.first = next(at for at, part in enumerate(parts) if part.block)
        self.parts = nn.ModuleList(
            TwoWays(part.module) if at > self.first and not part.block else part.module
            for at, part in enumerate(parts)
        )
        self.register_buffer("classes", torch.arange(classes)[None])
        self.names = [
            "logits",
            *(f"{part.block}:{name}" for part in parts if part.block for name in _OF_BLOCK),
        ]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Logits, and the numbers block by block, in network order."""
        kept: list[Attending | Values | None] = []
        grids: dict[int, Tensor] = {}
        for at, part in enumerate(self.parts):
            it: Attending | Values | None = None
            if isinstance(part, StraightBag):
                flat = x.flatten(2)
                it = part.attend(flat)
                added = it.expanded @ it.distribute
                x = (flat + added if part.residual else added).unflatten(2, x.shape[2:])
                grids[at] = x[0, 0]
            elif isinstance(part, TwoWays):
                x, it = part(x)
            else:
                x = part(x)
            kept.append(it)
        logits, told = x, []
        gradient = (self.classes == logits.argmax(dim=1, keepdim=True)).to(logits.dtype)
        for at in range(len(kept) - 1, self.first - 1, -1):
            part, it = self.parts[at], kept[at]
            if isinstance(it, Attending):
                assert isinstance(part, StraightBag)
                told.append((*_numbers(it, gradient.flatten(2)), grids[at]))
                if at > self.first:
                    gradient = part.back(it, gradient.flatten(2)).unflatten(2, gradient.shape[2:])
            else:
                assert isinstance(part, TwoWays)
                assert it is not None
                gradient = part.back(it, gradient)
        return (logits, *(number for numbers in reversed(told) for number in numbers))


def _numbers(it: Attending, gradient: Tensor) -> tuple[Tensor, ...]:
    """Of each primitive (1, n), as `look.USE` has them but for the grid."""
    effect = (it.expanded * (gradient @ it.distribute.transpose(1, 2))).sum(dim=1)
    rho, theta = it.distribute, it.gather
    return rho.mean(dim=2), rho.amax(dim=2), rho.argmax(dim=2), theta.amax(dim=2), theta.argmax(dim=2), effect


class OpenLens:
    """A lens as ONNX Runtime runs it, with as many threads as torch has now.

    Args:
        model: of which it is; its weights are those of now.
        draw: draw the graph where there is none, which takes some seconds and the extra `onnx`, and keep it.

    Raises:
        UnfitError, NetworkError: there is none, and why.
    """

    def __init__(self, model: Model, *, draw: bool = False) -> None:
        lens, key = lens_of(model)
        drawn = graphs.find(key)
        if drawn is None and draw:
            drawn = [drawn_lens(lens, model)]
            graphs.keep(key, drawn)
        if drawn is None or len(drawn) != 1:
            raise UnfitError("no graph was drawn of a network like this")
        self._session = open_session(drawn[0], lens, max(1, torch.get_num_threads()))
        self._names = lens.names
        self._prepare = model.preprocess

    def look(self, pixels: np.ndarray) -> Found:
        """What there is of a picture (Hm, Wm, 3).

        Raises:
            UnfitError: ONNX Runtime failed.
        """
        arrays = run_session(self._session, self._prepare(pixels[None]).numpy(), let_go=False)
        found = dict(zip(self._names, arrays, strict=True))
        blocks: dict[str, dict[str, np.ndarray]] = {}
        grids: dict[str, tuple[int, int]] = {}
        for name, array in found.items():
            block, _, what = name.rpartition(":")
            if what == "grid":
                grids[block] = (array.shape[0], array.shape[1])
            elif block:
                blocks.setdefault(block, {})[what] = array[0]
        return Found(found["logits"][0], blocks, grids)


def lens_of(model: Model) -> tuple[Lens, str]:
    """A model's lens, and the digest by which its graph is found.

    Raises:
        UnfitError, NetworkError: there is none, and why.
    """
    if model.device.type != "cpu":
        raise UnfitError(f"it runs on {model.device.type}")
    if model.borrowed or model.takes_clips or model.answers_with or not model.labels:
        raise UnfitError("it is somebody else's too, takes whole clips, or gives no logits")
    if importlib.util.find_spec("onnxruntime") is None:
        raise UnfitError("onnxruntime is not installed")
    parts = graphs.parts_of(chain(model.network) or [], model.blocks)
    if not any(part.block for part in parts):
        raise UnfitError("the network is not known as a chain of parts")
    key = hashlib.sha256(f"lens 1 {graphs.digest(parts)}".encode()).hexdigest()[:16]
    return Lens(parts, len(model.labels)), key


def drawn_lens(lens: Lens, model: Model) -> bytes:
    """Its graph without its weights.

    Raises:
        NetworkError: the libraries are missing, or the exporter cannot write it down.
    """
    height, width = (model.input.multiple_px * side for side in _SIDES)
    x = torch.zeros(1, model.input.channels, height, width)
    free: dict[int, Any] = dict.fromkeys((2, 3), torch.export.Dim.DYNAMIC)
    return graphs.without_weights(graphs.exported(lens, {"x": x}, {"x": free}, lens.names), lens)


def unlike(found: Found, expected: Found) -> str:
    """What differs, in words; "" where nothing does: maps to 1e-4, effects to 1e-3 of the largest."""
    for block, numbers in expected.blocks.items():
        for name, close in (("mean", 1e-4), ("peak", 1e-4), ("mass", 1e-4), ("effect", 1e-3)):
            other = found.blocks[block][name]
            if not (np.abs(other - numbers[name]) <= close * np.abs(numbers[name]).max()).all():
                return f"{name} of {block} is another than by torch"
    best = [np.argsort(-one.logits)[:3].tolist() for one in (found, expected)]
    return (
        "" if best[0] == best[1] and found.grids == expected.grids else "it answers otherwise than by torch"
    )
