"""What the Experiment page asks the model core for, kept for the whole server. Draws nothing.

A `Subject` is a picture whose run through the network is kept, so that an experiment on it runs only
what stands behind the block: some ten milliseconds where the whole network takes a hundred.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from a2core import Attribution, Outcome, Replay
from viz_app.pages.experiment import content as experiment
from viz_app.pages.experiment.content import Setup
from viz_app.server import services, visitors
from viz_app.server.jobs import Job, Tell
from viz_app.server.services import Picture, Shown, Weights
from viz_app.server.visitors import Look
from viz_app.ui import view_model
from viz_app.ui.state import Key

OFF_AT_ONCE = 4  # variants between two looks at whether anybody still waits
NOBODY_WAITS_S = 10.0
PICTURE_SIDE_PX = 640  # of the picture that changes are drawn over
ALL_OFF = (
    "With every primitive off nothing is left to share ρ among, so nothing is renormalised: this is the "
    "network without the block."
)


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture's run through the network, and what was worked out about it so far; of no visitor."""

    key: tuple[Any, ...]
    replay: Replay
    frames: tuple[str, ...]  # data URLs of the model input
    attributions: dict[tuple[str, str, bool], Attribution] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Place:
    """One block of a subject, as the board shows it."""

    sheet: str  # data URL of all thumbnails
    aspect: float  # of one of them
    first_order: Mapping[bool, np.ndarray]  # whether ρ is renormalised: (n,), for the network's answer
    without: Outcome  # the network without this block
    cards: list[str]


def subject(
    picture: Picture, weights: Weights, size_px: int, *, look: Look | None = None, holder: str | None = None
) -> Subject:
    """`picture`, run through the network of `weights` at `size_px`; kept for all who have the picture.

    Raises:
        A2Error: as `services.show`.
        Whatever `look` raises.
    """
    # Bags are exchanged between subjects of one model object only, hence its number in the key.
    key = ("subject", picture.content, services.model_number(weights), size_px)
    whose = services.holder_of(picture) if holder is None else holder

    def make(tell: Tell) -> Subject:
        tell(0.0)
        replay = Replay(services.load_model(weights), picture.held.value, size=size_px)
        side_px = PICTURE_SIDE_PX if len(replay.trace.model_input) == 1 else PICTURE_SIDE_PX // 2
        frames = tuple(
            view_model.data_url(frame, quality=82, max_side_px=side_px) for frame in replay.trace.model_input
        )
        return Subject(key, replay, frames)

    return visitors.obtain(key, make, holder=whose, look=look).value


def place(of: Subject, picture: Picture, block: str, *, look: Look | None = None) -> Place:
    """What the board needs to know of `block` of the subject, which is `picture`'s."""
    replay = of.replay

    def make(tell: Tell) -> Place:
        seen, frames = replay.trace.blocks[block], replay.trace.model_input
        width, height = experiment.tile_size(frames)
        first_order = {}
        for rule in (False, True):
            tell(0.0)
            first_order[rule] = replay.first_order(block, renormalise=rule)
        return Place(
            experiment.tile_sheet(seen, frames),
            width / height,
            first_order,
            replay.run(block, off=range(seen.n)),
            view_model.primitive_cards(seen, replay.model.card),
        )

    return visitors.obtain(
        ("place", of.key, block), make, holder=services.holder_of(picture), look=look
    ).value


def perform(
    of: Subject, block: str, setup: Setup, donor: Subject | None, *, look: Look | None = None
) -> tuple[Outcome, str]:
    """The outcome of an experiment, and what should be said about how it was done, or "".

    Raises:
        A2Error: the network's answer is not finite any more.
        Whatever `look` raises.
    """
    renormalise = setup.renormalise and not setup.empty

    def run(tell: Tell) -> Outcome:
        tell(0.0)
        return of.replay.run(
            block,
            scale=dict(enumerate(setup.factors)),
            renormalise=renormalise,
            donor=None if donor is None else donor.replay,
        )

    what = ("perform", of.key, block, setup.factors, renormalise, None if donor is None else donor.key)
    outcome = visitors.server().networks.run(what, run, visitor=visitors.visitor(), look=look)
    return outcome, ALL_OFF if setup.renormalise and setup.empty else ""


def attribute(
    of: Subject, block: str, label: str, renormalise: bool, *, look: Look | None = None
) -> Attribution:
    """First-order terms and true effects of all primitives of `block` for a class; worked out once.

    A run for each primitive: whoever waits for less goes first.
    """
    wanted = (block, label, renormalise)
    queue = visitors.server().networks

    def run(tell: Tell) -> Attribution:
        def progress(done: int, total: int) -> None:
            tell(done / total)
            queue.make_way()

        return of.replay.attribute(block, label, renormalise=renormalise, progress=progress)

    if wanted not in of.attributions:
        what = ("attribute", of.key, *wanted)
        of.attributions[wanted] = queue.run(what, run, visitor=visitors.visitor(), background=True, look=look)
    return of.attributions[wanted]


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
    whose = services.holder_of(shown.picture)
    blank = Effects(np.zeros(shown.trace.blocks[block].n, np.float32))
    found = store.put(("effects", shown.key, block), blank, whose).value
    found.asked_at_s = time.monotonic()
    if not found.whole and not found.fault:

        def work(tell: Tell) -> None:
            _, found.fault = services.attempt(lambda: _measure(found, shown, block, whose))

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


def strip() -> Mapping[str, Picture]:
    """The pictures that a bag can be taken from, by id: the visitor's own, then the samples."""
    pictures: dict[str, Picture] = dict(st.session_state.get(Key.UPLOADS, {}))
    for sample in view_model.SAMPLES:
        loaded, _ = services.attempt(lambda sample=sample: services.load_sample(sample))  # type: ignore[misc]
        if loaded is not None:
            pictures[sample.name] = loaded
    return pictures
