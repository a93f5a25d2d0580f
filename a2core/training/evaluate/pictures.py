"""The pictures that measures are made on: undistorted centre crops, and photos at their native sizes.

A photo is enlarged only where it is smaller than the size that was asked for. It is then counted, and the
count is told: what a network says of enlarged photos is a matter of scale as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from a2core.errors import TrainingError
from a2core.networks.spec import InputSpec
from a2core.training.photos.read import Skipped, read_photo, square
from a2core.training.subject import sides_px

NATIVE: Literal["native"] = "native"
Size = int | Literal["native"]
CROP_SHARE = (
    224 / 256
)  # of a photo's short side, as ImageNet classifiers are tested, where it is large enough
SMALLEST_PX = 64  # below it, maps are a few cells
BATCH = 16


@dataclass
class Enlarged:
    """Which of the pictures that were looked at are smaller than what was made of them."""

    seen: set[Path] = field(default_factory=set)
    small: set[Path] = field(default_factory=set)

    def note(self, path: Path, picture: np.ndarray, side_px: int) -> None:
        """A picture (H, W, …) that becomes a square of so many pixels."""
        self.seen.add(path)
        if min(picture.shape[:2]) < side_px:
            self.small.add(path)

    @property
    def counts(self) -> list[int]:
        """How many were enlarged, of how many: what is kept with a measurement."""
        return [len(self.small), len(self.seen)]


def enlarged_words(counts: Sequence[int], size: Size | str) -> str:
    """One line of how many pictures were enlarged, of how many; empty where none was."""
    if not counts[0]:
        return ""
    size_px = "the least that this network takes" if size == NATIVE else f"{size} pixels"
    return f"{counts[0]} of {counts[1]} pictures are smaller than {size_px} and were enlarged."


def chosen_sizes(takes: InputSpec, wanted: Sequence[Size] | None, usual: Sequence[Size]) -> tuple[Size, ...]:
    """Sizes to measure at: those `wanted`, else the `usual`; of a network of one size, that.

    Raises:
        TrainingError: as `sides_px`.
    """
    sizes = tuple(wanted or usual)
    numbers = [size for size in sizes if isinstance(size, int)]
    fitted = sides_px(
        takes,
        numbers if wanted and numbers else None,
        numbers or [takes.usual_px],
        option="--sizes",
        least=SMALLEST_PX,
    )
    if takes.fixed_px is not None:
        return fitted
    following = iter(fitted)
    return tuple(dict.fromkeys(size if size == NATIVE else next(following) for size in sizes))


def side_of(picture: np.ndarray, size: Size, takes: InputSpec) -> int:
    """The side of the square that becomes of a picture; its native one is the network's multiple below it."""
    if size != NATIVE:
        return size
    step = takes.multiple_px
    return max(-(-SMALLEST_PX // step), min(picture.shape[:2]) // step) * step


def centre_crop(photo: np.ndarray, side_px: int) -> np.ndarray:
    """The middle of a photo, (side, side, 3), its short side made side·256/224 but never more than it has.

    Only a photo smaller than the crop itself is enlarged, to be as large as that.
    """
    short = min(photo.shape[:2])
    target = max(side_px, min(round(side_px / CROP_SHARE), short))
    height, width = (max(side_px, round(side * target / short)) for side in photo.shape[:2])
    if (height, width) != photo.shape[:2]:
        how = cv2.INTER_AREA if target < short else cv2.INTER_CUBIC
        photo = cv2.resize(photo, (width, height), interpolation=how)
    top, left = (height - side_px) // 2, (width - side_px) // 2
    return photo[top : top + side_px, left : left + side_px]


def crops(
    photos: Sequence[Path], size: Size, takes: InputSpec, skipped: Skipped, enlarged: Enlarged
) -> Iterator[tuple[list[int], np.ndarray]]:
    """(indices, centre crops (B, S, S, 3) uint8) of photos that can be read, those of one size together."""
    waiting: dict[int, tuple[list[int], list[np.ndarray]]] = {}
    for index, path in enumerate(photos):
        photo = read_photo(path, skipped)
        if photo is None:
            continue
        side = side_of(photo, size, takes)
        enlarged.note(path, photo, side)
        indices, pictures = waiting.setdefault(side, ([], []))
        indices.append(index)
        pictures.append(centre_crop(photo, side))
        if len(indices) == BATCH:
            del waiting[side]
            yield indices, np.stack(pictures)
    for indices, pictures in waiting.values():
        yield indices, np.stack(pictures)


def whole(
    path: Path, size: Size, takes: InputSpec, skipped: Skipped, enlarged: Enlarged
) -> np.ndarray | None:
    """All of a picture as a square (S, S, 3), as its regions are, or None where it cannot be read."""
    picture = read_photo(path, skipped)
    if picture is None:
        return None
    side = side_of(picture, size, takes)
    enlarged.note(path, picture, side)
    return square(picture, side)


def size_word(word: str) -> Size:
    """A size as the command line has it.

    Raises:
        TrainingError: neither a number nor "native".
    """
    if word == NATIVE:
        return NATIVE
    try:
        return int(word)
    except ValueError:
        raise TrainingError(f"--sizes {word!r} is no size. Give pixels, as 224, or {NATIVE}.") from None
