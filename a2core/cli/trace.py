"""`python -m a2core trace`: the arrays of a picture or clip."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from a2core.cli.looking import add_network, network_of
from a2core.cli.writing import writing
from a2core.errors import A2Error
from a2core.export import write_npz
from a2core.media import read_media
from a2core.tracing.probe import half_area

HELP = "trace a picture or clip; write its arrays as .npz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("media", type=Path, help="picture or clip")
    parser.add_argument(
        "--out", type=Path, help="file to write (.npz); without it only the summary is printed"
    )
    parser.add_argument("--size", type=int, default=448, help="long side in pixels (default: %(default)s)")
    parser.add_argument(
        "--frames", type=int, default=16, help="at most so many frames of a clip (default: %(default)s)"
    )
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Trace one file, print what was seen, write the arrays."""
    if args.out is not None and args.out.suffix != ".npz":
        raise A2Error(
            f"--out {args.out.name} does not end in .npz. Name it, for example, {args.out.stem}.npz."
        )
    clip = read_media(args.media, max_frames=args.frames)
    for note in clip.notes:
        print(f"note: {note}")
    model = network_of(args)
    trace = model.trace(clip, size=args.size)
    frames, height, width, _ = trace.model_input.shape
    print(
        f"{args.media.name}: {frames} × {width} × {height} pixels, {trace.checkpoint} on {trace.device}, "
        f"{trace.elapsed_s:.2f} s by {trace.engine}"
    )
    for name, block in trace.blocks.items():
        positions = int(np.prod(block.grid))
        share = np.median(half_area(block.gather)) / positions
        print(
            f"{name}: n={block.n} m={block.m} grid={'×'.join(map(str, block.grid))}, "
            f"half of a map comes from {share:.1%} of {positions} cells (median)"
        )
    if trace.top:
        print("top: " + ", ".join(f"{label} {probability:.1%}" for label, probability in trace.top))
    if args.out is not None:
        with writing(args.out, "--out"), args.out.open("wb") as file:
            write_npz(file, trace)
        print(f"wrote {args.out}")
    return 0
