"""What blocks are taught of how to answer, computed once and kept on disk.

Of every photo a window at each of some sizes, made smaller but never enlarged (what is enlarged looks like
nothing that the network has learned of): the trunk's features where the first block stands, and what trunk
and teacher answer to the same window at the sizes that they were trained for. So there is something to be
learned where the network sees less than that. A photo smaller than a size is not looked at in it.

With `frames` T > 1 the window pans over the photo in so many steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2core.errors import TrainingError
from a2core.networks.spec import InputSpec
from a2core.training.adapt.kept import Kept, one_thread_each
from a2core.training.adapt.targets import Seen, as_pixels
from a2core.training.photos.read import Skipped, read_photo, resized, windows

SMALLEST_PX = 64
LOOKED_INTO = 64  # photos, to see how large they are


@dataclass(frozen=True)
class AnswerSettings:
    """Everything that what is kept depends on, beside the photos themselves.

    `tap` is the module that the first block stands behind; `enlarge` is for networks of one size, which leave
    no choice.
    """

    trunk: str
    teacher: str
    tap: str
    sizes_px: tuple[int, ...]
    enlarge: bool = False
    seed: int = 0
    frames: int = 1
    weights: str = ""


class Answers(Kept):
    """Features and answers of crops of one set of photos, with one set of settings."""

    what = "answers"

    def __init__(
        self,
        folder: Path,
        photos: Sequence[Path],
        settings: AnswerSettings,
        *,
        device: torch.device | None = None,
    ) -> None:
        told = {"of": "answers", **asdict(settings)}
        super().__init__(
            folder, photos, told, sizes_px=settings.sizes_px, frames=settings.frames, device=device
        )
        self.settings = settings
        self._networks: tuple[Seen, Seen] | None = None

    def members(self, size_px: int) -> list[int]:
        """Every photo is looked at in every size that it fills."""
        return list(range(len(self.photos)))

    def keys(self) -> list[str]:
        """Names of the arrays of one size."""
        return ["features", "logits own", "logits teacher", "valid"]

    def prepare(self) -> None:
        """Load trunk and teacher."""
        if self._networks is None:
            settings = self.settings
            trunk = self.network(settings.trunk, (settings.tap,))
            same = settings.teacher == settings.trunk
            self._networks = trunk, trunk if same else self.network(settings.teacher, ())

    def window(self, index: int, size_px: int) -> np.ndarray | None:
        """The window of a photo, (frames, side, side, 3), in its own pixels; None: there is none so large."""
        photo = read_photo(self.photos[index], self.skipped)
        if photo is None or (min(photo.shape[:2]) < size_px and not self.settings.enlarge):
            return None
        return windows(
            photo, size_px, self.frames, np.random.default_rng((self.settings.seed, index, size_px))
        )

    def picture(self, index: int, size_px: int) -> np.ndarray | None:
        """The same in the size that blocks look at, (frames, size, size, 3)."""
        window = self.window(index, size_px)
        return None if window is None else np.stack([resized(frame, size_px) for frame in window])

    @torch.inference_mode()
    def compute(self, chunk: list[int], size_px: int) -> dict[str, np.ndarray]:
        """Features and answers of some photos."""
        blank = np.zeros((self.frames, size_px, size_px, 3), np.uint8)
        found = [self.window(index, size_px) for index in chunk]
        looking = partial(self._look, size_px)
        with one_thread_each() as pool:
            looked = list(pool.map(looking, (blank if window is None else window for window in found)))
        names = self.keys()[:-1]
        arrays = (torch.stack(values).half().cpu().numpy() for values in zip(*looked, strict=True))
        valid = np.array([window is not None for window in found])
        return {**dict(zip(names, arrays, strict=True)), "valid": valid}

    def _look(self, size_px: int, window: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Features of (T, side, side, 3), made smaller, and the answers of trunk and teacher to it."""
        assert self._networks is not None, "prepared before"
        trunk, teacher = self._networks
        tap = self.settings.tap
        with torch.inference_mode():  # each thread has its own
            small = as_pixels(np.stack([resized(frame, size_px) for frame in window])).to(self.device)
            x = as_pixels(window).to(self.device)
            return trunk.features(small, tap)[tap].contiguous(), trunk.logits(x), teacher.logits(x)


def short_sides(photos: Sequence[Path]) -> list[int]:
    """Short sides, ascending, in pixels, of so many photos all over the set; unreadable ones left out."""
    skipped = Skipped()
    read = [read_photo(path, skipped) for path in photos[:: -(-len(photos) // LOOKED_INTO)]]
    return sorted(min(photo.shape[:2]) for photo in read if photo is not None)


def native_sizes(photos: Sequence[Path], takes: InputSpec) -> tuple[int, ...]:
    """Sizes of pictures, ascending, that at least half of the photos fill.

    From the size that the network was trained for on, up to twice that, as far as the photos go: larger
    pictures are what blocks are looked at in, and there it has something to learn from its own answers at the
    usual size. Of photos no larger than that, the size below it.

    Raises:
        TrainingError: the photos are smaller than anything that the network could make sense of, or none of
            those looked into can be read.
    """
    if takes.fixed_px is not None:
        return (takes.fixed_px[0],)
    sides = short_sides(photos)
    if not sides:
        raise TrainingError("None of the photos could be read. Give folders holding JPEG or PNG files.")
    side, step = sides[len(sides) // 2], takes.multiple_px
    largest = min(side, 2 * takes.usual_px) // step * step
    if largest < max(SMALLEST_PX, step):
        raise TrainingError(
            f"Half of the photos are no larger than {side} pixels, and blocks learn to answer from photos "
            f"that are not enlarged. Give photos of at least {max(SMALLEST_PX, step)} pixels, or "
            "--prediction-steps 0."
        )
    smallest = min(takes.usual_px // step * step, largest)
    if smallest == largest:
        smallest = max(largest - step, min(largest, SMALLEST_PX))
    middle = (smallest + largest) // 2 // step * step
    return tuple(sorted({smallest, middle, largest}))
