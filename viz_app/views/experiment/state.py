"""What a visitor's session remembers of experiments: of each trace and block all Setups so far."""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

from viz_app.components.bag_board import reported
from viz_app.components.runtime import override
from viz_app.views.experiment.service import Place
from viz_app.views.experiment.setup import Setup, parse_factors, parse_opened, plain_setup

UNDO_KEPT = 50


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses; those of widgets name their place on the page."""

    BLOCK = "experiment-block"
    BOARD = "experiment-board"
    RULE = "experiment-rule"
    DONOR = "experiment-donor"
    CLASS = "experiment-class"
    HISTORY = "experiment-history"  # dict of (trace key, block) to the Setups so far, the current one last
    MEASURED = "experiment-measured"  # what the visitor asked the true effects of


def history(identity: str) -> list[Setup]:
    """The experiments on `identity`, a trace and a block, the current one last."""
    histories: dict[str, list[Setup]] = st.session_state.setdefault(Key.HISTORY, {})
    return histories.setdefault(identity, [])


def setup_of(identity: str, place: Place) -> Setup:
    """The current experiment; at first nothing is changed."""
    past = history(identity)
    if not past:
        past.append(plain_setup(len(place.first_order[False])))
    return current(identity)


def change(identity: str, setup: Setup) -> Setup:
    """Note another experiment; the same one again is no change, since an overtaken run calls back twice."""
    past = history(identity)
    if not past or past[-1] != setup:
        past.append(setup)
        del past[:-UNDO_KEPT]
    return setup


def current(identity: str) -> Setup:
    """The experiment that is asked for, with what was done on the board since the last run."""
    asked = history(identity)[-1]
    factors = parse_factors(reported(Key.BOARD, identity), count=len(asked.factors))
    return asked if factors is None else change(identity, asked.with_factors(factors))


def take_opened(identity: str) -> int | None:
    """The primitive that the board asks to see on Explore; once, after its factors were taken."""
    opened = parse_opened(reported(Key.BOARD, identity), count=len(current(identity).factors))
    if opened is not None:
        override(Key.BOARD)
    return opened
