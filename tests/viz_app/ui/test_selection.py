"""One selection for all pages: what is chosen on one of them is what the others are about."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.viz_app.explorer import TIMEOUT_S, open_explore, report, shown
from viz_app.ui import places
from viz_app.ui.state import Key, Probe

pytestmark = pytest.mark.slow


def elsewhere():
    """Another page: it marks what the session asks for, and says what it is about."""
    import streamlit as st

    from viz_app.server import traces
    from viz_app.ui import selection

    shown = traces.current_shown()
    if wanted := st.session_state.get("wanted"):
        selection.mark(shown, **wanted)
    st.session_state["block"] = selection.current_block(shown, "chosen")
    st.session_state["cell"] = selection.marked_cell(shown, st.session_state["block"])
    st.session_state["primitive"] = selection.current_probe(shown).primitive


def go(app: AppTest, **wanted: object) -> AppTest:
    """The other page, in the same session."""
    page = AppTest.from_function(elsewhere, default_timeout=TIMEOUT_S)
    for key in (Key.SHOWN, Key.PROBE, Key.MARKS, Key.ADDRESS):
        page.session_state[key] = app.session_state[key]
    page.session_state["wanted"] = wanted
    return page.run()


def come_back(app: AppTest, page: AppTest) -> AppTest:
    """Explore again, from the other page."""
    for key in (Key.PROBE, Key.MARKS, Key.ADDRESS):
        app.session_state[key] = page.session_state[key]
    app.session_state[Key.PAGE] = "elsewhere"
    app.query_params.clear()  # as a click in the navigation does
    return app.run()


@pytest.fixture
def app(made_checkpoint):
    return open_explore()


def point(app: AppTest, block: str, row: int, col: int, primitive: int | None) -> AppTest:
    return report(app, Probe(shown(app).key, block, 0, row, col, primitive))


def chosen(app):
    probe = app.session_state[Key.PROBE]
    return probe.block, probe.position, probe.primitive


def test_another_size_keeps_the_spot_the_block_and_the_primitive(app):
    point(app, "blocks.4", 2, 5, 3)
    before = places.spot_of(shown(app).trace.blocks["blocks.4"], (0, 2, 5))
    app.get_by_key(Key.SIZE).set_value(224).run()
    block, position, primitive = chosen(app)
    spot = places.spot_of(shown(app).trace.blocks[block], position)
    _, rows, cols = shown(app).trace.blocks[block].grid
    assert abs(spot[0] - before[0]) <= 0.5 / cols + 1e-9
    assert abs(spot[1] - before[1]) <= 0.5 / rows + 1e-9
    assert (block, primitive) == ("blocks.4", 3)


def test_a_picture_that_is_come_back_to_has_its_mark_in_the_block_looked_at_last(app):
    point(app, "blocks.5", 1, 2, 1)
    first = app.session_state[Key.SAMPLE]
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    assert chosen(app)[0] == "blocks.5"
    assert chosen(app)[2] is None, "a primitive was chosen in another picture"
    app.get_by_key(Key.SAMPLE).set_value(first).run()
    assert chosen(app) == ("blocks.5", (0, 1, 2), 1)


def test_what_is_chosen_on_explore_is_what_another_page_is_about(app):
    point(app, "blocks.5", 1, 2, 1)
    page = go(app)
    assert page.session_state["block"] == "blocks.5"
    assert page.session_state["cell"] == (0, 1, 2)
    assert page.session_state["primitive"] == 1


def test_what_is_chosen_on_another_page_is_what_explore_comes_back_to(app):
    point(app, "blocks.4", 2, 5, 3)
    page = go(app, position=(0, 3, 1), primitive=4)
    come_back(app, page)
    assert chosen(app) == ("blocks.4", (0, 3, 1), 4)
    _, view = app.session_state[Key.VIEW]
    assert (view["block"], view["probe"], view["primitive"]) == ("blocks.4", [0, 3, 1], 4)


def test_another_block_chosen_elsewhere_keeps_the_pixel_and_no_primitive(app):
    point(app, "blocks.4", 2, 5, 3)
    blocks = shown(app).trace.blocks
    spot = places.spot_of(blocks["blocks.4"], (0, 2, 5))
    come_back(app, go(app, block="blocks.5"))
    assert chosen(app) == ("blocks.5", (0, *places.cell_at(blocks["blocks.5"], spot)), None)


def test_settings_of_the_canvas_stay_when_the_mark_moves_elsewhere(app):
    report(app, Probe(shown(app).key, "blocks.4", 0, 2, 5, None), direction="to", scale="absolute")
    come_back(app, go(app, position=(0, 3, 1)))
    _, view = app.session_state[Key.VIEW]
    assert (view["direction"], view["scale"], view["probe"]) == ("to", "absolute", [0, 3, 1])
