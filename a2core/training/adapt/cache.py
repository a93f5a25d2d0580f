"""What blocks are taught, computed once and kept on disk: features, affinities, soft predictions.

For every photo, at one of several sizes:

- the frozen trunk's features at each block's place (float16);
- for some random positions p of each block's grid, the **target affinity** T(p, ·), a distribution
  over all positions: cosine similarities of features, averaged over networks and picture scales,
  turned into a random walk (softmax with temperature 0.1, made symmetric, row-normalised) and
  walked 8 steps. The walk flows along chains of similar cells and stops at region borders: as
  a score of "which cells belong to the object at p" it beats the similarities themselves. Target rows
  are what E(p, ·) = Σ_i ρ_i(p) θ_i is drawn towards;
- the teacher's logits (float16), of the picture at the size that the teacher was trained for: of larger
  ones it knows little.

With `frames` T > 1 every photo becomes a made clip (`photos.read.moved`), and positions are those of all its
frames, T·grid², flattened frame by frame.

The cache is written in chunks; killed at any moment, it goes on from the last whole one. It is known by its
settings and by what its photos show: photos that were moved or renamed find theirs again, and others of the
same names do not. What another version of this file wrote is never taken for its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from a2core.checkpoints import write_atomically
from a2core.errors import TrainingError
from a2core.networks.fold import fold_norms
from a2core.networks.looked import look_over
from a2core.networks.spec import read_spec
from a2core.training.adapt.targets import CacheSettings, Seen, unit_features, walked_affinity
from a2core.training.adapt.targets import look as look_at
from a2core.training.photos.found import identity_of
from a2core.training.photos.read import Skipped, moved, read_photo, square

FORMAT = 2  # of what is kept; 1 knew photos by their names and sizes
ABOUT = "about.json"
CHUNK = 24


@contextlib.contextmanager
def _one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch may use, each doing its sums alone."""
    count = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(count)


