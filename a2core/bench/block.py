"""`python -m a2core bench`: the block against a plain writing of it, its rivals, and the machine.

Everything in one process and one run. The contenders take turns round by round, so that whatever
else the machine does falls on all of them alike; medians and quartiles are of the rounds. Ratios are
medians of ratios within a round. The floor is the time that the block's own multiply-adds (left
order, folded where cheaper) take at the speed this machine reached, in the same rounds, on one plain
matrix product of the projections' shape: nothing can beat it by much.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import platform
import random
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.non_local import NonLocal
from a2core.blocks.self_attention import SelfAttention
from a2core.errors import NetworkError
from a2core.networks.devices import pick_device

CHANNELS, SIZE = 512, 128
GRIDS: tuple[tuple[int, ...], ...] = ((14, 14), (28, 28), (56, 56), (112, 112), (8, 28, 28))
_LARGEST_WRITTEN_OUT = 3136  # positions; beyond, N×N in float32 with its gradients needs gigabytes


# A contender that takes longer than this takes part in the first rounds only; one that takes less than
# the other limit goes on for several times as many, since short times scatter most.
_SLOW_S, _ROUNDS_OF_SLOW = 2.0, 3
_FAST_S, _TIMES_AS_MANY = 0.1, 4


class PlainDoubleAttention(nn.Module):
    """The block as it is commonly written: three convolutions, two softmaxes, three products, one more.

    Right axes and a residual; nothing folded, fused or rearranged. What ours is compared with.
    """

    def __init__(self, channels: int, c_m: int, c_n: int, dims: int = 2) -> None:
        super().__init__()
        conv: Any = nn.Conv3d if dims == 3 else nn.Conv2d
        self.a, self.b, self.v = conv(channels, c_m, 1), conv(channels, c_n, 1), conv(channels, c_n, 1)
        self.out = conv(c_m, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """X plus the expanded result."""
        a = self.a(x)
        gather = F.softmax(self.b(x).flatten(2), dim=-1)
        distribute = F.softmax(self.v(x).flatten(2), dim=1)
        bag = torch.bmm(a.flatten(2), gather.permute(0, 2, 1))
        z = torch.matmul(bag, distribute).view_as(a)
        return x + self.out(z)


class _Alone(nn.Module):
    """A public module of the same kind, given the residual that it lacks."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return x + self.module(x)


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


def contenders(
    dims: int, positions: int, *, channels: int = CHANNELS, size: int = SIZE
) -> dict[str, nn.Module]:
    """Everything that is measured at one size, ours without norms as the plain writing has none."""
    found: dict[str, nn.Module] = {}
    for order in ("auto", "left", "right"):
        if order != "right" or positions <= _LARGEST_WRITTEN_OUT:
            found[f"ours, {order}"] = DoubleAttention(channels, size, size, dims, order, input_norm=False)
    found["plain writing"] = PlainDoubleAttention(channels, size, size, dims)
    if dims == 2:
        found.update(_public_blocks(channels, size))
    found["self-attention (sdpa)"] = SelfAttention(channels, heads=8, dims=dims)
    if positions <= _LARGEST_WRITTEN_OUT:
        found["non-local, written out"] = NonLocal(channels, dims=dims, fused=False)
    return found


def _public_blocks(channels: int, size: int) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for name in PUBLIC_BLOCKS:
        block = public_block(name)
        if block is not None:
            found[name] = _Alone(block(channels, size, size))
    return found


PUBLIC_BLOCKS = {
    "fightingcv-attention": ("fightingcv_attention", "attention/A2Atttention.py"),
    "pyzjr": ("pyzjr", "Models/_attention/A2.py"),
}


def public_block(name: str) -> type[nn.Module] | None:
    """The double attention class of an installed public package, None when there is none.

    Its one file is loaded by itself: the packages around it want libraries that it does not need.
    """
    package, file = PUBLIC_BLOCKS[name]
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / file
        if path.is_file():
            own = importlib.util.spec_from_file_location(f"_a2core_public_{package}", path)
            if own is not None and own.loader is not None:
                module = importlib.util.module_from_spec(own)
                own.loader.exec_module(module)
                return module.DoubleAttention
    return None


