"""What a build has done so far, in parts: each a folder that is whole or not there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from a2core.atlas.alike import Alike
from a2core.atlas.engine import Looked, Result
from a2core.atlas.look import TOP, USE
from a2core.atlas.ranks import Bars, reaches
from a2core.atlas.sources import Item, stored_text


class Part:
    """One part as it lies on disk; n pictures, P primitives.

    Attributes:
        first: number of its first picture.
        count, items: n, and how many entries of the listing it stands for.
    """

    def __init__(self, folder: Path, first: int) -> None:
        self.folder, self.first = folder, first
        told = self.told()
        self.count, self.items = len(told["photos"]), int(told["items"])

    def told(self) -> dict[str, Any]:
        """Its `part.json`: of each picture its source, path and group; what was skipped."""
        found: dict[str, Any] = json.loads((self.folder / "part.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def uses(self) -> np.ndarray:
        """(P, n) USE, read from disk where it is looked at."""
        path = self.folder / "uses.npy"
        return np.load(path, mmap_mode="r") if self.count else np.load(path)

    def array(self, name: str) -> np.ndarray:
        """(n, …) of one kind of thing that is kept of each picture.

        id, frame, time_s, width_px, height_px, print, grids, top, shares, same_as (-1: like none before), and
        small: offset and bytes of its small picture, 0 bytes where none is kept.
        """
        with np.load(self.folder / "photos.npz") as kept:
            return np.asarray(kept[name])

    def is_whole(self) -> bool:
        """Whether all that it holds is as it was written."""
        try:
            return all(
                sha256_of(self.folder / name) == digest for name, digest in self.told()["files"].items()
            )
        except OSError:
            return False


class Parts:
    """All parts of a build, and what goes on from one to the next.

    Args:
        folder: where they lie.
        primitives: P.
        exemplars: of each order.

    Attributes:
        parts: those that are whole, in order.
        count: pictures in them.
        bars: what a picture has to reach for its small picture to be kept.
    """

    def __init__(self, folder: Path, primitives: int, exemplars: int) -> None:
        self.folder = folder
        self.parts: list[Part] = []
        self.count, self.primitives = 0, primitives
        self.bars = Bars(primitives, exemplars)
        self._now: list[Looked] = []
        self._alike = Alike(self._code)

    def resume(self) -> None:
        """Take the parts that are whole; the first that is not and what follows are taken away."""
        for left in sorted(self.folder.glob(".*.tmp")):
            shutil.rmtree(left)
        found = sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name[0] != ".")
        for index, folder in enumerate(found):
            part = _read(folder, self.count) if folder.name == f"{index:06d}" else None
            if part is None:
                for other in found[index:]:
                    shutil.rmtree(other)
                return
            self._take(part)

    def add(self, items: Sequence[Item], results: Sequence[Result]) -> Part:
        """Write what was seen of `items` as the next part.

        Raises:
            OSError: it cannot be written; nothing of it is left.
        """
        looked: list[Looked] = []
        told: dict[str, Any] = {"items": len(items), "photos": [], "skipped": []}
        for item, result in zip(items, results, strict=True):
            text = stored_text(item.path)
            if isinstance(result, str):
                told["skipped"].append([text, result])
            else:
                looked += result
                told["photos"] += [[item.source, text, stored_text(item.group)]] * len(result)
        uses = np.array([one.seen.uses for one in looked], USE).reshape(len(looked), self.primitives)
        same_as = self._same_as(looked)
        bars = self.bars.values()
        kept = [
            one.small if like < 0 and reaches(one.seen.uses, bars) else b""
            for one, like in zip(looked, same_as, strict=True)
        ]
        ends = np.cumsum([0, *map(len, kept)])
        small = np.stack([ends[:-1], np.diff(ends)], axis=1)
        path = self.folder / f"{len(self.parts):06d}"
        _write(path, told, uses, _arrays(looked, same_as, small), b"".join(kept))
        self._take(Part(path, self.count), prints=False)
        return self.parts[-1]

    def column(self, primitive: int) -> np.ndarray:
        """(N,) USE of one primitive over all pictures."""
        return np.concatenate([part.uses[primitive] for part in self.parts if part.count])

    def over(self, name: str) -> np.ndarray:
        """One of `Part.array` over all pictures."""
        return np.concatenate([part.array(name) for part in self.parts if part.count])

    @property
    def skipped(self) -> list[list[str]]:
        """(path, why) of all that could not be read."""
        return [entry for part in self.parts for entry in part.told()["skipped"]]

    @property
    def items(self) -> int:
        """Of the listing, so many are done."""
        return sum(part.items for part in self.parts)

    def _same_as(self, looked: Sequence[Looked]) -> list[int]:
        self._now = list(looked)
        found = []
        for index, one in enumerate(looked):
            like = self._alike.find(one.print, one.seen.uses["mean"])
            if like < 0:
                self._alike.add(self.count + index, one.print)
            found.append(like)
        return found

    def _code(self, number: int) -> np.ndarray:
        """(P,) of an earlier picture, of the part that is being made included."""
        if number >= self.count:
            return self._now[number - self.count].seen.uses["mean"]
        part = next(part for part in reversed(self.parts) if part.first <= number)
        return part.uses[:, number - part.first]["mean"]

    def _take(self, part: Part, *, prints: bool = True) -> None:
        counted = np.flatnonzero(part.array("same_as") < 0)
        if len(counted):
            self.bars.add(np.asarray(part.uses[:, counted]).T)
        if prints:
            all_prints = part.array("print")
            for index in counted.tolist():
                self._alike.add(part.first + index, all_prints[index])
        self.parts.append(part)
        self.count += part.count
        self._now = []


def _read(path: Path, first: int) -> Part | None:
    with contextlib.suppress(OSError, ValueError, KeyError):
        part = Part(path, first)
        if part.is_whole():
            return part
    return None


def _arrays(looked: Sequence[Looked], same_as: Sequence[int], small: np.ndarray) -> dict[str, np.ndarray]:
    def of(pick: Callable[[Looked], Any], dtype: Any, *shape: int) -> np.ndarray:
        return np.array([pick(one) for one in looked], dtype).reshape(len(looked), *shape)

    blocks = len(looked[0].seen.grids) if looked else 0
    top = min(TOP, len(looked[0].seen.top)) if looked else 0
    return {
        "id": of(lambda one: one.id, "S64"),
        "frame": of(lambda one: one.frame, np.uint16),
        "time_s": of(lambda one: one.time_s, np.float64),
        "width_px": of(lambda one: one.width_px, np.uint32),
        "height_px": of(lambda one: one.height_px, np.uint32),
        "print": of(lambda one: one.print, np.uint64, 4),
        "grids": of(lambda one: one.seen.grids, np.uint16, blocks, 2),
        "top": of(lambda one: one.seen.top, np.int32, top),
        "shares": of(lambda one: one.seen.shares, np.float32, top),
        "same_as": np.array(same_as, np.int64),
        "small": small.astype(np.int64),
    }


def _write(
    path: Path, told: dict[str, Any], uses: np.ndarray, arrays: dict[str, np.ndarray], small: bytes
) -> None:
    """A part's folder, whole or not at all."""
    making = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        np.save(making / "uses.npy", np.ascontiguousarray(uses.T))
        np.savez(making / "photos.npz", **arrays)  # type: ignore[arg-type]
        (making / "small.bin").write_bytes(small)
        told["files"] = {each.name: sha256_of(each) for each in sorted(making.iterdir())}
        (making / "part.json").write_text(json.dumps(told), encoding="utf-8")
        for each in making.iterdir():
            with each.open("rb") as file:
                os.fsync(file.fileno())
        making.rename(path)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
