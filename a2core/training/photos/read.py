"""Photos decoded, and made squares or clips of one size.

A photo that cannot be read is skipped, counted and named at the end; it never stops a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from a2core.errors import MediaError
from a2core.media import read_media

WINDOW = 0.7  # of the short side, at least


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
    return resized(photo, side_px)


def windows(photo: np.ndarray, least_px: int, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Square windows (frames, side, side, 3) of a photo, its own pixels, mirrored half of the time.

    Their side is at least `least_px` and seven tenths of the short side, at most all of it. More frames than
    one go from here to there in equal steps.
    """
    height, width = photo.shape[:2]
    short = min(height, width)
    side = round(rng.uniform(min(short, max(least_px, WINDOW * short)), short))
    if rng.random() < 0.5:
        photo = photo[:, ::-1]
    ends = rng.uniform(0, (height - side, width - side), (2, 2))  # (start or end, top or left)
    path = ends[0] + np.linspace(0, 1, frames)[:, None] * (ends[1] - ends[0])
    return np.stack([photo[top : top + side, left : left + side] for top, left in path.round().astype(int)])


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
        out.append(resized(photo[rows, columns], side_px))
    return np.stack(out)


def resized(photo: np.ndarray, side_px: int) -> np.ndarray:
    """A photo, averaged when smaller and bicubic when larger; labels (H, W) by the nearest."""
    if photo.ndim == 2:
        nearest = cv2.resize(
            photo.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_NEAREST_EXACT
        )
        return nearest.astype(photo.dtype)
    shrinks = side_px * side_px < photo.shape[0] * photo.shape[1]
    return cv2.resize(photo, (side_px, side_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
