"""Photos with their classes: of folders, one a class or with a list, or of datasets; parts of such sets."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from a2core.errors import TrainingError
from a2core.training.photos.found import photos_of

LIST, FILE, INDEX = "labels.csv", "file", "imagenet_index"  # a list of photos with their classes, its columns
Half = Literal["chosen", "reported"]


@dataclass(frozen=True)
class Labelled:
    """Photos with their classes."""

    photos: list[Path]
    labels: np.ndarray  # (len(photos),) int64, into `classes`
    classes: tuple[str, ...]
    left_out: int = 0  # photos that lie in no class's folder, but beside these


def find_labelled(
    sources: Sequence[str], *, classes: Sequence[str] | None = None, root: Path = Path("data")
) -> Labelled:
    """All photos of `sources`, as in `find_photos`, with labels: in a folder, one folder a class.

    A class is a first folder of its source with all that lies in it, however deep, as torchvision's
    ImageFolder has it; photos beside these folders are counted in `left_out`. Classes of the same name in
    several sources are one. With `classes`, those of a training set, no other may occur.

    Raises:
        TrainingError: as `find_photos`; one class only; a class that is not one of `classes`; or a
            folder whose own train/ and val/ would be mixed.
    """
    for source in sources:
        if (Path(source) / "train").is_dir() and (Path(source) / "val").is_dir():
            raise TrainingError(
                f"{source} holds both train and val. Give {Path(source) / 'train'} to train on, and "
                f"{Path(source) / 'val'} with --val."
            )
    found_at = [pair for source in sources for pair in photos_of(source, root)]
    pairs = [(path, name) for path, name in found_at if name]
    if not pairs:
        there = "The photos lie in no class's folder" if found_at else "No photos found"
        raise TrainingError(f"{there} in {', '.join(sources)}. Give folders holding one folder a class.")
    found = sorted({name for _, name in pairs})
    unknown = [name for name in found if classes is not None and name not in set(classes)]
    if unknown:
        raise TrainingError(
            f"{unknown[0]!r} in {', '.join(sources)} is no class of the photos to train on. "
            "Name the folders of both alike."
        )
    if classes is None and len(found) < 2:
        raise TrainingError(
            f"There is one class only, {found[0]!r}: labels need one folder a class, two at least."
        )
    index = {name: number for number, name in enumerate(found if classes is None else classes)}
    labels = np.array([index[name] for _, name in pairs])
    return Labelled([path for path, _ in pairs], labels, tuple(index), len(found_at) - len(pairs))


def is_listed(folder: Path) -> bool:
    """Whether the photos of a folder are listed with their classes, instead of lying in their folders."""
    return (folder / LIST).is_file()


def find_listed(folder: Path) -> Labelled:
    """The photos that `labels.csv` in `folder` names, sorted, with their ImageNet classes by WordNet id.

    Read are the columns `file` (a path below the folder) and `imagenet_index` (0 to 999); others are not.

    Raises:
        TrainingError: no such list or columns, a line that is none, a file named twice or that is not there.
    """
    from timm.data import ImageNetInfo

    info, at = ImageNetInfo(), folder / LIST
    found: dict[str, int] = {}
    try:
        with at.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            lacking = [name for name in (FILE, INDEX) if name not in (rows.fieldnames or ())]
            if lacking:
                raise TrainingError(f"{at} has no column {lacking[0]!r}. Give it {FILE} and {INDEX}.")
            for row in rows:
                name, index = row[FILE] or "", (row[INDEX] or "").strip()
                if not index.isdecimal() or int(index) >= info.num_classes():
                    raise TrainingError(
                        f"{at}, line {rows.line_num}: {index[:40]!r} is no ImageNet class. They are counted "
                        f"from 0 to {info.num_classes() - 1}."
                    )
                if name in found or not (folder / name).is_file():
                    fault = "is named twice" if name in found else "is not there"
                    raise TrainingError(f"{at}, line {rows.line_num}: {name!r} {fault}. Correct the list.")
                found[name] = int(index)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{at} cannot be read ({error}). Give a text file, a line a photo.") from error
    if not found:
        raise TrainingError(f"{at} names no photo. Give it a line for each.")
    names = sorted(found)
    classes = sorted(set(found.values()))
    labels = np.array([classes.index(found[name]) for name in names])
    return Labelled(
        [folder / name for name in names], labels, tuple(info.index_to_label_name(index) for index in classes)
    )


def half_of(labelled: Labelled, half: Half | None) -> Labelled:
    """One half of the photos, by seed 0 over the sorted files: what chooses never sees what is reported.

    The chosen half has the odd photo. All photos without a `half`.
    """
    if half is None:
        return labelled
    by_name = np.array(
        sorted(range(len(labelled.photos)), key=lambda index: labelled.photos[index]), dtype=int
    )
    order = by_name[np.random.default_rng(0).permutation(len(by_name))]
    cut = (len(order) + 1) // 2
    return _part(labelled, np.sort(order[:cut] if half == "chosen" else order[cut:]))


def some_of(labelled: Labelled, limit: int | None) -> Labelled:
    """So many of the photos, chosen at random, always the same ones; all without a limit."""
    if limit is None or limit >= len(labelled.photos):
        return labelled
    return _part(labelled, np.random.default_rng(0).choice(len(labelled.photos), limit, replace=False))


def held_out(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """A set in two: what stays, and a random `share` of the photos, one at least, for validation."""
    order = np.random.default_rng(seed).permutation(len(labelled.photos))
    cut = max(1, round(share * len(order)))
    return _part(labelled, np.sort(order[cut:])), _part(labelled, np.sort(order[:cut]))


def _part(labelled: Labelled, indices: np.ndarray) -> Labelled:
    photos = [labelled.photos[index] for index in indices]
    return replace(labelled, photos=photos, labels=labelled.labels[indices])
