"""Photos to train and measure on: found in folders or torchvision's datasets, decoded, cropped.

A photo that cannot be read is skipped, counted and named at the end; it never stops a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from a2core.errors import MediaError, TrainingError
from a2core.media import read_media

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
# Of torchvision's datasets those that are files on disk, with the parts that each comes in, the one to
# train on first; none where it comes whole.
DATASETS: dict[str, tuple[str, ...]] = {
    "Imagenette": ("train", "val"),
    "Caltech101": (),
    "Caltech256": (),
    "Flowers102": ("train", "val", "test"),
    "OxfordIIITPet": ("trainval", "test"),
    "Food101": ("train", "test"),
    "ImageNet": ("train", "val"),
}


@dataclass
class Skipped:
    """Photos that could not be read, with the reason of each."""

    reasons: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line for the end of a run; empty when nothing was skipped."""
        if not self.reasons:
            return ""
        more = f" and {len(self.reasons) - 5} more" if len(self.reasons) > 5 else ""
        return f"Skipped {len(self.reasons)} unreadable photos: {'; '.join(self.reasons[:5])}{more}"


@dataclass(frozen=True)
class Labelled:
    """Photos with their classes."""

    photos: list[Path]
    labels: np.ndarray  # (len(photos),) int64, into `classes`
    classes: tuple[str, ...]


def find_photos(
    sources: Sequence[str], *, limit: int | None = None, seed: int = 0, root: Path = Path("data")
) -> list[Path]:
    """All photos of `sources`: image folders (searched whole) or names in torchvision.datasets.

    A dataset is given as NAME, its part to train on, or NAME:PART, and is looked for, and downloaded
    where it can be, below `root`. Photos are sorted within each source, so that a seed means the same
    everywhere; with `limit`, so many are chosen at random by `seed`.

    Raises:
        TrainingError: a source that is neither, that cannot be had, or no photo at all.
    """
    photos = [path for source in sources for path, _ in _photos_of(source, root)]
    if not photos:
        raise TrainingError(
            f"No photos found in {', '.join(sources)}. Give folders holding JPEG or PNG files."
        )
    if limit is not None and limit < len(photos):
        chosen = np.random.default_rng(seed).choice(len(photos), limit, replace=False)
        photos = [photos[index] for index in chosen]
    return photos


def find_labelled(
    sources: Sequence[str], *, classes: Sequence[str] | None = None, root: Path = Path("data")
) -> Labelled:
    """All photos of `sources`, as in `find_photos`, with labels: in a folder, one folder a class.

    Classes of the same name in several sources are one. With `classes`, those of a training set, no
    other may occur.

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
    pairs = [pair for source in sources for pair in _photos_of(source, root)]
    if not pairs:
        raise TrainingError(
            f"No photos found in {', '.join(sources)}. Give folders holding one folder a class."
        )
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
    return Labelled([path for path, _ in pairs], np.array([index[name] for _, name in pairs]), tuple(index))


def held_out(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """A set in two: what stays, and a random `share` of the photos, one at least, for validation."""
    order = np.random.default_rng(seed).permutation(len(labelled.photos))
    cut = max(1, round(share * len(order)))
    return _part(labelled, np.sort(order[cut:])), _part(labelled, np.sort(order[:cut]))


def _part(labelled: Labelled, indices: np.ndarray) -> Labelled:
    photos = [labelled.photos[index] for index in indices]
    return Labelled(photos, labelled.labels[indices], labelled.classes)


def _photos_of(source: str, root: Path) -> list[tuple[Path, str]]:
    """(path, class name) of every photo of one source; in a folder the class is the photo's folder."""
    folder = Path(source)
    if folder.is_dir():
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        return [(path, path.parent.name) for path in paths]
    return _photos_of_dataset(source, root)


