"""The lesson's last step opens where the block changed something, unless somebody chose the cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import a2core
from a2core.lesson.steps.step7_add import most_changed, plainest_channel
from tests.viz_app.views.learn.test_page import address, figures, learn, opened, turn
from viz_app.server import models, samples, traces

pytestmark = pytest.mark.slow

SHIPPED = Path(__file__).resolve().parents[4] / "checkpoints"
NETWORKS = ("a2-lite0", "a2-lite0-clips")
SIZE_PX = 448  # as the app has it at first
LEAST = 0.03  # of what came in: blocks are taught to change little
BEYOND = 1.5  # times what the middle one of all cells is changed
SEEN = 0.02  # of the largest value of the channel


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda sample: sample.name)
@pytest.mark.parametrize("network", NETWORKS)
def test_of_every_sample_and_block_the_cell_is_changed_much_and_its_channel_shows_it(network, sample):
    model = a2core.load_model(SHIPPED / f"{network}.safetensors")
    clip = samples.load_sample(sample).clip
    for block in model.trace(clip, size=SIZE_PX).blocks:
        lesson = a2core.take_lesson(model, clip, block, SIZE_PX)
        cell = (slice(None), *most_changed(lesson))
        before, added = lesson.features[cell], lesson.added[cell]
        change = np.linalg.norm(lesson.added, axis=0) / np.linalg.norm(lesson.features, axis=0)
        own = np.linalg.norm(added) / np.linalg.norm(before)
        assert own == pytest.approx(change.max()), block
        assert own > LEAST, block
        assert own > BEYOND * np.median(change), block
        k = plainest_channel(lesson, most_changed(lesson))
        scale = max(abs(lesson.features[k]).max(), abs(lesson.features[k] + lesson.added[k]).max())
        assert abs(added[k]) / scale > SEEN, block


@pytest.fixture(params=samples.SAMPLES, ids=lambda sample: sample.name)
def shown(request, checkpoints) -> traces.Shown:
    return traces.show(samples.load_sample(request.param), models.list_weights()[0][0], 224)


def as_in_a_browser(page: AppTest) -> None:
    """What the step bar wrote into the address comes with the next run."""
    for name, value in address(page).items():
        page.query_params[name] = value


def to_step_7(page: AppTest) -> dict[str, str]:
    while page.session_state["lesson-step"] < 7:
        as_in_a_browser(page)
        turn(page)
    return figures(page)


def opens_on_the_most_changed(said: dict[str, str]) -> bool:
    return (said["row"], said["column"]) == (said["most_row"], said["most_column"])


def test_whoever_walked_there_and_chose_no_cell_sees_the_one_that_was_changed_most(shown):
    assert opens_on_the_most_changed(to_step_7(opened(learn, shown)))


def test_the_steps_before_keep_the_cell_that_they_had_and_step_7_opens_on_its_own_again(shown):
    app = opened(learn, shown)
    while app.session_state["lesson-step"] < 6:
        as_in_a_browser(app)
        turn(app)
    before = figures(app)
    assert opens_on_the_most_changed(to_step_7(app))
    app.session_state["lesson-step"] = 6
    app.run()
    assert figures(app) == before
    assert opens_on_the_most_changed(to_step_7(app))


def test_choosing_another_block_on_the_way_and_the_first_again_is_choosing_no_cell(shown):
    app = opened(learn, shown)
    first = app.segmented_control(key="lesson-block").value
    for block in (*(name for name in shown.trace.blocks if name != first), first):
        as_in_a_browser(app)
        app.segmented_control(key="lesson-block").set_value(block).run()
    assert opens_on_the_most_changed(to_step_7(app))


def test_who_opens_the_address_of_an_earlier_step_again_sees_it_too(checkpoints):
    app = opened(learn, step="3", picture="astronaut", size="224")
    left = address(app)
    again = opened(learn, **left)
    assert address(again) == left
    assert opens_on_the_most_changed(to_step_7(again))


def test_a_link_to_the_step_itself_shows_the_cell_that_it_names(checkpoints):
    first = address(opened(learn, step="3", picture="astronaut", size="224"))
    said = figures(opened(learn, **first | {"step": "7"}))
    assert not opens_on_the_most_changed(said)


def test_a_cell_that_was_chosen_stays(checkpoints):
    link = {"step": "5", "picture": "astronaut", "size": "224", "block": "blocks.4", "at": "x100y60"}
    said = to_step_7(opened(learn, **link))
    assert (said["row"], said["column"]) == ("3", "6")
