"""`python -m a2core train`: from folders of photos to a checkpoint with its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from a2core.errors import TrainingError
from a2core.training.cache import Cache, CacheSettings
from a2core.training.data import find_photos
from a2core.training.loop import Adaptation, AdaptSettings

CHANNELS = {"blocks.4": 112, "blocks.5": 192}
PRIMITIVE_LENGTH = 64


def architecture(primitives: tuple[int, int]) -> dict[str, Any]:
    """The architecture of a2-lite0 with so many primitives at blocks.4 and blocks.5, as a card holds it."""
    return {
        "backbone": "tf_efficientnet_lite0",
        "blocks": {
            name: {"in_channels": channels, "c_m": PRIMITIVE_LENGTH, "c_n": n, "position_norm": True}
            for (name, channels), n in zip(CHANNELS.items(), primitives, strict=True)
        },
    }


def train(args: argparse.Namespace, *, command: str) -> int:
    """Cache the features, adapt the blocks, write `--out`/`--name`.safetensors and its card.

    Raises:
        TrainingError: no photos, sizes that do not fit the trunk, a full disk, divergence, or a run of
            other settings in --out.
    """
    wrong = [size for size in args.sizes if size < 160 or size % 32]
    if wrong:
        raise TrainingError(f"--sizes {wrong[0]} is no multiple of 32 from 160 on. Use for example 256 384.")
    photos = find_photos(args.photos, limit=args.limit, seed=args.seed)
    cache = Cache(args.cache, photos, CacheSettings(sizes_px=tuple(args.sizes), seed=args.seed))
    print(f"{len(photos)} photos; features in {cache.folder}")
    cache.build()
    settings = AdaptSettings(
        architecture=architecture(tuple(args.primitives)),
        attention_steps=args.attention_steps,
        prediction_steps=args.prediction_steps,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
    )
    run = Adaptation(cache, settings, args.out)
    run.run()
    card = {
        "trained": {
            "what": "the double attention blocks; the trunk is frozen and stays as published",
            "photos": len(photos),
            "sources": [Path(s).name if Path(s).is_absolute() else s for s in args.photos],
            "command": command,
            "seed": args.seed,
            "steps": run.total_steps,
            "wall_s": round(run.elapsed_s),
        },
        "metrics": {},
        "limits": (
            "Trained on photos of single objects, upscaled from 192 pixels; maps on other pictures "
            "(drawings, microscopy, text) are extrapolation."
        ),
    }
    path = run.write_checkpoint(args.out / f"{args.name}.safetensors", card)
    if cache.skipped.reasons:
        print(cache.skipped.summary())
    print(f"wrote {path}")
    return 0
