"""What can be done on Experiment beside the board: the block, the rule for ρ, undo, another picture's bag."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from viz_app.components.runtime import override
from viz_app.server.pictures import Picture
from viz_app.server.replays import Subject
from viz_app.server.traces import Shown
from viz_app.ui import text
from viz_app.ui.guards import callback
from viz_app.ui.selection import block_words, take_block
from viz_app.ui.text import as_markdown
from viz_app.views.experiment import state, words
from viz_app.views.experiment.setup import Setup, plain_setup
from viz_app.views.experiment.state import Key

MISSING, SHARED = "missing", "shared"  # what becomes of the ρ of what is off, as words.RULES calls it


def tools(identity: str, setup: Setup, shown: Shown, subject: Subject) -> None:
    """The block, the rule for ρ, undo and reset."""
    names = subject.replay.blocks
    with st.container(key="experiment-tools", horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(names) > 1:
            st.segmented_control(
                text.BLOCK,
                list(names),
                format_func=block_words(shown),
                required=True,
                key=Key.BLOCK,
                on_change=callback(take_block),
                args=(shown, Key.BLOCK),
            )
        st.session_state[Key.RULE] = SHARED if setup.renormalise else MISSING
        st.segmented_control(
            words.RULE,
            (MISSING, SHARED),
            format_func=words.RULES.__getitem__,
            required=True,
            key=Key.RULE,
            on_change=_take_rule,
            args=(identity,),
            help=words.ABOUT_RULE,
        )
        with st.container(key="experiment-acts", horizontal=True, gap="small", width="content"):
            depth = len(state.history(identity))
            st.button(words.ALL_OFF, key="all-off", on_click=_all_off, args=(identity,), disabled=setup.empty)
            st.button(
                words.UNDO,
                key="undo",
                icon=":material/undo:",
                shortcut="Ctrl+Z",
                on_click=_undo,
                args=(identity, depth),
                disabled=depth < 2,
            )
            st.button(words.RESET, key="reset", on_click=_reset, args=(identity,), disabled=setup.plain)


def transplant(identity: str, setup: Setup, shown: Shown, donors: dict[str, Picture]) -> None:
    """The pictures whose bag can be used in place of this one's."""
    titles = {"": f"![]({shown.picture.thumbnail}) {words.ITS_OWN}"}
    for key, picture in donors.items():
        titles[key] = f"![]({picture.thumbnail}) {as_markdown(text.picture(key, picture.title))}"
    st.session_state[Key.DONOR] = setup.donor
    with st.container(key="experiment-transplant", gap="small"):
        st.html(words.TRANSPLANT)
        st.segmented_control(
            words.DONOR,
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            key=Key.DONOR,
            on_change=_take_donor,
            args=(identity,),
            label_visibility="collapsed",
        )
        st.html(words.ABOUT_TRANSPLANT)


@callback
def _take_rule(identity: str) -> None:
    renormalise = st.session_state[Key.RULE] == SHARED
    state.change(identity, replace(state.current(identity), renormalise=renormalise))


@callback
def _take_donor(identity: str) -> None:
    current = state.current(identity)
    state.change(identity, replace(current, donor=st.session_state[Key.DONOR] or ""))


@callback
def _all_off(identity: str) -> None:
    current = state.current(identity)
    state.change(identity, current.with_factors([0.0] * len(current.factors)))
    override(Key.BOARD)


@callback
def _reset(identity: str) -> None:
    state.change(identity, plain_setup(len(state.current(identity).factors)))
    override(Key.BOARD)


@callback
def _undo(identity: str, depth: int) -> None:
    """Back to the experiment before; `depth` is the history's when the button was drawn: once a click."""
    past = state.history(identity)
    state.current(identity)
    if len(past) >= depth > 1:
        past.pop()
        override(Key.BOARD)
