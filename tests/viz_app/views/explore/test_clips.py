"""A clip on Explore, from its file to other frames of it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.viz_app.explorer import TIMEOUT_S, drop, gif, messages, shown
from viz_app.server import models, traces
from viz_app.ui.state import Key


@pytest.mark.slow
def test_a_clip_dropped_on_the_page_is_traced_cut_attended_alone_and_stopped(app):
    app.get_by_key(Key.SIZE).set_value(224).run()
    drop(app, "noise.gif", gif())
    assert messages(app) == []
    first = shown(app)
    assert "blocks trained on photos" in "".join(part.proto.body for part in app.get("html"))
    assert len(first.trace.model_input) == 12
    assert first.trace.blocks["blocks.4"].joint
    assert len(app.get("plotly_chart")) == 5

    app.get_by_key(Key.TOGETHER).set_value(traces.EACH).run()
    assert messages(app) == []
    assert not shown(app).trace.blocks["blocks.4"].joint

    app.get_by_key(f"frames-{first.picture.id}").set_value(4).run()
    assert messages(app) == []
    assert len(shown(app).trace.model_input) == 4
    app.get_by_key(f"stretch-{first.picture.id}").set_value((0.4, 1.1)).run()
    assert messages(app) == []
    assert shown(app).trace.clip.times_s[0] >= 0.3

    kept = shown(app)
    weights = models.list_weights()[0][0]
    app.session_state[Key.STOPPED] = traces.shown_key(kept.picture, weights, 224, traces.JOINT)
    app.get_by_key(Key.TOGETHER).set_value(traces.JOINT).run()
    assert shown(app).key == kept.key, "what was there stays"
    again = next(button for button in app.button if button.label == "Trace it after all")
    again.click().run()
    assert messages(app) == []
    assert shown(app).trace.blocks["blocks.4"].joint
    again_key = shown(app).key

    # Other pages take the frames that were cut, jointly.
    app.get_by_key(Key.TOGETHER).set_value(traces.EACH).run()
    elsewhere = AppTest.from_function(_current, default_timeout=TIMEOUT_S)
    elsewhere.session_state[Key.SHOWN] = shown(app)
    assert elsewhere.run().text[0].value == f"{again_key} {shown(app).trace.clip.times_s.tolist()}"


def _current() -> None:
    import streamlit as st

    from viz_app.server import traces

    shown = traces.current_shown()
    st.text(f"{shown.key} {shown.trace.clip.times_s.tolist()}")
