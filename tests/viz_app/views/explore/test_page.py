"""The Explore page without a browser: what is on it, and that bad input never takes it away."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.viz_app.explorer import APP, TIMEOUT_S, drop, messages, open_explore, page_html, png, report, shown
from viz_app.server import models, samples, traces
from viz_app.ui import text
from viz_app.ui.state import Key, Probe

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_work_in_the_background")]


def test_the_first_page_is_a_traced_sample_with_three_charts_and_no_message(app):
    assert messages(app) == []
    assert shown(app).picture.id == samples.SAMPLES[0].name
    assert len(app.get("plotly_chart")) == 3
    assert shown(app).trace.top[0][0] in page_html(app)


def test_the_size_decides_the_long_side_that_the_network_sees(app):
    app.get_by_key(Key.SIZE).set_value(224).run()
    assert messages(app) == []
    assert max(shown(app).trace.model_input.shape[1:3]) == 224


def test_another_sample_is_shown_when_it_is_chosen(app):
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    assert shown(app).picture.id == "coffee"
    assert shown(app).trace.model_input.shape[1:3] == (288, 448)


def test_an_upload_is_traced_and_joins_the_strip(app):
    drop(app, "green.png", png((20, 200, 40)))
    assert messages(app) == []
    assert shown(app).picture.title == "green.png"
    assert shown(app).trace.model_input.mean(axis=(0, 1, 2)) == pytest.approx([20, 200, 40], abs=1)
    app.get_by_key(Key.SAMPLE).set_value("chelsea").run()
    assert shown(app).picture.id == "chelsea"
    (kept,) = app.session_state[Key.UPLOADS]
    app.get_by_key(Key.SAMPLE).set_value(kept).run()
    assert shown(app).picture.title == "green.png"


def test_an_animated_gif_is_a_clip(app):
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    file = io.BytesIO()
    red.save(file, "GIF", save_all=True, append_images=[blue], duration=200)
    drop(app, "blink.gif", file.getvalue())
    assert messages(app) == []
    assert shown(app).trace.model_input.shape[0] == 2
    for frame, colour in zip(shown(app).trace.model_input, ([255, 0, 0], [0, 0, 255]), strict=True):
        assert frame.mean(axis=(0, 1)) == pytest.approx(colour, abs=2)


def test_several_files_at_once_are_a_strip_and_a_bad_one_among_them_is_named(app):
    files = {f"{shade}.png": png((shade, 0, 0), (64, 64)) for shade in range(4)} | {"notes.png": b"words"}
    app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files.items()]).run()
    assert [picture.title for picture in app.session_state[Key.UPLOADS].values()] == list(files)[:4]
    assert shown(app).picture.title == "0.png"
    (message,) = messages(app)
    assert "notes.png" in message


def test_uploads_are_kept_up_to_a_limit_with_the_newest_first(app):
    for first in (0, 10):
        files = [
            (f"{shade}.png", png((shade, 0, 0), (64, 64)), "image/png") for shade in range(first, first + 10)
        ]
        app.file_uploader[0].set_value(files).run()
    titles = [picture.title for picture in app.session_state[Key.UPLOADS].values()]
    assert titles == [f"{shade}.png" for shade in (*range(10, 20), 0, 1)]


def test_the_same_file_twice_is_one_picture(app):
    drop(app, "a.png", png((1, 2, 3)))
    drop(app, "a.png", png((1, 2, 3)))
    assert len(app.session_state[Key.UPLOADS]) == 1


BAD_FILES = {
    "empty.png": b"",
    "text.png": b"this is no picture at all, but a sentence",
    "cut.png": png((9, 9, 9))[:60],
    "*$x$_[1] `of` :red[it].png": b"\x00" * 99,
    "page.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_its_fault_and_the_picture_stays(app, name):
    before = shown(app)
    drop(app, name, BAD_FILES[name])
    (message,) = messages(app)
    assert name in message
    assert shown(app).held is before.held
    assert len(app.get("plotly_chart")) == 3


def test_the_message_about_a_bad_file_goes_away_with_the_next_action(app):
    drop(app, "text.png", BAD_FILES["text.png"])
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    assert messages(app) == []


def test_random_blocks_are_flagged_in_large_letters_and_trained_ones_are_not(app):
    assert "Random weights" not in page_html(app)
    app.get_by_key(Key.CHECKPOINT).set_value("a2-made" + models.RANDOM_SUFFIX).run()
    assert "Random weights" in page_html(app)
    assert not shown(app).trace.trained


def test_a_checkpoint_that_is_refused_is_listed_with_the_reason(checkpoints):
    (checkpoints / "stolen.pth").write_bytes(b"\x80\x04.")
    app = open_explore()
    assert messages(app) == []
    text = "\n".join(markdown.value for markdown in app.markdown)
    assert "stolen\\.pth" in text
    assert "pickle" in text


def test_a_checkpoint_that_is_damaged_inside_is_refused_and_the_picture_stays(
    app, checkpoints, made_checkpoint
):
    before = shown(app)
    data = bytearray(made_checkpoint.read_bytes())
    data[-1] ^= 1
    (checkpoints / "a2-bent.safetensors").write_bytes(data)
    (checkpoints / "a2-bent.json").write_text(made_checkpoint.with_suffix(".json").read_text())
    app.run()
    app.get_by_key(Key.CHECKPOINT).set_value("a2-bent").run()
    (message,) = messages(app)
    assert "sha256" in message
    assert shown(app).held is before.held


def test_without_any_checkpoint_the_page_says_what_to_do(checkpoints):
    for path in checkpoints.iterdir():
        path.unlink()
    app = open_explore()
    (message,) = messages(app)
    assert "checkpoints/" in message


def test_an_unexpected_fault_is_a_calm_message_and_its_traceback_is_logged(app, monkeypatch, caplog):
    before = shown(app)

    def broken(*_, **__):
        raise RuntimeError("secret details")

    monkeypatch.setattr(traces, "show", broken)
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    assert messages(app) == [text.UNEXPECTED]
    assert "secret details" in caplog.text
    assert shown(app).held is before.held


def test_a_probe_that_does_not_fit_leaves_the_charts_where_they_were(app):
    before = app.session_state[Key.PROBE]
    report(app, Probe("stale", "blocks.5", 0, 0, 0, None))
    assert messages(app) == []
    assert app.session_state[Key.PROBE] == before


def test_another_size_keeps_the_place_and_another_picture_keeps_the_block(app):
    before = shown(app).trace.blocks["blocks.4"].grid
    probe = Probe(shown(app).key, "blocks.4", 0, before[1] - 1, 0, 3)
    report(app, probe)
    assert app.session_state[Key.PROBE] == probe
    app.get_by_key(Key.SIZE).set_value(224).run()
    after = shown(app).trace.blocks["blocks.4"].grid
    moved = app.session_state[Key.PROBE]
    assert (moved.block, moved.row, moved.col, moved.primitive) == ("blocks.4", after[1] - 1, 0, 3)
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    fresh = app.session_state[Key.PROBE]
    assert (fresh.block, fresh.primitive) == ("blocks.4", None)
    assert fresh.position != moved.position


def test_another_page_finds_what_was_on_screen_last_and_without_it_the_first_sample(app, checkpoints):
    def page():
        import streamlit as st

        from viz_app.server import traces
        from viz_app.ui import selection

        shown = traces.current_shown()
        st.text(f"{shown.picture.id} {selection.current_probe(shown).block}")

    fresh = AppTest.from_function(page, default_timeout=TIMEOUT_S).run()
    assert fresh.text[0].value.startswith(samples.SAMPLES[0].name)
    app.get_by_key(Key.SAMPLE).set_value("coffee").run()
    later = AppTest.from_function(page, default_timeout=TIMEOUT_S)
    for key in (Key.SHOWN, Key.PROBE):
        later.session_state[key] = app.session_state[key]
    assert later.run().text[0].value == f"coffee {app.session_state[Key.PROBE].block}"


def test_a_trace_is_computed_once_however_many_visitors_ask(checkpoints, traced):
    first = open_explore()
    second = open_explore()
    assert traced == [448]
    assert shown(first).held is shown(second).held


def test_charts_are_not_loaded_before_somebody_comes_near_and_stay_from_then_on(made_checkpoint):
    app = AppTest.from_file(APP, default_timeout=TIMEOUT_S).run()
    assert len(app.get("plotly_chart")) == 0
    rooms = [element for element in app.get("html") if 'style="height: 300px"' in element.proto.body]
    assert len(rooms) == 3  # nothing moves when they come
    assert "receives" in page_html(app)
    handed = app.session_state["charts-near:handed"]
    near = {"identity": handed.identity, "revision": handed.revision}
    app.session_state["charts-near"] = {"near": near}
    app.run()
    assert len(app.get("plotly_chart")) == 3
    app.run()
    assert len(app.get("plotly_chart")) == 3
