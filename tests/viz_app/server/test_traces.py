"""What is worked out once is there for everybody, under its own key, and can be waited for or left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import streamlit as st

import a2core
from tests.viz_app.explorer import gif
from viz_app.server import jobs, models, pictures, samples, traces, uploads
from viz_app.ui import pixel
from viz_app.ui.state import Key
from viz_app.views.explore import content


def plain_picture(shade: int) -> pictures.Picture:
    frame = np.full((1, 64, 96, 3), shade, np.uint8)
    clip = a2core.Clip(frame, np.zeros(1), "image", "", ())
    return pictures.picture_of(clip, id=f"shade-{shade}", thumbnail="")


@pytest.mark.slow
def test_thirty_visitors_at_once_each_get_their_own_picture_traced_once(weights, traced):
    shades = [10 * (visitor % 5) for visitor in range(30)]
    with ThreadPoolExecutor(30) as visitors:
        shown = list(visitors.map(lambda shade: traces.show(plain_picture(shade), weights, 64), shades))
    assert [int(each.trace.model_input.mean()) for each in shown] == shades
    assert len(traced) == 5
    assert len({each.key for each in shown}) == 5


@pytest.mark.slow
def test_the_samples_are_traced_in_the_background_once_for_everybody(weights, traced):
    first, second = traces.prepare_samples(weights), traces.prepare_samples(weights)
    assert first is second
    assert first.wait(60)
    assert len(traced) == len(samples.SAMPLES)
    traces.show(samples.load_sample(samples.SAMPLES[1]), weights, traces.DEFAULT_SIZE_PX)
    assert len(traced) == len(samples.SAMPLES)


def test_the_key_changes_with_the_picture_the_weights_and_the_size():
    keys = {traces.trace_key(p, w, s) for p in "ab" for w in "cd" for s in (224, 448)}
    assert len(keys) == 8
    assert traces.trace_key("a", "c", 224) in keys


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
