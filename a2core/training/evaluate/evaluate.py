"""`python -m a2core evaluate`: the measures of a checkpoint, and of baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W), labelled photos as
one folder a class. Beside each block stand, in the same run: the same block with random weights;
cosine similarity of the features that the block reads, k-means and NMF of each picture's features
with as many components as the block has primitives (all three on features standardised per channel
over the pictures); Grad-CAM of the network's top class at the same place, whose one map is the score
for every click. A relative of double attention has no gather maps: it is measured by its attention
rows; one that hands the same to every position has none to measure.

With `--frames` T every labelled picture becomes a clip that a camera could have taken of it
(`photos.read.moved`), its regions moving along: a click in one frame is to find its region in all of them.
Beside the block stand then its random twin and cosine similarity.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a2core.checkpoints import read_card
from a2core.errors import TrainingError
from a2core.load import checkpoint_of, load_model, untrained_model
from a2core.training.evaluate.cards import amend_card
from a2core.training.evaluate.feature_maps import check_takes_pictures
from a2core.training.evaluate.measures import OF_ATTENTION, OF_PRIMITIVES
from a2core.training.evaluate.on_photos import measure_photos
from a2core.training.evaluate.on_regions import Table, measure_regions, region_pairs
from a2core.training.photos.read import Skipped
from a2core.training.subject import sides_px

SIZES_PX, SMALLEST_PX = (352, 672), 64  # unless others are asked for; below it, maps are a few cells


def evaluate(args: argparse.Namespace, *, command: str) -> dict[str, Any]:
    """Measure and print; the same as a dictionary, also into the card when `args.write`.

    Raises:
        TrainingError: neither regions nor photos were given, they hold none, or sizes that do not fit.
    """
    if args.regions is None and args.photos is None:
        raise TrainingError("Nothing to measure on. Give --regions, --photos or both.")
    if args.limit is not None and args.limit < 1:
        raise TrainingError(f"--limit {args.limit} leaves no picture to measure on. Give 1 or more.")
    if args.frames < 1:
        raise TrainingError(f"--frames {args.frames} leaves nothing to look at. Give 1 or more.")
    path, model = checkpoint_of(args.checkpoint), load_model(args.checkpoint, device="cpu")
    check_takes_pictures(model)
    sizes = sides_px(model.input, args.sizes, SIZES_PX, option="--sizes", least=SMALLEST_PX)
    results: dict[str, Any] = {"checkpoint": model.name, "command": command}
    skipped = Skipped()
    if args.regions is not None:
        random = untrained_model(args.checkpoint, device="cpu")
        pairs = region_pairs(args.regions, without=read_ids(args.without), limit=args.limit)
        results["regions"] = {
            "pictures": len(pairs),
            "folder": args.regions.resolve().name,
            "left out": args.without.name if args.without else None,
            "frames": args.frames,
        }
        for size in sizes:
            tables = measure_regions(
                model, random, pairs, size, skipped, baselines=not args.no_baselines, frames=args.frames
            )
            results["regions"][str(size)] = tables
            for name, table in tables.items():
                clips = f" as clips of {args.frames} frames" if args.frames > 1 else ""
                print_table(f"{name} at {size} pixels, {len(pairs)} pictures{clips}", table)
    if args.photos is not None:
        results["photos"] = {"folder": args.photos.resolve().name, "classes": len(model.labels)}
        for size in sizes:
            measured = measure_photos(model, args.photos, size, args.limit, skipped)
            results["photos"][str(size)] = measured
            print(
                f"\nphotos of {results['photos']['folder']} at {size} pixels, all {len(model.labels)} classes"
            )
            for key, value in measured.items():
                print(f"{key}: {value}")
    if skipped.reasons:
        print(skipped.summary())
    if args.write:
        before = read_card(path).entries.get("metrics", {})
        amend_card(path, {"metrics": {**before, **card_metrics(results)}})
        print(f"wrote the measures into {path.with_suffix('.json').name}")
    return results


def print_table(title: str, table: Table) -> None:
    """One row a method, one column a measure, as Markdown has it."""
    columns = [column for column in _COLUMNS if any(column in row for row in table.values())]
    print(f"\n{title}\n\n| {'':12} | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for method, row in table.items():
        cells = [f"{row[c]:.3f}" if c in row else "–" for c in columns]
        padded = [cell.rjust(len(column)) for cell, column in zip(cells, columns, strict=True)]
        print(f"| {method:12} | {' | '.join(padded)} |")


# "dead" is of all pictures together (`on_regions.Row`).
_COLUMNS = sorted({**OF_ATTENTION, **OF_PRIMITIVES, "dead": None}, key=lambda name: name == "redundancy")


def card_metrics(results: Mapping[str, Any]) -> dict[str, Any]:
    """The measures as a checkpoint's card holds them and the About page shows them: few, and in words."""
    metrics: dict[str, Any] = {}
    by: dict[str, Any] = {"command": results["command"]}
    regions = dict(results.get("regions", {}))
    count, folder, left_out = (regions.pop(key, None) for key in ("pictures", "folder", "left out"))
    frames = regions.pop("frames", 1)
    clips = f" as clips of {frames} frames" if frames > 1 else ""
    for size, tables in regions.items():
        on = f"{count} pictures of {folder}{clips}" + (f", those of {left_out} left out" if left_out else "")
        metrics[f"regions at {size} pixels{clips}"] = {"measured on": on, **by} | {
            name: {
                label: round(table[method][measure], 3)
                for label, method, measure in _CARD_LINES
                if measure in table.get(method, {})
            }
            for name, table in tables.items()
        }
    photos = dict(results.get("photos", {}))
    folder, classes = (photos.pop(key, None) for key in ("folder", "classes"))
    for size, measured in photos.items():
        on = f"{measured['photos']} photos of {folder}, all {classes} classes"
        rest = {key: value for key, value in measured.items() if key != "photos"}
        metrics[f"photos at {size} pixels"] = {"measured on": on, **by} | rest
    return metrics


# What a card says, by whom and by which measure; of measures that are not named here, the block's own.
_SAID = (
    ("click-AUC", "block", "click-AUC"),
    ("click-AUC, cosine", "cosine", "click-AUC"),
    ("click-AUC, random", "random block", "click-AUC"),
    ("overlap", "block", "overlap gather"),
    ("overlap, k-means", "k-means", "overlap gather"),
    ("overlap, NMF", "NMF", "overlap gather"),
    ("overlap, random", "random block", "overlap gather"),
    ("overlap of ρ", "block", "overlap rho"),
    ("median reach", "block", "median reach"),
    ("dead", "block", "dead"),
    ("redundancy", "block", "redundancy"),
)
_CARD_LINES = (
    *_SAID,
    *((name, "block", name) for name in _COLUMNS if name not in {measure for _, _, measure in _SAID}),
)


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
