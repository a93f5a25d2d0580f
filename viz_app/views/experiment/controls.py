"""What can be done on Experiment beside the board: the block, the rule for ρ, undo, another picture's bag."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from a2core.canvas import block_word
from viz_app.components.runtime import override
from viz_app.server.pictures import Picture
from viz_app.server.replays import Subject
from viz_app.server.traces import Shown
from viz_app.ui.guards import callback
from viz_app.ui.selection import take_block
from viz_app.ui.text import as_markdown
from viz_app.views.experiment import content, state
from viz_app.views.experiment.setup import Setup, plain_setup
from viz_app.views.experiment.state import Key


def tools(identity: str, setup: Setup, shown: Shown, subject: Subject) -> None:
    """The block, the rule for ρ, undo and reset."""
    words = {
        name: f"{block_word(subject.replay.trace.blocks[name], shown.trace, shown.card)} ({name})"
        for name in subject.replay.blocks
    }
    with st.container(key="experiment-tools", horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(words) > 1:
            st.segmented_control(
                content.BLOCK,
                list(words),
                format_func=words.__getitem__,
                required=True,
                key=Key.BLOCK,
                on_change=callback(take_block),
                args=(shown, Key.BLOCK),
            )
        st.session_state[Key.RULE] = content.SHARED if setup.renormalise else content.MISSING
        st.segmented_control(
            content.RULE,
            (content.MISSING, content.SHARED),
            required=True,
            key=Key.RULE,
            on_change=_take_rule,
            args=(identity,),
            help=content.ABOUT_RULE,
        )
        with st.container(key="experiment-acts", horizontal=True, gap="small", width="content"):
            depth = len(state.history(identity))
            st.button(
                content.ALL_OFF, key="all-off", on_click=_all_off, args=(identity,), disabled=setup.empty
            )
            st.button(
                content.UNDO,
                key="undo",
                icon=":material/undo:",
                shortcut="Ctrl+Z",
                on_click=_undo,
                args=(identity, depth),
                disabled=depth < 2,
            )
            st.button(content.RESET, key="reset", on_click=_reset, args=(identity,), disabled=setup.plain)


def transplant(identity: str, setup: Setup, shown: Shown, donors: dict[str, Picture]) -> None:
    """The pictures whose bag can be used in place of this one's."""
    titles = {"": f"![]({shown.picture.thumbnail}) {content.ITS_OWN}"}
    for key, picture in donors.items():
        titles[key] = f"![]({picture.thumbnail}) {as_markdown(picture.title)}"
    st.session_state[Key.DONOR] = setup.donor
    with st.container(key="experiment-transplant", gap="small"):
        st.html(content.TRANSPLANT)
        st.segmented_control(
            content.DONOR,
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            key=Key.DONOR,
            on_change=_take_donor,
            args=(identity,),
            label_visibility="collapsed",
        )
        st.html(content.ABOUT_TRANSPLANT)


@callback
def _take_rule(identity: str) -> None:
    renormalise = st.session_state[Key.RULE] == content.SHARED
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
