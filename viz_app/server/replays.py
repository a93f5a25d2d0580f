"""Pictures whose run through the network is kept, and what each primitive matters to the answer.

A `Subject` is such a run: an experiment on it runs only what stands behind the block, some ten milliseconds
where the whole network takes a hundred.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from a2core import Attribution, Replay
from a2core.canvas import data_url
from viz_app.server import models, visitors
from viz_app.server.faults import attempt
from viz_app.server.jobs import Job, Tell
from viz_app.server.models import Weights
from viz_app.server.pictures import Picture, holder_of
from viz_app.server.traces import Shown
from viz_app.server.visitors import Look

OFF_AT_ONCE = 4  # variants between two looks at whether anybody still waits

NOBODY_WAITS_S = 10.0

PICTURE_SIDE_PX = 640  # of the picture that changes are drawn over


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture's run through the network, and what was worked out about it so far; of no visitor."""

    key: tuple[Any, ...]
    replay: Replay
    frames: tuple[str, ...]  # data URLs of the model input
    attributions: dict[tuple[str, str, bool], Attribution] = field(default_factory=dict)


def subject(
    picture: Picture, weights: Weights, size_px: int, *, look: Look | None = None, holder: str | None = None
) -> Subject:
    """`picture`, run through the network of `weights` at `size_px`; kept for all who have the picture.

    Raises:
        A2Error: as `traces.show`.
        Whatever `look` raises.
    """
    # Bags are exchanged between subjects of one model object only, hence its number in the key.
    key = ("subject", picture.content, models.model_number(weights), size_px)
    whose = holder_of(picture) if holder is None else holder

    def make(tell: Tell) -> Subject:
        tell(0.0)
        replay = Replay(models.load_model(weights), picture.held.value, size=size_px)
        side_px = PICTURE_SIDE_PX if len(replay.trace.model_input) == 1 else PICTURE_SIDE_PX // 2
        frames = tuple(data_url(frame, quality=82, max_side_px=side_px) for frame in replay.trace.model_input)
        return Subject(key, replay, frames)

    return visitors.obtain(key, make, holder=whose, look=look).value


@dataclass(eq=False)
class Effects:
    """How much each primitive of one block matters to the answer: measured behind the visitors' backs.

    `values` (n,) is the probability of the best class with the primitive switched off by itself, minus
    what it is with all of them; the first `done` are measured. A `fault` waits until it is told, and the
    next who asks then has it tried again.
    """

    values: np.ndarray
    done: int = 0
    fault: str = ""
    asked_at_s: float = 0.0
    job: Job | None = None

    @property
    def whole(self) -> bool:
        """Whether all are measured."""
        return self.done == len(self.values)

    def take_fault(self) -> str:
        """What to tell, where it could not be measured, or ""."""
        fault, self.fault = self.fault, ""
        return fault


def effects(shown: Shown, block: str) -> Effects:
    """The effects of the primitives of `block`, as far as they are measured; asking keeps it going.

    Every primitive takes one run of what stands behind the block, so this starts when somebody wants to
    know, rests when nobody has asked for a while, and lets everything go first that somebody waits for.
    """
    store, queue = visitors.server().store, visitors.server().networks
    whose = holder_of(shown.picture)
    blank = Effects(np.zeros(shown.trace.blocks[block].n, np.float32))
    found = store.put(("effects", shown.key, block), blank, whose).value
    found.asked_at_s = time.monotonic()
    if not found.whole and not found.fault:

        def work(tell: Tell) -> None:
            _, found.fault = attempt(lambda: _measure(found, shown, block, whose))

        found.job = queue.start(("effects", shown.key, block), work)
    return found


def measured_effects(shown: Shown) -> dict[str, np.ndarray]:
    """The effects that are known already, by block; asks for nothing."""
    store = visitors.server().store
    kept = {name: store.peek(("effects", shown.key, name)) for name in shown.trace.blocks}
    known = {name: entry.value for name, entry in kept.items() if entry is not None}
    return {name: found.values for name, found in known.items() if found.whole}


def _measure(found: Effects, shown: Shown, block: str, holder: str) -> None:
    replay = subject(shown.picture, shown.weights, shown.size_px, holder=holder).replay
    before = replay.run(block).before
    best = int(before.argmax())
    while not found.whole:
        visitors.server().networks.make_way()
        if time.monotonic() - found.asked_at_s > NOBODY_WAITS_S:
            return
        some = range(found.done, min(found.done + OFF_AT_ONCE, len(found.values)))
        after = replay.switch_off_each(block, some)
        found.values[some.start : some.stop] = after[:, best] - before[best]
        found.done = some.stop
