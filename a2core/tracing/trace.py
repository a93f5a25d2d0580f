"""Run a Clip through a network and keep what each double attention block did.

A Trace is detached, on the CPU, float32 and read-only: whoever looks at it needs no torch and can
do it no harm. Questions about it are in `probe.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from a2core.blocks.double_attention import Attended
from a2core.blocks.position_block import Watchable
from a2core.errors import FORWARD_FAULTS, A2Error, NetworkError, Stopped, first_line
from a2core.media import Clip
from a2core.networks.passage import Passage

Frames = Literal["joint", "each"]
Progress = Callable[[float], None]

STRIDE_PX = 32  # of the deepest features: sides that are multiples of it line up with every grid
LARGEST_SIZE_PX = 2048

# Frames of a clip that go through the trunk together. On a CPU two are quickest (16 frames of 352 × 192
# took 0.36 s by twos, 0.67 s at once: larger batches leave the cache); a GPU wants many.
_FRAMES_AT_ONCE = {"cpu": 2}
_FRAMES_AT_ONCE_ELSEWHERE = 16


@dataclass(frozen=True)
class BlockTrace:
    """What one block did; arrays are float32 and read-only. Positions are (t, row, col) in cells.

    A block attends over all frames of a clip jointly, or over each frame alone; then every frame has
    a bag of its own.
    """

    name: str  # of the module that the block stands behind
    primitives: np.ndarray  # (m, n): column i is g_i; each frame alone: (T, m, n)
    gather: np.ndarray  # (n, T, h, w): sums to 1 over T, h, w; each frame alone: over h, w
    distribute: np.ndarray  # (n, T, h, w): sums to 1 over n
    output: np.ndarray  # (m, T, h, w): Z = G V
    change: np.ndarray  # (T, h, w): |Y − X| / |X|, the block's contribution relative to its input

    @property
    def joint(self) -> bool:
        """Whether all frames were attended to jointly; False: each frame alone."""
        return self.primitives.ndim == 2

    @property
    def m(self) -> int:
        """Length of each primitive."""
        return self.primitives.shape[-2]

    @property
    def n(self) -> int:
        """Number of primitives."""
        return self.primitives.shape[-1]

    def bag(self, t: int) -> np.ndarray:
        """The primitives that frame `t` is handed, (m, n)."""
        return self.primitives if self.joint else self.primitives[t]

    @property
    def grid(self) -> tuple[int, int, int]:
        """(T, h, w), in cells."""
        t, h, w = self.gather.shape[1:]
        return t, h, w


@dataclass(frozen=True)
class Trace:
    """A Clip, what the network saw of it, what each block did, and the network's answer."""

    clip: Clip
    model_input: np.ndarray  # (T, Hm, Wm, 3) uint8, exactly what the network saw
    blocks: dict[str, BlockTrace]  # by module name, in network order; its second run as NAME#2, and so on
    top: list[tuple[str, float]]  # class names and probabilities (mean over frames), best first
    checkpoint: str
    trained: bool  # False: whoever made the blocks says that their weights are random
    device: str  # "cuda", "mps" or "cpu"
    elapsed_s: float

    def to_html(
        self,
        *,
        title: str = "",
        alt: str = "",
        card: Mapping[str, Any] | None = None,
        view: Mapping[str, Any] | None = None,
    ) -> str:
        """One HTML page that answers every hover by itself, offline.

        Args:
            title: above the picture; the file's name when left out.
            alt: what the picture shows, in words, for those who cannot see it.
            card: the checkpoint's, `Model.card`, for what its blocks and primitives are called.
            view: what is shown first, as `a2core.canvas.standalone_html` takes it.
        """
        from a2core.canvas import canvas_payload, standalone_html  # what looks at a trace stands below it

        name = title or self.clip.name
        payload = canvas_payload(self, card or {}, key=self.checkpoint, alt=alt or name or "the picture")
        return standalone_html(payload, view=view, title=name)


def pick_device(device: str = "auto") -> torch.device:
    """The device asked for; "auto" is A2_DEVICE when set, else CUDA, then MPS, then the CPU.

    Raises:
        NetworkError: a device that this machine or this build of torch does not have.
    """
    wanted = os.environ.get("A2_DEVICE", "auto") if device == "auto" else device
    if wanted == "auto":
        wanted = next((kind for kind in ("cuda", "mps") if _has(kind)), "cpu")
    kind = wanted.split(":")[0]
    if kind not in ("cuda", "mps", "cpu"):
        raise NetworkError(f"Unknown device {wanted!r}. Use auto, cuda, mps or cpu (A2_DEVICE or device=).")
    if not _has(kind):
        raise NetworkError(f"This machine offers torch no {kind} device. Use device='auto' or 'cpu'.")
    return torch.device(wanted)