def work(channels: int, c_m: int, c_n: int, positions: int) -> int:
    """Multiply-adds of the block in the left order, each projection applied where it is cheapest."""
    phi = min(
        channels * c_m * positions + c_m * c_n * positions, channels * c_n * positions + channels * c_m * c_n
    )
    expand = min(
        c_m * c_n * positions + channels * c_m * positions, channels * c_m * c_n + channels * c_n * positions
    )
    return 2 * channels * c_n * positions + phi + expand


class _Floor(nn.Module):
    """One matrix product of the shape of the projections: how fast this machine multiplies."""

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight @ x.flatten(2)[0]


def measure(
    grid: tuple[int, ...], *, backward: bool, rounds: int, device: torch.device, cpu_time: bool = False
) -> list[Measured]:
    """All contenders at one grid of positions, batch 1, float32."""
    positions = torch.Size(grid).numel()
    modules: dict[str, nn.Module] = {"matrix product": _Floor(CHANNELS, 3 * SIZE)}
    modules.update(contenders(len(grid), positions))
    x = torch.randn(1, CHANNELS, *grid, device=device)
    modules = {name: module.to(device).train(backward) for name, module in modules.items()}
    sync: Callable[[], None] = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    clock = time.process_time if cpu_time else time.perf_counter

    def once(module: nn.Module) -> float:
        sync()
        start = clock()
        with torch.set_grad_enabled(backward):
            inputs = x.clone().requires_grad_() if backward else x
            start = clock()
            y = module(inputs)
            if backward:
                y.backward(torch.ones_like(y))
        sync()
        return clock() - start

    times: dict[str, list[float]] = {name: [] for name in modules}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # public modules softmax over an implied axis
        first = {name: once(module) for name, module in modules.items()}
        slow = {name for name, seconds in first.items() if seconds > _SLOW_S}
        turns = {
            name: min(rounds, _ROUNDS_OF_SLOW)
            if name in slow
            else rounds * _TIMES_AS_MANY
            if seconds < _FAST_S
            else rounds
            for name, seconds in first.items()
        }
        order = random.Random(0)
        for index in range(max(turns.values())):
            playing = [name for name, count in turns.items() if index < count]
            order.shuffle(playing)  # whoever comes after a hungry contender finds the caches empty
            for name in playing:
                times[name].append(once(modules[name]) * 1e3)
        peaks = {
            name: peak_mib(module, x, backward)
            for name, module in modules.items()
            if not (backward and name in slow)
        }
    product = CHANNELS * 3 * SIZE * positions
    scale = work(CHANNELS, SIZE, SIZE, positions) / product
    # With gradients the product has both of its own too, so the same scale holds.
    times["floor: multiplications"] = [value * scale for value in times["matrix product"]]
    references = (
        "plain writing",
        "floor: multiplications",
        "self-attention (sdpa)",
        "ours, left",
        "ours, right",
    )
    rows = []
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        rows.append(
            Measured(
                contender=name,
                grid=grid,
                positions=positions,
                mode="forward+backward" if backward else "forward",
                median_ms=middle,
                quartiles_ms=(low, high),
                fastest_ms=min(values),
                peak_mib=peaks.get(name),
                ratios={
                    other: statistics.median(a / b for a, b in zip(values, times[other], strict=False))
                    for other in references
                    if other in times and other != name
                },
            )
        )
    return rows


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


