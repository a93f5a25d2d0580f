"""The local engine: processes that read pictures and, without a GPU, run the network too.

On a processor each of them takes a picture from its file to twelve bytes a primitive, one thread each, which
keeps every core busy. With a GPU they only read; one network runs in the process that began, on batches of
one size. What comes back is in the order of the listing, whoever was quickest.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

from a2core.atlas.alike import print_of
from a2core.atlas.look import Looker, Seen
from a2core.atlas.sources import Item, Picture, Reader, fault_of
from a2core.errors import A2Error, AtlasError
from a2core.load import load_model

CHUNK = 4  # items that a process takes at a time
CHUNK_FOR_GPU = 32
BATCH = 16  # pictures of one size that a GPU is given at once
_AHEAD = 3  # chunks that are given out before the first is back, for each process
_TRIES = 3  # of a chunk whose process died
_JPEG_QUALITY = 90


class Looked(NamedTuple):
    """One picture, seen."""

    id: str
    frame: int
    time_s: float
    width_px: int
    height_px: int
    print: np.ndarray  # (4,) uint64
    small: bytes  # JPEG that exemplars are cut from; empty where none are
    seen: Seen


class Spent(NamedTuple):
    """Seconds of processes: reading, in the network, all of it."""

    reading_s: float
    looking_s: float


Result = list[Looked] | str  # of one item: its pictures, or why there are none


class Work:
    """Items to what was seen of them, in one process.

    Args:
        reader, looker: as of the classes.
        pictures: whether exemplars are to be cut.
    """

    def __init__(self, reader: Reader, looker: Looker | None, pictures: bool) -> None:
        self.reader, self.looker, self.pictures = reader, looker, pictures

    def read(self, items: Sequence[Item]) -> tuple[list[list[Picture] | str], float]:
        """Each item's pictures, or why there are none; and the seconds that it took."""
        start = time.perf_counter()
        found: list[list[Picture] | str] = []
        for item in items:
            try:
                found.append(self.reader.read(item))
            except (A2Error, OSError) as error:
                found.append(fault_of(error))
        return found, time.perf_counter() - start

    def look(self, read: Sequence[list[Picture] | str], batch: int) -> tuple[list[Result], float]:
        """What the network did with them, `batch` pictures of one size at once; and the seconds."""
        assert self.looker is not None
        start = time.perf_counter()
        seen: dict[tuple[int, int], Seen | str] = {}
        by_shape: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
        for index, pictures in enumerate(read):
            if not isinstance(pictures, str):
                for number, picture in enumerate(pictures):
                    by_shape[picture.pixels.shape].append((index, number))
        for places in by_shape.values():
            for at in range(0, len(places), batch):
                some = places[at : at + batch]
                try:
                    seen |= zip(some, self.looker.look([read[i][k].pixels for i, k in some]), strict=True)  # type: ignore[union-attr]
                except A2Error as error:
                    seen |= dict.fromkeys(some, str(error))
        results = [
            pictures
            if isinstance(pictures, str)
            else self._result(pictures, [seen[index, number] for number in range(len(pictures))])
            for index, pictures in enumerate(read)
        ]
        return results, time.perf_counter() - start

    def _result(self, pictures: list[Picture], seen: list[Seen | str]) -> Result:
        fault = next((one for one in seen if isinstance(one, str)), None)
        if fault is not None:
            return fault
        return [
            Looked(*picture[:5], print_of(picture.small), self._jpeg(picture.small), one)
            for picture, one in zip(pictures, seen, strict=True)
            if not isinstance(one, str)
        ]

    def _jpeg(self, small: np.ndarray) -> bytes:
        if not self.pictures:
            return b""
        import cv2

        how = (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
        return bytes(cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), how)[1])


_work: Work | None = None  # of a process of the pool


