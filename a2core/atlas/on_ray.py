"""The engine on Ray: actors on this machine or on a cluster that read pictures and run the network.

Each actor does what a process of the local engine does (`engine.Work`), one picture after the other on a
processor, batches of one size on a GPU; what comes back is put in the order of the listing, so the tables are
the same. Ray starts an actor again that died and gives it its work again. The machines must reach the
pictures by the paths that were given, and have the same a2core.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from a2core.atlas.engine import BATCH, CHUNK, CHUNK_FOR_GPU, Engine, Result, Spent, Work
from a2core.atlas.look import Looker
from a2core.atlas.sources import Item, Reader
from a2core.errors import AtlasError
from a2core.extras import need_extra, quiet
from a2core.tracing.engine import TORCH

_AHEAD = 3  # chunks that each actor has before the first is back
_ANSWERS_S = 10.0  # within which a cluster's address has to
_TRIES = 3  # of an actor that died


def ray_library() -> Any:
    """`ray`.

    Raises:
        AtlasError: it is not installed.
    """
    need_extra("ray", "An atlas by Ray", AtlasError, instead=", or use --engine local")
    return quiet("ray")


class RayEngine(Engine):
    """Items to what was seen of them, in order, by actors of Ray.

    Args:
        checkpoint, looker, reader, pictures, workers: as of `Engine`; so many actors, 1 at least.
        address: of a cluster; "" starts Ray on this machine.
        gpus: of each actor, a fraction or more; 0 works on processors.
    """

    def __init__(
        self,
        checkpoint: str,
        looker: Looker,
        reader: Reader,
        pictures: bool,
        workers: int,
        *,
        address: str = "",
        gpus: float = 0.0,
    ) -> None:
        super().__init__(checkpoint, looker, reader, pictures, max(1, workers))
        self.address, self.gpus = address, gpus

    def run(self, items: Sequence[Item]) -> Iterator[Result]:
        """What was seen of each item, in their order.

        Raises:
            AtlasError: Ray is not installed, there is no such cluster, or it was lost.
        """
        ray = ray_library()
        if not items:
            return
        own = not ray.is_initialized()
        try:
            if own:
                self._connect(ray)
            yield from self._by_actors(ray, items)
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise AtlasError(
                f"Ray's cluster was lost ({str(error).splitlines()[0]}). What is whole is kept, and the same "
                "command goes on from there."
            ) from error
        finally:
            if own:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        home = str(Path(__file__).resolve().parents[2])  # where actors on this machine find a2core
        told: dict[str, Any] = {"address": self.address} if self.address else {"num_cpus": self.workers}
        if not self.address:
            path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH", ""))))
            told |= {"include_dashboard": False, "runtime_env": {"env_vars": {"PYTHONPATH": path}}}
        try:
            if ":" in self.address and "//" not in self.address:  # Ray itself would wait for minutes
                host, _, port = self.address.rpartition(":")
                socket.create_connection((host, int(port)), timeout=_ANSWERS_S).close()
            ray.init(log_to_driver=False, logging_level="error", **told)
        except (OSError, RuntimeError, ValueError) as error:
            where = self.address or "this machine"
            raise AtlasError(
                f"Ray cannot be started at {where} ({str(error).splitlines()[0]}). Check --ray-address, or "
                "use --engine local."
            ) from error

    def _by_actors(self, ray: Any, items: Sequence[Item]) -> Iterator[Result]:
        size = CHUNK_FOR_GPU if self.gpus else CHUNK
        chunks = [list(items[at : at + size]) for at in range(0, len(items), size)]
        remote = ray.remote(num_cpus=1, num_gpus=self.gpus, max_restarts=_TRIES, max_task_retries=_TRIES)(
            _Actor
        )
        actors = [
            remote.remote(self.checkpoint, self.reader, self.pictures, bool(self.gpus), self.looker.engine)
            for _ in range(min(self.workers, len(chunks)))
        ]
        ahead: deque[Any] = deque()
        given = 0
        while given < len(chunks) or ahead:
            while given < len(chunks) and len(ahead) < _AHEAD * len(actors):
                ahead.append(actors[given % len(actors)].do.remote(chunks[given]))
                given += 1
            results, spent = ray.get(ahead.popleft())
            self.reading_s += spent.reading_s
            self.looking_s += spent.looking_s
            yield from results


class _Actor:
    """What a process of the local engine is, on a machine of Ray's."""

    def __init__(self, checkpoint: str, reader: Reader, pictures: bool, on_gpu: bool, engine: str) -> None:
        import cv2
        import torch

        from a2core.load import load_model

        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        model = load_model(checkpoint, "cuda" if on_gpu else "cpu")
        looker = Looker(model, TORCH if on_gpu else engine, checked=True)
        self.work, self.batch = Work(reader, looker, pictures), BATCH if on_gpu else 1

    def do(self, items: list[Item]) -> tuple[list[Result], Spent]:
        """Read and look at some items."""
        read, reading_s = self.work.read(items)
        results, looking_s = self.work.look(read, self.batch)
        return results, Spent(reading_s, looking_s)