def _has(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    return kind == "cpu" or torch.backends.mps.is_available()


def input_shape(height_px: int, width_px: int, size: int) -> tuple[int, int]:
    """(Hm, Wm) of the model input: long side `size`, shape kept, both sides rounded to multiples of 32.

    Raises:
        NetworkError: `size` is below 32 or above 2048.
    """
    if not STRIDE_PX <= size <= LARGEST_SIZE_PX:
        raise NetworkError(
            f"Picture size {size} is out of range. Choose {STRIDE_PX} to {LARGEST_SIZE_PX} pixels."
        )
    scale = size / max(height_px, width_px)
    cells = scale / STRIDE_PX
    height, width = (max(1, int(side * cells + 0.5)) * STRIDE_PX for side in (height_px, width_px))
    return height, width


def resize_frames(frames: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 resized to `shape` (Hm, Wm): averaged when smaller, bicubic when larger."""
    height, width = shape
    if frames.shape[1:3] == shape:
        return frames
    shrinks = height * width < frames.shape[1] * frames.shape[2]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (width, height), interpolation=method) for frame in frames])


@contextlib.contextmanager
def recording(
    blocks: Mapping[str, nn.Module], *, frames_per_clip: int, alone: bool = False, copies: int = 1
) -> Iterator[dict[str, BlockTrace]]:
    """While open, blocks attend over a clip of `frames_per_clip` frames and write what they did.

    The dictionary fills when the recording closes, in the order of `blocks`. A block that runs more than
    once is recorded each time: as NAME, NAME#2, NAME#3. With `alone` the blocks attend over each frame by
    itself, in batches of any size. Blocks are as before afterwards, also when the network fails.

    Args:
        blocks: by name.
        frames_per_clip: of the clip that runs through the network while this is open.
        alone: whether each frame is attended to by itself.
        copies: the batch holds so many variants of the clip, of which the first is recorded.

    Raises:
        NetworkError: a block was given more than the clip: what it did is not one map over the picture.
    """
    seen: dict[str, BlockTrace] = {}
    # Relatives of double attention attend over the clip too; blocks of others show maps of their own.
    wanted = ("frames_per_clip", "observer")
    before = {
        name: {key: getattr(block, key) for key in wanted if hasattr(block, key)}
        for name, block in blocks.items()
    }
    recorders: dict[nn.Module, _Recorder] = {}
    for name, block in blocks.items():  # a block that stands at several places runs several times
        recorders.setdefault(block, _Recorder(name, frames_per_clip, alone, copies))
    now = {"frames_per_clip": 1 if alone else frames_per_clip}
    try:
        for name, settings in before.items():
            block = blocks[name]
            if isinstance(block, Watchable):
                block.unwatched = settings
            for key in settings:
                setattr(block, key, now.get(key) or recorders[block])
        yield seen
        for recorder in recorders.values():
            seen |= recorder.close()
    finally:
        for name, settings in before.items():
            for key, value in settings.items():
                setattr(blocks[name], key, value)
            blocks[name].__dict__.pop("unwatched", None)


class _Recorder:
    """Turns what a block attended to over one clip into BlockTraces, one each time that it ran."""

    def __init__(self, name: str, frames: int, alone: bool, copies: int) -> None:
        self.name, self.frames, self.alone, self.copies = name, frames, alone, copies
        self.calls: list[list[np.ndarray]] = []  # alone: a part of the frames each

    def __call__(self, x: Tensor, attended: Attended, y: Tensor, grid: tuple[int, ...]) -> None:
        x, y = x.float(), y.float()
        change = (y - x).norm(dim=1) / x.norm(dim=1).clamp_min(1e-12)
        maps = (attended.gather, attended.distribute, attended.output)
        if self.alone:
            grid = grid[-2:]  # a 3-D block sees a clip of one frame
            by_map = [part.unflatten(2, grid).transpose(0, 1) for part in maps]
            arrays = (attended.primitives, *by_map, change.unflatten(1, grid))
        elif len(x) != self.copies:
            raise NetworkError(
                f"The block behind {self.name!r} is given {len(x)} pictures for each that goes into the "
                "network, which cuts it up or repeats it, so no one map covers the picture. Put the block "
                "behind a module that sees the picture whole and once."
            )
        else:
            shape = (self.frames, *grid) if len(grid) == 2 else grid  # a 3-D block brings its own T
            by_map = [part[0].unflatten(1, shape) for part in maps]
            arrays = (attended.primitives[0], *by_map, change[0].unflatten(0, shape))
        self.calls.append([_frozen(array) for array in arrays])

    def close(self) -> dict[str, BlockTrace]:
        if self.alone and self.calls:
            self.calls = [self._joined()]
        names = [self.name if index == 0 else f"{self.name}#{index + 1}" for index in range(len(self.calls))]
        return {name: BlockTrace(name, *arrays) for name, arrays in zip(names, self.calls, strict=True)}

    def _joined(self) -> list[np.ndarray]:
        """The frames that were attended to alone, one after the other."""
        joined = []
        for axis, arrays in zip((0, 1, 1, 1, 0), zip(*self.calls, strict=True), strict=True):
            array = np.concatenate(arrays, axis=axis)
            array.flags.writeable = False
            joined.append(array)
        if len(joined[0]) != self.frames:
            raise NetworkError(
                f"The block behind {self.name!r} ran {len(joined[0])} times for {self.frames} frames, so "
                "none of it is a frame's own. Trace the frames jointly, or one picture at a time."
            )
        return joined


@contextlib.contextmanager
def undisturbed(network: nn.Module) -> Iterator[None]:
    """While open, `network` is in evaluation mode; afterwards whoever trains it finds it as it was.

    Each module's own mode, the random numbers, and what modules keep for themselves: nothing they make
    meanwhile is an inference tensor, of which no gradient could be taken later. What torch.compile made
    of the network runs uncompiled meanwhile, since compiled for training it cannot be looked into.
    """
    modules = list(network.modules())
    training = [module for module in modules if getattr(module, "training", False)]
    device, gradients = device_of(network), torch.is_grad_enabled()
    compiled = any(m._compiled_call_impl is not None or "_orig_mod" in m._modules for m in modules)
    with (
        torch.inference_mode(False),
        torch.set_grad_enabled(gradients),
        torch.random.fork_rng([device] if device.type == "cuda" else []),
        torch.compiler.set_stance("force_eager") if compiled else contextlib.nullcontext(),
    ):
        try:
            for module in training:  # not eval(): some modules do more than that there, and do not undo it
                module.training = False
            yield
        finally:
            for module in training:
                module.training = True


def device_of(network: nn.Module) -> torch.device:
    """Where the first of the network's tensors lies; the processor when it has none."""
    tensors = itertools.chain(network.parameters(), network.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def _frozen(tensor: Tensor) -> np.ndarray:
    array = tensor.detach().float().cpu().contiguous().numpy()
    array.flags.writeable = False
    return array


class Model:
    """A classifier with double attention blocks, ready to trace pictures; made by `load_model`.

    One trace runs at a time (a lock inside): several threads may share one model. The network is taken
    over: put into evaluation mode, its gradients switched off, moved to `device`, in the memory format
    that is quickest. One that is `borrowed` (`model_of`) stays where and as it is, and while nobody looks
    it may go on being trained.

    Attributes:
        stages: the network as a chain of modules, blocks standing for themselves, where that is
            known: then a clip goes through it a few frames at a time, if `in_parts` finds it true.
        takes_clips: the network takes (batch, 3, T, h, w) and attends over space and time in itself;
            otherwise it takes pictures, and only its blocks see the whole clip.
        frames_at_once: so many; halved when the device's memory is short.
        borrowed: the network is somebody's who goes on with it.
        took_px: (height, width) of a picture that the network was seen to take, where that was tried.
        name: of the checkpoint.
        card: the checkpoint's JSON card; empty where there is none.
        trained: whether the blocks' weights were trained, as whoever made them says.
        network, blocks, device, labels, mean, std: the network, its blocks by module name, where it
            runs, its classes, and how it wants its pixels (values in [0, 1]) standardised.
    """

    def __init__(
        self,
        network: nn.Module,
        blocks: Mapping[str, nn.Module],
        *,
        name: str,
        labels: tuple[str, ...],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        device: torch.device,
        card: Mapping[str, Any] | None = None,
        trained: bool = False,
        stages: Sequence[nn.Module] | None = None,
        takes_clips: bool = False,
        borrowed: bool = False,
        took_px: tuple[int, int] | None = None,
    ) -> None:
        self.network = network
        if not borrowed:
            layout: Any = torch.channels_last_3d if takes_clips else torch.channels_last
            network.eval().requires_grad_(False).to(device).to(memory_format=layout)
        self.takes_clips, self.borrowed, self.took_px = takes_clips, borrowed, took_px
        self.blocks = dict(blocks)
        self.name, self.labels, self.device = name, labels, device
        self.card = dict(card or {})
        self.trained = trained
        self.mean, self.std = mean, std
        self.stages = None if stages is None else tuple(stages)
        self._passage = Passage(network)
        self.frames_at_once = _FRAMES_AT_ONCE.get(device.type, _FRAMES_AT_ONCE_ELSEWHERE)
        self._lock = threading.Lock()

    def preprocess(self, model_input: np.ndarray) -> Tensor:
        """(T, Hm, Wm, 3) uint8 to the (T, 3, Hm, Wm) float32 tensor that the network takes."""
        x = torch.tensor(model_input).to(self.device).permute(0, 3, 1, 2).float()
        mean = torch.tensor(self.mean, device=self.device).mul(255)[:, None, None]
        std = torch.tensor(self.std, device=self.device).mul(255)[:, None, None]
        return x.sub_(mean).div_(std)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """While open the network is this thread's to run, in evaluation mode; then as it was."""
        with self._lock, undisturbed(self.network) if self.borrowed else contextlib.nullcontext():
            yield

    def in_parts(self, frames: int, height_px: int, width_px: int) -> tuple[nn.Module, ...] | None:
        """`stages`, held against the whole network at an input of this shape; None: only the whole is true.

        Runs the network the first time. Whoever calls this sees to it that nobody else runs it meanwhile.
        """
        if self.stages is None:
            return None
        few, side = min(2, frames), (height_px, width_px)
        like = torch.empty((1, 3, few, *side) if self.takes_clips else (few, 3, *side))
        with self._taking(side):
            return self.stages if self._passage.holds(self.stages, like.to(self.device)) else None

    @contextlib.contextmanager
    def _taking(self, side: tuple[int, int]) -> Iterator[None]:
        """While open the network runs on pictures of `side` (height, width); its faults are put in words."""
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except FORWARD_FAULTS as error:
            good = self.took_px
            remedy = (
                "Choose another size."
                if good is None or good == side
                else f"It did take {good[1]} × {good[0]}: choose such a picture and size={max(good)}, or "
                "make the network for any size."
            )
            raise NetworkError(
                f"The network does not run on {side[1]} × {side[0]} pixels ({first_line(error)}). {remedy}"
            ) from error

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision for the trunk on CUDA, full precision elsewhere.

        float16 rather than bfloat16: its maps lie eight times closer to those of the CPU.
        """
        if self.device.type != "cuda":  # torch looks for a card even to switch autocast off: milliseconds
            return contextlib.nullcontext()
        return torch.autocast("cuda", torch.float16)

    @torch.inference_mode()
    def trace(
        self,
        clip: Clip,
        size: int = 448,
        top: int = 5,
        *,
        frames: Frames = "joint",
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Trace:
        """Run `clip` with its long side at `size` pixels and keep what each block did.

        The picture keeps its shape; both sides are rounded to multiples of 32 and nothing is
        cropped. Frames go through the trunk a few at a time, fewer when a GPU's memory is short.

        Args:
            clip: the frames.
            size: long side of the model input, in pixels.
            top: so many classes.
            frames: "joint": each block attends once over all positions of the clip, T·h·w; "each":
                over each frame alone, as if it were a picture.
            progress: called with the share of the work that is done, 0 to 1.
            stop: asked between batches; when it says True the work ends.

        Raises:
            NetworkError: `size` or `frames` out of range, a size that the network does not take, a block
                that did not run or was given more than the clip, or the device ran out of memory.
            Stopped: `stop` said so. The model is as before.
        """
        if frames not in ("joint", "each"):
            raise NetworkError(f"frames is {frames!r}: choose 'joint' or 'each'.")
        start = time.perf_counter()
        shape = input_shape(clip.frames.shape[1], clip.frames.shape[2], size)
        model_input = resize_frames(clip.frames, shape)
        if model_input is clip.frames and clip.frames.flags.writeable:
            model_input = clip.frames.copy()  # whoever brought them may write to them again
        with self.looking():
            logits, seen = self._watched(model_input, frames == "each", progress, stop)
        ran = {self.blocks[name] for name in seen if name in self.blocks}
        silent = [name for name, b in self.blocks.items() if hasattr(b, "observer") and b not in ran]
        if silent:
            raise NetworkError(
                f"The block behind {silent[0]!r} did not run: the network never calls that module, at most "
                "what is inside it. Put the block behind a module that is called, or take it out with "
                "a2core.remove_blocks."
            )
        probabilities = logits.float().softmax(dim=1).mean(dim=0).cpu()
        best = probabilities.topk(min(top, len(probabilities)))
        if not np.isfinite(best.values.numpy()).all():
            raise A2Error("The network answered with values that are not finite. Try A2_DEVICE=cpu.")
        model_input.flags.writeable = False
        return Trace(
            clip=clip,
            model_input=model_input,
            blocks=seen,
            top=[(self.labels[i], float(p)) for p, i in zip(best.values, best.indices.tolist(), strict=True)],
            checkpoint=self.name,
            trained=self.trained,
            device=self.device.type,
            elapsed_s=time.perf_counter() - start,
        )

    def _watched(
        self,
        model_input: np.ndarray,
        alone: bool,
        progress: Progress | None,
        stop: Callable[[], bool] | None,
    ) -> tuple[Tensor, dict[str, BlockTrace]]:
        """Logits (T, classes) and what the blocks did, in batches of half the size while memory is short."""
        count, height, width, _ = model_input.shape
        whole = self.stages is None or self.takes_clips
        # A picture, and each frame alone, go through the network as it is.
        apart = not alone and (count > 1 or self.takes_clips)
        while True:
            try:
                parts = self.in_parts(count, height, width) if apart else None
                whole = parts is None or self.takes_clips
                with (
                    recording(
                        self.blocks,
                        frames_per_clip=1 if self.takes_clips and not alone else count,
                        alone=alone,
                    ) as seen,
                    self.autocast(),
                ):
                    logits = self._in_batches(model_input, parts, alone, progress, stop)
                return logits, seen
            except torch.OutOfMemoryError as error:
                if min(self.frames_at_once, count) == 1 or (whole and not alone):
                    raise NetworkError(
                        f"The {self.device.type} device ran out of memory on {count} × {width} × {height} "
                        "pixels. Choose a smaller size or fewer frames."
                    ) from error
                self.frames_at_once = max(1, min(self.frames_at_once, count) // 2)

    def _in_batches(
        self,
        model_input: np.ndarray,
        stages: Sequence[nn.Module] | None,
        alone: bool,
        progress: Progress | None,
        stop: Callable[[], bool] | None,
    ) -> Tensor:
        """Logits (T, classes): batches of frames through the trunk, all frames at once through each block."""
        count, at_once = len(model_input), self.frames_at_once
        if self.takes_clips and not alone:
            return self._whole(model_input, stages, progress, stop)
        runs = [([self.network], False)] if alone or count == 1 else self._runs(stages)
        sizes = [_size(modules) for modules, _ in runs]
        total, done = sum(sizes), 0.0
        parts: Sequence[Any] = [model_input[at : at + at_once] for at in range(0, count, at_once)]
        for index, (modules, whole) in enumerate(runs):
            if whole and len(parts) > 1:
                parts = [model_input if index == 0 else torch.cat(list(parts))]
            through = []
            for part in parts:
                if stop is not None and stop():
                    raise Stopped("The trace was stopped before it was done. Start again when ready.")
                x = self.preprocess(part) if index == 0 else part
                if self.takes_clips:
                    x = x[:, :, None]  # each frame a clip of its own
                with self._taking(model_input.shape[1:3]):
                    for module in modules:
                        x = module(x)
                through.append(x)
                done += sizes[index] * len(x) / count / total
                if progress is not None:
                    progress(min(1.0, done))
            parts = through[0].split(at_once) if whole else through
        return torch.cat(list(parts))

    def _whole(
        self,
        model_input: np.ndarray,
        stages: Sequence[nn.Module] | None,
        progress: Progress | None,
        stop: Callable[[], bool] | None,
    ) -> Tensor:
        """Logits (1, classes) of a network that takes clips: stage by stage, all frames at once."""
        x = self.preprocess(model_input).transpose(0, 1)[None]
        modules = stages or (self.network,)
        total, done = sum(_size([module]) for module in modules), 0
        for module in modules:
            if stop is not None and stop():
                raise Stopped("The trace was stopped before it was done. Start again when ready.")
            with self._taking(model_input.shape[1:3]):
                x = module(x)
            done += _size([module])
            if progress is not None:
                progress(done / total)
        return x

    def _runs(self, stages: Sequence[nn.Module] | None) -> list[tuple[list[nn.Module], bool]]:
        """The network as runs of modules, and whether a run needs all frames of the clip at once."""
        if stages is None:
            return [([self.network], True)]
        blocks = set(self.blocks.values())
        runs: list[tuple[list[nn.Module], bool]] = []
        for stage in stages:
            whole = any(module in blocks for module in stage.modules())
            if runs and runs[-1][1] == whole:
                runs[-1][0].append(stage)
            else:
                runs.append(([stage], whole))
        return runs


def _size(modules: Sequence[nn.Module]) -> int:
    """How many modules there are inside: how long they take, near enough for a progress bar."""
    return sum(1 for module in modules for _ in module.modules())
