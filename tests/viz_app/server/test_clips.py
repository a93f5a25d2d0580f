"""Clips in the app: what is shown of them, cut and traced again, stopped, and taken away."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import a2core
from a2core.canvas import standalone_html
from tests.viz_app.pages.test_explore import APP, TIMEOUT_S, drop, messages, shown
from viz_app.components import clip_recorder
from viz_app.pages.explore import content, exports
from viz_app.server import jobs, models, pictures, samples, traces, uploads
from viz_app.ui import pixel
from viz_app.ui import plots as charts
from viz_app.ui.state import Key, Probe


def gif(count: int = 12, size: tuple[int, int] = (96, 64)) -> bytes:
    """Frames of noise, a tenth of a second each."""
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)) for _ in range(count)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


@pytest.fixture
def weights(checkpoints):
    return models.list_weights()[0][0]


@pytest.fixture
def picture():
    return uploads.read_upload(gif(), "noise.gif")[0]


def test_an_upload_of_several_frames_is_a_clip_that_can_be_cut_again():
    picture, source = uploads.read_upload(gif(), "noise.gif")
    assert picture.clip.kind == "video"
    assert len(picture.clip.frames) == 12
    assert source.end_s == pytest.approx(1.1)
    again = uploads.cut_again(picture, source, pictures.Cut(0.3, 0.8, 3))
    np.testing.assert_allclose(again.clip.times_s, [0.3, 0.6, 0.8], atol=0.101)
    assert again.id == picture.id
    assert uploads.cut_again(picture, source, pictures.Cut(0.0, source.end_s, 1)).is_clip


def test_a_recorded_clip_comes_back_as_its_bytes_and_what_is_malformed_is_dropped(monkeypatch):
    data = bytes(range(256))
    whole = base64.b64encode(data).decode()
    assert clip_recorder.parse_clip({"data": whole}) == data
    for raw in (None, 3, "clip", [whole], {}, {"data": None}, {"data": ""}, {"data": 5}, {"data": [1, 2]}):
        assert clip_recorder.parse_clip(raw) is None
    for text in (whole[:-1], whole + "!", "data:video/webm;base64," + whole, "ü" * 8, "\x00\ud800"):
        assert clip_recorder.parse_clip({"data": text}) is None
    monkeypatch.setattr(clip_recorder, "MOST_BYTES", 256)
    assert clip_recorder.parse_clip({"data": whole}) == data


def test_a_recorded_clip_that_is_too_large_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(clip_recorder, "MOST_BYTES", 3 * 10**6)
    monkeypatch.setattr(base64, "b64decode", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(a2core.MediaError, match=r"more than 3 MB\. Record it again, shorter\."):
        clip_recorder.parse_clip({"data": "A" * (4 * 10**6 + 4)})


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\x1a\x45\xdf\xa3", "camera clip.webm"), (b"\0\0\0\x1cftypiso5", "camera clip.mp4")],
)
def test_a_recorded_clip_is_named_by_what_it_is(head, name):
    assert clip_recorder.name_of(head) == name


def test_a_picture_is_no_clip():
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "PNG")
    picture, source = uploads.read_upload(out.getvalue(), "a.png")
    assert source is None
    assert not picture.is_clip


def test_the_sample_clip_says_that_it_was_made():
    picture = samples.sample_clip()
    assert "made" in picture.title.lower()
    assert "made, not filmed" in picture.clip.notes[0]
    assert picture.plays


def test_tracing_tells_progress_is_kept_and_ends_when_the_page_says_so(picture, weights, monkeypatch):
    shares: list[float] = []
    assert not traces.known(picture, weights, 96)
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.001)
    made = traces.show(picture, weights, 96, look=lambda standing: shares.append(standing.share))
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert traces.known(picture, weights, 96)
    assert traces.show(picture, weights, 96).held is made.held
    assert not traces.known(picture, weights, 96, traces.EACH)

    class Gone(BaseException):
        """As Streamlit ends a script whose visitor left."""

    def leave(_: jobs.Standing) -> None:
        raise Gone

    with pytest.raises(Gone):
        traces.show(picture, weights, 96, traces.EACH, look=leave)
    assert not traces.known(picture, weights, 96, traces.EACH)
    blocks = models.load_model(weights).blocks.values()
    assert traces.show(picture, weights, 64).trace.blocks, "the line goes on"
    assert all(block.observer is None for block in blocks)


def test_each_frame_alone_is_said_in_the_payload(picture, weights):
    joint = traces.show(picture, weights, 96)
    each = traces.show(picture, weights, 96, traces.EACH)
    assert (joint.payload["joint"], each.payload["joint"]) == (True, False)
    for shown_, mass in ((joint, 1.0), (each, 12.0)):
        gathered, handed = content.life(shown_.trace.blocks["blocks.4"])
        assert gathered.shape == (16, 12)
        np.testing.assert_allclose(gathered.sum(axis=1), mass, rtol=1e-4)
        np.testing.assert_allclose(handed.sum(axis=0), 1, rtol=1e-4)
    cells = np.prod(each.trace.blocks["blocks.4"].grid[1:])
    assert max(each.payload["blocks"][0]["reach"]) <= cells * 1.001
    pinned = pixel.pinned_arrays(each.trace.blocks["blocks.4"], (3, 1, 1), 2)
    np.testing.assert_array_equal(pinned.bag, each.trace.blocks["blocks.4"].primitives[3])


def test_the_size_of_the_offline_page_is_told_beforehand(picture, weights):
    made = traces.show(picture, weights, 96)
    page = standalone_html(made.payload, title="noise")
    assert exports.page_megabytes(made) == pytest.approx(len(page.encode()) / 1e6, rel=0.1)


def test_a_movie_is_of_the_pixel_or_of_the_primitive(picture, weights):
    made = traces.show(picture, weights, 96)
    probe = Probe(made.key, "blocks.4", 3, 1, 1, 5)
    pixel, primitive = (exports.movie(made, probe, of_primitive=which) for which in (False, True))
    assert pixel.data != primitive.data
    assert len(a2core.read_media(pixel.data).frames) == 12


def test_every_cell_of_the_heat_map_over_time_says_what_it_is():
    shares = np.arange(12.0).reshape(4, 3) / 66
    order = np.array([2, 0, 3, 1])
    figure = charts.life_heatmap(shares, np.array([0.0, 0.4, 0.9]), order, chosen=3, now=1, colours="Magma")
    heat, points = figure.data
    np.testing.assert_allclose(heat.z, 100 * shares[order])
    for x, y, (primitive, t, time_s, percent) in zip(points.x, points.y, points.customdata, strict=True):
        assert (primitive, t) == (order[y], x)
        assert percent == pytest.approx(100 * shares[int(primitive), x])
        assert time_s == [0.0, 0.4, 0.9][x]
    lowest = heat.colorscale[0]
    assert lowest == (0, "rgb(0, 0, 4)"), "Streamlit's theme would take #000004 for its fourth colour, a red"
    framed = figure.layout.shapes[0]
    assert (framed.y0, framed.y1) == (1.5, 2.5), "primitive 3 stands third"


@pytest.mark.slow
def test_a_clip_dropped_on_the_page_is_traced_cut_attended_alone_and_stopped(checkpoints):
    app = AppTest.from_file(APP, default_timeout=TIMEOUT_S).run()
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


def test_the_papers_network_for_clips_is_offered_as_untrained_and_other_pages_leave_it(checkpoints):
    weights = models.list_weights()[0][-1]
    assert weights.label == models.VIDEO_NETWORK
    assert not weights.trained
    picture = uploads.read_upload(gif(3), "noise.gif")[0]
    made = traces.show(picture, weights, 96)
    assert not made.trace.trained
    assert [block["grid"] for block in made.payload["blocks"]] == [[3, 4, 6], [3, 4, 6]]
    st.session_state[Key.SHOWN] = made
    try:
        elsewhere = traces.current_shown()
    finally:
        del st.session_state[Key.SHOWN]
    assert elsewhere.weights == models.list_weights()[0][0]
    assert elsewhere.trace.blocks["blocks.4"].grid[0] == 3
