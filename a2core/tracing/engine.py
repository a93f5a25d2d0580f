"""Running a network's parts by ONNX Runtime instead of torch: the same numbers to rounding, in less time.

Only on a processor, and only where nobody can tell: a network of ours with double attention for pictures
that is a chain of parts, whose graphs are at hand (`graphs`), and that nobody has changed or hooks into.
Whatever else there is, torch runs it. Before ONNX Runtime is believed, both have run a picture of somebody's:
each map the same to 1e-4 of its peak, and the same five best classes.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from a2core.errors import NetworkError, first_line
from a2core.extras import quiet
from a2core.networks.chain import chain
from a2core.networks.spec import InputSpec
from a2core.threads import threads_wanted
from a2core.tracing import graphs
from a2core.tracing.arrays import frozen
from a2core.tracing.model_input import standardised_array
from a2core.tracing.runs import refuse_to_go_on
from a2core.tracing.trace import BlockTrace

AUTO, TORCH, ONNXRUNTIME = "auto", "torch", "onnxruntime"
CLOSE = 1e-4  # of a map's largest value: how far the two may differ
TOP = 5  # classes that have to be the same
_TRIED_AT = 2  # with "auto": whoever traces but once does not wait for another engine to open
_LARGE = 2 * 448 * 448 * 3  # numbers of frames that go together, above which memory is not kept for the next

Answer = tuple[Tensor, dict[str, BlockTrace]]  # logits (T, classes), and what the blocks did
_MAPS = ("primitives", "gather", "distribute", "output", "change")


def pick_engine(wanted: str = AUTO) -> str:
    """The engine asked for; "auto" is A2_ENGINE where that is set.

    Raises:
        NetworkError: there is none of that name.
    """
    wanted = os.environ.get("A2_ENGINE", AUTO) if wanted == AUTO else wanted
    if wanted not in (AUTO, TORCH, ONNXRUNTIME):
        raise NetworkError(
            f"Unknown engine {wanted!r}. Use auto, torch or onnxruntime (A2_ENGINE or engine=)."
        )
    return wanted


class Engine:
    """What runs one network: ONNX Runtime where that is possible, else torch.

    Whoever calls it sees to it that nobody else runs the network meanwhile.

    Args:
        network, blocks: which, with its blocks by name.
        choice: "torch"; "onnxruntime", from the first trace on; "auto", which does not draw graphs where
            there are none, compares both at the second trace and uses ONNX Runtime from the third on.
        device: where it runs.
        plain: it takes pictures, gives logits, and is nobody else's meanwhile.
        takes: the pictures that it takes.

    Attributes:
        why: why it is torch, in words; "" while it is ONNX Runtime, or may yet be.

    Raises:
        NetworkError: ONNX Runtime was asked for and cannot run it.
    """

    def __init__(
        self,
        network: nn.Module,
        blocks: Mapping[str, nn.Module],
        *,
        choice: str,
        device: torch.device,
        plain: bool,
        takes: InputSpec,
    ) -> None:
        self.network, self.blocks, self.choice, self.takes = network, blocks, choice, takes
        self._seen, self._agreed = 0, False
        self._open: list[tuple[str, int, Any]] = []  # the parts: block or "", size, session
        self._of_one_thread: Any = None  # gives the session of a part on one thread: for clips
        self._threads, self._stamp = 0, _Stamp(network, {})
        self._drawn: dict[str, list[bytes]] = {}
        self.why = ""
        if choice == TORCH:
            self.why = "torch was asked for"
        elif device.type != "cpu":
            self.why = f"it runs on {device.type}"
        elif not plain:
            self.why = "it is somebody else's too, takes whole clips, or gives no logits"
        elif importlib.util.find_spec("onnxruntime") is None:
            self.why = "onnxruntime is not installed"
        if choice == ONNXRUNTIME:
            if not self.why:
                self._have_graphs(takes.channels, takes.multiple_px)
            else:
                raise NetworkError(
                    f"ONNX Runtime cannot run this network: {self.why}. Use engine='auto', which then takes "
                    "torch."
                )

    def answer(
        self,
        pixels: np.ndarray,
        alone: bool,
        at_once: int,
        by_torch: Callable[[], Answer],
        progress: Callable[[float], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> tuple[Answer, str]:
        """What the network makes of the frames, and who ran it.

        Args:
            pixels: the frames, (T, h, w, 3) uint8.
            alone: whether each frame is attended to by itself.
            at_once: so many frames go through the trunk together.
            by_torch: the same by torch.
            progress: as of `Model.trace`.
            stop: likewise.

        Raises:
            Stopped: `stop` said so.
            Whatever `by_torch` raises.
        """
        if self.why:
            return by_torch(), TORCH
        if self._agreed:
            found = self._attempt(lambda: self._run(pixels, alone, at_once, progress, stop))
            return (by_torch(), TORCH) if found is None else (found, ONNXRUNTIME)
        self._seen += 1
        answer = by_torch()
        if self.choice == AUTO and self._seen < _TRIED_AT:
            return answer, TORCH
        found = self._attempt(lambda: self._run(pixels, alone, at_once, None, None))
        if found is None:
            return answer, TORCH
        self.why = difference(found, answer)
        self._agreed = not self.why
        return (found, ONNXRUNTIME) if self._agreed and self.choice == ONNXRUNTIME else (answer, TORCH)

    def _have_graphs(self, channels: int, multiple_px: int) -> None:
        """Draw the graphs where there are none, and keep them.

        Raises:
            NetworkError: they cannot be drawn.
        """
        parts = graphs.parts_of(chain(self.network) or [self.network], self.blocks)
        key = graphs.digest(parts)
        if graphs.find(key) is None:
            self._drawn[key] = graphs.draw(parts, channels, multiple_px)
            graphs.keep(key, self._drawn[key])

    def _attempt(self, run: Callable[[], Answer]) -> Answer | None:
        """The answer of ONNX Runtime; None where there is none, and `why` unless that may change."""
        stamp = _Stamp(self.network, self.blocks)
        if stamp.fault:
            return None
        try:
            self._reopen(stamp)
            return run()
        except (UnfitError, NetworkError) as error:
            self.why = str(error)
            self._open = []
            return None

    def _reopen(self, stamp: _Stamp) -> None:
        """See to it that the sessions are those of the network as it is, with as many threads as torch has.

        Raises:
            UnfitError, NetworkError: there can be none.
        """
        threads = max(1, min(torch.get_num_threads(), threads_wanted()))
        if self._open and stamp != self._stamp:
            raise UnfitError("the network was changed since it was first traced")
        if self._open and threads == self._threads:
            return
        links = chain(self.network)
        if links is None:
            raise UnfitError("the network is not known as a chain of parts")
        parts = graphs.parts_of(links, self.blocks)
        key = graphs.digest(parts)
        drawn = self._drawn.get(key) or graphs.find(key)
        if drawn is None or len(drawn) != len(parts):
            raise UnfitError("no graphs were drawn of a network like this")
        self._open = [
            (part.block, part.size, open_session(graph, part.module, threads))
            for part, graph in zip(parts, drawn, strict=True)
        ]
        self._of_one_thread = cache(lambda index: open_session(drawn[index], parts[index].module, 1))
        self._threads, self._stamp = threads, stamp

    def _run(
        self,
        pixels: np.ndarray,
        alone: bool,
        at_once: int,
        progress: Callable[[float], None] | None,
        stop: Callable[[], bool] | None,
    ) -> Answer:
        """Frames a few at a time through the trunk, all together through each block, unless `alone`."""
        count, total, done = len(pixels), sum(size for _, size, _ in self._open), 0.0
        if count > 1:  # a thread takes frames of its own, and all together as many as were asked for
            at_once = max(1, at_once // self._threads)
        large = count > 1 and pixels[: at_once * self._threads].size > _LARGE
        told: dict[str, BlockTrace] = {}
        chunks: Sequence[np.ndarray] = [pixels[at : at + at_once] for at in range(0, count, at_once)]
        for index, (block, size, _) in enumerate(self._open):
            together = bool(block) and not alone
            if together and len(chunks) > 1:
                chunks = [np.concatenate(chunks)]
            through, maps = [], []
            refuse_to_go_on(stop)
            for chunk, (y, *kept) in zip(chunks, self._through(index, chunks, together, large), strict=True):
                maps.append(kept)
                through.append(y if not block else y[0] if together else y[:, 0])
                done += size * len(chunk) / count / total
                if progress is not None:
                    progress(min(1.0, done))
                refuse_to_go_on(stop)
            chunks = through
            if together:
                chunks = [through[0][at : at + at_once] for at in range(0, count, at_once)]
            if block:
                names = [output.name for output in self._open[index][2].get_outputs()][1:]
                told[block] = _kept(block, [dict(zip(names, kept, strict=True)) for kept in maps], alone)
        return torch.from_numpy(np.concatenate(chunks)), {name: told[name] for name in self.blocks}

    def _through(
        self,
        index: int,
        chunks: Sequence[np.ndarray],
        together: bool,
        large: bool,
    ) -> Iterator[list[np.ndarray]]:
        """What a part makes of each chunk.

        Chunks of a clip go through the trunk side by side, each on one thread: two threads on one chunk wait
        for each other in every layer, the longer the more else runs.
        """
        block, _, session = self._open[index]

        def run(number: int) -> list[np.ndarray]:
            x = standardised_array(chunks[number], self.takes) if index == 0 else chunks[number]
            if block:
                x = x[None] if together else x[:, None]
            return run_session(session, x, let_go=large and number == len(chunks) - 1)

        if block or self._threads == 1 or len(chunks) == 1:
            yield from map(run, range(len(chunks)))
            return
        session = self._of_one_thread(index)
        with ThreadPoolExecutor(self._threads) as pool:
            for at in range(0, len(chunks), self._threads):  # no more than can be stopped at once
                yield from pool.map(run, range(at, min(at + self._threads, len(chunks))))


class UnfitError(Exception):
    """Why ONNX Runtime does not run it, in words."""


def _hooked_everywhere() -> bool:
    """Whether something is hooked on every module that there is."""
    hooks = torch.nn.modules.module  # torch has no public word for it
    return bool(hooks._global_forward_pre_hooks or hooks._global_forward_hooks)


class _Stamp:
    """Of a network, whatever the numbers depend on: equal as long as nobody has changed anything.

    Weights count as changed when they were written to or are others. What is written past torch's count, to a
    `.data`, is seen in blocks by their sums, and in the trunk not at all.
    """

    def __init__(self, network: nn.Module, blocks: Mapping[str, nn.Module]) -> None:
        self.fault = ""
        modules = tuple(network.modules()) if blocks else ()
        tensors = [
            tensor
            for module in modules
            for tensor in (*module._parameters.values(), *module._buffers.values())
            if tensor is not None
        ]
        self._held = modules, tensors  # so that nothing new gets their identity
        if _hooked_everywhere() or any(
            module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
            for module in modules
        ):
            self.fault = "somebody hooks into the network"
        elif any(module.training for module in modules):
            self.fault = "the network is in training mode"
        elif torch.is_autocast_enabled("cpu"):
            self.fault = "torch computes in mixed precision"
        elif any(
            tensor.is_inference() or tensor.device.type != "cpu" or tensor.dtype == torch.float64
            for tensor in tensors
        ):
            self.fault = "its weights lie elsewhere"
        elif any(getattr(block, "observer", None) is not None for block in blocks.values()):
            self.fault = "somebody else looks into a block"
        self._state: tuple[Any, ...] = ()
        if not self.fault:
            settings = ("residual", "position_norm", "input_norm", "output_norm", "check_finite")
            self._state = (
                tuple(map(id, modules)),
                tuple((id(tensor), tensor._version, tensor.data_ptr()) for tensor in tensors),
                tuple(str(getattr(block, key, None)) for block in blocks.values() for key in settings),
                tuple(_sum(tensor) for block in blocks.values() for tensor in block.parameters()),
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Stamp) and self._state == other._state

    __hash__ = None  # type: ignore[assignment]


def _sum(tensor: Tensor) -> float:
    """By NumPy, where that can: it leaves no thread of torch's turning round, when another's are to work."""
    held = tensor.detach()
    return float(held.numpy().sum() if held.dtype == torch.float32 else held.sum())


def open_session(graph: bytes, module: nn.Module, threads: int) -> Any:
    """A part as ONNX Runtime runs it, with the weights of `module`.

    Raises:
        UnfitError: it refuses.
    """
    onnxruntime: Any = quiet("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    # Threads that wait by turning round would take the time of those of torch, and of other visitors.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    state = {name: tensor.detach().contiguous().numpy() for name, tensor in module.state_dict().items()}
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in state.values()]
    try:
        options.add_external_initializers(list(state), values)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no base of their own
        raise UnfitError(f"ONNX Runtime refuses it ({first_line(error)})") from error


def run_session(session: Any, x: np.ndarray, *, let_go: bool) -> list[np.ndarray]:
    """What a part makes of `x`; afterwards it lets go of the memory that it worked in.

    Pictures do without: each would ask for the same again, which at 672 pixels takes half as long as the
    work.
    """
    onnxruntime: Any = quiet("onnxruntime")
    options = onnxruntime.RunOptions()
    if let_go:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        found: list[np.ndarray] = session.run(None, {"x": np.ascontiguousarray(x)}, options)
    except Exception as error:  # its exceptions have no base of their own
        raise UnfitError(f"ONNX Runtime failed ({first_line(error)})") from error
    return found


def _kept(name: str, parts: Sequence[Mapping[str, np.ndarray]], alone: bool) -> BlockTrace:
    """What a block did, of its outputs: of the clip (1, …), or `alone` of a part of its frames each."""
    found: Mapping[str, np.ndarray] = {key: parts[0][key][0] for key in _MAPS}
    if alone:
        joined = {key: np.concatenate([part[key] for part in parts]) for key in _MAPS}  # (T, …)
        maps = {key: joined[key][:, :, 0].swapaxes(0, 1) for key in ("gather", "distribute", "output")}
        found = {**joined, **maps, "change": joined["change"][:, 0]}
    primitives, gather, distribute, output, change = (frozen(found[key]) for key in _MAPS)
    return BlockTrace(name, primitives, gather, distribute, output, change)


def difference(found: Answer, expected: Answer) -> str:
    """What is not the same in two answers, in words; "" where nothing is."""
    for name, block in expected[1].items():
        for key in _MAPS:
            a, b = getattr(found[1][name], key), getattr(block, key)
            if a.shape != b.shape or not _close(a, b, each=b.ndim == 4):
                return f"the two differ in {key} of {name}"
    logits = found[0], expected[0].float()
    best = [each.softmax(dim=1).mean(dim=0).topk(min(TOP, each.shape[1])).indices for each in logits]
    return "" if torch.equal(*best) else "the two differ in the best classes"


def _close(a: np.ndarray, b: np.ndarray, *, each: bool) -> bool:
    """Whether two arrays are the same to a share of their largest value, `each` map to its own."""
    rows = (len(b), -1) if each else (1, -1)
    off, peak = np.abs(a - b).reshape(rows).max(axis=1), np.abs(b).reshape(rows).max(axis=1)
    return bool((off <= CLOSE * peak).all())
