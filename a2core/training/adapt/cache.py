"""What blocks are taught of where to look, computed once and kept on disk: features, and target affinities.

For every photo, at one of several sizes:

- the frozen trunk's features at each block's place (float16), and what it answers, where it has classes;
- for some random positions p of each block's grid, the **target affinity** T(p, ·), a distribution
  over all positions: cosine similarities of features, averaged over networks and picture scales,
  turned into a random walk (softmax with temperature 0.1, made symmetric, row-normalised) and
  walked 8 steps. The walk flows along chains of similar cells and stops at region borders: as
  a score of "which cells belong to the object at p" it beats the similarities themselves. Target rows
  are what E(p, ·) = Σ_i ρ_i(p) θ_i is drawn towards.

With `frames` T > 1 every photo becomes a made clip (`photos.read.moved`), and positions are those of all its
frames, T·grid², flattened frame by frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2core.errors import TrainingError
from a2core.training.adapt.kept import Kept, one_thread_each
from a2core.training.adapt.targets import ANSWERS, CacheSettings, Seen, unit_features, walked_affinity
from a2core.training.adapt.targets import look as look_at
from a2core.training.photos.read import moved, read_photo, square


def _told(settings: CacheSettings) -> dict[str, Any]:
    """The settings, without what is only told of networks of somebody's own."""
    return {key: value for key, value in asdict(settings).items() if value != "" or key != "weights"}


class Cache(Kept):
    """Features and target rows of one set of photos, with one set of settings."""

    what = "features"

    def __init__(
        self,
        folder: Path,
        photos: Sequence[Path],
        settings: CacheSettings,
        *,
        device: torch.device | None = None,
    ) -> None:
        super().__init__(
            folder,
            photos,
            _told(settings),
            sizes_px=settings.sizes_px,
            frames=settings.frames,
            device=device,
        )
        self.settings = settings
        self._networks: tuple[Seen, Seen] | None = None

    def members(self, size_px: int) -> list[int]:
        """Indices of the photos cached at this size: each photo has one."""
        sizes = self.sizes_px
        return [i for i in range(len(self.photos)) if sizes[i % len(sizes)] == size_px]

    def stride_px(self, tap: str) -> int:
        """Pixels of the picture for each cell of the features kept of `tap`.

        Raises:
            TrainingError: the cache holds none of this name.
        """
        if tap not in self.settings.taps:
            raise TrainingError(
                f"The cache holds no features for a block at {tap!r}, only at "
                f"{', '.join(map(repr, self.settings.taps))}. Make one with these taps."
            )
        size_px = self.sizes_px[0]
        return size_px // self.kept(size_px, f"features@{tap}").shape[-1]

    def keys(self) -> list[str]:
        """Names of the cached arrays of one size."""
        kinds = ("features", "rows", "targets")
        answers = [ANSWERS] if self.settings.answers else []
        return [f"{kind}@{tap}" for tap in self.settings.taps for kind in kinds] + [*answers, "valid"]

    def prepare(self) -> None:
        """Load trunk and teacher."""
        if self._networks is None:
            trunk = self.network(self.settings.trunk, self.settings.taps)
            same = self.settings.teacher == self.settings.trunk
            teacher = trunk if same else self.network(self.settings.teacher, self.settings.taps)
            self._networks = trunk, teacher

    def picture(self, index: int, size_px: int) -> np.ndarray | None:
        """A photo as it is looked at, (frames, size, size, 3), the same each time; None: not readable."""
        rng = np.random.default_rng((self.settings.seed, index))
        photo = read_photo(self.photos[index], self.skipped)
        if photo is None:
            return None
        if self.frames > 1:
            return moved(photo, size_px, self.frames, rng)
        return square(photo, size_px, rng if rng.random() < 0.5 else None)[None]

    @torch.inference_mode()
    def compute(self, chunk: list[int], size_px: int) -> dict[str, np.ndarray]:
        """Features, rows and targets of some photos."""
        assert self._networks is not None, "prepared before"
        trunk, teacher = self._networks
        settings, frames = self.settings, self.frames
        pictures, valid = self.shown(chunk, size_px)
        look = partial(look_at, trunk, teacher, taps=settings.taps, device=self.device)
        if self.device.type == "cpu":
            with one_thread_each() as pool:
                looked = list(pool.map(look, pictures))
        else:
            looked = [look(np.concatenate(pictures))]
        ours, theirs, large = (
            {key: torch.cat([seen[part][key] for seen in looked]) for key in looked[0][part]}
            for part in range(3)
        )
        values: dict[str, np.ndarray] = {"valid": np.array(valid)}
        rng = np.random.default_rng((settings.seed, chunk[0], 1))
        for tap in settings.taps:
            grid = ours[tap].shape[-1]
            cells = frames * grid * grid
            count = min(settings.rows, cells)
            rows = np.stack([rng.choice(cells, count, replace=False) for _ in chunk])
            picked = walked_affinity(
                [unit_features(f, grid, frames) for f in (ours[tap], theirs[tap], large["large"])],
                settings.temperature,
                settings.steps,
                torch.from_numpy(rows).to(self.device),
            )
            features = ours[tap].half().unflatten(0, (-1, frames))
            values[f"features@{tap}"] = features.contiguous().cpu().numpy()
            values[f"rows@{tap}"] = rows.astype(np.int32)
            values[f"targets@{tap}"] = picked.half().cpu().numpy()
        if settings.answers:
            values[ANSWERS] = large[ANSWERS].half().unflatten(0, (-1, frames)).cpu().numpy()
        return values
