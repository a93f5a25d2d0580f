"""`python -m a2core evaluate`: the measures of a checkpoint, and of baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W), labelled photos as
one folder a class or listed in a `labels.csv`. What stands beside each block is said at the head of
`on_regions.py`, what beside the predictions in `on_photos.py`. A relative of double attention has no
gather maps: it is measured by its attention rows; one that hands the same to every position has none.

With `--frames` T every labelled picture becomes a clip that a camera could have taken of it
(`photos.read.moved`), its regions moving along: a click in one frame is to find its region in all of them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from a2core.checkpoints import read_card
from a2core.errors import TrainingError
from a2core.load import checkpoint_of, load_model, untrained_model
from a2core.tracing.model import Model
from a2core.training.evaluate.cards import amend_card
from a2core.training.evaluate.feature_maps import check_takes_pictures
from a2core.training.evaluate.on_photos import (
    check_has_classes,
    measure_photos,
    photos_with_classes,
    taught_by,
    teacher_for,
)
from a2core.training.evaluate.on_regions import measure_regions, region_pairs
from a2core.training.evaluate.pictures import NATIVE, Enlarged, Size, chosen_sizes, size_word
from a2core.training.evaluate.tables import card_metrics, photos_table, photos_words, table_of
from a2core.training.photos.read import Skipped

# Unless others are asked for.
REGION_SIZES: tuple[Size, ...] = (352, 672)
PHOTO_SIZES: tuple[Size, ...] = (NATIVE, 224, 352)
SECTIONS = ("photos", "regions", "clips")  # each: size to what was measured at it, with its conditions


@dataclass
class Evaluation:
    """One run of the command: what it measures, and what it has found so far."""

    args: argparse.Namespace
    command: str
    model: Model
    random: Model
    results: dict[str, Any]
    skipped: Skipped = field(default_factory=Skipped)

    def sizes(self, usual: tuple[Size, ...]) -> tuple[Size, ...]:
        """The sizes to measure at."""
        words = self.args.sizes
        return chosen_sizes(self.model.input, None if words is None else [size_word(w) for w in words], usual)

    def keep(self, section: str, size: Size, folder: Path, measured: dict[str, Any]) -> None:
        """A measurement with its conditions."""
        told = {"folder": folder.resolve().name, "command": self.command}
        self.results.setdefault(section, {})[str(size)] = {**told, **measured}


def evaluate(args: argparse.Namespace, *, command: str) -> dict[str, Any]:
    """Measure and print; the same as a dictionary, also into the card when `args.write`.

    Raises:
        TrainingError: nothing to measure on was given, a folder holds none of it, sizes that do not fit, or
            a checkpoint without blocks.
    """
    if args.regions is None and args.photos is None:
        raise TrainingError("Nothing to measure on. Give --regions, --photos or both.")
    if args.limit is not None and args.limit < 1:
        raise TrainingError(f"--limit {args.limit} leaves no picture to measure on. Give 1 or more.")
    if args.frames < 1:
        raise TrainingError(f"--frames {args.frames} leaves nothing to look at. Give 1 or more.")
    path, model = checkpoint_of(args.checkpoint), load_model(args.checkpoint, device="cpu")
    check_takes_pictures(model)
    if not model.blocks:
        raise TrainingError(
            f"{model.name} has no blocks, so there is nothing to measure. Give a checkpoint with some, as "
            "python -m a2core train PHOTOS writes them."
        )
    results: dict[str, Any] = {"checkpoint": model.name, "sha256": read_card(path).sha256}
    run = Evaluation(args, command, model, untrained_model(args.checkpoint, device="cpu"), results)
    if args.photos is not None:
        _photos(run)
    if args.regions is not None:
        _regions(run)
    if run.skipped.reasons:
        print(run.skipped.summary())
    if args.write:
        before = read_card(path).entries.get("metrics", {})
        amend_card(path, {"metrics": {**before, **card_metrics(results)}})
        print(f"wrote the measures into {path.with_suffix('.json').name}")
    return results


def _photos(run: Evaluation) -> None:
    args, model = run.args, run.model
    check_has_classes(model)
    sizes = run.sizes(PHOTO_SIZES)
    labelled = photos_with_classes(args.photos, args.half, args.limit)
    teacher, name = (None, "") if args.no_baselines else teacher_for(model)
    taught = None if teacher is None else taught_by(teacher, labelled.photos, run.skipped)
    for size in sizes:
        measured = measure_photos(model, labelled, size, run.skipped, taught=taught)
        enlarged = measured.pop("said")
        told = {"half": args.half, "classes": len(model.labels), "teacher": name}
        run.keep("photos", size, args.photos, {**told, **measured})
        half = f", the {args.half} half" if args.half else ""
        print(
            f"\n{measured['photos']} photos of {args.photos.resolve().name}{half}, at {said_size(size)}, all "
            f"{len(model.labels)} classes\n\n{photos_table(measured)}\n\n{photos_words(measured)}"
        )
        if enlarged:
            print(enlarged)


def _regions(run: Evaluation) -> None:
    args = run.args
    pairs = region_pairs(args.regions, without=read_ids(args.without), limit=args.limit)
    clips = f" as clips of {args.frames} frames" if args.frames > 1 else ""
    told = {
        "pictures": len(pairs),
        "left out": args.without.name if args.without else None,
        "frames": args.frames,
    }
    for size in run.sizes(REGION_SIZES):
        enlarged = Enlarged()
        tables = measure_regions(
            run.model,
            run.random,
            pairs,
            size,
            run.skipped,
            baselines=not args.no_baselines,
            frames=args.frames,
            enlarged=enlarged,
        )
        measured = {**told, "enlarged": len(enlarged.small), "blocks": tables}
        run.keep("clips" if clips else "regions", size, args.regions, measured)
        for name, table in tables.items():
            print(f"\n{name} at {said_size(size)}, {len(pairs)} pictures{clips}\n\n{table_of(table)}")
        if enlarged.small:
            print(enlarged.said(size))


def said_size(size: Size) -> str:
    """A size in words."""
    return "native size" if size == NATIVE else f"{size} pixels"


def read_ids(path: Path | None) -> set[str]:
    """The ids in a text file, one a line, `#` starting a comment; none without a file.

    Raises:
        TrainingError: the file cannot be read.
    """
    if path is None:
        return set()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"--without {path} cannot be read ({error}). Give a text file, one id a line."
        ) from error
    return {line.split("#")[0].strip() for line in lines} - {""}
