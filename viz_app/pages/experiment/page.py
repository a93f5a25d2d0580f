"""The Experiment page: switch primitives off, keep or scale them, transplant a bag, and see what changes."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import streamlit as st

from a2core import canvas
from viz_app.components.bag_board import bag_board, reported
from viz_app.components.runtime import override
from viz_app.pages.experiment import content as experiment
from viz_app.pages.experiment import service as laboratory
from viz_app.pages.experiment.content import Setup
from viz_app.pages.experiment.service import Place
from viz_app.server import replays, traces
from viz_app.server.pictures import Picture
from viz_app.server.replays import Subject
from viz_app.server.traces import Shown
from viz_app.ui import guards, text
from viz_app.ui import plots as charts
from viz_app.ui.guards import callback, fragment
from viz_app.ui.shell import STYLES, styled, waiting

STYLE = STYLES / "experiment.css"
MISSING, SHARED = "goes missing", "goes to the others"
UNDO_KEPT = 50
CHART_CONFIG = {"displayModeBar": False}


class Key(StrEnum):
    """Keys of `st.session_state` that this page uses; those of widgets name their place on the page."""

    BLOCK = "experiment-block"
    BOARD = "experiment-board"
    RULE = "experiment-rule"
    DONOR = "experiment-donor"
    CLASS = "experiment-class"
    HISTORY = "experiment-history"  # dict of (trace key, block) to the Setups so far, the current one last
    PRESENT = "experiment-present"
    MEASURED = "experiment-measured"  # what the visitor asked the true effects of


def render() -> None:
    """Draw the page."""
    styled()
    st.html(STYLE)
    st.html(
        '<div class="a2-lead"><h1>Switch a primitive off.</h1>'
        "<p>See what the network then says about the picture or clip that you chose on Explore.</p></div>"
    )
    with waiting("Tracing the clip") as look:
        shown = traces.current_shown(look=look)
    if not shown.trace.trained:
        st.html(
            '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were '
            "never trained: what they change is real, what they attend to means nothing.</div>"
        )
    _page(shown)


@fragment()
def _page(shown: Shown) -> None:
    """All that changes with an experiment; reruns alone. A rerun drops the one that it overtakes."""
    with waiting("Running the network once, to keep what stands before the blocks") as look:
        subject = replays.subject(shown.picture, shown.weights, shown.size_px, look=look)
    if not subject.replay.blocks:
        guards.tell("This network has no double attention block to experiment with. Choose other weights.")
        return
    block = _block(shown, subject)
    place = laboratory.place(subject, shown.picture, block)
    identity = f"{shown.key}/{block}"
    setup = _setup(identity, place)
    donors = {key: picture for key, picture in laboratory.strip().items() if key != shown.picture.id}
    if setup.donor and setup.donor not in donors:  # an upload that is no longer kept
        setup = _change(identity, replace(setup, donor=""))
        override(Key.BOARD)
    with st.container(key="experiment"):
        _tools(identity, setup, shown, subject)
        with st.container(key="experiment-body"):
            left, right = st.columns([9, 8], gap="large")
        donor = None
        if setup.donor:
            with waiting("Running the network on the other picture") as look:
                donor = replays.subject(donors[setup.donor], shown.weights, shown.size_px, look=look)
        gathered = place if donor is None else laboratory.place(donor, donors[setup.donor], block)
        with left:
            _board(identity, setup, subject, place, gathered)
            _transplant(identity, setup, shown, donors)
        with right:
            _result(shown, subject, block, setup, place, donor, donors[setup.donor].title if donor else "")
        _trust(subject, block, setup)


def _block(shown: Shown, subject: Subject) -> str:
    """The block that is experimented with: the deepest at first, whose effect is the largest."""
    if st.session_state.get(Key.BLOCK) not in subject.replay.blocks:
        st.session_state[Key.BLOCK] = subject.replay.blocks[-1]
    block: str = st.session_state[Key.BLOCK]
    return block


# ---------------------------------------------------------------------------------------------
# What is asked for, and its history


def _history(identity: str) -> list[Setup]:
    histories: dict[str, list[Setup]] = st.session_state.setdefault(Key.HISTORY, {})
    return histories.setdefault(identity, [])


def _setup(identity: str, place: Place) -> Setup:
    history = _history(identity)
    if not history:
        history.append(experiment.opening_setup(place.first_order[False]))
    return _current(identity)


def _change(identity: str, setup: Setup) -> Setup:
    """Note another experiment; the same one again is no change, since an overtaken run calls back twice."""
    history = _history(identity)
    if not history or history[-1] != setup:
        history.append(setup)
        del history[:-UNDO_KEPT]
    return setup


def _current(identity: str) -> Setup:
    """The experiment that is asked for, with what was done on the board since the last run."""
    current = _history(identity)[-1]
    factors = experiment.parse_factors(reported(Key.BOARD, identity), count=len(current.factors))
    return current if factors is None else _change(identity, current.with_factors(factors))


@callback
def _take_rule(identity: str) -> None:
    renormalise = st.session_state[Key.RULE] == SHARED
    _change(identity, replace(_current(identity), renormalise=renormalise))


@callback
def _take_donor(identity: str) -> None:
    current = _current(identity)
    if (
        len(_history(identity)) == 1
    ):  # what the page opened with was an example: a transplant is one by itself
        current = experiment.plain_setup(len(current.factors))
        override(Key.BOARD)
    _change(identity, replace(current, donor=st.session_state[Key.DONOR] or ""))


@callback
def _all_off(identity: str) -> None:
    current = _current(identity)
    _change(identity, current.with_factors([0.0] * len(current.factors)))
    override(Key.BOARD)


@callback
def _reset(identity: str) -> None:
    _change(identity, experiment.plain_setup(len(_current(identity).factors)))
    override(Key.BOARD)


@callback
def _undo(identity: str, depth: int) -> None:
    """Back to the experiment before; `depth` is the history's when the button was drawn: once a click."""
    history = _history(identity)
    _current(identity)
    if len(history) >= depth > 1:
        history.pop()
        override(Key.BOARD)


