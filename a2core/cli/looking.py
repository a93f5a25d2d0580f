"""Which network the commands look into that trace a picture."""

from __future__ import annotations

import argparse

from a2core.load import load_model, open_network, video_model
from a2core.networks.devices import pick_device
from a2core.networks.spec import read_spec
from a2core.tracing.model import Model

VIDEO_NETWORKS = {f"video-resnet{depth}": depth for depth in (26, 29, 50)}


def add_network(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which."""
    parser.add_argument(
        "--checkpoint", default="a2-lite0", help="name in checkpoints/ or path (default: %(default)s)"
    )
    parser.add_argument(
        "--network",
        help="instead of a checkpoint: any network, as for inspect; or one of the paper's for clips, with "
        f"random weights: {', '.join(VIDEO_NETWORKS)}",
    )
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu (default: %(default)s)")


def network_of(args: argparse.Namespace) -> Model:
    """The network that they name; what to know of it is printed.

    Raises:
        A2Error: it cannot be had.
    """
    if args.network in VIDEO_NETWORKS:
        model = video_model(VIDEO_NETWORKS[args.network], device=args.device)
    elif args.network:
        model = open_network(read_spec(args.network), pick_device(args.device))
    else:
        model = load_model(args.checkpoint, device=args.device)
    for note in model.notes:
        print(f"note: {note}")
    if not model.trained:
        print(
            f"RANDOM WEIGHTS: the blocks of {model.name} were never trained, so their maps mean nothing. "
            "Give weights of yours as --checkpoint, or train them: python -m a2core train PHOTOS --network …"
        )
    return model
