"""The Learn page: double attention in seven steps, on the picture that the visitor chose."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from a2core.lesson import around, steps, worksheet_html
from a2core.lesson.steps import STEPS, Screen
from viz_app.components.sheet import sheet
from viz_app.components.step_bar import step_asked, step_bar
from viz_app.server import traces
from viz_app.server.traces import Shown
from viz_app.ui import language
from viz_app.ui.guards import callback, fragment
from viz_app.ui.selection import choose_block, current_block
from viz_app.ui.shell import styled, tell_link, waiting
from viz_app.ui.state import presenting
from viz_app.views.learn import content, controls, links, service, state
from viz_app.views.learn.state import Key


def render() -> None:
    """Draw the page."""
    styled("figures.css", "lesson.css")
    if remarks := links.open_link():
        tell_link(st.container(key="notices"), remarks)
    with waiting(content.TRACING) as look:
        shown = traces.current_shown(look=look)
    if not shown.trace.trained:
        st.html(content.UNTRAINED)
    block = current_block(shown, Key.BLOCK)
    with waiting(content.WORKING_OUT) as look:
        room = service.classroom(shown, block, look=look)
    # The large tables are sent once: in a step's HTML they would be hashed and read again with every move.
    st.html(content.tables(room.tables))
    with st.container(key="lesson"), st.container(key="lesson-steps"):
        # What stays from step to step is drawn once: a browser works longer on a formula than on all the
        # figures of a step. The style sheet shows the step's, and puts everything in its place.
        with st.container(key="lesson-formulas", gap=None):
            st.markdown(content.formulas([about.formula for about in STEPS]))
            choose_block(shown, Key.BLOCK)
        _page(shown, block)
        with st.container(key="lesson-files", horizontal=True, vertical_alignment="center"):
            _files(shown, block)


@fragment()
def _page(shown: Shown, block: str) -> None:
    """All that changes with a step or a slider; reruns alone.

    Everything is worked out before anything is drawn: what reaches a browser together, it draws together.
    """
    came_back = links.read_address()
    step: int = st.session_state[Key.STEP]
    room = service.classroom(shown, block)
    moved = state.moved_by_visitor(shown, room, block)
    if came_back:
        links.move_back(shown, block, moved)
    state.arrive(step, moved)
    sliders = controls.sliders_of(step, room, moved)
    state.choose(shown, block, moved)
    choice = state.choice_of(moved)
    tables = {name: content.stand_in(name) for name in room.tables}
    screen = steps.screen(step, room.lesson, choice, tables, service.lesson_file(shown, block))

    step_bar(
        [about.name for about in STEPS],
        step=step,
        address=None if came_back else links.written(shown, block, choice),
        key=Key.BAR,
        on_change=_turn,
    )
    rules = f".st-key-lesson .katex-display:nth-child({step}) {{ display: block; }}"
    rules += f" .st-key-{Key.PICKER} {{ --aspect: {room.aspect:.4f}; }}"
    # Within the heading: a style sheet of its own would stay when a fragment leaves it out.
    st.html(content.heading(step, STEPS[step - 1].title, screen.sentence, rules))
    left, right = st.columns([5, 9], gap="large")
    with left:
        controls.picture(step, shown, room, moved, screen, () if presenting() else STEPS[step - 1].meets)
        for slider in sliders:
            slider.draw()
    figures = f'<div class="a2-figs">{screen.figures}</div>'
    trap = f'<section class="a2-trap">{screen.trap}</section>' if screen.trap else ""
    if presenting():
        _one_screen(left, right, figures, screen.numbers, trap)
    else:
        with right:
            sheet(figures + screen.numbers, key=Key.FIGURES)
        if trap:
            st.html(trap)
        _check(screen)


def _one_screen(left: DeltaGenerator, right: DeltaGenerator, figures: str, numbers: str, trap: str) -> None:
    """The step in front of a class: a switch puts the trap in the figures' place, so that all is in sight."""
    with left:
        trapped = bool(trap) and st.toggle(content.TRAP, key=Key.TRAP, persist_state="session")
    with right:
        sheet(trap if trapped else figures, key=Key.FIGURES)
    if not trapped:
        st.html(numbers)


@callback
def _turn() -> None:
    """Go to the step that was asked for; what is malformed is dropped."""
    asked = step_asked(Key.BAR, len(STEPS))
    if asked is not None:
        st.session_state[Key.STEP] = asked


def _check(screen: Screen) -> None:
    check = st.expander(
        around.CHECK, icon=":material/function:", key=Key.CHECK, on_change="rerun"
    )  # closed, nothing of it is drawn: colouring the lines takes a browser as long as all the rest
    if check.open:
        with check:
            st.html(around.LINES)
            st.code(screen.code, language="python")
            st.html(around.prints(screen.prints))


def _files(shown: Shown, block: str) -> None:
    """What can be taken away: the files are made when they are asked for."""
    room = service.classroom(shown, block)
    moved = state.moved_by_visitor(shown, room, block)

    def worksheet() -> str:
        choice = state.choice_of(moved)
        url = room.frames[choice.position[0]]
        return worksheet_html(room.lesson, choice, picture_url=url, title=shown.picture.title)

    st.download_button(
        content.ARRAYS,
        room.lesson.to_npz,
        file_name=service.lesson_file(shown, block),
        mime="application/octet-stream",
        on_click="ignore",
        icon=":material/download:",
    )
    st.download_button(
        content.WORKSHEET,
        language.kept(worksheet),
        file_name=service.worksheet_file(shown, block),
        mime="text/html",
        on_click="ignore",
        icon=":material/print:",
    )
    st.html(content.CHOSEN_ON_EXPLORE)
