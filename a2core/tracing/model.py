"""A network ready to be looked into."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from a2core.errors import A2Error, NetworkError
from a2core.languages import sentence
from a2core.media import Clip
from a2core.networks.borrowed import undisturbed
from a2core.networks.passage import Onwards, Passage
from a2core.networks.spec import InputSpec
from a2core.tracing.attention import Layers, attended
from a2core.tracing.engine import TORCH, Engine
from a2core.tracing.model_input import input_shape, resize_frames, standardised
from a2core.tracing.pairs import AttentionTrace
from a2core.tracing.record import recording, refuse_silent, watching
from a2core.tracing.runs import in_turn, refuse_to_go_on, runs_of, size_of, taking
from a2core.tracing.trace import BlockTrace, Trace

Frames = Literal["joint", "each"]
Progress = Callable[[float], None]
# Frames of a clip that go through the trunk together. On a CPU two are quickest (16 frames of 352 × 192
# took 0.36 s by twos, 0.67 s at once: larger batches leave the cache); a GPU wants many.
_FRAMES_AT_ONCE = {"cpu": 2}
_FRAMES_AT_ONCE_ELSEWHERE = 16


class Model:
    """A classifier with double attention blocks, ready to trace pictures; made by `load_model`.

    One trace runs at a time (a lock inside): several threads may share one model. The network is taken
    over: put into evaluation mode, its gradients switched off, moved to `device`, in the memory format
    that is quickest. One that is `borrowed` (`model_of`) stays where and as it is, and while nobody looks
    it may go on being trained.

    Attributes:
        passage: the way through the network: where it is a chain of modules, a clip goes through it a few
            frames at a time.
        takes_clips: the network takes (batch, 3, T, h, w) and attends over space and time in itself;
            otherwise it takes pictures, and only its blocks see the whole clip.
        frames_at_once: so many; halved when the device's memory is short.
        borrowed: the network is somebody's who goes on with it.
        took_px: (height, width) of a picture that the network was seen to take, where that was tried.
        name: of the checkpoint.
        card: the checkpoint's JSON card; empty where there is none.
        trained: whether the blocks' weights were trained, as whoever made them says.
        born_trained: whether the rest of the network was.
        may_attend: whether softmax attention of its own is looked for.
        network, blocks, device, labels, input: the network, its blocks by module name, where it runs, its
            classes, and which pictures it takes.
        answers_with: what it answers with instead of logits, in words, which is then not shown, and there
            are no classes; "" for logits.
        engine: what runs it: torch, or ONNX Runtime where that was asked for and is possible.
    """

    def __init__(
        self,
        network: nn.Module,
        blocks: Mapping[str, nn.Module],
        *,
        name: str,
        labels: tuple[str, ...],
        input: InputSpec,
        device: torch.device,
        card: Mapping[str, Any] | None = None,
        trained: bool = False,
        takes_clips: bool = False,
        borrowed: bool = False,
        took_px: tuple[int, int] | None = None,
        answers_with: str = "",
        born_trained: bool = True,
        may_attend: bool = True,
        engine: str = TORCH,
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
        self.input, self.answers_with, self.born_trained = input, answers_with, born_trained
        self.passage = Passage(network)
        self.frames_at_once = _FRAMES_AT_ONCE.get(device.type, _FRAMES_AT_ONCE_ELSEWHERE)
        plain = not (borrowed or takes_clips or answers_with)
        self.engine = Engine(network, self.blocks, choice=engine, device=device, plain=plain, takes=input)
        self._lock = threading.Lock()
        # Until a picture shows that it has no attention of its own.
        self._attends = may_attend and not takes_clips

    def preprocess(self, model_input: np.ndarray) -> Tensor:
        """(T, Hm, Wm, 3) uint8 to the (T, c, Hm, Wm) float32 tensor that the network takes."""
        x = torch.tensor(model_input).to(self.device).permute(0, 3, 1, 2).float()
        return standardised(x, self.input)

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever looks at its traces should know of the network."""
        if not self.answers_with:
            return self.input.remarks()
        said = sentence(
            "This network answers with {answer}, not with classes; that is not shown.",
            answer=self.answers_with,
        )
        return (*self.input.remarks(), said)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """While open the network is this thread's to run, in evaluation mode; then as it was."""
        with self._lock, undisturbed(self.network) if self.borrowed else contextlib.nullcontext():
            yield

    def in_parts(self, model_input: np.ndarray) -> tuple[nn.Module, ...] | None:
        """The network in parts, as `Passage.parts`, for model inputs of this shape.

        Runs the network the first time. Whoever calls this sees to it that nobody else runs it meanwhile.
        """
        with self._taking(model_input.shape[1:3]):
            return self.passage.parts(self._like(model_input))

    def onwards(self, block: str, model_input: np.ndarray) -> Onwards:
        """What follows behind a block, as `Passage.onwards`, for model inputs of this shape."""
        with self._taking(model_input.shape[1:3]):
            return self.passage.onwards(self.blocks[block], self._like(model_input))

    def _like(self, model_input: np.ndarray) -> Tensor:
        few, height, width = min(2, len(model_input)), *model_input.shape[1:3]
        c = self.input.channels
        shape = (1, c, few, height, width) if self.takes_clips else (few, c, height, width)
        return torch.empty(shape, device=self.device)

    def _taking(self, side: tuple[int, int]) -> contextlib.AbstractContextManager[None]:
        return taking(side, self.took_px)

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
        return self._trace(clip, size, top, frames, {}, progress, stop)[0]

    @torch.no_grad()
    def attention(self, clip: Clip, size: int = 448) -> Layers:
        """What the network's own layers of softmax attention did to a picture (of a clip, its first frame).

        By name, in the order in which they ran; those that cannot be recorded are told in `left_out`.

        Raises:
            NetworkError: `size` out of range, or a size that the network does not take.
        """
        frames = clip.frames[:1]
        pixels = self._resized(frames, size)
        with self.looking():
            return self._attended(pixels)

    def _resized(self, frames: np.ndarray, size: int) -> np.ndarray:
        shape = input_shape(frames.shape[1], frames.shape[2], size, self.input)
        return resize_frames(frames, shape, self.input.interpolation)

    def _attended(self, pixels: np.ndarray) -> Layers:
        with self._taking(pixels.shape[1:3]):
            found = attended(self.network, self.preprocess(pixels))
        self._attends = bool(found or found.left_out)
        return found

    @torch.inference_mode()
    def trace_with_features(
        self, clip: Clip, size: int, blocks: Iterable[str]
    ) -> tuple[Trace, dict[str, Tensor]]:
        """A trace, and what each of `blocks` read of it, (T, c, h, w) or (1, c, T, h, w), on the device.

        Raises:
            NetworkError: as `trace`.
        """
        return self._trace(clip, size, 5, "joint", {name: self.blocks[name] for name in blocks})

    def _trace(
        self,
        clip: Clip,
        size: int,
        top: int,
        frames: Frames,
        asked: Mapping[str, nn.Module],
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[Trace, dict[str, Tensor]]:
        if frames not in ("joint", "each"):
            raise NetworkError("frames is {frames!r}: choose 'joint' or 'each'.", frames=frames)
        start = time.perf_counter()
        model_input = self._resized(clip.frames, size)
        if model_input is clip.frames and clip.frames.flags.writeable:
            model_input = clip.frames.copy()  # whoever brought them may write to them again
        with self.looking():
            logits, seen, read, engine = self._answered(model_input, frames == "each", asked, progress, stop)
            own: dict[str, AttentionTrace] = {}
            if self._attends and not asked and len(model_input) == 1:
                with contextlib.suppress(torch.OutOfMemoryError):  # the trace is there without it
                    found = self._attended(model_input)
                    own = {name: layer for name, layer in found.items() if name not in seen}
        ran = {self.blocks[name] for name in seen if name in self.blocks}
        refuse_silent({name: block for name, block in self.blocks.items() if block not in ran})
        probabilities = logits.float().softmax(dim=1).mean(dim=0).cpu()
        best = probabilities.topk(min(top, len(probabilities)))
        if not np.isfinite(best.values.numpy()).all():
            raise A2Error("The network answered with values that are not finite. Try A2_DEVICE=cpu.")
        model_input.flags.writeable = False
        trace = Trace(
            clip=clip,
            model_input=model_input,
            blocks=seen,
            top=[(self.labels[i], float(p)) for p, i in zip(best.values, best.indices.tolist(), strict=True)],
            checkpoint=self.name,
            trained=self.trained,
            device=self.device.type,
            elapsed_s=time.perf_counter() - start,
            attention=own,
            born_trained=self.born_trained,
            notes=self.notes,
            engine=engine,
        )
        return trace, read

    def _answered(
        self,
        model_input: np.ndarray,
        alone: bool,
        asked: Mapping[str, nn.Module],
        progress: Progress | None,
        stop: Callable[[], bool] | None,
    ) -> tuple[Tensor, dict[str, BlockTrace], dict[str, Tensor], str]:
        """As `_watched`, and which engine ran the network: torch where there is more to see than blocks."""
        watched = functools.partial(self._watched, model_input, alone, asked, progress, stop)
        if asked or self._attends:
            return *watched(), TORCH
        (logits, seen), engine = self.engine.answer(
            model_input, alone, self.frames_at_once, lambda: watched()[:2], progress, stop
        )
        return logits, seen, {}, engine

    def _watched(
        self,
        model_input: np.ndarray,
        alone: bool,
        asked: Mapping[str, nn.Module],
        progress: Progress | None,
        stop: Callable[[], bool] | None,
    ) -> tuple[Tensor, dict[str, BlockTrace], dict[str, Tensor]]:
        """Logits (T, classes), what the blocks did, and what those that are `asked` read.

        In batches of half the size while memory is short.
        """
        count, height, width, _ = model_input.shape
        whole = self.passage.chain is None or self.takes_clips
        # A picture, and each frame alone, go through the network as it is.
        apart = not alone and (count > 1 or self.takes_clips)
        while True:
            try:
                parts = self.in_parts(model_input) if apart else None
                whole = parts is None or self.takes_clips
                with (
                    recording(
                        self.blocks,
                        frames_per_clip=1 if self.takes_clips and not alone else count,
                        picture_px=(height, width),
                        alone=alone,
                    ) as seen,
                    watching(asked) as read,
                    self.autocast(),
                ):
                    logits = self._in_batches(model_input, parts, alone, progress, stop)
                return logits, seen, read
            except torch.OutOfMemoryError as error:
                if min(self.frames_at_once, count) == 1 or (whole and not alone):
                    raise NetworkError(
                        "The {device} device ran out of memory on {count} × {width} × {height} pixels. "
                        "Choose a smaller size or fewer frames.",
                        device=self.device.type,
                        count=count,
                        width=width,
                        height=height,
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
        runs = (
            [([self.network], False)]
            if alone or count == 1
            else runs_of(stages, self.network, self.blocks.values())
        )
        sizes = [size_of(modules) for modules, _ in runs]
        total, done = sum(sizes), 0.0
        parts: Sequence[Any] = [model_input[at : at + at_once] for at in range(0, count, at_once)]
        for index, (modules, whole) in enumerate(runs):
            if whole and len(parts) > 1:
                parts = [model_input if index == 0 else torch.cat(list(parts))]
            through = []
            for part in parts:
                refuse_to_go_on(stop)
                x = self.preprocess(part) if index == 0 else part
                if self.takes_clips:
                    x = x[:, :, None]  # each frame a clip of its own
                with self._taking(model_input.shape[1:3]):
                    for module in modules:
                        x = module(x)
                    if index == len(runs) - 1:
                        x = self.logits(x, len(part))
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
        side = model_input.shape[1:3]
        x = in_turn(stages or (self.network,), x, lambda: self._taking(side), progress, stop)
        return self.logits(x, 1)

    def logits(self, answer: Any, count: int) -> Tensor:
        """What the network answered for so many pictures as (count, classes); no classes where it has none.

        Raises:
            NetworkError: no logits for these pictures, of a network that answered with logits before.
        """
        if self.answers_with:
            return torch.zeros(count, 0, device=self.device)
        if not isinstance(answer, Tensor) or answer.shape != (count, len(self.labels)):
            raise NetworkError(
                "The network returned no logits ({count}, {classes}) this time. Make it answer alike for "
                "pictures of any size.",
                count=count,
                classes=len(self.labels),
            )
        return answer
