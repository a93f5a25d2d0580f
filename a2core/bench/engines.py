"""`python -m a2core bench --engines`: a trace by torch and by ONNX Runtime, in turns.

The same pictures, and a clip as it lies in memory: what is timed is `Model.trace`, from frames to arrays.
With `--compile` torch.compile takes part too, with the network's forward pass alone, no map kept: less than a
trace. With `--photos FOLDER` the two are compared on the photos in it, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2core.bench.block import machine
from a2core.bench.trace import in_turns, measured, told
from a2core.load import load_model
from a2core.media import Clip, read_media
from a2core.tracing.engine import ONNXRUNTIME, TORCH
from a2core.tracing.model import Model
from a2core.tracing.trace import Trace

# Frames, height and width.
SIZES = ((1, 288, 448), (1, 672, 672), (16, 192, 352))
PHOTOS, MOST_PHOTOS = (".jpg", ".jpeg", ".png"), 200
PHOTO_SIZES_PX = (224, 352, 448)
MAPS = ("primitives", "gather", "distribute", "output", "change")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this bench."""
    parser.add_argument("--engines", action="store_true", help="instead: a trace by torch and ONNX Runtime")
    parser.add_argument("--compile", action="store_true", help="of --engines: torch.compile too")
    parser.add_argument("--photos", type=Path, help=f"of --engines: compare both on {MOST_PHOTOS} of these")


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON where asked."""

    def find() -> dict[str, Any]:
        by = {engine: load_model(device="cpu", engine=engine) for engine in (TORCH, ONNXRUNTIME)}
        print(f"{machine(by[TORCH].device, args.threads)}; {args.clock} clock; {args.rounds} rounds")
        found: dict[str, Any] = {"times": [times(by, *size, args) for size in SIZES]}
        if args.photos is not None:
            files = sorted(path for path in args.photos.iterdir() if path.suffix.lower() in PHOTOS)
            found["agreement"] = agreement(by, files[:MOST_PHOTOS])
        return found

    return measured(args, find)


def times(by: dict[str, Model], count: int, height: int, width: int, args: argparse.Namespace) -> Any:
    """Traces of one clip of random pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    clip = Clip(pixels, np.arange(count) / 8, "image" if count == 1 else "video", "noise", ())
    size = max(height, width)
    contenders: dict[str, Callable[[], Any]] = {
        f"trace by {engine}": lambda model=model: model.trace(clip, size=size)  # type: ignore[misc]
        for engine, model in by.items()
    }
    if args.compile and (count, height, width) == SIZES[0]:  # each size takes it a minute or more
        model = by[TORCH]
        compiled = torch.compile(model.network)
        x = model.preprocess(pixels)
        contenders["forward pass by torch.compile, no maps"] = torch.inference_mode()(lambda: compiled(x))
    what = f"{count} frame{'s' * (count > 1)} of {width} × {height} pixels"
    return told(what, in_turns(contenders, args, by[TORCH].device), (f"trace by {TORCH}",))


def agreement(by: dict[str, Model], files: Iterable[Path]) -> dict[str, Any]:
    """How far the two are from one another on photos: of each map's peak, and in the five best classes."""
    count = same = fast = 0
    furthest = dict.fromkeys(MAPS, 0.0)
    for number, path in enumerate(files):
        clip = read_media(path, max_frames=1)
        size = PHOTO_SIZES_PX[number % len(PHOTO_SIZES_PX)]
        ours, theirs = (by[engine].trace(clip, size=size) for engine in (ONNXRUNTIME, TORCH))
        count, fast = count + 1, fast + (ours.engine == ONNXRUNTIME)
        same += [label for label, _ in ours.top] == [label for label, _ in theirs.top]
        for key in MAPS:
            furthest[key] = max(furthest[key], _furthest(ours, theirs, key))
    print(
        f"\n{count} photos, {fast} of them by {ONNXRUNTIME}: the five best classes the same, in their order, "
        f"in {same}; furthest apart, of each map's peak: "
        + ", ".join(f"{key} {off:.1e}" for key, off in furthest.items())
    )
    return {"photos": count, "by onnxruntime": fast, "same five best": same, "furthest": furthest}


def _furthest(ours: Trace, theirs: Trace, key: str) -> float:
    found = 0.0
    for name, block in theirs.blocks.items():
        a, b = getattr(ours.blocks[name], key), getattr(block, key)
        rows = (len(b), -1) if b.ndim == 4 else (1, -1)
        peaks = np.abs(b).reshape(rows).max(axis=1)
        found = max(found, float((np.abs(a - b).reshape(rows).max(axis=1) / peaks).max()))
    return found
