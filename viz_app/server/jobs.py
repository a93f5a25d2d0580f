"""One queue for all that costs seconds: equal work once, visitors in turn, background last.

A network answers one picture at a time and uses all cores for it, so thirty who ask together wait for
each other. Here they wait in a line that they can see, leave it when they like, and share the answer when
they ask the same. No Streamlit in here, and no clock but for the wait between two looks and the while after
which a line counts as empty.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from a2core import Stopped

T = TypeVar("T")
Tell = Callable[[float], None]
LOOK_EVERY_S = 0.25  # how soon a visitor who clicks something else is let go
AT_REST_S = 1.0  # without work


@dataclass(frozen=True)
class Standing:
    """Where a piece of work stands: `ahead` others come first, `share` is done.

    None come first where it is being done, and where only work in the background is under way, which makes
    way.
    """

    ahead: int
    share: float


@dataclass(eq=False)
class Job:
    """A piece of work in the queue, for everybody who asked for it."""

    key: Hashable
    work: Callable[[Job], Any]
    arrival: int
    background: bool
    visitors: list[str] = field(default_factory=list)  # who waits for it, once for each time they asked
    kept: bool = False  # nobody need wait for it
    share: float = 0.0
    running: bool = False
    stopped: bool = False
    result: Any = None
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def tell(self, share: float) -> None:
        """Say how much is done, 0 to 1.

        Raises:
            Stopped: nobody waits for it any more.
        """
        self.share = share
        if self.stopped:
            raise Stopped("Nobody waits for this any more.")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether it is done, in any way, before the time is up."""
        return self.done.wait(timeout_s)


class Queue:
    """Work for `workers` threads, which live while there is something to do, and a second longer.

    The order: who waits comes before what is done in the background; among visitors the one who was served
    the longest ago; then the one who came first. `at_rest` is called when there has been nothing to do for
    that second: what should follow work, but delay none that comes next.
    """

    def __init__(self, workers: int = 1, at_rest: Callable[[], None] = lambda: None) -> None:
        self._workers, self._running, self._resting = workers, 0, 0
        self._at_rest = at_rest
        self._jobs: list[Job] = []  # waiting
        self._active: list[Job] = []
        self._served: dict[str, int] = {}
        self._count = itertools.count(1)
        self._lock = threading.RLock()
        self._comes = threading.Condition(self._lock)
        self._here = threading.local()

    def run(
        self,
        key: Hashable,
        work: Callable[[Tell], T],
        *,
        visitor: str = "",
        background: bool = False,
        look: Callable[[Standing], None] | None = None,
    ) -> T:
        """What `work` returns, when its turn has come; work under the same key is done once for all who ask.

        Args:
            key: what it is.
            work: is given a function that it tells the share that is done, and that ends it when nobody
                waits any more.
            visitor: who asks.
            background: after all that somebody waits for; it should `make_way` between its pieces.
            look: called in the thread that waits, at first and every quarter of a second, with how it
                stands; what it raises ends the waiting, and the work too when nobody else waits for it.

        Raises:
            Whatever `work` raises, in all who wait.
        """
        if getattr(self._here, "job", None) is not None:  # work that needs other work does it on the way
            return work(self._here.job.tell)
        job = self._join(key, work, visitor, background=background, kept=False)
        try:
            while not job.wait(0.0):
                if look is not None:
                    look(self.standing(job))
                job.wait(LOOK_EVERY_S)
        finally:
            self._leave(job, visitor)
        if job.error is not None:
            raise job.error
        return cast(T, job.result)

    def start(self, key: Hashable, work: Callable[[Tell], Any]) -> Job:
        """Have it done in the background; nobody waits, and what it raises is in the job."""
        return self._join(key, work, "", background=True, kept=True)

    def make_way(self) -> None:
        """From within work in the background: do first what somebody waits for."""
        mine: Job | None = getattr(self._here, "job", None)
        while mine is not None and mine.background:
            with self._lock:
                job = self._next(background=False)
            if job is None:
                return
            self._do(job)
            self._here.job = mine

    def standing(self, job: Job) -> Standing:
        """Where it stands now."""
        with self._lock:
            if job.running or job.done.is_set():
                return Standing(0, job.share)
            active = [other for other in self._active if job.background or not other.background]
            return Standing(len(active) + self.waiting().index(job), 0.0)

    @property
    def running(self) -> int:
        """How many are being done."""
        with self._lock:
            return len(self._active)

    def waiting(self) -> list[Job]:
        """What has still to be begun, in the order in which it will be."""
        with self._lock:
            return sorted(self._jobs, key=self._order)

    def forget(self, visitor: str) -> None:
        """The visitor has left."""
        with self._lock:
            self._served.pop(visitor, None)

    # ----

    def _join(
        self, key: Hashable, work: Callable[[Tell], Any], visitor: str, *, background: bool, kept: bool
    ) -> Job:
        with self._lock:
            for job in (*self._active, *self._jobs):
                if job.key == key and not job.stopped:
                    break
            else:
                job = Job(key, lambda job: work(job.tell), next(self._count), background)
                self._jobs.append(job)
                if len(self._jobs) <= self._resting:
                    self._comes.notify()
                elif self._running < self._workers:
                    self._running += 1
                    threading.Thread(target=self._serve, name="jobs", daemon=True).start()
            job.kept = job.kept or kept
            if not job.running:
                job.background = job.background and background
            if not kept:
                job.visitors.append(visitor)
            return job

    def _leave(self, job: Job, visitor: str) -> None:
        with self._lock:
            job.visitors.remove(visitor)
            if not job.visitors and not job.kept and not job.done.is_set():
                job.stopped = True
                if job in self._jobs:
                    self._jobs.remove(job)
                    job.done.set()

    def _order(self, job: Job) -> tuple[bool, int, int]:
        served = min((self._served.get(visitor, 0) for visitor in job.visitors), default=0)
        return job.background, served, job.arrival

    def _next(self, *, background: bool = True) -> Job | None:
        """Take the job whose turn it is; the caller holds the lock."""
        waiting = [job for job in self._jobs if background or not job.background]
        if not waiting:
            return None
        job = min(waiting, key=self._order)
        self._jobs.remove(job)
        self._active.append(job)
        job.running = True
        for visitor in job.visitors:
            self._served[visitor] = next(self._count)
        return job

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._resting += 1
                self._comes.wait_for(lambda: self._jobs, AT_REST_S)
                self._resting -= 1
                job = self._next()
                if job is None:
                    self._running -= 1
                    last = self._running == 0
            if job is None:
                break
            self._do(job)
            del job  # what it made is kept by who asked, not by this line
        if last:
            self._at_rest()

    def _do(self, job: Job) -> None:
        self._here.job = job
        try:
            job.result = job.work(job)
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits for it
            job.error = error
        finally:
            self._here.job = None
            with self._lock:
                self._active.remove(job)
                job.done.set()
