"""Photos with their classes: of folders that hold one folder a class, or of datasets; parts of such sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from a2core.errors import TrainingError
from a2core.training.photos.found import photos_of


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
