"""Labelled photos, read and cropped while the network works."""

from __future__ import annotations

import functools
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2core.errors import TrainingError
from a2core.training.photos.found import identity_of
from a2core.training.photos.labelled import Labelled
from a2core.training.photos.read import Skipped, read_photo, square

LOOKED_INTO = 1000  # photos, to tell one set from another: reading a large one takes hours


class Reader:
    """Photos as uint8 batches, decoded by threads a few batches ahead of where they are needed."""

    AHEAD = 3

    def __init__(self, labelled: Labelled, size_px: int, seed: int, workers: int) -> None:
        self.labelled, self.size_px, self.seed, self.workers = labelled, size_px, seed, workers
        self.skipped = Skipped()

    @functools.cached_property
    def identity(self) -> str:
        """What tells these photos and their labels from others, when a run is to go on."""
        labels = hashlib.sha256(self.labelled.labels.astype("<i8").tobytes()).hexdigest()[:16]
        return f"{identity_of(self.labelled.photos, looked_into=LOOKED_INTO)} {labels}"

    def one(self, index: int, epoch: int | None) -> tuple[np.ndarray, bool]:
        """(S, S, 3) uint8 and whether it could be read; cropped and mirrored at random in an epoch."""
        photo = read_photo(self.labelled.photos[index], self.skipped)
        if photo is None:
            return np.zeros((self.size_px, self.size_px, 3), np.uint8), False
        if epoch is None:
            return square(photo, self.size_px), True
        rng = np.random.default_rng((self.seed, epoch, index))
        picture = square(photo, self.size_px, rng)
        return (np.ascontiguousarray(picture[:, ::-1]) if rng.random() < 0.5 else picture), True

    def batches(
        self, wanted: Iterable[tuple[np.ndarray, int | None]]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """For each (indices, epoch): photos (B, 3, S, S) uint8, labels (B,), weight 0 for unreadable ones."""
        with ThreadPoolExecutor(self.workers) as pool:
            queue: deque[tuple[np.ndarray, list[Any]]] = deque()
            try:
                for indices, epoch in wanted:
                    queue.append((indices, [pool.submit(self.one, int(i), epoch) for i in indices]))
                    if len(queue) > self.AHEAD:
                        yield self._collect(*queue.popleft())
                while queue:
                    yield self._collect(*queue.popleft())
            finally:
                pool.shutdown(cancel_futures=True)

    def _collect(self, indices: np.ndarray, futures: list[Any]) -> tuple[Tensor, Tensor, Tensor]:
        pictures, readable = zip(*(future.result() for future in futures), strict=True)
        x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        return x, torch.from_numpy(self.labelled.labels[indices]), torch.tensor(readable).float()

    def check(self, what: str) -> None:
        """Refuse a set of which nothing can be read, before any work.

        Raises:
            TrainingError: none of the first photos, taken all over the set, can be read.
        """
        probes = np.unique(np.linspace(0, len(self.labelled.photos) - 1, 16).astype(int))
        if not any(self.one(int(index), None)[1] for index in probes):
            raise TrainingError(
                f"None of the {what} could be read: {self.skipped.reasons[0]}. Give JPEG or PNG files."
            )
