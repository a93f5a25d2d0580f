"""What Experiment asks of the server: the board's numbers, experiments, true effects. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from a2core import Attribution, Outcome, canvas
from viz_app.server import pictures, visitors
from viz_app.server.jobs import Tell
from viz_app.server.pictures import Picture
from viz_app.server.replays import Subject
from viz_app.server.samples import load_samples
from viz_app.server.visitors import Look
from viz_app.ui.state import Key
from viz_app.views.experiment import maps
from viz_app.views.experiment.setup import Setup


@dataclass(frozen=True, eq=False)
class Place:
    """One block of a subject, as the board shows it."""

    sheet: str  # data URL of all thumbnails
    aspect: float  # of one of them
    first_order: Mapping[bool, np.ndarray]  # whether ρ is renormalised: (n,), for the network's answer
    without: Outcome  # the network without this block
    cards: list[str]


def place(of: Subject, picture: Picture, block: str, *, look: Look | None = None) -> Place:
    """What the board needs to know of `block` of the subject, which is `picture`'s."""
    replay = of.replay

    def make(tell: Tell) -> Place:
        seen, frames = replay.trace.blocks[block], replay.trace.model_input
        width, height = maps.tile_size(frames)
        first_order = {}
        for rule in (False, True):
            tell(0.0)
            first_order[rule] = replay.first_order(block, renormalise=rule)
        return Place(
            maps.tile_sheet(seen, frames),
            width / height,
            first_order,
            replay.run(block, off=range(seen.n)),
            canvas.primitive_cards(seen, replay.model.card),
        )

    return visitors.obtain(
        ("place", of.key, block), make, holder=pictures.holder_of(picture), look=look
    ).value


def perform(
    of: Subject, block: str, setup: Setup, donor: Subject | None, *, look: Look | None = None
) -> Outcome:
    """The outcome of an experiment; with every primitive off there is nothing to share ρ among.

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
    return visitors.server().networks.run(what, run, visitor=visitors.visitor(), look=look)


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


def strip() -> Mapping[str, Picture]:
    """The pictures that a bag can be taken from, by id: the visitor's own, then the samples."""
    own: dict[str, Picture] = st.session_state.get(Key.UPLOADS, {})
    return {**own, **load_samples()[0]}
