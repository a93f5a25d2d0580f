"""How much goes over the wire: what a canvas answers from is sent once, then only what changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from viz_app.server import samples, traces
from viz_app.ui.state import Key

APP = Path(__file__).resolve().parents[3] / "viz_app" / "app.py"
MOST_BYTES = 351_000  # of all that a pin may send anew: three charts, a sentence, the canvas with its script

pytestmark = pytest.mark.slow


@pytest.fixture
def sent(monkeypatch):
    """The messages that go to the browser."""
    messages = []
    enqueue = ScriptRunContext.enqueue

    def listen(context, message):
        messages.append(message)
        enqueue(context, message)

    monkeypatch.setattr(ScriptRunContext, "enqueue", listen)
    monkeypatch.setattr(traces, "prepare_samples", lambda weights: None)
    return messages


def canvas_fragment(messages) -> list:
    """What stands in the fragment with the canvas: a pin sends all of it anew that is not what it was."""
    deltas = [message.delta for message in messages if message.WhichOneof("type") == "delta"]
    canvas = next(d for d in deltas if d.new_element.bidi_component.component_name == "a2_probe_canvas")
    assert canvas.fragment_id
    return [delta for delta in deltas if delta.fragment_id == canvas.fragment_id]


def parcels(messages) -> list[dict]:
    components = [message.delta.new_element.bidi_component for message in messages]
    return [json.loads(sent.bytes) for sent in components if sent.component_name == "a2_parcel"]


def test_a_pin_on_a_clip_of_sixteen_frames_sends_neither_frames_nor_maps(sent, app):
    app.get_by_key(Key.SAMPLE).set_value(samples.MADE).run()
    sent.clear()
    app.run()
    shown = app.session_state[Key.SHOWN]
    assert len(shown.trace.clip.frames) == 16
    payload_bytes = len(json.dumps(dict(shown.payload)))
    assert payload_bytes > 3 * MOST_BYTES, "or it would show nothing"
    assert sum(delta.ByteSize() for delta in canvas_fragment(sent)) < MOST_BYTES
    assert parcels(sent) == [{"identity": shown.key, "content": shown.payload}]


def test_a_new_trace_is_another_parcel_and_effects_measured_later_are_none(sent, app, monkeypatch):
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    shown = app.session_state[Key.SHOWN]
    assert parcels(sent)[-1]["identity"] == shown.key
    effects = {name: block.change.ravel()[: block.n] for name, block in shown.trace.blocks.items()}
    monkeypatch.setattr("viz_app.server.replays.measured_effects", lambda shown: effects)
    before = parcels(sent)[-1]
    sent.clear()
    app.run()
    assert parcels(sent) == [before]
    (canvas,) = [
        delta.new_element.bidi_component
        for delta in canvas_fragment(sent)
        if delta.new_element.bidi_component.component_name == "a2_probe_canvas"
    ]
    told = json.loads(canvas.json)["effects"]
    assert told == {name: values.tolist() for name, values in effects.items()}


def test_a_touch_of_the_board_sends_no_thumbnail(sent, checkpoints):
    def page() -> None:
        from viz_app.ui.guards import guarded
        from viz_app.views.experiment import page as experiment

        guarded(experiment.render)()

    AppTest.from_function(page, default_timeout=60).run()
    boards = [message.delta.new_element.bidi_component for message in sent]
    (board,) = [board for board in boards if board.component_name == "a2_bag_board"]
    (looks,) = parcels(sent)
    assert looks["identity"] == json.loads(board.json)["looks"]
    assert looks["content"]["sheet"].startswith("data:image/")
    assert len(board.json) < 4000
