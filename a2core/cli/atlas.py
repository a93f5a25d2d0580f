"""`python -m a2core atlas build|measure|export|slim`: what each primitive is, over all pictures."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from a2core.cli.writing import writing
from a2core.errors import AtlasError

HELP = "what each primitive is, over all of your pictures"
DESCRIPTION = """\
Build an atlas: one pass over any number of pictures keeps, of each picture and primitive, where it was
gathered and handed out most and what it did to the answer, and of each primitive its exemplars. Given again,
the same command goes on where it was stopped or killed."""
EXAMPLES = """\
examples:
  python -m a2core atlas build PHOTOS --out my-atlas
  python -m a2core atlas build holiday work.txt shard-000.tar table.parquet --out my-atlas --size 224
  python -m a2core atlas measure my-atlas --second other-seed-atlas
  python -m a2core atlas export my-atlas --html my-atlas.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_build(actions.add_parser("build", help="build an atlas, or go on with one that was begun"))
    measure = actions.add_parser("measure", help="measure its primitives anew")
    measure.add_argument("atlas", type=Path, help="folder of the atlas")
    measure.add_argument(
        "--second", type=Path, metavar="ATLAS", help="of the same pictures by another seed: adds stability"
    )
    measure.set_defaults(act=_measure)
    export = actions.add_parser("export", help="one HTML file to send, which works offline")
    export.add_argument("atlas", type=Path, help="folder of the atlas")
    export.add_argument("--html", type=Path, required=True, help="file to write")
    export.add_argument("--block", help="of this block alone (default: all)")
    export.add_argument(
        "--exemplars", type=int, default=64, help="of each primitive, at most (default: %(default)s)"
    )
    export.set_defaults(act=_export)
    slim = actions.add_parser("slim", help="small versions to pass on, of pictures that may be passed on")
    slim.add_argument("atlas", type=Path, nargs="+", help="folders of atlases of the same pictures")
    slim.add_argument("--out", type=Path, required=True, help="folder to write")
    slim.add_argument(
        "--credits",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="CSV with the columns file, author, licence, url; may be given several times",
    )
    slim.add_argument("--exemplars", type=int, default=12, help="of each order (default: %(default)s)")
    slim.add_argument(
        "--side", type=int, default=160, help="long side of small pictures, in pixels (default: %(default)s)"
    )
    slim.set_defaults(act=_slim)


def _add_build(build: argparse.ArgumentParser) -> None:
    build.add_argument(
        "pictures",
        nargs="+",
        help="folders, which are searched whole; .txt files of one path a line; .tar files (webdataset); "
        ".parquet files with a column of paths or bytes. Of clips frames are taken",
    )
    build.add_argument("--out", type=Path, required=True, help="folder of the atlas")
    build.add_argument(
        "--checkpoint", default="a2-lite0", help="name, path or network (default: %(default)s)"
    )
    build.add_argument("--size", type=int, default=448, help="long side in pixels (default: %(default)s)")
    build.add_argument("--device", default="auto", help="auto, cuda, mps or cpu (default: %(default)s)")
    build.add_argument("--no-pictures", action="store_true", help="keep no crops of the pictures")
    build.add_argument("--workers", type=int, help="processes, 0 for none beside this (default: one a core)")
    build.add_argument(
        "--frames", type=int, default=16, help="at most so many of a clip (default: %(default)s)"
    )
    build.add_argument(
        "--exemplars", type=int, default=64, help="of each primitive and order (default: %(default)s)"
    )
    build.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="who works (default: %(default)s)"
    )
    build.add_argument("--ray-address", default="", help="of a cluster (default: Ray on this machine)")
    build.add_argument("--ray-gpus", type=float, default=0.0, help="of each actor (default: %(default)s)")
    build.add_argument("--column", default="", help="of .parquet files (default: by its name)")
    build.set_defaults(act=_build)


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    return int(args.act(args) or 0)


def _build(args: argparse.Namespace) -> int:
    from a2core.atlas.build import build_atlas

    start = time.monotonic()

    def progress(done: int, total: int) -> None:
        rate = f", {done / (time.monotonic() - start):.1f} a second" if done else ""
        print(f"{done:,} of {total:,} files{rate}", flush=True)

    if args.workers is not None and args.workers < 0:
        raise AtlasError(f"--workers {args.workers}: give 0 or more.")
    built = build_atlas(
        args.pictures,
        args.out,
        checkpoint=args.checkpoint,
        size=args.size,
        device=args.device,
        workers=args.workers,
        pictures=not args.no_pictures,
        frames=args.frames,
        exemplars=args.exemplars,
        column=args.column,
        engine=args.engine,
        ray_address=args.ray_address,
        ray_gpus=args.ray_gpus,
        command=_command(),
        progress=progress,
    )
    took = time.monotonic() - start
    print(
        f"{args.out}: {built.photos:,} pictures, {built.alike:,} of them nearly the same as another and "
        f"counted once; {built.skipped:,} could not be read (atlas.json says why)."
    )
    if built.new:
        print(
            f"{built.new:,} looked at in {took:.0f} s, {built.new / took:.1f} a second. Of the processes' "
            f"time {built.reading_s:.1f} s went into reading, {built.looking_s:.1f} s into the network."
        )
    else:
        print("It was complete: nothing was left to do.")
    return 0


def _measure(args: argparse.Namespace) -> int:
    from a2core.atlas.build import measure_atlas
    from a2core.atlas.read import Atlas

    measure_atlas(args.atlas, args.second)
    atlas = Atlas(args.atlas)
    for block in atlas.blocks:
        rows = atlas.primitives(block)
        print(f"{block}: {len(rows)} primitives, most used first")
        for row in sorted(rows, key=lambda row: -row["use"])[:8]:
            print("  " + _line(row))
    return 0


def _line(row: dict[str, Any]) -> str:
    """A primitive's measures in words."""
    told = [f"g{row['primitive']}", f"use {row['use']:.3f}", f"reach {row['reach']:.0%}"]
    if row.get("effect") is not None:
        told.append(f"effect {row['effect']:+.3f}")
    if row.get("purity") is not None:
        told.append(f"purity {row['purity']:.0%} {row['purity_group']}")
    if row.get("stability") is not None:
        told.append(f"stability {row['stability']:.2f} (g{row['twin']})")
    return ", ".join(told)


def _export(args: argparse.Namespace) -> int:
    from a2core.atlas.page import write_page
    from a2core.atlas.read import Atlas

    with writing(args.html, "--html"):
        count = write_page(
            Atlas(args.atlas), args.html, blocks=[args.block] if args.block else None, count=args.exemplars
        )
    print(f"wrote {args.html}: {count} primitives, {args.html.stat().st_size / 1e6:.1f} MB")
    return 0


def _slim(args: argparse.Namespace) -> int:
    from a2core.atlas.read import Atlas
    from a2core.atlas.slim import slim_atlases

    if args.exemplars < 1 or not 32 <= args.side <= 256:
        raise AtlasError("Give --exemplars of 1 or more, and a --side of 32 to 256 pixels.")
    atlases = [Atlas(path) for path in args.atlas]
    with writing(args.out, "--out"):
        size = slim_atlases(atlases, args.out, args.credits, exemplars=args.exemplars, side_px=args.side)
    print(f"wrote {args.out}: {len(atlases)} of {len(atlases[0]):,} pictures, {size / 1e6:.1f} MB in all")
    return 0


def _command() -> str:
    """The command as it is written down: of absolute paths only their last part."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return "python -m a2core " + shlex.join(words)