def _begin(checkpoint: str, reader: Reader, pictures: bool, looks: bool, engine: str) -> None:
    """A process of the pool starts: one thread, and it ends when the one that started it does."""
    global _work
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: wait([parent.sentinel]) and os._exit(1), daemon=True).start()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    looker = Looker(load_model(checkpoint, "cpu"), engine, checked=True) if looks else None
    _work = Work(reader, looker, pictures)


def _do(items: list[Item], looks: bool) -> tuple[Any, Spent]:
    assert _work is not None
    read, reading_s = _work.read(items)
    if not looks:
        return read, Spent(reading_s, 0.0)
    results, looking_s = _work.look(read, 1)
    return results, Spent(reading_s, looking_s)


class _OnlyOurs(SpawnProcess):
    """A process that runs nothing of who started it.

    Else it would begin by running their script again: all of it, where the script does not guard itself, and
    something else's where a program, such as Streamlit's server, has put a module of its own in its place.
    """

    def start(self) -> None:
        """Start it, as of a program without a script."""
        theirs = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            super().start()
        finally:
            sys.modules["__main__"] = theirs


class _Context(SpawnContext):
    Process = _OnlyOurs


class Engine:
    """Items to what was seen of them, in order.

    Args:
        checkpoint: name, path or specification, as `load_model` takes it.
        looker: of the network in this process.
        reader: reads what was listed.
        pictures: whether exemplars are to be cut.
        workers: processes; 0 works in this one.

    Attributes:
        reading_s, looking_s: of all processes together, so far.
    """

    def __init__(self, checkpoint: str, looker: Looker, reader: Reader, pictures: bool, workers: int) -> None:
        self.checkpoint, self.looker, self.reader = checkpoint, looker, reader
        self.pictures, self.workers = pictures, workers
        self.on_gpu = looker.model.device.type != "cpu"
        self.reading_s = self.looking_s = 0.0
        self._here = Work(reader, looker, pictures)

    def run(self, items: Sequence[Item]) -> Iterator[Result]:
        """What was seen of each item, in their order.

        Raises:
            AtlasError: processes died again and again over the same pictures.
        """
        size = CHUNK_FOR_GPU if self.on_gpu else CHUNK
        chunks = deque(list(items[at : at + size]) for at in range(0, len(items), size))
        if not self.workers:
            for chunk in chunks:
                read, spent = self._here.read(chunk)
                self.reading_s += spent
                yield from self._look_here(read)
            return
        died = 0
        while chunks:
            before = len(chunks)
            try:
                yield from self._in_pool(chunks)
            except BrokenProcessPool as error:
                died = died + 1 if len(chunks) == before else 1
                if died == _TRIES:
                    names = ", ".join(item.path for item in chunks[0][:CHUNK])
                    raise AtlasError(
                        f"A process that looks at pictures died {_TRIES} times over {names}: too little "
                        "memory, or a file that breaks its decoder. Take such files out, or use fewer "
                        "--workers; what is whole is kept, and the same command goes on from there."
                    ) from error

    def _in_pool(self, chunks: deque[list[Item]]) -> Iterator[Result]:
        """Results of chunks from the left, each taken off when it is done."""
        looks = not self.on_gpu
        pool = ProcessPoolExecutor(
            self.workers,
            mp_context=_Context(),
            initializer=_begin,
            initargs=(self.checkpoint, self.reader, self.pictures, looks, self.looker.engine),
        )
        try:
            ahead: deque[Future[tuple[Any, Spent]]] = deque()
            given = 0
            while chunks:
                while given < len(chunks) and len(ahead) < self.workers * _AHEAD:
                    ahead.append(pool.submit(_do, chunks[given], looks))
                    given += 1
                results, spent = ahead.popleft().result()
                self.reading_s += spent.reading_s
                self.looking_s += spent.looking_s
                chunks.popleft()
                given -= 1
                yield from results if looks else self._look_here(results)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _look_here(self, read: list[list[Picture] | str]) -> list[Result]:
        results, spent = self._here.look(read, BATCH if self.on_gpu else 1)
        self.looking_s += spent
        return results
