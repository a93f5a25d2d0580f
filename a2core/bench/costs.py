"""What the block and its relatives cost, and how that grows with the number of positions.

Counted (parameters, multiply-adds) on shapes alone; measured (time, memory) on this machine, in small
pieces: one call never works for much longer than `LONGEST_S`, so that a server stays awake meanwhile.
Beyond what can be measured that way, times are computed from the last one measured by the ratio of the
multiply-adds, and marked so.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from a2core.bench.counts import count
from a2core.bench.measure import peak_mib
from a2core.blocks.registry import make_block

POSITIONS = (
    49, 100, 196, 400, 784, 1156, 1600, 2304, 3136, 4624, 6400, 9216, 12544, 17956, 25088, 35344, 50176,
    70756, 100352,
)  # fmt: skip
LONGEST_S = 0.8  # of one run that is measured
_REPEATS, _ENOUGH_S = 15, 0.4
_now_s = time.perf_counter
FIT_FROM = 1600  # positions: below, overheads and the projections hide how attention itself grows


@dataclass(frozen=True)
class Cost:
    """What one block costs on `positions` positions: batch 1, forward, float32."""

    positions: int
    parameters: int
    multiply_adds: int
    ms: float | None = None  # of the fastest run; None where it was neither measured nor computed
    measured: bool = False  # False: `ms` is computed from what was measured at fewer positions
    peak_mib: float | None = None  # most memory held beyond input, weights and output


@dataclass(frozen=True)
class Exponent:
    """The slope of log time over log positions, with its 95 % interval."""

    value: float
    low: float
    high: float
    points: int
    least: int  # of the positions it was fitted over
    most: int
    counted: float  # the same slope of the multiply-adds over the same positions


def count_cost(settings: Mapping[str, Any], positions: int) -> Cost:
    """Parameters and multiply-adds of a block with a card's `settings`, on shapes alone."""
    with torch.device("meta"):
        block = make_block(settings)
    parameters, multiply_adds = count(block, (1, settings["in_channels"], positions, 1))
    return Cost(positions, parameters, multiply_adds)


def measure_cost(settings: Mapping[str, Any], positions: int, *, memory: bool = False) -> Cost:
    """The same with the time of the fastest of a few runs on this CPU, and the peak memory if wanted."""
    block = make_block(settings).eval()
    cost = count_cost(settings, positions)
    ms = _time_ms(block, settings["in_channels"], positions)
    peak = None
    if memory:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler that measures memory talks a lot
        with torch.inference_mode():
            peak = peak_mib(block, torch.randn(1, settings["in_channels"], positions, 1), False)
    return replace(cost, ms=ms, measured=True, peak_mib=peak)


@torch.inference_mode()
def _time_ms(block: nn.Module, channels: int, positions: int) -> float:
    """Of the fastest run: with other work beside it most wait for their threads, a hundred times as long."""
    x = torch.randn(1, channels, positions, 1)
    block(x)  # the first run allocates
    times: list[float] = []
    while len(times) < _REPEATS and sum(times) < _ENOUGH_S:
        start = _now_s()
        block(x)
        times.append(_now_s() - start)
    return 1e3 * min(times)


def cost_curve(
    settings: Mapping[str, Any], positions: Iterable[int] = POSITIONS, *, longest_s: float = LONGEST_S
) -> Iterator[Cost]:
    """The cost at each of `positions`, ascending: measured while one run stays below `longest_s`.

    A generator: whoever iterates can show progress, and stop, between any two pieces of work.
    """
    last: Cost | None = None
    beyond = False
    for size in positions:
        cost = count_cost(settings, size)
        ahead = None
        if last is not None and last.ms is not None:  # no block is cheaper than one look at each position
            ahead = last.ms * max(cost.multiply_adds / last.multiply_adds, size / last.positions)
        beyond = beyond or (ahead is not None and ahead > 1e3 * longest_s)
        if beyond:
            yield replace(cost, ms=ahead)
            continue
        last = measure_cost(settings, size)
        yield last


def fit_exponent(costs: Iterable[Cost], *, least: int = FIT_FROM) -> Exponent | None:
    """How measured times grow with the positions, from `least` on; None with fewer than three points."""
    from scipy.special import stdtrit

    used = [cost for cost in costs if cost.measured and cost.ms and cost.positions >= least]
    if len(used) < 3:
        return None
    size, milliseconds = (
        np.log([cost.positions for cost in used]),
        np.log([cost.ms or math.nan for cost in used]),
    )
    multiply_adds = np.array([math.log(cost.multiply_adds) for cost in used])
    off = size - size.mean()
    slope = float(off @ milliseconds / (off @ off))
    rest = milliseconds - milliseconds.mean() - slope * off
    half = math.sqrt(float(rest @ rest) / (len(used) - 2) / float(off @ off))
    half *= float(stdtrit(len(used) - 2, 0.975))
    return Exponent(
        value=slope,
        low=slope - half,
        high=slope + half,
        points=len(used),
        least=used[0].positions,
        most=used[-1].positions,
        counted=float(off @ multiply_adds / (off @ off)),
    )