def _reserve(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Make an array's file of its full size, whole or not at all.

    Its room on the disk is taken now: a disk that fills up later would end the process without a word,
    since the arrays are written through memory maps.

    Raises:
        OSError: there is not room enough.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            _take_room(file, math.prod(shape) * dtype.itemsize)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _format_of(folder: Path) -> int:
    """The format of the cache in `folder`; 1 where it does not say."""
    try:
        told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 1
    return told.get("format", 1) if isinstance(told, dict) else 1


def _take_room(file: IO[bytes], size_bytes: int) -> None:
    """Make an open file longer by so many bytes that are there, not only promised.

    Raises:
        OSError: there is not room enough.
    """
    if hasattr(os, "posix_fallocate"):  # Linux
        os.posix_fallocate(file.fileno(), file.tell(), size_bytes)
        return
    zeros = bytes(min(size_bytes, 2**24))
    for start in range(0, size_bytes, 2**24):
        file.write(zeros[: size_bytes - start])
    file.flush()
    os.fsync(file.fileno())


def _told(settings: CacheSettings) -> dict[str, Any]:
    """The settings, without what is only told of networks of somebody's own."""
    return {key: value for key, value in asdict(settings).items() if value != "" or key != "weights"}


class Cache:
    """The cache of one set of photos and settings, below `folder`; `build` fills what is missing."""

    def __init__(
        self,
        folder: Path,
        photos: Sequence[Path],
        settings: CacheSettings,
        *,
        device: torch.device | None = None,
    ) -> None:
        self.photos, self.settings = list(photos), settings
        self.device = device or torch.device("cpu")
        told = json.dumps([FORMAT, _told(settings), identity_of(photos)])
        self.folder = folder / hashlib.sha256(told.encode()).hexdigest()[:16]
        self.skipped = Skipped()

    def outdated(self) -> list[Path]:
        """Caches beside this one that an older version wrote and that nothing reads any more."""
        beside = self.folder.parent
        found = sorted(path for path in beside.iterdir() if path.is_dir()) if beside.is_dir() else []
        return [path for path in found if any(path.glob("*-done.json")) and _format_of(path) != FORMAT]

    def members(self, size_px: int) -> list[int]:
        """Indices of the photos cached at this size: each photo has one."""
        sizes = self.settings.sizes_px
        return [i for i in range(len(self.photos)) if sizes[i % len(sizes)] == size_px]

    def _kept(self, size_px: int, key: str) -> np.ndarray:
        return np.load(self.folder / f"{size_px}-{key}.npy", mmap_mode="r")

    def _writable(self, size_px: int, key: str, value: np.ndarray) -> np.ndarray:
        """The array for values such as `value` (some photos, ...) of all photos of this size."""
        path = self.folder / f"{size_px}-{key}.npy"
        if path.exists():
            return np.load(path, mmap_mode="r+")
        shape = (len(self.members(size_px)), *value.shape[1:])
        _reserve(path, shape, value.dtype)
        return np.load(path, mmap_mode="r+")

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
        size_px = self.settings.sizes_px[0]
        return size_px // self._kept(size_px, f"features@{tap}").shape[-1]

    def keys(self) -> list[str]:
        """Names of the cached arrays of one size."""
        taps = self.settings.taps
        return [f"{kind}@{tap}" for tap in taps for kind in ("features", "rows", "targets")] + [
            "logits",
            "valid",
        ]

    def build(self, *, progress: bool = True) -> None:
        """Compute what is not there yet.

        Raises:
            TrainingError: the disk fills up, or no photo could be read.
        """
        try:
            for size_px in self.settings.sizes_px:
                self._build_size(size_px, progress)
        except OSError as error:
            raise TrainingError(
                f"The cache {self.folder} cannot be written ({error}). Free space, or give another --cache; "
                "what is whole stays and is used again."
            ) from error

    def _build_size(self, size_px: int, progress: bool) -> None:
        members = self.members(size_px)
        marker = self.folder / f"{size_px}-done.json"
        state: dict[str, Any] = (
            json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else {"done": 0}
        )
        done, before = state["done"], len(self.skipped.reasons)
        self.skipped.reasons += state.get("skipped", [])
        if done >= len(members):
            return
        trunk = self._network(self.settings.trunk)
        teacher = trunk
        if self.settings.teacher != self.settings.trunk:
            teacher = self._network(self.settings.teacher)
        self._say_what_it_is()
        arrays: dict[str, np.ndarray] = {}
        bar = tqdm(
            total=len(members),
            initial=done,
            desc=f"features {size_px} px",
            disable=not progress,
            unit="photo",
        )
        with bar:
            for start in range(done, len(members), CHUNK):
                chunk = members[start : start + CHUNK]
                values = self._compute(trunk, teacher, chunk, size_px)
                arrays = arrays or {key: self._writable(size_px, key, values[key]) for key in self.keys()}
                for key, array in arrays.items():
                    array[start : start + len(chunk)] = values[key]
                    array.flush()  # type: ignore[attr-defined]
                state = {"done": start + len(chunk), "skipped": self.skipped.reasons[before:]}
                write_atomically(marker, json.dumps(state).encode())
                bar.update(len(chunk))

    def _say_what_it_is(self) -> None:
        told = {"format": FORMAT, "photos": len(self.photos), **_told(self.settings)}
        write_atomically(self.folder / ABOUT, (json.dumps(told, indent=1) + "\n").encode())

    def _network(self, name: str) -> Seen:
        """The network of that name, ready to be looked into at the taps."""
        looked = look_over(read_spec(name))
        layouts = {site.module: site.layout for site in looked.places(self.settings.taps)}
        network = fold_norms(looked.network.requires_grad_(False))
        network.to(self.device).to(memory_format=torch.channels_last)
        return Seen(network, looked.tried.input, layouts, looked.tried.classes)

    def _picture(self, index: int, size_px: int) -> np.ndarray | None:
        """A photo as it is looked at, (frames, size, size, 3), the same each time; None: not readable."""
        rng = np.random.default_rng((self.settings.seed, index))
        photo = read_photo(self.photos[index], self.skipped)
        if photo is None:
            return None
        if self.settings.frames > 1:
            return moved(photo, size_px, self.settings.frames, rng)
        return square(photo, size_px, rng if rng.random() < 0.5 else None)[None]

    def pictures(self, size_px: int, indices: np.ndarray) -> np.ndarray:
        """The pictures at these places of `members(size_px)`, (B·T, size, size, 3), as `batch` has them."""
        members = self.members(size_px)
        blank = np.zeros((self.settings.frames, size_px, size_px, 3), np.uint8)
        found = [self._picture(members[at], size_px) for at in np.sort(indices)]
        return np.concatenate([blank if picture is None else picture for picture in found])

    @torch.inference_mode()
    def _compute(self, trunk: Seen, teacher: Seen, chunk: list[int], size_px: int) -> dict[str, np.ndarray]:
        settings, frames = self.settings, self.settings.frames
        read = [self._picture(index, size_px) for index in chunk]
        valid = [picture is not None for picture in read]
        blank = np.zeros((frames, size_px, size_px, 3), np.uint8)
        pictures = [blank if picture is None else picture for picture in read]
        look = partial(look_at, trunk, teacher, taps=settings.taps, device=self.device)
        if self.device.type == "cpu":
            # One photo at a time, whose features fit the processor's cache; photos beside one another.
            with _one_thread_each() as pool:
                looked = list(pool.map(look, pictures))
        else:
            looked = [look(np.concatenate(pictures))]
        joined = [
            {key: torch.cat([seen[part][key] for seen in looked]) for key in looked[0][part]}
            for part in range(3)
        ]
        ours, theirs, (large, logits) = joined[0], joined[1], joined[2].values()
        values: dict[str, np.ndarray] = {
            "logits": logits.half().unflatten(0, (-1, frames)).cpu().numpy(),
            "valid": np.array(valid),
        }
        rng = np.random.default_rng((settings.seed, chunk[0], 1))
        for tap in settings.taps:
            grid = ours[tap].shape[-1]
            cells = frames * grid * grid
            count = min(settings.rows, cells)
            rows = np.stack([rng.choice(cells, count, replace=False) for _ in chunk])
            picked = walked_affinity(
                [unit_features(f, grid, frames) for f in (ours[tap], theirs[tap], large)],
                settings.temperature,
                settings.steps,
                torch.from_numpy(rows).to(self.device),
            )
            features = ours[tap].half().unflatten(0, (-1, frames))
            values[f"features@{tap}"] = features.contiguous().cpu().numpy()
            values[f"rows@{tap}"] = rows.astype(np.int32)
            values[f"targets@{tap}"] = picked.half().cpu().numpy()
        return values

    def batch(self, size_px: int, indices: np.ndarray) -> dict[str, Tensor]:
        """The cached values at these places of `members(size_px)`, as float32 and int64 tensors.

        Features and logits of every frame, (B·T, ...), frames of a clip one after another; rows and targets
        of every clip, (B, ...).
        """
        order = np.sort(indices)
        taken = {}
        for key in self.keys():
            values = torch.from_numpy(np.array(self._kept(size_px, key)[order])).to(self.device)
            if key.startswith(("features", "logits")):
                values = values.flatten(0, 1)
            wider = {torch.float16: torch.float32, torch.int32: torch.int64}
            taken[key] = values.to(wider.get(values.dtype, values.dtype))
        return taken

    def valid_members(self, size_px: int) -> np.ndarray:
        """Places in `members(size_px)` of the photos that could be read."""
        return np.flatnonzero(self._kept(size_px, "valid"))
