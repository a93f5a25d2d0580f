"""`python -m a2core bench`: the block against a plain writing of it, its rivals, and the machine.

Everything in one process and one run. The contenders take turns round by round, so that whatever
else the machine does falls on all of them alike; medians and quartiles are of the rounds. Ratios are
medians of ratios within a round. The floor is the time that the block's own multiply-adds (left
order, folded where cheaper) take at the speed this machine reached, in the same rounds, on one plain
matrix product of the projections' shape: nothing can beat it by much.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

import torch

from a2core.bench.contenders import CHANNELS, SIZE
from a2core.bench.measure import Measured, measure
from a2core.errors import NetworkError
from a2core.networks.devices import pick_device

GRIDS: tuple[tuple[int, ...], ...] = ((14, 14), (28, 28), (56, 56), (112, 112), (8, 28, 28))


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
