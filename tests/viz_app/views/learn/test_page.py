"""The Learn page without a browser: any picture or clip, any step, nothing that breaks it."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import a2core
from tests.a2core.lesson.lessons import Figures
from viz_app.components.step_bar import parse_asked
from viz_app.server import models, pictures, samples, traces, uploads
from viz_app.ui.state import Key

pytestmark = pytest.mark.slow
TIMEOUT_S = 120


def learn() -> None:
    from viz_app.ui.guards import guarded
    from viz_app.views.learn import page as learn

    guarded(learn.render)()


def html_of(page: AppTest) -> str:
    assert not page.exception
    sheets = [part.proto for part in page.get("bidi_component") if part.proto.component_name == "a2_sheet"]
    return "\n".join(
        [element.proto.body for element in page.get("html")] + [json.loads(s.json)["html"] for s in sheets]
    )


def figures(page: AppTest) -> dict[str, str]:
    return {what: text.replace("−", "-") for what, text in Figures(html_of(page)).found}


def turn(page: AppTest) -> None:
    """To the next step, as the bar does it in a browser."""
    page.session_state["lesson-step"] += 1
    page.run()


def address(page: AppTest) -> dict[str, str]:
    """What the bar is to write into the address."""
    bar = next(part for part in page.get("bidi_component") if part.proto.component_name == "a2_step_bar")
    return dict(parse_qsl(json.loads(bar.proto.json)["address"]))


@pytest.fixture
def clip_shown(checkpoints):
    """Three different frames, traced small."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    clip = a2core.Clip(frames, np.arange(3) / 10, "video", "three.mp4", ())
    picture = pictures.picture_of(clip, id="three", title="Three", spot=(0.5, 0.5))
    weights, _ = models.list_weights()
    return traces.show(picture, weights[0], 96)


def opened(page, shown=None, **parameters: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=TIMEOUT_S)
    if shown is not None:
        app.session_state[Key.SHOWN] = shown
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def test_a_clip_is_one_volume_of_positions_and_any_frame_can_be_asked(clip_shown):
    app = opened(learn, clip_shown, step="5")
    assert not app.error
    frames, rows, cols = clip_shown.trace.blocks[app.session_state["lesson-block"]].grid
    assert frames == 3
    app.slider(key="lesson-frame").set_value(2).run()
    assert figures(app)["frame"] == "2"
    turn(app)
    assert figures(app)["this_N"] == str(3 * rows * cols)
    assert address(app)["step"] == "6"


def test_every_step_of_a_clip_is_drawn_and_all_of_its_cells_can_be_summed(clip_shown):
    app = opened(learn, clip_shown)
    for step in range(1, 8):
        assert not app.error, step
        if step == 4:
            last = app.slider(key="lesson-reached")
            cells = clip_shown.trace.blocks[app.session_state["lesson-block"]].grid[1:]
            assert last.max == 3 * np.prod(cells) - 1
            last.set_value(last.max).run()
            assert figures(app)["collected"] == "100\u202f%"
            assert figures(app)["j_frame"] == "2"
        if step < 7:
            turn(app)


def test_another_block_brings_its_own_sizes_and_the_page_stays_whole(checkpoints):
    app = opened(learn, step="1")
    before = figures(app)["c"]
    choice = app.segmented_control(key="lesson-block")
    other = next(name for name in choice.options if name.split("(")[1].rstrip(")") != choice.value)
    choice.set_value(other.split("(")[1].rstrip(")")).run()
    assert not app.error
    assert {before, figures(app)["c"]} == {"112", "192"}


def test_random_blocks_are_flagged_in_large_letters_on_learn(checkpoints):
    weights, _ = models.list_weights()
    random = next(entry for entry in weights if not entry.trained)
    shown = traces.show(samples.load_sample(samples.SAMPLES[0]), random, 224)
    assert "Random weights" in html_of(opened(learn, shown))


def test_a_link_to_a_step_brings_its_picture_cell_and_primitive(checkpoints):
    link = {"step": "5", "picture": "astronaut", "size": "224", "block": "blocks.4", "at": "x100y60"}
    app = opened(learn, **link, primitive="7")
    assert not app.error
    said = figures(app)
    assert (said["row"], said["column"]) == ("3", "6")  # cells of 16 pixels
    assert app.slider(key="lesson-primitive").value == 7
    assert address(app) == link | {"at": "x104y56", "primitive": "7", "weights": "a2-made"}
    assert app.session_state[Key.ADDRESS]["picture"] == "astronaut"  # Explore opens the same


def test_a_link_to_a_step_of_what_is_not_there_says_what_is_shown_instead(checkpoints):
    page = html_of(opened(learn, step="2", picture="unicorn", at="x9999y1", block="blocks.9"))
    assert "There is no picture “unicorn” here" in page
    assert "There is no block “blocks.9”" in page


def test_a_link_to_a_step_of_somebodys_own_picture_is_kept_for_explore(checkpoints):
    wanted = uploads.UPLOAD_PREFIX + "0123"
    app = opened(learn, step="3", picture=wanted, block="blocks.4", at="x40y40")
    assert "cannot carry a picture" in html_of(app)
    assert app.session_state[Key.ADDRESS] == {"picture": wanted, "block": "blocks.4", "at": "x40y40"}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        "7",
        {},
        {"step": None},
        {"step": 0},
        {"step": 8},
        {"step": True},
        {"step": 2.0},
        {"step": "2"},
    ],
)
def test_an_answer_of_the_bar_that_does_not_fit_is_dropped(raw):
    assert parse_asked(raw, 7) is None


def test_an_answer_of_the_bar_is_a_step():
    assert parse_asked({"step": 7}, 7) == 7


def test_a_cell_and_a_primitive_chosen_in_the_lesson_are_what_other_pages_are_about(clip_shown):
    app = opened(learn, clip_shown, step="5")
    app.slider(key="lesson-frame").set_value(2).run()
    app.slider(key="lesson-primitive").set_value(1).run()
    probe = app.session_state[Key.PROBE]
    moved = app.session_state["lesson-moved"]
    assert (probe.t, probe.primitive) == (2, 1)
    assert probe.position == moved["position"]
    assert app.session_state[Key.ADDRESS]["primitive"] == "1", "Explore comes back to it"
    assert app.session_state[Key.ADDRESS]["at"].endswith("t2")
    turn(app)
    assert app.session_state[Key.PROBE] == probe
    assert app.slider(key="lesson-frame").value == 2, "what was moved stays in the lesson"
