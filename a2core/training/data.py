"""Photos to train and measure on: found in folders or torchvision's datasets, decoded, cropped.

A photo that cannot be read is skipped, counted and named at the end; it never stops a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from a2core.errors import MediaError, TrainingError
from a2core.media import read_media

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
_DATASETS = ("Imagenette", "Caltech101", "Caltech256", "Flowers102", "OxfordIIITPet", "Food101", "ImageNet")


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


def find_photos(
    sources: Sequence[str], *, limit: int | None = None, seed: int = 0, root: Path = Path("data")
) -> list[Path]:
    """All photos of `sources`: image folders (searched whole) or names in torchvision.datasets.

    A dataset by name is looked for, and downloaded where it can be, below `root`. Photos are sorted
    within each source, so that a seed means the same everywhere; with `limit`, so many are chosen at
    random by `seed`.

    Raises:
        TrainingError: a source that is neither, that cannot be had, or no photo at all.
    """
    photos: list[Path] = []
    for source in sources:
        folder = Path(source)
        if not folder.is_dir():
            folder = _dataset_folder(source, root)
        photos += sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not photos:
        raise TrainingError(
            f"No photos found in {', '.join(sources)}. Give folders holding JPEG or PNG files."
        )
    if limit is not None and limit < len(photos):
        chosen = np.random.default_rng(seed).choice(len(photos), limit, replace=False)
        photos = [photos[index] for index in chosen]
    return photos


def _dataset_folder(name: str, root: Path) -> Path:
    from torchvision import datasets

    if name not in _DATASETS:
        raise TrainingError(
            f"{name!r} is neither a folder nor a dataset. "
            f"Give an image folder or one of {', '.join(_DATASETS)}."
        )
    folder = root / name.lower()
    try:
        getattr(datasets, name)(str(folder), download=True) if name != "ImageNet" else datasets.ImageNet(
            str(folder)
        )
    except Exception as error:  # torchvision raises whatever its download raises
        raise TrainingError(
            f"The dataset {name} cannot be had here ({error}). Download it elsewhere and give its folder."
        ) from error
    return folder


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
        skipped.reasons.append(f"{path.name} ({error})")
        return None


def square(photo: np.ndarray, side_px: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """The photo resized to side×side; with `rng` a random crop of 50 to 100 % of each side first."""
    if rng is not None:
        height, width = photo.shape[:2]
        share = rng.uniform(0.5, 1.0)
        top, left = (int(rng.uniform(0, 1 - share) * side) for side in (height, width))
        photo = photo[top : top + max(1, int(share * height)), left : left + max(1, int(share * width))]
    shrinks = side_px * side_px < photo.shape[0] * photo.shape[1]
    return cv2.resize(photo, (side_px, side_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
