"""The Experiment page: switch primitives off, keep or scale them, transplant a bag, and see what changes."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from a2core import rank_primitives
from viz_app.components.bag_board import bag_board
from viz_app.components.runtime import override
from viz_app.server import cards, replays
from viz_app.server.replays import Subject
from viz_app.server.traces import Shown
from viz_app.ui import language, plots, text
from viz_app.ui.guards import fragment, tell
from viz_app.ui.selection import current_probe, mark, marked_cell
from viz_app.ui.shell import current_shown, styled, to_explore, waiting
from viz_app.views.experiment import content, controls, service, state, words
from viz_app.views.experiment.maps import TILES_A_ROW
from viz_app.views.experiment.service import Place
from viz_app.views.experiment.setup import LARGEST_FACTOR, Setup
from viz_app.views.experiment.state import Key

CHART_CONFIG = {"displayModeBar": False}


def render() -> None:
    """Draw the page."""
    styled("experiment.css")
    st.html(words.LEAD)
    with waiting(words.TRACING) as look:
        shown = current_shown(look=look)
    if not shown.trace.trained:
        st.html(words.UNTRAINED)
    _page(shown)


@fragment()
def _page(shown: Shown) -> None:
    """All that changes with an experiment; reruns alone. A rerun drops the one that it overtakes."""
    with waiting(words.RUNNING_ONCE) as look:
        subject = replays.subject(shown.picture, shown.weights, shown.size_px, look=look)
    if not subject.replay.blocks:
        tell(words.NO_BLOCK)
        return
    block = _block(shown, subject)
    place = service.place(subject, shown.picture, block)
    identity = f"{shown.key}/{block}"
    setup = state.setup_of(identity, place)
    if (opened := state.take_opened(identity)) is not None:
        mark(shown, block=block, primitive=opened)
        to_explore()
    donors = {key: picture for key, picture in service.strip().items() if key != shown.picture.id}
    if setup.donor and setup.donor not in donors:  # an upload that is no longer kept
        setup = state.change(identity, replace(setup, donor=""))
        override(Key.BOARD)
    with st.container(key="experiment"):
        controls.tools(identity, setup, shown, subject)
        with st.container(key="experiment-body"):
            left, right = st.columns([9, 8], gap="large")
        donor = None
        if setup.donor:
            with waiting(words.RUNNING_DONOR) as look:
                donor = replays.subject(donors[setup.donor], shown.weights, shown.size_px, look=look)
        gathered = place if donor is None else service.place(donor, donors[setup.donor], block)
        with left:
            _board(shown, block, setup, subject, place, gathered)
            controls.transplant(identity, setup, shown, donors)
        with right:
            title = text.picture(setup.donor, donors[setup.donor].title) if donor else ""
            _result(shown, subject, block, setup, place, donor, title)
        _trust(subject, block, setup)


def _block(shown: Shown, subject: Subject) -> str:
    """The block that is experimented with: the one that was looked at last, where it can be."""
    block = current_probe(shown).block
    if block not in subject.replay.blocks:
        block = subject.replay.blocks[-1]
    if st.session_state.get(Key.BLOCK) != block:
        st.session_state[Key.BLOCK] = block
    return block


def _board(shown: Shown, block: str, setup: Setup, subject: Subject, place: Place, gathered: Place) -> None:
    """The board; its tiles show where the bag was gathered, in the donor's picture when there is one.

    It begins at the primitive that was chosen, or at the one that the marked pixel receives most of.
    """
    seen, probe = shown.trace.blocks[block], current_probe(shown)
    chosen = probe.primitive if probe.block == block else None
    strongest = int(rank_primitives(seen, marked_cell(shown, block))[0])
    bag_board(
        identity=f"{shown.key}/{block}",
        first=strongest if chosen is None else chosen,
        chosen=chosen is not None,
        factors=setup.factors,
        largest=LARGEST_FACTOR,
        effects=place.first_order[setup.renormalise].tolist(),
        effect_of=words.effect_of(subject.replay.trace.top[0][0], transplanted=bool(setup.donor)),
        cards=cards.cards(shown.weights, {block: place.cards}).get(block) or cards.said(place.cards),
        sheet=gathered.sheet,
        columns=TILES_A_ROW,
        aspect=gathered.aspect,
        key=Key.BOARD,
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
    with waiting(words.RUNNING_TAIL) as look:
        outcome = service.perform(subject, block, setup, donor, look=look)
    note = words.NOTHING_TO_SHARE if setup.renormalise and setup.empty else ""
    st.html(content.result_html(setup, outcome, place.without, title, note))
    trace = subject.replay.trace
    times_s = [float(t) for t in trace.clip.times_s]
    alt = language.told(shown.picture.alt)
    st.html(content.changed_figure(outcome.moved, subject.frames, times_s, alt))


def _trust(subject: Subject, block: str, setup: Setup) -> None:
    """First-order terms beside true effects, on demand."""
    labels = [label for label, _ in subject.replay.trace.top]
    if st.session_state.get(Key.CLASS) not in labels:
        st.session_state[Key.CLASS] = labels[0]
    count = len(setup.factors)
    with st.container(key="experiment-trust"):
        beside, chart = st.columns([9, 8], gap="large")
    with beside:
        st.html(words.about_trust(count))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            label = st.selectbox(words.CLASS, labels, key=Key.CLASS, width=240)
            wanted = (subject.key, block, label, setup.renormalise)
            known = (block, label, setup.renormalise) in subject.attributions
            if st.button(words.measure(count), key="measure", disabled=known):
                st.session_state[Key.MEASURED] = wanted
        if not known and st.session_state.get(Key.MEASURED) != wanted:
            return
        with waiting(words.measuring(count)) as look:
            found = service.attribute(subject, block, label, setup.renormalise, look=look)
        said, alt = content.trust_sentence(found)
        st.html(f'<p class="a2-said">{said}</p>')
    with chart:
        figure = plots.effect_scatter(found.first_order, found.ablated)
        st.plotly_chart(figure, key="effects", config=CHART_CONFIG, alt=alt)