def machine(device: torch.device, threads: int) -> str:
    """One line on what the figures were taken on."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"CPU {platform.machine()} {capability}, {threads} threads, torch {torch.__version__}"


def format_rows(rows: list[Measured]) -> str:
    """The table as text."""
    lines = []
    for (grid, mode), group in _grouped(rows).items():
        positions = group[0].positions
        lines += ["", f"{'×'.join(map(str, grid))} = {positions} positions, {mode}"]
        lines.append(
            f"  {'':<26}{'median':>10}{'quartiles':>20}{'fastest':>10}{'peak':>11}"
            f"{'× plain':>9}{'× floor':>9}{'× sdpa':>9}"
        )
        for row in group:
            low, high = row.quartiles_ms
            peak = "" if row.peak_mib is None else f"{row.peak_mib:.1f} MiB"
            ratios = "".join(
                f"{row.ratios[key]:>9.2f}" if key in row.ratios else f"{'':>9}"
                for key in ("plain writing", "floor: multiplications", "self-attention (sdpa)")
            )
            lines.append(
                f"  {row.contender:<26}{row.median_ms:>7.2f} ms{f'{low:.2f}–{high:.2f} ms':>20}"
                f"{row.fastest_ms:>7.2f} ms{peak:>11}{ratios}"
            )
    return "\n".join(lines).lstrip("\n")


def _grouped(rows: list[Measured]) -> dict[tuple[tuple[int, ...], str], list[Measured]]:
    groups: dict[tuple[tuple[int, ...], str], list[Measured]] = {}
    for row in rows:
        groups.setdefault((row.grid, row.mode), []).append(row)
    return groups


def verdicts(rows: list[Measured]) -> list[tuple[str, float, float, bool]]:
    """Each target of the project with what was measured: (words, limit, value, met)."""
    found = []
    for (grid, mode), group in _grouped(rows).items():
        by_name = {row.contender: row for row in group}
        ours, positions = by_name["ours, auto"], group[0].positions
        where = f"{'×'.join(map(str, grid))}, {mode}"
        wanted = []
        if positions >= 784:
            wanted += [("plain writing", 0.85), ("floor: multiplications", 1.35)]
        if positions in (3136, 12544):
            wanted.append(("self-attention (sdpa)", 0.30 if positions == 3136 else 0.12))
        for other, limit in wanted:
            value = ours.ratios[other]
            found.append((f"ours / {other} at {where}", limit, value, value <= limit))
        behind = max(ours.ratios[key] for key in ("ours, left", "ours, right") if key in ours.ratios)
        found.append((f"auto / better order at {where}", 1.05, behind, behind <= 1.05))
        if positions == 12544 and mode == "forward" and ours.peak_mib is not None:
            share = ours.peak_mib * 2**20 / (4 * positions**2)
            found.append((f"peak memory / N×N at {where}", 0.01, share, share < 0.01))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m a2core bench`."""
    parser.add_argument(
        "--rounds",
        type=int,
        default=11,
        help="rounds of each contender, four times as many of those under 0.1 s (default: %(default)s)",
    )
    parser.add_argument("--positions", type=int, nargs="+", help="only grids of so many positions")
    parser.add_argument("--mode", choices=("forward", "backward", "both"), default="both")
    parser.add_argument("--threads", type=int, default=2, help="of torch on the CPU (default: %(default)s)")
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: time of the processor spent here, for a machine that others use too; takes --threads 1",
    )
    parser.add_argument("--device", default="cpu", help="auto, cuda, mps or cpu (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write everything here")


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and the verdicts."""
    device = pick_device(args.device)
    if args.clock == "cpu" and (args.threads != 1 or device.type != "cpu"):
        raise NetworkError("Processor time is comparable on one thread only. Add --threads 1 --device cpu.")
    if args.rounds < 2:
        raise NetworkError(f"{args.rounds} rounds give no spread. Use at least 2.")
    grids = [g for g in GRIDS if not args.positions or torch.Size(g).numel() in args.positions]
    if not grids:
        known = ", ".join(str(torch.Size(g).numel()) for g in GRIDS)
        raise NetworkError(f"No grid has so many positions. Choose from {known}.")
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler that measures memory talks a lot
    before = torch.get_num_threads()
    torch.set_num_threads(args.threads)
    modes = {"forward": (False,), "backward": (True,), "both": (False, True)}[args.mode]
    rows: list[Measured] = []
    try:
        print(f"{machine(device, args.threads)}; {args.clock} clock; c = {CHANNELS}, m = n = {SIZE}")
        for grid in grids:
            for backward in modes:
                part = measure(
                    grid,
                    backward=backward,
                    rounds=args.rounds,
                    device=device,
                    cpu_time=args.clock == "cpu",
                )
                rows += part
                print("\n" + format_rows(part), flush=True)
    finally:
        torch.set_num_threads(before)
    judged = verdicts(rows)
    print("\nTargets")
    for words, limit, value, met in judged:
        print(f"  {'met   ' if met else 'missed'}  {value:7.3f}  (at most {limit:g})  {words}")
    if args.json is not None:
        report = {
            "machine": machine(device, args.threads),
            "clock": args.clock,
            "rounds": args.rounds,
            "rows": [asdict(row) for row in rows],
            "targets": [
                {"what": words, "limit": limit, "value": value, "met": met}
                for words, limit, value, met in judged
            ],
        }
        args.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0
