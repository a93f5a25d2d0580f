"""Times and memory of modules, taken in turns."""

from __future__ import annotations

import gc
import random
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from a2core.bench.contenders import CHANNELS, SIZE, Floor, contenders, work

# A contender that takes longer than this takes part in the first rounds only; one that takes less than
# the other limit goes on for several times as many, since short times scatter most.
_SLOW_S, _ROUNDS_OF_SLOW = 2.0, 3
_FAST_S, _TIMES_AS_MANY = 0.1, 4

_REFERENCES = (
    "plain writing",
    "floor: multiplications",
    "self-attention (sdpa)",
    "ours, left",
    "ours, right",
)


@dataclass(frozen=True)
class Measured:
    """One contender at one size. Times in milliseconds; ratios to others in the same rounds."""

    contender: str
    grid: tuple[int, ...]
    positions: int
    mode: str  # "forward" or "forward+backward"
    median_ms: float
    quartiles_ms: tuple[float, float]
    fastest_ms: float
    peak_mib: float | None  # beyond input, weights and output; None where it was not measured
    ratios: dict[str, float] = field(default_factory=dict)


def measure(
    grid: tuple[int, ...], *, backward: bool, rounds: int, device: torch.device, cpu_time: bool = False
) -> list[Measured]:
    """All contenders at one grid of positions, batch 1, float32."""
    positions = torch.Size(grid).numel()
    modules: dict[str, nn.Module] = {"matrix product": Floor(CHANNELS, 3 * SIZE)}
    modules.update(contenders(len(grid), positions))
    x = torch.randn(1, CHANNELS, *grid, device=device)
    modules = {name: module.to(device).train(backward) for name, module in modules.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # public modules softmax over an implied axis
        times, slow = _taking_turns(modules, x, backward, rounds, cpu_time)
        peaks = {
            name: peak_mib(module, x, backward)
            for name, module in modules.items()
            if not (backward and name in slow)
        }
    product = CHANNELS * 3 * SIZE * positions
    scale = work(CHANNELS, SIZE, SIZE, positions) / product
    # With gradients the product has both of its own too, so the same scale holds.
    times["floor: multiplications"] = [value * scale for value in times["matrix product"]]
    mode = "forward+backward" if backward else "forward"
    return [_row(name, grid, mode, times, peaks.get(name)) for name in times]


def _taking_turns(
    modules: Mapping[str, nn.Module], x: Tensor, backward: bool, rounds: int, cpu_time: bool
) -> tuple[dict[str, list[float]], set[str]]:
    """Milliseconds of each run of each module, in an order drawn anew each round; and who is slow."""
    sync: Callable[[], None] = torch.cuda.synchronize if x.is_cuda else lambda: None
    clock = time.process_time if cpu_time else time.perf_counter

    def once(module: nn.Module) -> float:
        sync()
        with torch.set_grad_enabled(backward):
            inputs = x.clone().requires_grad_() if backward else x
            start = clock()
            y = module(inputs)
            if backward:
                y.backward(torch.ones_like(y))
        sync()
        return clock() - start

    first = {name: once(module) for name, module in modules.items()}
    slow = {name for name, seconds in first.items() if seconds > _SLOW_S}
    fast = {name for name, seconds in first.items() if seconds < _FAST_S}
    turns = {
        name: min(rounds, _ROUNDS_OF_SLOW)
        if name in slow
        else rounds * (_TIMES_AS_MANY if name in fast else 1)
        for name in modules
    }
    times: dict[str, list[float]] = {name: [] for name in modules}
    order = random.Random(0)
    for index in range(max(turns.values())):
        playing = [name for name, count in turns.items() if index < count]
        order.shuffle(playing)  # whoever comes after a hungry contender finds the caches empty
        for name in playing:
            times[name].append(once(modules[name]) * 1e3)
    return times, slow


def _row(
    name: str, grid: tuple[int, ...], mode: str, times: Mapping[str, list[float]], peak: float | None
) -> Measured:
    values = times[name]
    low, middle, high = statistics.quantiles(values, n=4)
    return Measured(
        contender=name,
        grid=grid,
        positions=torch.Size(grid).numel(),
        mode=mode,
        median_ms=middle,
        quartiles_ms=(low, high),
        fastest_ms=min(values),
        peak_mib=peak,
        ratios={
            other: statistics.median(a / b for a, b in zip(values, times[other], strict=False))
            for other in _REFERENCES
            if other in times and other != name
        },
    )


def peak_mib(module: nn.Module, x: Tensor, backward: bool) -> float | None:
    """Most memory held at once beyond input, weights and output (backward: and gradients of both)."""
    gc.collect()
    if x.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    with torch.set_grad_enabled(backward):
        inputs = x.clone().requires_grad_() if backward else x
        for parameter in module.parameters():
            parameter.grad = None
        if x.device.type == "cuda":
            before = torch.cuda.memory_allocated()
            y = module(inputs)
            if backward:
                y.backward(torch.ones_like(y))
            torch.cuda.synchronize()
            return (torch.cuda.max_memory_allocated() - before - y.nbytes) / 2**20
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
        ) as profile:
            y = module(inputs)
            if backward:
                y.backward(torch.ones_like(y))
    held = peak = 0
    memory = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(memory, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return (peak - y.nbytes) / 2**20
