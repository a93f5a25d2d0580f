"""`python -m a2core evaluate`: a checkpoint beside its baselines."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from a2core.checkpoints import write_atomically
from a2core.cli.writing import writing
from a2core.extras import need_extra

HELP = "measure a checkpoint's maps on labelled regions, beside baselines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "checkpoint",
        nargs="?",
        default="a2-lite0",
        help="name or path, or the NAME-network.json of a network of yours (default: %(default)s)",
    )
    parser.add_argument("--regions", type=Path, help="folder of ID.jpg with ID.npz holding `segmentations`")
    parser.add_argument(
        "--photos",
        type=Path,
        help="folder of one folder a class, named as ImageNet classes or Imagenette's, or with a labels.csv "
        "(file, imagenet_index)",
    )
    parser.add_argument(
        "--half", choices=("chosen", "reported"), help="of --photos one half: to choose by, or to report on"
    )
    parser.add_argument(
        "--classes",
        type=Path,
        nargs="+",
        help="folders of photos with classes of any kind: stability, class purity, MonoScore and deletion",
    )
    parser.add_argument(
        "--second", nargs="+", default=[], help="with --classes, other checkpoints: stability between seeds"
    )
    parser.add_argument(
        "--parts",
        type=Path,
        help="folder of ID.jpg with ID.png, an index mask: part purity, mIoU and mass-Jaccard",
    )
    parser.add_argument(
        "--tracks", type=Path, help="folder of SCENE_K.jpg with SCENE_K.png: masks carried through scenes"
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        help="pixels, or native (default: native 224 352 for --photos, 352 672 for --regions, native for "
        "--classes, 352 for --parts and --tracks)",
    )
    parser.add_argument(
        "--frames", type=int, default=1, help="make clips of so many frames of the pictures with regions"
    )
    parser.add_argument("--limit", type=int, help="use so many pictures of each kind, chosen at random")
    parser.add_argument("--without", type=Path, help="file of region pictures' ids to leave out, one a line")
    parser.add_argument(
        "--no-baselines", action="store_true", help="measure the blocks alone, as to compare several runs"
    )
    parser.add_argument(
        "--json",
        type=Path,
        help="also write the measures here, beside what this file has of the same checkpoint",
    )
    parser.add_argument("--write", action="store_true", help="also write them into the checkpoint's card")


def run(args: argparse.Namespace) -> int:
    """Measure a checkpoint beside its baselines; a table, and JSON when asked for."""
    need_extra("train", "Measuring a checkpoint")
    from a2core.training.evaluate.evaluate import added_to, evaluate

    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    measures = evaluate(args, command="python -m a2core " + " ".join(words))
    if args.json is not None:
        with writing(args.json, "--json"):
            measures = added_to(args.json, measures)
            write_atomically(args.json, (json.dumps(measures, indent=1, ensure_ascii=False) + "\n").encode())
    return 0
