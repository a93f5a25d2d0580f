"""`python -m a2core train`, adapting: from folders of photos to a checkpoint with its card.

With Imagenette and Caltech-101 in `photos/`, the shipped checkpoints are made by

    python -m a2core train photos/imagenette/train photos/caltech101/train --limit 2000

the rivals with `--kind KIND`, and the blocks for clips by going on from there on clips made of the photos;
each one's card holds its command. Features are cached once for all that look at the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings
from a2core.errors import TrainingError
from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, SHORT_NAME, teachers_of
from a2core.networks.devices import pick_device
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.run import Adaptation
from a2core.training.adapt.settings import AdaptSettings
from a2core.training.adapt.targets import CacheSettings
from a2core.training.photos.found import find_photos
from a2core.training.state import disk_errors, given, source_names

TRUNK = BACKBONES[DEFAULT_TRUNK]
CACHE = Path(".cache/features")
# Options of the command that settings of the same name take.
SETTINGS = ("attention_steps", "prediction_steps", "batch_size", "learning_rate", "seed")
PRIMITIVES = (64, 256)  # of the two blocks


def architecture(primitives: tuple[int, int], kind: str = DOUBLE_ATTENTION) -> dict[str, Any]:
    """The default trunk with blocks of a kind at its sites, as a card holds it.

    `primitives` of each block; rivals have none and come in one size.
    """
    own = [{"c_n": n} if kind == DOUBLE_ATTENTION else {} for n in primitives]
    blocks = {
        name: block_settings(kind, site.channels, **settings)
        for (name, site), settings in zip(TRUNK.sites.items(), own, strict=True)
    }
    return {"backbone": DEFAULT_TRUNK, "blocks": blocks}


def train(args: argparse.Namespace, *, command: str) -> int:
    """Cache the features, adapt the blocks, write the checkpoint and its card into the run's folder.

    Raises:
        TrainingError: no photos, sizes that do not fit the trunk, a full disk, divergence, a run of
            other settings in --out, or another architecture in --init.
        NetworkError: a trunk or teacher that is not installed, or a device that there is not.
    """
    wrong = [size for size in args.sizes or () if size < 160 or size % 32]
    if wrong:
        raise TrainingError(f"--sizes {wrong[0]} is no multiple of 32 from 160 on. Use for example 384 576.")
    teachers = teachers_of(DEFAULT_TRUNK)
    if args.teacher not in (None, *teachers):
        raise TrainingError(
            f"{args.teacher!r} cannot teach here: its features are taken where the trunk's are. "
            f"Choose one of {', '.join(teachers)}."
        )
    if args.frames is not None and args.frames < 1:
        raise TrainingError(f"--frames {args.frames} leaves nothing to look at. Give 1 or more.")
    kind = args.kind.replace("-", "_")
    name = args.name or f"{'a2' if kind == DOUBLE_ATTENTION else args.kind}-{SHORT_NAME}"
    out = args.out or Path("runs") / name
    cached: dict[str, Any] = {"teacher": args.teacher} if args.teacher else {}
    cached |= {"sizes_px": tuple(args.sizes)} if args.sizes else {}
    cached |= {"frames": args.frames} if args.frames else {}
    settings = AdaptSettings(
        architecture=architecture(tuple(args.primitives or PRIMITIVES), kind), **given(args, SETTINGS)
    )
    photos = find_photos(args.photos, limit=args.limit)
    device = pick_device(args.device or "auto")
    cache = Cache(args.cache or CACHE, photos, CacheSettings(**cached), device=device)
    print(f"{len(photos)} photos; features in {cache.folder}; on {device.type}")
    if outdated := cache.outdated():
        names = ", ".join(path.name for path in outdated)
        print(
            f"note: in {cache.folder.parent}, {names} of an older version "
            "took photos of one name and size for one. Features are computed anew; delete the old ones."
        )
    cache.build()
    run = Adaptation(cache, settings, out, init=args.init)
    with disk_errors(out):
        run.run()
    path = run.write_checkpoint(out / f"{name}.safetensors", card_of(run, args, kind, command))
    if cache.skipped.reasons:
        print(cache.skipped.summary())
    print(f"wrote {path}")
    return 0


def card_of(run: Adaptation, args: argparse.Namespace, kind: str, command: str) -> dict[str, Any]:
    """What the checkpoint's card says of a finished run."""
    return {
        "trained": {
            "what": f"the {kind.replace('_', ' ')} blocks; the trunk is frozen and stays as published",
            "photos": len(run.cache.photos),
            **({"frames": args.frames} if args.frames else {}),
            "sources": source_names(args.photos),
            "command": command,
            "seed": args.seed,
            "steps": run.total_steps,
            "wall_s": round(run.elapsed_s),
            "ran on": run.cache.device.type,
            "loss": round(run.last["loss"], 5),
        },
        "metrics": {},
        "limits": (
            "Maps on pictures unlike the photos it was trained on (drawings, microscopy, text) are "
            "extrapolation."
        ),
    }
