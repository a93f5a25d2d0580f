"""`python -m a2core train`: blocks trained on somebody's photos."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from a2core.blocks.registry import KINDS
from a2core.errors import A2Error
from a2core.extras import need_extra
from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK
from a2core.networks.paper import PAPER_NETWORKS

HELP = "train blocks on your photos"
# Networks that come with places for blocks.
SITED = [name for name, trunk in BACKBONES.items() if trunk.sites]

DESCRIPTION = """\
Train blocks on your photos and write a checkpoint with its card. Given again, the same
command goes on where it was stopped or killed.

  adapt      the trunk stays as published; the blocks learn, without labels, which places
             belong together, and to help predict: minutes to an hour on two cores
  fine-tune  the whole network, end to end, on labelled photos (one folder a class)"""

EXAMPLES = """\
examples:
  python -m a2core train photos --val labelled
  python -m a2core train Imagenette --kind non-local
  python -m a2core train photos --network timm/convnext_tiny --at stages.2 stages.3
  python -m a2core train flowers/train --mode fine-tune --val flowers/val --epochs 20
  python -m a2core train flowers --mode fine-tune --network timm/vit_tiny_patch16_224 --freeze-trunk
  torchrun --nproc-per-node 4 -m a2core train ImageNet --mode fine-tune --val ImageNet:val \\
      --network paper/resnet50-c2 --from-scratch --recipe sgd --epochs 90 --batch-size 1024
The log is for TensorBoard: tensorboard --logdir runs"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
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

    parser.add_argument(
        "--network",
        help=f"{', '.join(SITED)} (default: {DEFAULT_TRUNK}), or any network as for inspect: "
        f"timm/convnext_tiny, flowers.json; to fine-tune, also the paper's: {', '.join(PAPER_NETWORKS)}",
    )
    parser.add_argument(
        "--at",
        nargs="+",
        metavar="MODULE",
        help="where blocks stand (default: the two usual sites, see inspect)",
    )
    parser.add_argument(
        "--val",
        nargs="+",
        help="labelled photos to validate on, none of which may be trained on: to fine-tune, given as the "
        "others (default: a tenth of them); to adapt, folders as evaluate takes them",
    )
    parser.add_argument("--device", help="auto, cuda, mps or cpu (default: auto)")
    _add_of_adapting(parser)
    _add_of_fine_tuning(parser)


def _add_of_adapting(parser: argparse.ArgumentParser) -> None:
    adapt = parser.add_argument_group("adapting")
    adapt.add_argument("--limit", type=int, help="use so many photos, chosen at random")
    adapt.add_argument(
        "--primitives", type=int, nargs="+", metavar="N", help="primitives of each block (default: 64 … 256)"
    )
    adapt.add_argument(
        "--sizes", type=int, nargs="+", help="picture sizes (default: 384 576, or what the network takes)"
    )
    adapt.add_argument("--teacher", help="whose predictions to follow (default: a larger one of its kind)")
    adapt.add_argument(
        "--attention-steps", type=int, help="steps in which the blocks learn where to look (0: as in --init)"
    )
    adapt.add_argument(
        "--prediction-steps", type=int, help="steps in which they learn to answer, attention staying as it is"
    )
    adapt.add_argument(
        "--keep",
        type=float,
        metavar="SHARE",
        help="with --init: end at a mean of its weights, of which so much, and the new ones (default: 0)",
    )
    adapt.add_argument("--frames", type=int, help="make a clip of so many frames of every photo")
    adapt.add_argument("--cache", type=Path, help="where features are kept (default: .cache/features)")


def _add_of_fine_tuning(parser: argparse.ArgumentParser) -> None:
    tune = parser.add_argument_group("fine-tuning")
    tune.add_argument("--epochs", type=int, help="(default: 10)")
    tune.add_argument(
        "--recipe",
        choices=("adamw", "sgd"),
        help="adamw, falling along a cosine; or sgd as ResNets are trained on ImageNet, falling in three "
        "steps (default: adamw)",
    )
    tune.add_argument(
        "--size",
        type=int,
        help="side of the squares that photos are made (default: 224, or what the network takes)",
    )
    tune.add_argument(
        "--accumulate", type=int, help="do a step in so many parts, each in less memory (default: 1)"
    )
    tune.add_argument("--from-scratch", action="store_true", help="start from random weights everywhere")
    tune.add_argument("--freeze-trunk", action="store_true", help="train blocks and classifier only")
    tune.add_argument("--workers", type=int, help="threads that decode photos (default: 4)")


def check_arguments(args: argparse.Namespace) -> None:
    """Refuse options that the chosen mode would ignore.

    Raises:
        A2Error: naming the first.
    """
    only = {
        "fine-tune": ("limit", "primitives", "sizes", "teacher", "attention_steps", "prediction_steps",
                      "frames", "keep", "cache"),
        "adapt": ("epochs", "size", "accumulate", "from_scratch", "freeze_trunk",
                  "workers", "recipe"),
    }  # fmt: skip
    for name in only[args.mode]:
        if getattr(args, name) not in (None, False):
            raise A2Error(
                f"--{name.replace('_', '-')} means nothing in --mode {args.mode}. Leave it out, or choose "
                "the other mode."
            )


def run(args: argparse.Namespace) -> int:
    """Train in the chosen mode, resuming what was begun in --out."""
    check_arguments(args)
    need_extra("train", "Training")
    if args.mode == "adapt":
        from a2core.training.adapt.command import train
    else:
        from a2core.training.finetune.command import train

    return train(args, command="python -m a2core " + " ".join(sys.argv[1:]))
