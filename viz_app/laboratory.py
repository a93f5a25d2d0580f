"""What the Experiment page asks the model core for, kept for the whole server. Draws nothing.

A `Subject` is a picture whose run through the network is kept, so that an experiment on it runs only
what stands behind the block: some ten milliseconds where the whole network takes a hundred.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from a2core import Attribution, Model, Outcome, Replay
from viz_app import experiment, services, view_model
from viz_app.experiment import Setup
from viz_app.services import Picture, Shown, Weights
from viz_app.state import Key

SUBJECTS_KEPT = 12  # of about 3 MB for a picture, 30 MB for a clip of sixteen frames
EFFECTS_KEPT = 96  # of a number for each primitive
OFF_AT_ONCE = 4  # variants between two looks at whether anybody still waits
NOBODY_WAITS_S = 10.0
PICTURE_SIDE_PX = 640  # of the picture that changes are drawn over
ALL_OFF = (
    "With every primitive off nothing is left to share ρ among, so nothing is renormalised: this is the "
    "network without the block."
)


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture with its run through the network, and what was worked out about it so far."""

    picture: Picture
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


def subject(picture: Picture, weights: Weights, size_px: int) -> Subject:
    """`picture`, run through the network of `weights` at `size_px`; kept for everybody.

    Raises:
        A2Error: as `services.show`.
    """
    model = services.load_model(weights)
    # Bags are exchanged between subjects of one model object only, hence its identity in the key.
    return _subject(picture.id, id(model), size_px, picture, model)


@st.cache_resource(max_entries=SUBJECTS_KEPT, show_spinner=False)
def _subject(picture_id: str, model_id: int, size_px: int, _picture: Picture, _model: Model) -> Subject:
    replay = Replay(_model, _picture.clip, size=size_px)
    side_px = PICTURE_SIDE_PX if len(replay.trace.model_input) == 1 else PICTURE_SIDE_PX // 2
    frames = tuple(
        view_model.data_url(frame, quality=82, max_side_px=side_px) for frame in replay.trace.model_input
    )
    return Subject(_picture, replay, frames)


def place(of: Subject, block: str) -> Place:
    """What the board needs to know of `block`."""
    return _place(id(of.replay), block, of)


@st.cache_resource(max_entries=2 * SUBJECTS_KEPT, show_spinner=False)
def _place(replay_id: int, block: str, _subject: Subject) -> Place:
    replay = _subject.replay
    seen, frames = replay.trace.blocks[block], replay.trace.model_input
    width, height = experiment.tile_size(frames)
    return Place(
        experiment.tile_sheet(seen, frames),
        width / height,
        {rule: replay.first_order(block, renormalise=rule) for rule in (False, True)},
        replay.run(block, off=range(seen.n)),
        view_model.primitive_cards(seen, replay.model.card),
    )


def perform(of: Subject, block: str, setup: Setup, donor: Subject | None) -> tuple[Outcome, str]:
    """The outcome of an experiment, and what should be said about how it was done, or "".

    Raises:
        A2Error: the network's answer is not finite any more.
    """
    renormalise = setup.renormalise and not setup.empty
    outcome = of.replay.run(
        block,
        scale=dict(enumerate(setup.factors)),
        renormalise=renormalise,
        donor=None if donor is None else donor.replay,
    )
    return outcome, ALL_OFF if setup.renormalise and setup.empty else ""


def attribute(
    of: Subject, block: str, label: str, renormalise: bool, progress: Callable[[int, int], None]
) -> Attribution:
    """First-order terms and true effects of all primitives of `block` for a class; worked out once."""
    wanted = (block, label, renormalise)
    if wanted not in of.attributions:
        of.attributions[wanted] = of.replay.attribute(
            block, label, renormalise=renormalise, progress=progress
        )
    return of.attributions[wanted]


@dataclass(eq=False)
class Effects:
    """How much each primitive of one block matters to the answer: measured behind the visitors' backs.

    `values` (n,) is the probability of the best class with the primitive switched off by itself, minus
    what it is with all of them; the first `done` are measured.
    """

    values: np.ndarray
    done: int = 0
    fault: str = ""  # what to tell, where it cannot be measured
    asked_at_s: float = 0.0
    worker: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def whole(self) -> bool:
        """Whether there is nothing more to wait for."""
        return bool(self.fault) or self.done == len(self.values)


def effects(shown: Shown, block: str) -> Effects:
    """The effects of the primitives of `block`, as far as they are measured; asking keeps it going.

    Every primitive takes one run of what stands behind the block, so this starts when somebody wants to
    know, and rests when nobody has asked for a while. A picture that is to be traced goes first: a few
    variants at a time hold the model.
    """
    found = _effects(shown.key, block, shown.trace.blocks[block].n)
    found.asked_at_s = time.monotonic()
    with found.lock:
        if not found.whole and (found.worker is None or not found.worker.is_alive()):
            found.worker = threading.Thread(
                target=_measure, args=(found, shown, block), name="effects", daemon=True
            )
            found.worker.start()
    return found


def measured_effects(shown: Shown) -> dict[str, np.ndarray]:
    """The effects that are known already, by block; asks for nothing."""
    known = {name: _effects(shown.key, name, block.n) for name, block in shown.trace.blocks.items()}
    return {name: found.values for name, found in known.items() if found.done == len(found.values)}


@st.cache_resource(max_entries=EFFECTS_KEPT, show_spinner=False)
def _effects(shown_key: str, block: str, count: int) -> Effects:
    return Effects(np.zeros(count, np.float32))


def _measure(found: Effects, shown: Shown, block: str) -> None:
    def work() -> None:
        replay = subject(shown.picture, shown.weights, shown.size_px).replay
        before = replay.run(block).before
        best = int(before.argmax())
        while found.done < len(found.values):
            if time.monotonic() - found.asked_at_s > NOBODY_WAITS_S:
                return
            some = range(found.done, min(found.done + OFF_AT_ONCE, len(found.values)))
            after = replay.switch_off_each(block, some)
            found.values[some.start : some.stop] = after[:, best] - before[best]
            found.done = some.stop

    _, found.fault = services.attempt(work)


def strip() -> Mapping[str, Picture]:
    """The pictures that a bag can be taken from, by id: the visitor's own, then the samples."""
    pictures: dict[str, Picture] = dict(st.session_state.get(Key.UPLOADS, {}))
    for sample in view_model.SAMPLES:
        loaded, _ = services.attempt(lambda sample=sample: services.load_sample(sample))  # type: ignore[misc]
        if loaded is not None:
            pictures[sample.name] = loaded
    return pictures