def _photos_of_dataset(source: str, root: Path) -> list[tuple[Path, str]]:
    from torchvision import datasets

    name, _, part = source.partition(":")
    if name not in DATASETS:
        raise TrainingError(
            f"{source!r} is neither a folder nor a dataset. "
            f"Give an image folder or one of {', '.join(DATASETS)}."
        )
    parts = DATASETS[name]
    if part and part not in parts:
        known = f"Its parts are {', '.join(parts)}." if parts else f"It comes whole: give {name}."
        raise TrainingError(f"{name} has no part {part!r}. {known}")
    options: dict[str, Any] = {"split": part or parts[0]} if parts else {}
    if name != "ImageNet":  # which is not offered for download
        options["download"] = True
    try:
        dataset: Any = getattr(datasets, name)(str(root / name.lower()), **options)
    except Exception as error:  # torchvision raises whatever its download raises
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"The dataset {name} cannot be had here ({reason}). Download it elsewhere and give its folder."
        ) from error
    if hasattr(dataset, "categories"):  # the Caltechs
        base = next(Path(dataset.root).glob("*_ObjectCategories"))
        return [(path, name) for name in dataset.categories for path in sorted((base / name).glob("*.jpg"))]
    files = next(getattr(dataset, key) for key in _LISTS if hasattr(dataset, key))
    labels = dataset._labels if hasattr(dataset, "_labels") else [label for _, label in files]
    paths = [Path(file[0] if isinstance(file, tuple) else file) for file in files]
    names = [dataset.classes[label] for label in labels]
    return [
        (path, name if isinstance(name, str) else name[0]) for path, name in zip(paths, names, strict=True)
    ]


# Where torchvision's datasets keep the paths of their files, beside the labels or without them.
_LISTS = ("_samples", "samples", "_image_files", "_images")


def classes_of(photos: Sequence[Path]) -> tuple[list[str], np.ndarray]:
    """Class names (the photos' parent folders, sorted) and the class index of every photo.

    Raises:
        TrainingError: one class only.
    """
    names = sorted({photo.parent.name for photo in photos})
    if len(names) < 2:
        raise TrainingError(
            f"All photos lie in one folder, {names[0]!r}: labels need one folder a class, two at least."
        )
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([index[photo.parent.name] for photo in photos])


def read_photo(path: Path, skipped: Skipped, *, max_side_px: int = 1024) -> np.ndarray | None:
    """(H, W, 3) uint8 RGB, or None, noted in `skipped`, when it cannot be read."""
    try:
        return read_media(path, max_side_px=max_side_px).frames[0]
    except MediaError as error:
        reason = f"{path.parent.name}/{path.name} ({error})"
        if reason not in skipped.reasons:  # a photo comes by once an epoch
            skipped.reasons.append(reason)
        return None


def square(photo: np.ndarray, side_px: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """The photo resized to side×side; with `rng` a random crop of 50 to 100 % of each side first."""
    if rng is not None:
        height, width = photo.shape[:2]
        share = rng.uniform(0.5, 1.0)
        top, left = (int(rng.uniform(0, 1 - share) * side) for side in (height, width))
        photo = photo[top : top + max(1, int(share * height)), left : left + max(1, int(share * width))]
    return _resized(photo, side_px)


def moved(photo: np.ndarray, side_px: int, frames: int, rng: np.random.Generator) -> np.ndarray:
    """A clip (frames, side, side, ...) of a camera that pans and zooms over the photo from here to there.

    Where it starts and ends is up to `rng`: windows of 50 to 90 % of each side. `photo` is (H, W, 3) uint8,
    or (H, W) region labels, integers that stay what they are; with an `rng` in the same state they move as
    their photo does.
    """
    height, width = photo.shape[:2]
    shares = rng.uniform(0.5, 0.9, 2)
    corners = rng.uniform(0, 1 - shares, (2, 2))  # (left or top, start or end)
    out = []
    for at in np.linspace(0, 1, frames):
        share = shares[0] + at * (shares[1] - shares[0])
        left, top = corners[:, 0] + at * (corners[:, 1] - corners[:, 0])
        rows = slice(int(top * height), max(int(top * height) + 1, int((top + share) * height)))
        columns = slice(int(left * width), max(int(left * width) + 1, int((left + share) * width)))
        out.append(_resized(photo[rows, columns], side_px))
    return np.stack(out)


def _resized(photo: np.ndarray, side_px: int) -> np.ndarray:
    """A photo, averaged when smaller and bicubic when larger; labels (H, W) by the nearest."""
    if photo.ndim == 2:
        nearest = cv2.resize(
            photo.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_NEAREST_EXACT
        )
        return nearest.astype(photo.dtype)
    shrinks = side_px * side_px < photo.shape[0] * photo.shape[1]
    return cv2.resize(photo, (side_px, side_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
