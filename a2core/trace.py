"""Run a Clip through a network and keep what each double attention block did.

A Trace is detached, on the CPU, float32 and read-only: whoever looks at it needs no torch and can
do it no harm. Questions about it are in `probe.py`.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from a2core.double_attention import Attended
from a2core.errors import A2Error, NetworkError
from a2core.media import Clip

STRIDE_PX = 32  # of the deepest features: sides that are multiples of it line up with every grid
LARGEST_SIZE_PX = 2048


@dataclass(frozen=True)
class BlockTrace:
    """What one block did; arrays are float32 and read-only. Positions are (t, row, col) in cells."""

    name: str  # of the module that the block stands behind
    primitives: np.ndarray  # (m, n): column i is g_i
    gather: np.ndarray  # (n, T, h, w): sums to 1 over T, h, w
    distribute: np.ndarray  # (n, T, h, w): sums to 1 over n
    output: np.ndarray  # (m, T, h, w): Z = G V
    change: np.ndarray  # (T, h, w): |Y − X| / |X|, the block's contribution relative to its input

    @property
    def m(self) -> int:
        """Length of each primitive."""
        return self.primitives.shape[0]

    @property
    def n(self) -> int:
        """Number of primitives."""
        return self.primitives.shape[1]

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
    blocks: dict[str, BlockTrace]  # by module name, in network order
    top: list[tuple[str, float]]  # class names and probabilities (mean over frames), best first
    checkpoint: str
    trained: bool  # False: the blocks' weights are random
    device: str  # "cuda", "mps" or "cpu"
    elapsed_s: float


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
def recording(blocks: Mapping[str, nn.Module], *, frames_per_clip: int) -> Iterator[dict[str, BlockTrace]]:
    """While open, blocks attend over clips of `frames_per_clip` frames and write what they did.

    The dictionary fills in network order as the network runs. Blocks are as before afterwards,
    also when the network fails.
    """
    seen: dict[str, BlockTrace] = {}
    # Relatives of double attention attend over the clip too; blocks of others show maps of their own.
    wanted = ("frames_per_clip", "observer")
    before = {
        name: {key: getattr(block, key) for key in wanted if hasattr(block, key)}
        for name, block in blocks.items()
    }
    now = {"frames_per_clip": frames_per_clip}
    try:
        for name, settings in before.items():
            for key in settings:
                setattr(blocks[name], key, now.get(key) or _Recorder(name, seen, frames_per_clip))
        yield seen
    finally:
        for name, settings in before.items():
            for key, value in settings.items():
                setattr(blocks[name], key, value)


class _Recorder:
    """Turns what a block attended to over one clip into a BlockTrace."""

    def __init__(self, name: str, seen: dict[str, BlockTrace], frames: int) -> None:
        self.name, self.seen, self.frames = name, seen, frames

    def __call__(self, x: Tensor, attended: Attended, y: Tensor, grid: tuple[int, ...]) -> None:
        shape = (self.frames, *grid) if len(grid) == 2 else grid  # a 3-D block brings its own T
        x, y = x[0].float(), y[0].float()
        change = (y - x).norm(dim=0) / x.norm(dim=0).clamp_min(1e-12)
        self.seen[self.name] = BlockTrace(
            name=self.name,
            primitives=_frozen(attended.primitives[0]),
            gather=_frozen(attended.gather[0].unflatten(1, shape)),
            distribute=_frozen(attended.distribute[0].unflatten(1, shape)),
            output=_frozen(attended.output[0].unflatten(1, shape)),
            change=_frozen(change.unflatten(0, shape)),
        )


def _frozen(tensor: Tensor) -> np.ndarray:
    array = tensor.detach().float().cpu().contiguous().numpy()
    array.flags.writeable = False
    return array


class Model:
    """A classifier with double attention blocks, ready to trace pictures; made by `load_model`.

    One trace runs at a time (a lock inside): several threads may share one model.

    Attributes:
        name: of the checkpoint.
        card: the checkpoint's JSON card; empty for random blocks.
        trained: whether the blocks' weights were trained.
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
    ) -> None:
        self.network = network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        self.blocks = dict(blocks)
        self.name, self.labels, self.device = name, labels, device
        self.card = dict(card or {})
        self.trained = trained
        self.mean, self.std = mean, std
        self._lock = threading.Lock()

    def preprocess(self, model_input: np.ndarray) -> Tensor:
        """(T, Hm, Wm, 3) uint8 to the (T, 3, Hm, Wm) float32 tensor that the network takes."""
        x = torch.tensor(model_input).to(self.device).permute(0, 3, 1, 2).float()
        mean = torch.tensor(self.mean, device=self.device).mul(255)[:, None, None]
        std = torch.tensor(self.std, device=self.device).mul(255)[:, None, None]
        return x.sub_(mean).div_(std)

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision for the trunk on CUDA, full precision elsewhere.

        float16 rather than bfloat16: its maps lie eight times closer to those of the CPU.
        """
        if self.device.type != "cuda":  # torch looks for a card even to switch autocast off: milliseconds
            return contextlib.nullcontext()
        return torch.autocast("cuda", torch.float16)

    @torch.inference_mode()
    def trace(self, clip: Clip, size: int = 448, top: int = 5) -> Trace:
        """Run `clip` with its long side at `size` pixels and keep what each block did.

        The picture keeps its shape; both sides are rounded to multiples of 32 and nothing is
        cropped. The blocks attend over all frames of a clip jointly.

        Raises:
            NetworkError: `size` out of range, or the device ran out of memory.
        """
        start = time.perf_counter()
        shape = input_shape(clip.frames.shape[1], clip.frames.shape[2], size)
        model_input = resize_frames(clip.frames, shape)
        with self._lock, recording(self.blocks, frames_per_clip=len(model_input)) as seen:
            try:
                with self.autocast():
                    logits = self.network(self.preprocess(model_input))
            except torch.OutOfMemoryError as error:
                raise NetworkError(
                    f"The {self.device.type} device ran out of memory on {len(model_input)} × {shape[1]} × "
                    f"{shape[0]} pixels. Choose a smaller size or fewer frames."
                ) from error
        probabilities = logits.float().softmax(dim=1).mean(dim=0).cpu()
        best = probabilities.topk(min(top, len(probabilities)))
        if not np.isfinite(best.values.numpy()).all():
            raise A2Error("The network answered with values that are not finite. Try A2_DEVICE=cpu.")
        model_input.flags.writeable = False
        return Trace(
            clip=clip,
            model_input=model_input,
            blocks={name: seen[name] for name in self.blocks if name in seen},
            top=[(self.labels[i], float(p)) for p, i in zip(best.values, best.indices.tolist(), strict=True)],
            checkpoint=self.name,
            trained=self.trained,
            device=self.device.type,
            elapsed_s=time.perf_counter() - start,
        )
