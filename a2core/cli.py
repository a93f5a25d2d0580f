"""The command line: python -m a2core {trace, export, train, evaluate, checkpoints, bench, table}.

Errors that a user can cause are one line on stderr and exit status 2; anything else is a bug and
keeps its traceback.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from a2core.bench import block as bench
from a2core.bench import counts
from a2core.bench import trace as bench_trace
from a2core.blocks.registry import KINDS
from a2core.checkpoints import list_checkpoints, load_model, video_model, write_atomically
from a2core.errors import A2Error
from a2core.export import figure_png, rho_csv, write_npz
from a2core.media import read_media
from a2core.tracing.probe import cell_of_pixel, reach

VIDEO_NETWORKS = {f"video-resnet{depth}": depth for depth in (26, 29, 50)}

TRAIN_DESCRIPTION = """\
Train blocks on your photos and write a checkpoint with its card. Given again, the same
command goes on where it was stopped or killed.

  adapt      the trunk stays as published; the blocks learn, without labels, which places
             belong together, and to help predict: minutes to an hour on two cores
  fine-tune  the whole network, end to end, on labelled photos (one folder a class)"""

TRAIN_EXAMPLES = """\
examples:
  python -m a2core train photos/imagenette/train photos/caltech101/train
  python -m a2core train Imagenette --kind non-local
  python -m a2core train flowers/train --mode fine-tune --val flowers/val --epochs 20
  torchrun --nproc-per-node 4 -m a2core train ImageNet --mode fine-tune --val ImageNet:val \\
      --network a2-resnet50-c4 --from-scratch --epochs 90 --batch-size 1024
