"""`python -m a2core bench --trace`, `--pipeline CLIP` and `--experiment`: what looking costs, and asking.

The plain network is the same trunk without blocks and without anybody looking, its batch norms folded
into the convolutions as the model's are; the published network is the same as timm has it, norms apart.
All contenders take turns round by round in one process; a ratio is the median of the ratios within a
round. Frames of a clip are given to the plain network both ways: a few at a time, as a trace does, which
is quickest on a CPU, and all at once, as one would write it. An experiment runs only what stands behind
the block.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2core.bench.block import machine
from a2core.errors import NetworkError
from a2core.load import load_model
from a2core.media import Clip, read_media
from a2core.networks.backbones import load_backbone
from a2core.networks.fold import fold_norms
from a2core.tracing.intervene import Replay
from a2core.tracing.model import Model
from a2core.tracing.model_input import input_shape, resize_frames

PICTURE_SIZES = (224, 448, 672)
EXPERIMENT_SIZE = 448


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that `python -m a2core bench` has besides those of the block."""
    parser.add_argument("--trace", action="store_true", help="instead: a picture's trace beside the network")
    parser.add_argument("--experiment", action="store_true", help="instead: experiments on a picture")
    parser.add_argument("--pipeline", type=Path, metavar="CLIP", help="instead: a clip, from file to trace")
    parser.add_argument("--size", type=int, default=352, help="of --pipeline (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=16, help="of --pipeline (default: %(default)s)")


def wanted(args: argparse.Namespace) -> bool:
    """Whether this bench was asked for, not that of the block."""
    return bool(args.trace or args.pipeline or args.experiment)


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write JSON where asked."""

    def find() -> Any:
        model = load_model(device=args.device)
        plain = plain_network(model)
        print(f"{machine(model.device, args.threads)}; {args.clock} clock; {args.rounds} rounds")
        if args.pipeline:
            return pipeline(model, plain, args)
        if args.experiment:
            return experiment(model, plain, args)
        return [picture(model, plain, size, args) for size in PICTURE_SIZES]

    return measured(args, find)


def measured(args: argparse.Namespace, find: Callable[[], Any]) -> int:
    """Run `find` on so many threads as are asked for, and write what it found as JSON where asked."""
    if args.rounds < 2:
        raise NetworkError(f"{args.rounds} rounds give no spread. Use at least 2.")
    if args.clock == "cpu" and args.threads != 1:
        raise NetworkError("Processor time is comparable on one thread only. Add --threads 1.")
    before = torch.get_num_threads()
    torch.set_num_threads(args.threads)
    try:
        found = find()
    finally:
        torch.set_num_threads(before)
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def plain_network(model: Model, *, folded: bool = True) -> torch.nn.Module:
    """The trunk of a checkpoint's network, without blocks, where and as the model has it, or as published."""
    network = load_backbone(model.card["architecture"]["backbone"]).network.eval()
    network = fold_norms(network) if folded else network
    return network.requires_grad_(False).to(model.device).to(memory_format=torch.channels_last)


def picture(model: Model, plain: torch.nn.Module, size: int, args: argparse.Namespace) -> dict[str, Any]:
    """One square picture: the plain network, and its trace."""
    clip = noise(size)
    times = in_turns(
        {
            "plain network": lambda: forward(model, plain, clip.frames, 1),
            "trace": lambda: model.trace(clip, size=size),
        },
        args,
        model.device,
    )
    return told(f"a picture of {size} × {size} pixels", times, ("plain network",))


def noise(size: int, seed: int = 0) -> Clip:
    """A square picture of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    return Clip(pixels, np.zeros(1), "image", "noise", ())


def experiment(model: Model, plain: torch.nn.Module, args: argparse.Namespace) -> dict[str, Any]:
    """Experiments on one square picture: from its pixels, and each after the first, by block."""
    size = EXPERIMENT_SIZE
    clip = noise(size)
    replay, donor = Replay(model, clip, size=size), Replay(model, noise(size, seed=1), size=size)
    contenders: dict[str, Callable[[], Any]] = {
        "plain network": lambda: forward(model, plain, clip.frames, 1)
    }

    def of(block: str) -> dict[str, Callable[[], Any]]:
        return {
            f"{block}: from the pixels to an answer": lambda: Replay(model, clip, size=size).run(
                block, off=[0]
            ),
            f"{block}: one primitive off": lambda: replay.run(block, off=[0]),
            f"{block}: all but one off, ρ shared out": lambda: replay.run(block, only=[0], renormalise=True),
            f"{block}: a bag transplanted": lambda: replay.run(block, donor=donor),
            f"{block}: first-order terms of all": lambda: replay.first_order(block),
        }

    for block in replay.blocks:
        contenders |= of(block)
    times = in_turns(contenders, args, model.device)
    return told(f"experiments on a picture of {size} × {size} pixels", times, ("plain network",))


def pipeline(model: Model, plain: torch.nn.Module, args: argparse.Namespace) -> dict[str, Any]:
    """One clip: reading it, the plain network on its frames, tracing them, and file to trace."""
    wide = 2 * args.size  # decoded no larger than this serves the model input just as well

    def read() -> Clip:
        return read_media(args.pipeline, max_frames=args.frames, max_side_px=wide)

    clip = read()
    _, decoded_height, decoded_width, _ = clip.frames.shape
    pixels = resize_frames(clip.frames, input_shape(decoded_height, decoded_width, args.size))
    published = plain_network(model, folded=False)
    count, height, width, _ = pixels.shape
    few = model.frames_at_once
    times = in_turns(
        {
            f"plain network, {few} frames at a time": lambda: forward(model, plain, pixels, few),
            "plain network, all frames at once": lambda: forward(model, plain, pixels, count),
            "published network, all frames at once": lambda: forward(model, published, pixels, count),
            "read": read,
            "trace": lambda: model.trace(clip, size=args.size),
            "file to trace": lambda: model.trace(read(), size=args.size),
        },
        args,
        model.device,
    )
    title = f"{args.pipeline.name}: {count} frames of {width} × {height} pixels"
    return told(title, times, tuple(times)[:3])


@torch.inference_mode()
def forward(model: Model, plain: torch.nn.Module, pixels: np.ndarray, at_once: int) -> None:
    """The plain network on frames (T, H, W, 3) uint8, so many at a time."""
    with model.autocast():
        for at in range(0, len(pixels), at_once):
            plain(model.preprocess(pixels[at : at + at_once]))


def in_turns(
    contenders: Mapping[str, Callable[[], Any]], args: argparse.Namespace, device: torch.device
) -> dict[str, list[float]]:
    """Seconds of each contender in each round; one round before is not counted."""
    clock = time.process_time if args.clock == "cpu" else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for index in range(args.rounds + 1):
        order = list(contenders)
        random.shuffle(order)
        for name in order:
            start = clock()
            contenders[name]()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if index:
                times[name].append(clock() - start)
    return times


def told(title: str, times: Mapping[str, list[float]], references: tuple[str, ...]) -> dict[str, Any]:
    """Print one table and return it."""
    columns = "".join(f"{f'× ({chr(97 + index)})':>9}" for index in range(len(references)))
    print(f"\n{title}\n  {'':<44}{'median':>10}{'quartiles':>20}{columns}")
    rows = []
    for name, values in times.items():
        low, middle, high = (1e3 * value for value in statistics.quantiles(values, n=4))
        ratios = {
            other: statistics.median(a / b for a, b in zip(values, times[other], strict=True))
            for other in references
            if other != name
        }
        shown = "".join(f"{ratios[other]:>9.2f}" if other in ratios else " " * 9 for other in references)
        mark = f"({chr(97 + references.index(name))}) " if name in references else ""
        print(f"  {mark + name:<44}{middle:>7.0f} ms{f'{low:.0f}–{high:.0f} ms':>20}{shown}", flush=True)
        rows.append({"contender": name, "median_ms": middle, "quartiles_ms": [low, high], "ratios": ratios})
    return {"what": title, "rows": rows}