# ---------------------------------------------------------------------------------------------
# The parts of the page


def _tools(identity: str, setup: Setup, shown: Shown, subject: Subject) -> None:
    if st.session_state.get(Key.PRESENT):
        st.html('<i class="a2-presenting"></i>')
    words = {
        name: f"{canvas.block_word(subject.replay.trace.blocks[name], shown.trace, shown.card)} ({name})"
        for name in subject.replay.blocks
    }
    with st.container(key="experiment-tools", horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(words) > 1:
            st.segmented_control(
                "Block",
                list(words),
                format_func=words.__getitem__,
                required=True,
                key=Key.BLOCK,
                persist_state="session",
            )
        st.session_state[Key.RULE] = SHARED if setup.renormalise else MISSING
        st.segmented_control(
            "The weight ρ of what is off",
            (MISSING, SHARED),
            required=True,
            key=Key.RULE,
            on_change=_take_rule,
            args=(identity,),
            help="Goes missing: the terms V_ij · expand(g_i) of what is off are left out of the sum. Goes to "
            "the others: at every position ρ is renormalised over what is left and sums to 1 again.",
        )
        with st.container(key="experiment-acts", horizontal=True, gap="small", width="content"):
            depth = len(_history(identity))
            st.button("All off", key="all-off", on_click=_all_off, args=(identity,), disabled=setup.empty)
            st.button(
                "Undo",
                key="undo",
                icon=":material/undo:",
                shortcut="Ctrl+Z",
                on_click=_undo,
                args=(identity, depth),
                disabled=depth < 2,
            )
            st.button("Reset", key="reset", on_click=_reset, args=(identity,), disabled=setup.plain)
        st.toggle("Present", key=Key.PRESENT, persist_state="session")


def _board(identity: str, setup: Setup, subject: Subject, place: Place, gathered: Place) -> None:
    """The board; its tiles show where the bag was gathered, in the donor's picture when there is one."""
    bag_board(
        identity=identity,
        factors=setup.factors,
        largest=experiment.LARGEST_FACTOR,
        effects=place.first_order[setup.renormalise].tolist(),
        effect_of=subject.replay.trace.top[0][0] + (", by its own bag" if setup.donor else ""),
        cards=place.cards,
        sheet=gathered.sheet,
        columns=experiment.TILES_A_ROW,
        aspect=gathered.aspect,
        key=Key.BOARD,
    )


def _transplant(identity: str, setup: Setup, shown: Shown, donors: dict[str, Picture]) -> None:
    titles = {"": f"![]({shown.picture.thumbnail}) its own"}
    for key, picture in donors.items():
        titles[key] = f"![]({picture.thumbnail}) {text.as_markdown(picture.title)}"
    st.session_state[Key.DONOR] = setup.donor
    with st.container(key="experiment-transplant", gap="small"):
        st.html(
            "<h3>Transplant a bag <small>gathered in one picture, distributed into this one</small></h3>",
        )
        st.segmented_control(
            "Bag of primitives gathered from",
            list(titles),
            format_func=titles.__getitem__,
            required=True,
            key=Key.DONOR,
            on_change=_take_donor,
            args=(identity,),
            label_visibility="collapsed",
        )
        st.html(
            '<p class="a2-why">The bag fits whatever the shape of the other picture or the length of the '
            "clip: it is a set of vectors without positions. Where each was gathered is summed away; where "
            "it goes, ρ of this picture decides.</p>"
        )


def _result(
    shown: Shown,
    subject: Subject,
    block: str,
    setup: Setup,
    place: Place,
    donor: Subject | None,
    title: str,
) -> None:
    """What changed; `title` is the donor's."""
    with waiting("Running what stands behind the block") as look:
        outcome, note = laboratory.perform(subject, block, setup, donor, look=look)
    st.html(experiment.result_html(setup, outcome, place.without, title, note))
    trace = subject.replay.trace
    times_s = [float(t) for t in trace.clip.times_s]
    st.html(experiment.changed_figure(outcome.moved, subject.frames, times_s, shown.picture.alt))


def _trust(subject: Subject, block: str, setup: Setup) -> None:
    """First-order terms beside true effects, on demand."""
    labels = [label for label, _ in subject.replay.trace.top]
    if st.session_state.get(Key.CLASS) not in labels:
        st.session_state[Key.CLASS] = labels[0]
    count = len(setup.factors)
    with st.container(key="experiment-trust"):
        words, chart = st.columns([9, 8], gap="large")
    with words:
        st.html(
            "<h3>Can the number on a tile be trusted?</h3><p>It is the <b>first-order term</b>: what the "
            "primitive adds to the class if the network behind the block were linear. It is not. The true "
            f"effect takes one run each: {count} runs of what stands behind the block.</p>"
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            label = st.selectbox("Class", labels, key=Key.CLASS, width=240)
            wanted = (subject.key, block, label, setup.renormalise)
            known = (block, label, setup.renormalise) in subject.attributions
            if st.button(f"Measure all {count}", key="measure", disabled=known):
                st.session_state[Key.MEASURED] = wanted
        if not known and st.session_state.get(Key.MEASURED) != wanted:
            return
        with waiting(f"Switching off {count} primitives, one at a time") as look:
            found = laboratory.attribute(subject, block, label, setup.renormalise, look=look)
        said, alt = experiment.trust_sentence(found)
        st.html(f'<p class="a2-said">{said}</p>')
    with chart:
        figure = charts.effect_scatter(found.first_order, found.ablated)
        st.plotly_chart(figure, key="effects", config=CHART_CONFIG, alt=alt)