The log is for TensorBoard: tensorboard --logdir runs"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 2 bad input (said in one line), 130 interrupted."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    try:
        return int(args.run(args) or 0)
    except A2Error as error:
        if os.environ.get("RANK", "0") == "0":  # under torchrun every process says the same
            print(f"a2core: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("a2core: interrupted; what was whole is kept.", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m a2core", description="A²-Nets: double attention networks."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    trace = commands.add_parser("trace", help="trace a picture or clip; write its arrays as .npz")
    trace.add_argument("media", type=Path, help="picture or clip")
    trace.add_argument(
        "--out", type=Path, help="file to write (.npz); without it only the summary is printed"
    )
    trace.add_argument(
        "--checkpoint", default="a2-lite0", help="name in checkpoints/ or path (default: %(default)s)"
    )
    trace.add_argument(
        "--network",
        choices=VIDEO_NETWORKS,
        help="instead of a checkpoint: one of the paper's networks for clips, with random weights",
    )
    trace.add_argument("--size", type=int, default=448, help="long side in pixels (default: %(default)s)")
    trace.add_argument(
        "--frames", type=int, default=16, help="at most so many frames of a clip (default: %(default)s)"
    )
    trace.add_argument("--device", default="auto", help="auto, cuda, mps or cpu (default: %(default)s)")
    trace.set_defaults(run=run_trace)

    export = commands.add_parser(
        "export", help="write a page to explore, or of one pixel a figure for a paper or a table of ρ"
    )
    export.add_argument("media", type=Path, help="picture; of a clip, its first frame")
    export.add_argument("--pixel", type=int, nargs=2, metavar=("X", "Y"),
                        help="as the network sees it, from the top left; .html needs none")  # fmt: skip
    export.add_argument("--out", type=Path, required=True, help="file to write: .html, .png or .csv")
    export.add_argument("--block", help="name, for example blocks.4 (default: the first)")
    export.add_argument(
        "--checkpoint", default="a2-lite0", help="name in checkpoints/ or path (default: %(default)s)"
    )
    export.add_argument("--size", type=int, default=448, help="long side in pixels (default: %(default)s)")
    export.add_argument("--device", default="auto", help="auto, cuda, mps or cpu (default: %(default)s)")
    export.set_defaults(run=run_export)

    listing = commands.add_parser("checkpoints", help="list the checkpoints and what is known of them")
    listing.set_defaults(run=run_checkpoints)

    train = commands.add_parser(
        "train",
        help="train blocks on your photos",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=TRAIN_DESCRIPTION,
        epilog=TRAIN_EXAMPLES,
    )
    add_train_arguments(train)
    train.set_defaults(run=run_train)

    evaluate = commands.add_parser(
        "evaluate", help="measure a checkpoint's maps on labelled regions, beside baselines"
    )
    evaluate.add_argument(
        "checkpoint", nargs="?", default="a2-lite0", help="name or path (default: %(default)s)"
    )
    evaluate.add_argument("--regions", type=Path, help="folder of ID.jpg with ID.npz holding `segmentations`")
    evaluate.add_argument(
        "--photos", type=Path, help="folder of one folder a class, named as ImageNet classes or Imagenette's"
    )
    evaluate.add_argument("--sizes", type=int, nargs="+", default=(352, 672), help="(default: 352 672)")
    evaluate.add_argument(
        "--frames", type=int, default=1, help="make clips of so many frames of the pictures with regions"
    )
    evaluate.add_argument("--limit", type=int, help="use so many pictures of each kind, chosen at random")
    evaluate.add_argument(
        "--without", type=Path, help="file of region pictures' ids to leave out, one a line"
    )
    evaluate.add_argument(
        "--no-baselines", action="store_true", help="measure the blocks alone, as to compare several runs"
    )
    evaluate.add_argument("--json", type=Path, help="also write the measures here")
    evaluate.add_argument("--write", action="store_true", help="also write them into the checkpoint's card")
    evaluate.set_defaults(run=run_evaluate)

    carding = commands.add_parser("cards", help="describe each primitive in the checkpoint's card")
    carding.add_argument(
        "checkpoint", nargs="?", default="a2-lite0", help="name or path (default: %(default)s)"
    )
    carding.add_argument("--photos", nargs="+", required=True, help="image folders, searched whole")
    carding.add_argument(
        "--limit", type=int, default=1000, help="so many photos, chosen at random (default: %(default)s)"
    )
    carding.add_argument("--size", type=int, default=352, help="picture size (default: %(default)s)")
    carding.set_defaults(run=run_cards)

    studying = commands.add_parser(
        "study", help="compare double attention with its relatives as part of one classifier"
    )
    studying.add_argument(
        "--photos", nargs="+", required=True, help="folders that hold train/<class>/ and val/<class>/"
    )
    studying.add_argument(
        "--out", type=Path, default=Path("runs/study"), help="folder of the study (default: %(default)s)"
    )
    studying.add_argument("--limit", type=int, help="train on so many photos, chosen at random")
    studying.add_argument("--size", type=int, default=224, help="picture size (default: %(default)s)")
    studying.add_argument("--epochs", type=int, default=3, help="of a run (default: %(default)s)")
    studying.add_argument("--seeds", type=int, default=3, help="runs of a variant (default: %(default)s)")
    studying.set_defaults(run=run_study)

    benching = commands.add_parser("bench", help="time the block beside a plain writing of it and its rivals")
    bench.add_arguments(benching)
    bench_trace.add_arguments(benching)
    benching.set_defaults(
        run=lambda args: bench_trace.run(args) if bench_trace.wanted(args) else bench.run(args)
    )

    table = commands.add_parser("table", help="parameters and multiply-adds of the paper's networks")
    counts.add_arguments(table)
    table.set_defaults(run=counts.run)
    return parser


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m a2core train`; those that only one mode knows are None unless given."""
    parser.add_argument(
        "photos",
        nargs="+",
        help="image folders, any number, or datasets of torchvision by name, such as Imagenette, Caltech101 "
        "or Imagenette:val (looked for, or downloaded, below ./data); to fine-tune, one folder a class",
    )
    parser.add_argument("--mode", choices=("adapt", "fine-tune"), default="adapt", help="(default: adapt)")
    parser.add_argument(
        "--kind",
        choices=[kind.replace("_", "-") for kind in KINDS],
        default="double-attention",
        help="kind of block: double attention or one of its rivals (default: %(default)s)",
    )
    parser.add_argument("--name", help="name of the checkpoint (default: by mode, kind and network)")
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/NAME)")
    parser.add_argument("--init", metavar="CHECKPOINT", help="start from this one instead of afresh")
    parser.add_argument(
        "--batch-size",
        type=int,
        help="photos of one step, fewer of larger sizes (default: 16; to fine-tune 32)",
    )
    parser.add_argument("--learning-rate", type=float, help="the highest of the schedule (default: by mode)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the blocks and of the order of photos (default: %(default)s)"
    )

    parser.add_argument("--device", help="auto, cuda, mps or cpu (default: auto)")

    adapt = parser.add_argument_group("adapting")
    adapt.add_argument("--limit", type=int, help="use so many photos, chosen at random")
    adapt.add_argument("--primitives", type=int, nargs=2, metavar=("N4", "N5"),
                       help="primitives of blocks.4 and blocks.5 (default: 64 256)")  # fmt: skip
    adapt.add_argument("--sizes", type=int, nargs="+", help="picture sizes (default: 384 576)")
    adapt.add_argument("--teacher", help="whose predictions to follow (default: tf_efficientnet_lite2)")
    adapt.add_argument("--attention-steps", type=int, help="steps in which the blocks learn where to look")
    adapt.add_argument("--prediction-steps", type=int, help="steps in which they learn to help predict")
    adapt.add_argument("--frames", type=int, help="make a clip of so many frames of every photo")
    adapt.add_argument("--cache", type=Path, help="where features are kept (default: .cache/features)")

    tune = parser.add_argument_group("fine-tuning")
    tune.add_argument(
        "--val", nargs="+", help="photos to validate on, given as the others (default: a tenth of them)"
    )
    tune.add_argument(
        "--network",
        help="tf_efficientnet_lite0 (default), tf_efficientnet_lite2, resnet18, resnet50, or the paper's: "
        "a2-resnet50-c4, a2-resnet50-c2",
    )
    tune.add_argument("--epochs", type=int, help="(default: 10)")
    tune.add_argument("--size", type=int, help="side of the squares that photos are made (default: 224)")
    tune.add_argument(
        "--accumulate", type=int, help="do a step in so many parts, each in less memory (default: 1)"
    )
    tune.add_argument("--from-scratch", action="store_true", help="start from random weights everywhere")
    tune.add_argument("--freeze-trunk", action="store_true", help="train blocks and classifier only")
    tune.add_argument("--workers", type=int, help="threads that decode photos (default: 4)")


def check_train_arguments(args: argparse.Namespace) -> None:
    """Refuse options that the chosen mode would ignore.

    Raises:
        A2Error: naming the first.
    """
    only = {
        "fine-tune": ("limit", "primitives", "sizes", "teacher", "attention_steps", "prediction_steps",
                      "frames", "cache"),
        "adapt": ("val", "network", "epochs", "size", "accumulate", "from_scratch", "freeze_trunk",
                  "workers"),
    }  # fmt: skip
    for name in only[args.mode]:
        if getattr(args, name) not in (None, False):
            raise A2Error(
                f"--{name.replace('_', '-')} means nothing in --mode {args.mode}. Leave it out, or choose "
                "the other mode."
            )


def run_trace(args: argparse.Namespace) -> int:
    """Trace one file, print what was seen, write the arrays."""
    if args.out is not None and args.out.suffix != ".npz":
        raise A2Error(
            f"--out {args.out.name} does not end in .npz. Name it, for example, {args.out.stem}.npz."
        )
    clip = read_media(args.media, max_frames=args.frames)
    for note in clip.notes:
        print(f"note: {note}")
    if args.network:
        model = video_model(VIDEO_NETWORKS[args.network], device=args.device)
    else:
        model = load_model(args.checkpoint, device=args.device)
    if not model.trained:
        print(
            f"RANDOM WEIGHTS: the blocks of {model.name} were never trained, so its maps mean nothing. Give "
            "weights of yours as --checkpoint."
        )
    trace = model.trace(clip, size=args.size)
    frames, height, width, _ = trace.model_input.shape
    print(
        f"{args.media.name}: {frames} × {width} × {height} pixels, {trace.checkpoint} on {trace.device}, "
        f"{trace.elapsed_s:.2f} s"
    )
    for name, block in trace.blocks.items():
        positions = int(np.prod(block.grid))
        share = np.median(reach(block.gather)) / positions
        print(
            f"{name}: n={block.n} m={block.m} grid={'×'.join(map(str, block.grid))}, "
            f"median reach {share:.1%} of {positions} cells"
        )
    print("top: " + ", ".join(f"{label} {probability:.1%}" for label, probability in trace.top))
    if args.out is not None:
        try:
            with args.out.open("wb") as file:
                write_npz(file, trace)
        except OSError as error:
            raise A2Error(f"Cannot write {args.out} ({error.strerror}). Choose another --out.") from error
        print(f"wrote {args.out}")
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Trace one picture and write a page to explore it, or what one of its pixels receives."""
    kind = args.out.suffix
    if kind not in (".html", ".png", ".csv"):
        raise A2Error(
            f"--out {args.out.name} ends neither in .html (a page to explore) nor in .png (a figure) nor in "
            ".csv (ρ). Name it so."
        )
    if kind != ".html" and args.pixel is None:
        raise A2Error(f"A {kind} is about one pixel. Say which with --pixel X Y.")
    clip = read_media(args.media, max_frames=1).first_frame()
    model = load_model(args.checkpoint, device=args.device)
    trace = model.trace(clip, size=args.size)
    name = args.block or next(iter(trace.blocks))
    if name not in trace.blocks:
        raise A2Error(f"{trace.checkpoint} has no block {name!r}. It has {', '.join(trace.blocks)}.")
    position = args.pixel and (0, *cell_of_pixel(trace.blocks[name], trace.model_input.shape, *args.pixel))
    data: bytes | str
    if kind == ".html":
        view = {"block": args.block, "probe": position, "pinned": position is not None}
        data = trace.to_html(card=model.card, view={key: value for key, value in view.items() if value})
    else:
        data = figure_png(trace, name, position) if kind == ".png" else rho_csv(trace, name, [position])
    try:
        args.out.write_bytes(data if isinstance(data, bytes) else data.encode())
    except OSError as error:
        raise A2Error(f"Cannot write {args.out} ({error.strerror}). Choose another --out.") from error
    print(f"wrote {args.out}")
    return 0


def run_checkpoints(args: argparse.Namespace) -> int:
    """List checkpoints, their blocks and size, or why one is refused."""
    for info in list_checkpoints():
        if info.contents is None:
            print(f"{info.path.name}: refused. {info.fault}")
            continue
        card = info.contents
        sizes = ", ".join(f"{name} ({_sizes(block)})" for name, block in card.blocks.items())
        said = "" if card.trained else ", random blocks"
        print(f"{info.name}: {card.backbone}, {sizes}, {card.size_bytes / 1e6:.2f} MB{said}")
    return 0


def _sizes(block: Mapping[str, Any]) -> str:
    """A block of a card in a few words."""
    if "kind" in block:
        return str(block["kind"]).replace("_", " ")
    return f"m={block['c_m']}, n={block['c_n']}"


def run_train(args: argparse.Namespace) -> int:
    """Train in the chosen mode, resuming what was begun in --out."""
    check_train_arguments(args)
    if args.mode == "adapt":
        from a2core.training.adapt.folders import train
    else:
        from a2core.training.finetune.finetune import train

    return train(args, command="python -m a2core " + " ".join(sys.argv[1:]))


def run_evaluate(args: argparse.Namespace) -> int:
    """Measure a checkpoint beside its baselines; a table, and JSON when asked for."""
    from a2core.training.evaluate.evaluate import evaluate

    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    measures = evaluate(args, command="python -m a2core " + " ".join(words))
    if args.json is not None:
        try:
            write_atomically(args.json, (json.dumps(measures, indent=1, ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise A2Error(f"Cannot write {args.json} ({error.strerror}). Choose another --json.") from error
    return 0


def run_cards(args: argparse.Namespace) -> int:
    """Describe every primitive of a checkpoint, in its card."""
    from a2core.training.evaluate.cards import cards

    return cards(args)


def run_study(args: argparse.Namespace) -> int:
    """Six variants of one classifier, trained alike; goes on where it was stopped."""
    from a2core.training.finetune.study import study

    return study(args)
