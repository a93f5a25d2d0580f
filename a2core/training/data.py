"""Photos to train and measure on: found in folders or torchvision's datasets, decoded, cropped.

A photo that cannot be read is skipped, counted and named at the end; it never stops a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from a2core.errors import MediaError, TrainingError
from a2core.media import read_media

SUFFIXES = {
    *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
    *(".ppm", ".pgm", ".avif", ".heic", ".heif", ".jp2"),
}
# Folders that systems and programs put among photos, full of copies, thumbnails and what was thrown away.
NO_FOLDERS = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
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
    left_out: int = 0  # photos that lie in no class's folder, but beside these


def find_photos(
    sources: Sequence[str], *, limit: int | None = None, seed: int = 0, root: Path = Path("data")
) -> list[Path]:
    """All photos of `sources`: image folders (searched whole, but for what is hidden) or datasets' names.

    A dataset of torchvision is given as NAME, its part to train on, or NAME:PART, and is looked for, and
    downloaded where it can be, below `root`. Photos are sorted within each source, so that a seed means the
    same everywhere; with `limit`, so many are chosen at random by `seed`.

    Raises:
        TrainingError: a source that is neither, that cannot be had, or no photo at all.
    """
    photos = [path for source in sources for path, _ in photos_of(source, root)]
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


def photos_of(source: str, root: Path = Path("data")) -> list[tuple[Path, str]]:
    """(path, class name) of every photo of one source; "" for what lies in no class's folder.

    Raises:
        TrainingError: as `find_photos`, but for a folder without any.
    """
    folder = Path(source)
    if not folder.is_dir():
        return _photos_of_dataset(source, root)
    paths = sorted(_pictures_below(folder, ()))
    return [(path, path.relative_to(folder).parts[0] if path.parent != folder else "") for path in paths]


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's photos: `._1.jpg`, `.ipynb_checkpoints`."""
    return name.startswith(".") or name in NO_FOLDERS


def _pictures_below(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """All files below `folder` that may be photos, nothing hidden; links are followed, but in no circle.

    Raises:
        TrainingError: a folder cannot be looked into.
    """
    try:
        at = folder.stat()
        paths = [path for path in folder.iterdir() if not is_hidden(path.name)]
    except OSError as error:
        raise TrainingError(
            f"{folder} cannot be looked into ({error.strerror}). Allow it, or give another."
        ) from error
    here = (at.st_dev, at.st_ino)
    if here in above:
        return
    for path in paths:
        if path.is_dir():
            yield from _pictures_below(path, (*above, here))
        elif path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def identity_of(photos: Sequence[Path], *, looked_into: int | None = None) -> str:
    """16 hexadecimal digits that stand for these photos, in this order, by what they show.

    Where they lie and what they are called makes no difference. With `looked_into` only about so many,
    all over the set, are read; of the others their sizes speak.
    """
    every = 1 if looked_into is None else -(-len(photos) // looked_into) or 1
    whole = hashlib.sha256()
    for index, path in enumerate(photos):
        try:
            if index % every == 0:
                with path.open("rb") as file:
                    known = hashlib.file_digest(file, "sha256").digest()
            else:
                known = path.stat().st_size.to_bytes(8, "little")
        except OSError:  # skipped and named when it is to be looked at
            known = b"unreadable"
        whole.update(len(known).to_bytes(1, "little") + known)
    return whole.hexdigest()[:16]


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
