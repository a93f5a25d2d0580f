"""The study's results as rows, a table and a drawing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from a2core.bench.counts import count
from a2core.blocks.registry import make_block
from a2core.training.finetune.study_photos import SITE
from a2core.training.finetune.study_variants import VARIANTS


def costs(size_px: int, *, rounds: int = 40) -> dict[str, dict[str, float]]:
    """Parameters and multiply-adds of each variant's block, and the milliseconds that it takes.

    One picture of `size_px`; the best of `rounds` passes, the variants taking turns.
    """
    grid = size_px // SITE.stride_px
    x = torch.randn(1, SITE.channels, grid, grid, generator=torch.Generator().manual_seed(0))
    x = x.contiguous(memory_format=torch.channels_last)
    table: dict[str, dict[str, float]] = {"no block": {"params": 0, "madds": 0, "ms": 0.0}}
    blocks = {}
    for name, settings in VARIANTS.items():
        if settings is not None:
            params, madds = count(make_block({"in_channels": SITE.channels, **settings}), tuple(x.shape))
            table[name] = {"params": params, "madds": madds, "ms": float("inf")}
            blocks[name] = make_block({"in_channels": SITE.channels, **settings}).eval()
    with torch.inference_mode():
        for _ in range(rounds):
            for name, block in blocks.items():
                block(x)
                start = time.perf_counter()
                for _ in range(10):
                    block(x)
                table[name]["ms"] = min(table[name]["ms"], (time.perf_counter() - start) * 100)
    return table


def summarise(runs: Sequence[Mapping[str, Any]], size_px: int) -> list[dict[str, Any]]:
    """One row a variant: accuracies of its seeds, their mean and standard deviation, gain, costs.

    The gain is the mean over seeds of the difference from "no block" with the same seed.
    """
    cost, rows = costs(size_px), []
    final = [run for run in runs if run["phase"] == "final"]
    plain = {run["seed"]: run["accuracy"] for run in final if run["variant"] == "no block"}
    for name in VARIANTS:
        own = sorted((run for run in final if run["variant"] == name), key=lambda run: run["seed"])
        accuracies = np.array([run["accuracy"] for run in own])
        gains = accuracies - [plain[run["seed"]] for run in own]
        spread = 1 if len(own) > 1 else 0
        rows.append(
            {
                "variant": name,
                "accuracies": accuracies.tolist(),
                "mean": float(accuracies.mean()),
                "std": float(accuracies.std(ddof=spread)),
                "gain": float(gains.mean()),
                "gain std": float(gains.std(ddof=spread)),
                "by folder": np.mean([run["accuracy by folder"] for run in own], axis=0).tolist(),
                "block rate": own[0]["block rate"],
                **cost[name],
            }
        )
    return rows


def markdown_table(rows: Sequence[Mapping[str, Any]], folders: Sequence[str]) -> str:
    """The rows as the table of docs/results.md."""
    head = ["block", "accuracy", "gain", *folders, "parameters", "multiply-adds", "milliseconds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [
            row["variant"],
            f"{100 * row['mean']:.2f} ± {100 * row['std']:.2f} %",
            f"{100 * row['gain']:+.2f} ± {100 * row['gain std']:.2f}" if row["params"] else "–",
            *(f"{100 * value:.2f} %" for value in row["by folder"]),
            f"{row['params']:,}",
            f"{row['madds'] / 1e6:.2f} M",
            f"{row['ms']:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """The accuracies as an SVG: a dot for every seed, a bar at their mean."""
    width, left, right, top, step = 720, 170, 40, 24, 38
    values = [100 * value for row in rows for value in row["accuracies"]]
    low, high = np.floor(2 * min(values)) / 2, np.ceil(2 * max(values)) / 2 + 0.001
    height = top + step * len(rows) + 48

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - right)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="14" '
        'font-family="system-ui, sans-serif" role="img" aria-label="Accuracy of the six variants">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for tick in np.arange(low, high, 0.5):
        x = x_of(float(tick))
        parts.append(f'<path d="M{x:.1f} {top - 8}V{height - 44}" stroke="#dde1e6"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 26}" text-anchor="middle" fill="#444">{tick:g}</text>')
    parts.append(
        f'<text x="{(left + width - right) / 2:.0f}" y="{height - 7}" text-anchor="middle" fill="#444">'
        "accuracy on the validation photos, %: dots are seeds, bars their mean</text>"
    )
    for index, row in enumerate(rows):
        y = top + step * index + step / 2
        colour = "#b5441f" if row["variant"] == "A²" else "#3b5b92"
        weight = ' font-weight="600"' if row["variant"] == "A²" else ""
        parts.append(
            f'<text x="{left - 14}" y="{y + 5:.0f}" text-anchor="end" fill="#111"{weight}>'
            f"{row['variant']}</text>"
        )
        x = x_of(100 * row["mean"])
        parts.append(f'<path d="M{x:.1f} {y - 12}V{y + 12}" stroke="{colour}" stroke-width="3"/>')
        parts += [
            f'<circle cx="{x_of(100 * value):.1f}" cy="{y}" r="5" fill="{colour}" fill-opacity="0.55"/>'
            for value in row["accuracies"]
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"
