"""`python -m a2core train`, adapting: from folders of photos to a checkpoint with its card.

With Imagenette and Caltech-101 in `photos/`, the shipped checkpoints are made by

    python -m a2core train photos/imagenette/train photos/caltech101/train --limit 2000

those of any other network with `--network NAME`, the rivals with `--kind KIND`, and the blocks for clips by
going on from there on clips made of the photos; each one's card holds its command. Features are cached once
for all that look at the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings
from a2core.errors import TrainingError
from a2core.networks.backbones import teachers_of
from a2core.networks.devices import pick_device
from a2core.networks.sources import needs_word
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.run import Adaptation
from a2core.training.adapt.settings import AdaptSettings
from a2core.training.adapt.targets import CacheSettings
from a2core.training.photos.found import find_photos
from a2core.training.state import disk_errors, given, source_names
from a2core.training.subject import Subject, sides_px, subject, write_spec

CACHE = Path(".cache/features")
# Options of the command that settings of the same name take.
SETTINGS = ("attention_steps", "prediction_steps", "batch_size", "learning_rate", "seed")
PRIMITIVES = (64, 256)  # of the blocks before the last, and of the last, coarsest one
SMALLEST_PX = 160


def architecture(of: Subject, primitives: Sequence[int], kind: str = DOUBLE_ATTENTION) -> dict[str, Any]:
    """The network with blocks of a kind at its sites, as a card holds it.

    `primitives` of each block; rivals have none and come in one size.

    Raises:
        TrainingError: not as many as there are blocks.
    """
    if len(primitives) != len(of.sites):
        raise TrainingError(
            f"--primitives gives {len(primitives)} numbers for {len(of.sites)} blocks. Give one each."
        )
    own = [{"c_n": n} if kind == DOUBLE_ATTENTION else {} for n in primitives]
    blocks = {
        name: block_settings(kind, channels, **settings)
        for (name, (channels, _)), settings in zip(of.sites.items(), own, strict=True)
    }
    return {"backbone": of.source, "blocks": blocks, **of.layouts()}


def train(args: argparse.Namespace, *, command: str) -> int:
    """Cache the features, adapt the blocks, write the checkpoint and its card into the run's folder.

    Raises:
        TrainingError: no photos, sizes that do not fit the network, a full disk, divergence, a run of
            other settings in --out, or another architecture in --init.
        NetworkError: a network or teacher that cannot be had, or a device that there is not.
    """
    of = subject(args.network, args.at or ())
    if args.frames is not None and args.frames < 1:
        raise TrainingError(f"--frames {args.frames} leaves nothing to look at. Give 1 or more.")
    kind = args.kind.replace("-", "_")
    name = args.name or f"{'a2' if kind == DOUBLE_ATTENTION else args.kind}-{of.title}"
    out = args.out or Path("runs") / name
    cached: dict[str, Any] = {
        "trunk": of.source,
        "teacher": teacher_of(of, args.teacher),
        "taps": tuple(of.sites),
        "sizes_px": sides_px(
            of.input, args.sizes, CacheSettings().sizes_px, option="--sizes", least=SMALLEST_PX
        ),
        "weights": of.weights,
    }
    cached |= {"frames": args.frames} if args.frames else {}
    steps = given(args, SETTINGS)
    if of.classes == 0:
        steps["prediction_steps"] = 0
        print("note: this network answers without classes; its blocks learn where to look, its answers stay.")
    primitives = args.primitives or [PRIMITIVES[0]] * (len(of.sites) - 1) + [PRIMITIVES[1]]
    settings = AdaptSettings(architecture=architecture(of, primitives, kind), **steps)
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
        path = run.write_checkpoint(out / f"{name}.safetensors", card_of(run, of, args, command))
        if needs_word(of.source):
            print(f"wrote {write_spec(of.source, path)}: what --network and NETWORKS take")
    if cache.skipped.reasons:
        print(cache.skipped.summary())
    print(f"wrote {path}")
    return 0


def teacher_of(of: Subject, wanted: str | None) -> str:
    """Whose predictions are followed: a larger network of the same kind where we have one, else its own.

    Raises:
        TrainingError: one whose features are taken elsewhere.
    """
    teachers = teachers_of(of.source) if of.known else (of.source,)
    if wanted not in (None, *teachers):
        raise TrainingError(
            f"{wanted!r} cannot teach here: its features are taken where the trunk's are. "
            f"Choose one of {', '.join(teachers)}."
        )
    return wanted or teachers[-1]


def card_of(run: Adaptation, of: Subject, args: argparse.Namespace, command: str) -> dict[str, Any]:
    """What the checkpoint's card says of a finished run."""
    kept, settings = run.cache.settings, run.settings
    attention = {
        tap: {
            loss: weight
            for loss, weight in settings.attention_weights(run.cache.stride_px(tap)).items()
            if f"{tap}/{loss}" in run.last  # a block without attention is taught none
        }
        for tap in kept.taps
    }
    return {
        "trained": {
            "what": f"the {args.kind.replace('-', ' ')} blocks; the network that they stand in is frozen",
            **of.told(kept.sizes_px, args.init),
            "teacher": "the network itself" if kept.teacher == of.source else kept.teacher,
            "losses": {
                **attention,
                "rebuilding": settings.weight_rebuild,
                "predictions": settings.weight_predict if settings.prediction_steps else 0,
            },
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
