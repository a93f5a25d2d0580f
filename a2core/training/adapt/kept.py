"""Arrays that are computed once for every photo and kept on disk.

They are written in chunks; killed at any moment, the work goes on from the last whole one. What is kept is
known by how it was computed and by what its photos show: photos that were moved or renamed find theirs again,
and others of the same names do not. What another version of this file wrote is never taken for its own.
"""

from __future__ import annotations

import abc
import contextlib
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from a2core.training.adapt.targets import Seen
from a2core.training.photos.found import identity_of
from a2core.training.photos.read import Skipped

FORMAT = 3  # of what is kept; 1 knew photos by their names and sizes, 2 kept no answers beside features
ABOUT = "about.json"
CHUNK = 24


class Kept(abc.ABC):
    """Some arrays of every photo, at some sizes of square pictures, below `folder`; `build` fills them.

    Attributes:
        photos: in the order that indices mean.
        sizes_px: of the pictures.
        frames: of each, when photos are made clips.
        skipped: photos that could not be read, once `build` has run.
    """

    what = ""  # of the progress bar

    def __init__(
        self,
        folder: Path,
        photos: Sequence[Path],
        told: Mapping[str, Any],
        *,
        sizes_px: tuple[int, ...],
        frames: int,
        device: torch.device | None,
    ) -> None:
        self.photos, self.told, self.sizes_px, self.frames = list(photos), dict(told), sizes_px, frames
        self.device = device or torch.device("cpu")
        known = json.dumps([FORMAT, self.told, identity_of(photos)])
        self.folder = folder / hashlib.sha256(known.encode()).hexdigest()[:16]
        self.skipped = Skipped()

    @abc.abstractmethod
    def members(self, size_px: int) -> list[int]:
        """Indices of the photos that are looked at in this size."""

    @abc.abstractmethod
    def keys(self) -> list[str]:
        """Names of the arrays of one size; "valid" says which photos could be used."""

    @abc.abstractmethod
    def picture(self, index: int, size_px: int) -> np.ndarray | None:
        """A photo as it is looked at, (frames, size, size, 3), the same each time; None: it cannot be."""

    @abc.abstractmethod
    def compute(self, chunk: list[int], size_px: int) -> dict[str, np.ndarray]:
        """The arrays of some photos, by key."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Get ready to compute: nothing is loaded where nothing is missing."""

    def outdated(self) -> list[Path]:
        """Folders beside this one that an older version wrote and that nothing reads any more."""
        beside = self.folder.parent
        found = sorted(path for path in beside.iterdir() if path.is_dir()) if beside.is_dir() else []
        return [path for path in found if any(path.glob("*-done.json")) and _format_of(path) != FORMAT]

    def build(self, *, progress: bool = True) -> None:
        """Compute what is not there yet.

        Raises:
            TrainingError: the disk fills up, or no photo could be read.
        """
        try:
            for size_px in self.sizes_px:
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
        self.prepare()
        self._say_what_it_is()
        arrays: dict[str, np.ndarray] = {}
        name = f"{self.what} {size_px} px"
        with tqdm(total=len(members), initial=done, desc=name, disable=not progress, unit="photo") as bar:
            for start in range(done, len(members), CHUNK):
                chunk = members[start : start + CHUNK]
                values = self.compute(chunk, size_px)
                arrays = arrays or {key: self._writable(size_px, key, values[key]) for key in self.keys()}
                for key, array in arrays.items():
                    array[start : start + len(chunk)] = values[key]
                    array.flush()  # type: ignore[attr-defined]
                state = {"done": start + len(chunk), "skipped": self.skipped.reasons[before:]}
                write_atomically(marker, json.dumps(state).encode())
                bar.update(len(chunk))

    def _say_what_it_is(self) -> None:
        told = {"format": FORMAT, "photos": len(self.photos), **self.told}
        write_atomically(self.folder / ABOUT, (json.dumps(told, indent=1) + "\n").encode())

    def kept(self, size_px: int, key: str) -> np.ndarray:
        """One array, of the photos that are `members(size_px)`."""
        return np.load(self.folder / f"{size_px}-{key}.npy", mmap_mode="r")

    def _writable(self, size_px: int, key: str, value: np.ndarray) -> np.ndarray:
        """The array for values such as `value` (some photos, ...) of all photos of this size."""
        path = self.folder / f"{size_px}-{key}.npy"
        if path.exists():
            return np.load(path, mmap_mode="r+")
        shape = (len(self.members(size_px)), *value.shape[1:])
        _reserve(path, shape, value.dtype)
        return np.load(path, mmap_mode="r+")

    def valid_members(self, size_px: int) -> np.ndarray:
        """Places in `members(size_px)` of the photos that could be used."""
        return np.flatnonzero(self.kept(size_px, "valid"))

    def batch(self, size_px: int, indices: np.ndarray) -> dict[str, Tensor]:
        """What is kept at these places of `members(size_px)`, as float32 and int64 tensors.

        Features and logits of every frame, (B·T, ...), frames of a clip one after another; anything else of
        every clip, (B, ...).
        """
        order = np.sort(indices)
        taken = {}
        for key in self.keys():
            values = torch.from_numpy(np.array(self.kept(size_px, key)[order])).to(self.device)
            if key.startswith(("features", "logits")):
                values = values.flatten(0, 1)
            wider = {torch.float16: torch.float32, torch.int32: torch.int64}
            taken[key] = values.to(wider.get(values.dtype, values.dtype))
        return taken

    def pictures(self, size_px: int, indices: np.ndarray) -> np.ndarray:
        """The pictures at these places of `members(size_px)`, (B·T, size, size, 3), as `batch` has them."""
        members = self.members(size_px)
        return np.concatenate(self.shown([members[at] for at in np.sort(indices)], size_px)[0])

    def shown(self, chunk: Sequence[int], size_px: int) -> tuple[list[np.ndarray], list[bool]]:
        """The pictures of some photos, black where there is none, and whether there is one."""
        read = [self.picture(index, size_px) for index in chunk]
        blank = np.zeros((self.frames, size_px, size_px, 3), np.uint8)
        return [blank if picture is None else picture for picture in read], [p is not None for p in read]

    def network(self, name: str, taps: Sequence[str]) -> Seen:
        """The network of that name, ready to be looked into at the taps."""
        looked = look_over(read_spec(name))
        layouts = {site.module: site.layout for site in looked.places(taps)}
        network = fold_norms(looked.network.requires_grad_(False))
        network.to(self.device).to(memory_format=torch.channels_last)
        return Seen(network, looked.tried.input, layouts, looked.tried.classes)


@contextlib.contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch may use, each doing its sums alone.

    One photo at a time, whose features fit the processor's cache; photos beside one another.
    """
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
    """The format of what is kept in `folder`; 1 where it does not say."""
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
