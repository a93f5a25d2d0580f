"""What the network did with a picture, in twelve bytes for each primitive."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from a2core.atlas.lens import Found, OpenLens, unlike
from a2core.blocks.double_attention import Attended, DoubleAttention
from a2core.blocks.equations import expansion
from a2core.errors import FORWARD_FAULTS, AtlasError, NetworkError, first_line
from a2core.networks.hooks import hooked
from a2core.networks.layout import grid_of_tokens
from a2core.tracing.engine import AUTO, ONNXRUNTIME, TORCH, UnfitError
from a2core.tracing.model import Model

TOP = 5
# What is kept of one primitive in one picture. Cells are numbered row by row on the block's grid.
USE = np.dtype(
    [
        ("mean", "<f2"),  # of ρ_i over all positions
        ("peak", "<f2"),  # largest ρ_i of any position
        ("mass", "<f2"),  # largest value of the gather map θ_i
        ("effect", "<f2"),  # first-order term for the winning class, as Replay.first_order
        ("cell", "<u2"),  # where θ_i is largest: there it was gathered most
        ("peak_cell", "<u2"),  # where ρ_i is largest: there it was handed out most
    ]
)
_MOST_CELLS = 2**16
_LARGEST = float(np.finfo(np.float16).max)


class Seen(NamedTuple):
    """What is kept of one picture; P primitives of all blocks, one block after the other."""

    uses: np.ndarray  # (P,) USE
    grids: np.ndarray  # (blocks, 2) uint16: rows and columns of cells
    top: np.ndarray  # (k,) int32: classes, best first; empty where there are none
    shares: np.ndarray  # (k,) float32: their probabilities


class Looker:
    """Runs pictures through a network and keeps twelve bytes for each primitive.

    Args:
        model: the network.
        engine: what runs it: "auto" is ONNX Runtime where it is seen to give what torch gives.
        checked: it was seen already, in another process: "onnxruntime" is believed.

    Attributes:
        blocks: name to number of primitives, in network order; found by the first picture.
        engine: "torch" or "onnxruntime", for all of its pictures.

    Raises:
        AtlasError: no primitives, or ONNX Runtime was asked for and cannot run it.
    """

    def __init__(self, model: Model, engine: str = AUTO, *, checked: bool = False) -> None:
        self.model = model
        known = [
            (name, block)
            for name, block in model.blocks.items()
            if isinstance(block, DoubleAttention) and block.dims == 2
        ]
        if not known or model.takes_clips:
            raise AtlasError(
                f"{model.name} has no double attention block for pictures, so there are no primitives to "
                "show. Choose another checkpoint."
            )
        self._names: dict[Any, str] = {}
        for name, block in known:
            self._names.setdefault(block, name)
        self.blocks: dict[str, int] = {}
        self._lens = None if engine == TORCH else self._open(engine, checked)

    @property
    def engine(self) -> str:
        """As the class says."""
        return TORCH if self._lens is None else ONNXRUNTIME

    def _open(self, engine: str, checked: bool) -> OpenLens | None:
        """What ONNX Runtime runs; None where torch is to run it."""
        try:
            lens = OpenLens(self.model, draw=engine == ONNXRUNTIME)
            why = "" if checked else self._unlike(lens)
        except (UnfitError, NetworkError) as error:
            why = str(error)
        if not why:
            return lens
        if engine == ONNXRUNTIME:
            raise AtlasError(
                f"ONNX Runtime cannot run this network: {why.rstrip('.')}. Install what is missing (pip "
                "install 'a2nets[onnx]'), or use torch: A2_ENGINE=torch."
            )
        return None

    def _unlike(self, lens: OpenLens) -> str:
        """How coloured squares are seen otherwise than by torch; "" where they are not."""
        side = 4 * self.model.input.multiple_px
        squares = np.random.default_rng(0).integers(0, 256, (8, 8, self.model.input.channels), np.uint8)
        pixels = squares.repeat(side // 8, axis=0).repeat(side // 8, axis=1)
        return unlike(lens.look(pixels), self._by_torch(pixels[None])[0])

    def find_blocks(self, pixels: np.ndarray) -> dict[str, int]:
        """The blocks, by a first run on a picture (Hm, Wm, 3)."""
        if not self.blocks:
            with (
                self.model.looking(),
                self._watching((pixels.shape[0], pixels.shape[1])) as seen,
                torch.no_grad(),
            ):
                self.model.network(self.model.preprocess(pixels[None]))
            self.blocks = {name: one.distribute.shape[1] for name, one in seen.items()}
        return self.blocks

    def look(self, pixels: Sequence[np.ndarray]) -> list[Seen]:
        """What the network did with pictures (Hm, Wm, 3) of one size, each by itself.

        Raises:
            A2Error: the network does not take them, or a grid of more than 65,536 cells.
        """
        if self._lens is None:
            return [_kept(found) for found in self._by_torch(np.stack(pixels))]
        try:
            return [_kept(self._lens.look(picture)) for picture in pixels]
        except UnfitError as error:
            height, width = pixels[0].shape[:2]
            raise AtlasError(f"The network does not run on {width} × {height} pixels ({error}).") from error

    def _by_torch(self, batch: np.ndarray) -> list[Found]:
        """What torch finds in each picture of a batch (B, Hm, Wm, 3)."""
        model = self.model
        height, width = batch.shape[1:3]
        with model.looking(), self._watching((height, width)) as seen, torch.enable_grad():
            try:
                logits = model.logits(model.network(model.preprocess(batch)), len(batch))
            except FORWARD_FAULTS as error:
                raise AtlasError(
                    f"The network does not run on {width} × {height} pixels ({first_line(error)})."
                ) from error
            effects = _effects(logits, seen)
        self.blocks = {name: one.distribute.shape[1] for name, one in seen.items()}
        with torch.no_grad():
            numbers = {name: one.numbers(effects.get(name)) for name, one in seen.items()}
        answers = logits.detach().float().cpu().numpy()
        return [
            Found(
                answers[index],
                {name: {what: of[index] for what, of in one.items()} for name, one in numbers.items()},
                {name: one.grid for name, one in seen.items()},
            )
            for index in range(len(batch))
        ]

    @contextmanager
    def _watching(self, picture_px: tuple[int, int]) -> Iterator[dict[str, _Ran]]:
        """While open, what the blocks do is kept; the first is where gradients begin."""
        seen: dict[str, _Ran] = {}
        now: dict[str, _Ran] = {}

        def observe(block: DoubleAttention) -> Callable[..., None]:
            def keep(x: Tensor, attended: Attended, y: Tensor, grid: tuple[int, ...]) -> None:
                if block.in_line:
                    found = grid_of_tokens(grid[-2], *picture_px)
                    if found is None:
                        raise AtlasError(
                            f"The tokens at {self._names[block]!r} make no grid over the picture."
                        )
                    grid = found
                if grid[0] * grid[1] > _MOST_CELLS:
                    raise AtlasError(
                        f"A grid of {grid[1]} × {grid[0]} cells is too large. Choose a smaller --size."
                    )
                now["it"] = _Ran(block, attended, (grid[0], grid[1]))

            return keep

        def hand_on(block: DoubleAttention) -> Callable[..., Tensor]:
            def hook(_: Any, __: Any, y: Tensor) -> Tensor:
                ran, name = now.pop("it"), self._names[block]
                times = sum(other.partition("#")[0] == name for other in seen)
                seen[f"{name}#{times + 1}" if times else name] = ran
                if not torch.is_grad_enabled():
                    return y
                ran.output = y if y.requires_grad else y.detach().requires_grad_()
                return ran.output.clone()  # what follows may work in place

            return hook

        with ExitStack() as stack:
            for block in self._names:
                stack.callback(setattr, block, "observer", block.observer)
                block.observer = observe(block)
            stack.enter_context(hooked(block.register_forward_hook(hand_on(block)) for block in self._names))
            yield seen


class _Ran:
    """One run of a block over a batch (B): maps (B, n, N) and its output, (B, c, *positions)."""

    def __init__(self, block: DoubleAttention, attended: Attended, grid: tuple[int, int]) -> None:
        self.block, self.grid = block, grid
        self.primitives, self.gather, self.distribute = (
            part.detach() for part in (attended.primitives, attended.gather, attended.distribute)
        )
        self.output: Tensor | None = None

    def effect(self, gradient: Tensor) -> np.ndarray:
        """(B, n): Σ_j ρ_ij ĝ_i · ∂/∂Y_j, what each primitive adds to first order."""
        weight, bias = expansion(self.block)
        expanded = weight @ self.primitives + bias[:, None]  # (B, c, n)
        return (expanded * (gradient.flatten(2) @ self.distribute.transpose(1, 2))).sum(dim=1).cpu().numpy()

    def numbers(self, effect: np.ndarray | None) -> dict[str, np.ndarray]:
        """(B, n) each, as `USE` has them."""
        peak, peak_cell = self.distribute.max(dim=2)
        mass, cell = self.gather.max(dim=2)
        found = {"mean": self.distribute.mean(dim=2), "peak": peak, "mass": mass}
        arrays = {
            name: of.cpu().numpy() for name, of in (*found.items(), ("cell", cell), ("peak_cell", peak_cell))
        }
        return arrays | {"effect": np.zeros_like(arrays["mean"]) if effect is None else effect}


def _kept(found: Found) -> Seen:
    """What is kept of a picture.

    Raises:
        AtlasError: values that are not finite, or a grid of more cells than can be numbered.
    """
    rows, cols = max(found.grids.values(), key=lambda grid: grid[0] * grid[1])
    if rows * cols > _MOST_CELLS:
        raise AtlasError(f"A grid of {cols} × {rows} cells is too large. Choose a smaller --size.")
    uses = np.zeros(sum(len(numbers["mean"]) for numbers in found.blocks.values()), USE)
    at = 0
    for numbers in found.blocks.values():
        some = uses[at : at + len(numbers["mean"])]
        for name in USE.names or ():
            some[name] = numbers[name].clip(-_LARGEST, _LARGEST) if name == "effect" else numbers[name]
        at += len(some)
    logits = torch.from_numpy(found.logits)
    shares, top = logits.softmax(dim=0).topk(min(TOP, len(logits)))
    if not np.isfinite(uses["mean"]).all() or not torch.isfinite(shares).all():
        raise AtlasError("The network answered with values that are not finite. Try --device cpu.")
    grids = np.array(list(found.grids.values()), np.uint16)
    return Seen(uses, grids, top.to(torch.int32).numpy(), shares.numpy())


def _effects(logits: Tensor, seen: dict[str, _Ran]) -> dict[str, np.ndarray]:
    """Of each run, (B, n): the first-order term of each primitive for its picture's winning class."""
    watched = {name: ran for name, ran in seen.items() if ran.output is not None}
    if not logits.shape[1] or not watched:
        return {}
    best = logits.float().max(dim=1).values.sum()
    outputs = [ran.output for ran in watched.values() if ran.output is not None]
    gradients = torch.autograd.grad(best, outputs, allow_unused=True)
    return {
        name: ran.effect(gradient)
        for (name, ran), gradient in zip(watched.items(), gradients, strict=True)
        if gradient is not None
    }


def weights_digest(model: Model) -> str:
    """sha256 of what the network's primitives hang on: its checkpoint's, or of all its tensors."""
    if "sha256" in model.card:
        return str(model.card["sha256"])
    whole = hashlib.sha256()
    for name, tensor in sorted(model.network.state_dict().items()):
        whole.update(name.encode() + np.ascontiguousarray(tensor.detach().cpu().float().numpy()).tobytes())
    return whole.hexdigest()
