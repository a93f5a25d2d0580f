"""`python -m a2core evaluate`: the measures of a checkpoint, and of baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W), labelled photos as
one folder a class or listed in a `labels.csv`. What stands beside each block is said at the head of
`on_regions.py`, what beside the predictions in `on_photos.py`. A relative of double attention has no
gather maps: it is measured by its attention rows; one that hands the same to every position has none.

With `--frames` T every labelled picture becomes a clip that a camera could have taken of it
(`photos.read.moved`), its regions moving along: a click in one frame is to find its region in all of them.

What primitives mean is measured on photos with classes (`on_classes.py`) and on pictures and clips with masks
(`on_masks.py`). A result is, by kind of measurement and size, what was measured with its conditions.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from a2core.checkpoints import read_card
from a2core.errors import TrainingError
from a2core.load import checkpoint_of, load_model, untrained_model
from a2core.tracing.model import Model
from a2core.training.evaluate.cards import amend_card, with_scores
from a2core.training.evaluate.feature_maps import check_takes_pictures
from a2core.training.evaluate.on_classes import Measured, measure_classes, photos_of_classes
from a2core.training.evaluate.on_masks import measure_parts, measure_tracks
from a2core.training.evaluate.on_photos import (
    check_has_classes,
    measure_photos,
    photos_with_classes,
    taught_by,
    teacher_for,
)
from a2core.training.evaluate.on_regions import measure_regions, region_pairs
from a2core.training.evaluate.pictures import NATIVE, Enlarged, Size, chosen_sizes, size_word
from a2core.training.evaluate.tables import card_metrics, section_text
from a2core.training.photos.labelled import find_labelled, find_listed, is_listed, some_of
from a2core.training.photos.read import Skipped

# Unless others are asked for.
REGION_SIZES: tuple[Size, ...] = (352, 672)
PHOTO_SIZES: tuple[Size, ...] = (NATIVE, 224, 352)
CLASS_SIZES: tuple[Size, ...] = (NATIVE,)
MASK_SIZES: tuple[Size, ...] = (352,)

Scores = dict[str, dict[str, list[Any]]]  # of each primitive, by block and name


@dataclass
class Evaluation:
    """One run of the command: what it measures, and what it has found so far."""

    args: argparse.Namespace
    command: str
    model: Model
    random: Model
    results: dict[str, Any]
    skipped: Skipped = field(default_factory=Skipped)
    scores: Scores = field(default_factory=dict)

    def sizes(self, usual: tuple[Size, ...]) -> tuple[Size, ...]:
        """The sizes to measure at."""
        words = self.args.sizes
        return chosen_sizes(self.model.input, None if words is None else [size_word(w) for w in words], usual)

    def note_fewer(self, what: str, count: int) -> None:
        """Say so where there is less to measure on than was asked for."""
        asked = self.args.limit
        if asked is not None and asked > count:
            print(f"note: --limit {asked} asks for more {what} than there are: all {count} are used.")

    def keep(self, section: str, size: Size, measured: Mapping[str, Any]) -> None:
        """Keep a measurement with its conditions, and print it."""
        entry = {"command": self.command, **measured}
        self.results.setdefault(section, {})[str(size)] = entry
        print(f"\n{section_text(section, str(size), entry)}")


def evaluate(args: argparse.Namespace, *, command: str) -> dict[str, Any]:
    """Measure and print; the same as a dictionary, also into the card when `args.write`.

    Raises:
        TrainingError: nothing to measure on was given, a folder holds none of it, sizes that do not fit, or
            a checkpoint without blocks.
    """
    if all(given is None for given in (args.regions, args.photos, args.classes, args.parts, args.tracks)):
        raise TrainingError(
            "Nothing to measure on. Give one or more of --regions, --photos, --classes, --parts, --tracks."
        )
    if args.second and args.classes is None:
        raise TrainingError("--second is compared on photos with classes. Give --classes too.")
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
    if args.classes is not None:
        _classes(run)
    if args.parts is not None:
        _parts(run)
    if args.tracks is not None:
        _tracks(run)
    if run.skipped.reasons:
        print(run.skipped.summary())
    if args.write:
        before = read_card(path).entries.get("metrics", {})
        metrics = {"metrics": {**before, **card_metrics(results)}}
        told = (
            {"cards": with_scores(read_card(path).entries.get("cards", {}), run.scores)} if run.scores else {}
        )
        amend_card(path, metrics | told)
        print(f"wrote the measures into {path.with_suffix('.json').name}")
    return results


def added_to(path: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Results with what a file has of the same checkpoint, of other kinds or at other sizes, beside them."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return dict(results)
    if not isinstance(before, dict) or before.get("sha256") != results["sha256"]:
        return dict(results)
    joined = {**before, **results}
    for section, found in results.items():
        if isinstance(found, dict) and isinstance(before.get(section), dict):
            joined[section] = {**before[section], **found}
    return joined


def _photos(run: Evaluation) -> None:
    args, model = run.args, run.model
    check_has_classes(model)
    sizes = run.sizes(PHOTO_SIZES)
    labelled = photos_with_classes(args.photos, args.half, args.limit)
    run.note_fewer("photos", len(labelled.photos))
    teacher, name = (None, "") if args.no_baselines else teacher_for(model)
    taught = None if teacher is None else taught_by(teacher, labelled.photos, run.skipped)
    told = {
        "folder": args.photos.resolve().name,
        "half": args.half,
        "classes": len(model.labels),
        "teacher": name,
    }
    for size in sizes:
        run.keep(
            "photos", size, {**told, **measure_photos(model, labelled, size, run.skipped, taught=taught)}
        )


def _regions(run: Evaluation) -> None:
    args = run.args
    pairs = region_pairs(args.regions, without=read_ids(args.without), limit=args.limit)
    run.note_fewer("pictures with regions", len(pairs))
    told = {
        "folder": args.regions.resolve().name,
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
        run.keep(
            "clips" if args.frames > 1 else "regions",
            size,
            {**told, "enlarged": enlarged.counts, "blocks": tables},
        )


def _classes(run: Evaluation) -> None:
    args = run.args
    found = photos_of_classes(
        [find_listed(path) if is_listed(path) else find_labelled([str(path)]) for path in args.classes]
    )
    labelled = some_of(found, args.limit)
    run.note_fewer("photos with classes", len(labelled.photos))
    randoms = [run.random, untrained_model(args.checkpoint, device="cpu", seed=1)]
    seconds = [load_model(name, device="cpu") for name in args.second]
    folders = ", ".join(f"{path.resolve().parent.name}/{path.resolve().name}" for path in args.classes)
    for size in run.sizes(CLASS_SIZES):
        enlarged = Enlarged()
        measured = measure_classes(run.model, randoms, seconds, labelled, size, run.skipped, enlarged)
        told = {"classes": len(found.classes), "second": [model.name for model in seconds]}
        _meaning(run, "classes", size, folders, (len(labelled.photos), "photos"), measured, told, enlarged)


def _parts(run: Evaluation) -> None:
    args = run.args
    for size in run.sizes(MASK_SIZES):
        enlarged = Enlarged()
        count, measured = measure_parts(
            run.model, run.random, args.parts, size, args.limit, run.skipped, enlarged
        )
        run.note_fewer("pictures with masks", count)
        name = args.parts.resolve().name
        _meaning(run, "parts", size, name, (count, "pictures"), measured, {}, enlarged)


def _tracks(run: Evaluation) -> None:
    args = run.args
    for size in run.sizes(MASK_SIZES):
        enlarged = Enlarged()
        count, tables = measure_tracks(
            run.model, run.random, args.tracks, size, args.limit, run.skipped, enlarged
        )
        run.note_fewer("scenes", count)
        name = args.tracks.resolve().name
        _meaning(run, "tracks", size, name, (count, "scenes"), Measured(tables, {}), {}, enlarged)


def _meaning(
    run: Evaluation,
    section: str,
    size: Size,
    folder: str,
    of: tuple[int, str],
    measured: Measured,
    told: Mapping[str, Any],
    enlarged: Enlarged,
) -> None:
    """Keep what primitives mean, on so many photos, pictures or scenes, and what each of them got."""
    count, what = of
    conditions = {"folder": folder, "pictures": count, "what": what, "enlarged": enlarged.counts, **told}
    run.keep(section, size, {**conditions, "blocks": measured.tables})
    for name, scores in measured.scores.items():
        run.scores.setdefault(name, {}).update(scores)


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
