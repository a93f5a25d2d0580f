"""The Experiment page without a browser: each answer is the core's own, and nothing on screen is stale."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import a2core
from viz_app.server import models, pictures, samples, traces
from viz_app.ui.state import Key as AppKey
from viz_app.ui.state import Probe
from viz_app.views.experiment import content as experiment
from viz_app.views.experiment import page as experiment_page
from viz_app.views.experiment.controls import MISSING, SHARED
from viz_app.views.experiment.state import Key
from viz_app.views.experiment.words import NOTHING_TO_SHARE

pytestmark = pytest.mark.slow

SIZE_PX = 224
N = 16


def page() -> None:
    from viz_app.ui.guards import guarded
    from viz_app.views.experiment import page as experiment

    guarded(experiment.render)()


@pytest.fixture
def start(made):
    """Opens the page on the first sample, small."""

    def begin(weights_at: int = 0, picture: pictures.Picture | None = None) -> AppTest:
        weights = models.list_weights()[0][weights_at]
        shown = traces.show(picture or samples.load_sample(samples.SAMPLES[0]), weights, SIZE_PX)
        app = AppTest.from_function(page, default_timeout=60)
        app.session_state[AppKey.SHOWN] = shown
        last = list(shown.trace.blocks)[-1]
        app.session_state[AppKey.PROBE] = Probe(shown.key, last, 0, 1, 1, None)  # marked on Explore
        return app.run()

    return begin


@pytest.fixture
def app(start, replay):
    """The page with one primitive off, which matters."""
    return board(start(), **{f"f{loudest(replay)}": 0})


def loudest(replay: a2core.Replay) -> int:
    return int(np.abs(replay.first_order("blocks.5")).argmax())


@pytest.fixture(scope="module")
def replay(made) -> a2core.Replay:
    """The same picture through the same checkpoint, by the core alone."""
    clip = samples.load_sample(samples.SAMPLES[0]).clip
    return a2core.Replay(a2core.load_model("a2-made"), clip, size=SIZE_PX)


def board(app: AppTest, **factors: float) -> AppTest:
    """The board reports these factors (f3=0 switches primitive 3 off), all others as they are."""
    values = list(handed(app)["factors"])
    for name, factor in factors.items():
        values[int(name[1:])] = factor
    return report(app, {**about(app), "factors": values})


def handed(app: AppTest) -> dict:
    """What the board was handed last."""
    protos = [element.proto for element in app.get("bidi_component")]
    return next(json.loads(proto.json) for proto in protos if proto.component_name == "a2_bag_board")


def about(app: AppTest) -> dict:
    """What a report says that it is about when the board is as it was handed last."""
    return {name: handed(app)[name] for name in ("identity", "revision")}


def report(app: AppTest, raw) -> AppTest:
    app.session_state[Key.BOARD] = {"asked": raw}
    return app.run()


def text(app: AppTest) -> str:
    assert not app.exception
    assert [error.value for error in app.error] == []
    return "\n".join(element.proto.body for element in app.get("html"))


def off(app: AppTest) -> list[int]:
    said = re.search(r'data-off="([\d,]*)"', text(app)).group(1)
    return [int(i) for i in said.split(",") if i]


def rows(app: AppTest) -> list[tuple[str, str, str, str]]:
    """Class, before, after, change, as printed."""
    return re.findall(
        r'<th scope="row">(.*?)</th><td class="a2-was">(.*?)</td><td class="a2-now">(.*?)</td>'
        r'.*?<td class="a2-by">(.*?)</td>',
        text(app),
    )


def expected(outcome: a2core.Outcome) -> list[tuple[str, str, str, str]]:
    return [
        (
            s.label,
            experiment.share(s.before),
            experiment.share(s.after),
            experiment.signed(experiment.points(abs(s.difference)), s.difference),
        )
        for s in outcome.top(5)[:8]
    ]


def button(app: AppTest, key: str):
    return next(found for found in app.button if found.key == key)


def test_the_page_opens_on_the_block_and_the_primitive_of_explore_with_nothing_off(start):
    app = start()
    assert off(app) == []
    assert "Switch one off." in text(app)
    probe = app.session_state[AppKey.PROBE]
    seen = app.session_state[AppKey.SHOWN].trace.blocks[probe.block]
    assert handed(app)["first"] == a2core.rank_primitives(seen, probe.position)[0], "most received there"
    app.session_state[AppKey.PROBE] = replace(probe, primitive=4)
    assert handed(app.run())["first"] == 4


def test_a_primitive_that_is_switched_off_is_missing_in_the_run(app, replay):
    assert off(app) == [loudest(replay)]
    assert rows(app) == expected(replay.run("blocks.5", off=[loudest(replay)]))


def test_every_factor_that_the_board_reports_is_what_the_network_is_run_with(app, replay):
    (first,) = off(app)
    a, b = [i for i in range(3) if i != first][:2]
    board(app, **{f"f{first}": 1, f"f{a}": 0, f"f{b}": 2.5})
    assert off(app) == [a]
    assert rows(app) == expected(replay.run("blocks.5", off=[a], scale={b: 2.5}))


@pytest.mark.parametrize("changed", [False, True])
def test_a_primitive_that_is_to_be_seen_on_explore_is_chosen_there_and_the_experiment_stays(
    start, monkeypatch, changed
):
    gone = []
    monkeypatch.setattr(experiment_page, "to_explore", lambda: gone.append(True))
    app = start()
    if changed:
        board(app, f1=0)
    probe = app.session_state[AppKey.PROBE]
    report(app, {**about(app), "factors": handed(app)["factors"], "opened": 7})
    assert app.session_state[AppKey.PROBE] == replace(probe, primitive=7)
    assert app.session_state[AppKey.ADDRESS]["primitive"] == "7"
    assert off(app) == [1] * changed
    app.run()
    assert gone == [True], "once"
    assert (handed(app)["first"], handed(app)["chosen"]) == (7, True), "and here it is the one begun at"


@pytest.mark.parametrize("opened", [-1, N, True, 2.5, "7", None])
def test_what_is_no_primitive_opens_nothing(app, monkeypatch, opened):
    monkeypatch.setattr(experiment_page, "to_explore", pytest.fail)
    report(app, {**about(app), "factors": handed(app)["factors"], "opened": opened})
    assert app.session_state[AppKey.PROBE].primitive is None


def test_a_report_about_another_board_is_dropped(app):
    before = text(app)
    report(app, {**about(app), "identity": "old/blocks.4", "factors": [0] * N})
    report(app, {**about(app), "factors": [0] * (N - 1)})
    report(app, {"factors": [0] * N})
    assert text(app) == before


def test_a_tile_touched_before_the_board_heard_of_a_reset_changes_nothing(app, replay):
    before, factors = about(app), handed(app)["factors"]
    button(app, "reset").click().run()
    report(app, {**before, "key": before["identity"], "factors": [0.0, *factors[1:]], "at": 1})
    assert set(handed(app)["factors"]) == {1.0}, "what the board then shows"
    assert off(app) == []
    assert rows(app) == expected(replay.run("blocks.5"))


def test_undo_goes_back_one_experiment_at_a_time_and_reset_can_be_undone(app):
    opened = off(app)
    board(app, f1=0, **{f"f{opened[0]}": 1})
    board(app, f2=0)
    assert off(app) == [1, 2]
    button(app, "undo").click().run()
    assert off(app) == [1]
    button(app, "reset").click().run()
    assert off(app) == []
    assert "With all its primitives" in text(app)
    button(app, "undo").click().run()
    button(app, "undo").click().run()
    assert off(app) == opened
    button(app, "undo").click().run()
    assert off(app) == []
    assert button(app, "undo").disabled


def test_after_undo_the_board_is_handed_what_counts_and_its_old_report_is_not_taken_again(app):
    opened = off(app)
    board(app, f1=0)
    revision = handed(app)["revision"]
    button(app, "undo").click().run()
    assert off(app) == opened
    assert handed(app)["revision"] > revision
    assert [i for i, factor in enumerate(handed(app)["factors"]) if factor == 0] == opened
    app.run()
    assert off(app) == opened


def test_all_off_is_the_network_without_the_block(app, replay):
    button(app, "all-off").click().run()
    assert off(app) == list(range(N))
    assert "Without this block (all 16 primitives off)" in text(app)
    assert rows(app) == expected(replay.run("blocks.5", off=range(N)))


def test_all_off_with_nothing_to_share_among_says_so_and_shows_a_whole_result(app, replay):
    app.get_by_key(Key.RULE).set_value(SHARED).run()
    assert rows(app) == expected(replay.run("blocks.5", off=off(app), renormalise=True))
    button(app, "all-off").click().run()
    assert NOTHING_TO_SHARE in text(app)
    assert rows(app) == expected(replay.run("blocks.5", off=range(N)))
    button(app, "undo").click().run()
    button(app, "undo").click().run()
    assert app.get_by_key(Key.RULE).value == MISSING
    assert NOTHING_TO_SHARE not in text(app)


def test_a_bag_is_transplanted_from_a_picture_of_another_shape(start, replay):
    app = start()
    app.get_by_key(Key.DONOR).set_value("astronaut").run()
    donor = samples.load_sample(next(s for s in samples.SAMPLES if s.name == "astronaut"))
    other = a2core.Replay(replay.model, donor.clip, size=SIZE_PX)
    assert other.trace.blocks["blocks.5"].grid != replay.trace.blocks["blocks.5"].grid
    assert off(app) == []
    assert rows(app) == expected(replay.run("blocks.5", donor=other))
    assert "With the bag of <i>Astronaut</i>" in text(app)
    board(app, f3=0)
    assert rows(app) == expected(replay.run("blocks.5", donor=other, off=[3]))
    button(app, "undo").click().run()
    button(app, "undo").click().run()
    assert app.get_by_key(Key.DONOR).value == ""


def test_a_donor_that_is_no_longer_kept_is_left_out(start):
    app = start()
    clip = samples.load_sample(samples.SAMPLES[1]).clip
    upload = pictures.picture_of(clip, id="upload-1", title="mine.png")
    app.session_state[AppKey.UPLOADS] = {upload.id: upload}
    app.run()
    app.get_by_key(Key.DONOR).set_value("upload-1").run()
    assert "With the bag of <i>mine.png</i>" in text(app)
    app.session_state[AppKey.UPLOADS] = {}
    app.run()
    assert "With all its primitives" in text(app)


def test_each_block_keeps_its_own_experiment(app, replay):
    board(app, f1=0)
    deep = off(app)
    app.get_by_key(Key.BLOCK).set_value("blocks.4").run()
    assert off(app) == []
    board(app, f2=0)
    assert rows(app) == expected(replay.run("blocks.4", off=[2]))
    app.get_by_key(Key.BLOCK).set_value("blocks.5").run()
    assert off(app) == deep
    assert handed(app)["identity"].endswith("blocks.5")


def test_another_picture_starts_anew_and_shows_nothing_of_the_one_before(app, start):
    other = start(picture=samples.load_sample(samples.SAMPLES[2]))
    assert rows(other) != rows(app)
    app.session_state[AppKey.SHOWN] = other.session_state[AppKey.SHOWN]
    app.run()
    assert rows(app) == rows(other)


def test_true_effects_are_measured_when_asked_for_and_kept(app, replay):
    assert not app.get("plotly_chart")
    button(app, "measure").click().run()
    found = replay.attribute("blocks.5")
    assert f"<b>{found.rank_correlation:.3f}</b>".replace("-", "−") in text(app)
    assert len(app.get("plotly_chart")) == 1
    assert button(app.run(), "measure").disabled
    app.get_by_key(Key.CLASS).set_value(replay.trace.top[1][0]).run()
    assert not app.get("plotly_chart")


def test_a_clip_is_experimented_on_as_a_whole(start):
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    clip = a2core.Clip(frames, np.arange(3) / 10, "video", "c.mp4", ())
    picture = pictures.picture_of(clip, id="upload-clip", title="c.mp4", alt="A clip")
    app = start(picture=picture)
    replay = a2core.Replay(a2core.load_model("a2-made"), clip, size=SIZE_PX)
    assert rows(app) == expected(replay.run("blocks.5", off=off(app)))
    assert text(app).count('class="a2-moved"') == 3
    app.get_by_key(Key.DONOR).set_value("coffee").run()
    assert "With the bag of <i>Coffee</i>" in text(app)

    # The bag of a clip of another length and shape fits as well.
    shorter = a2core.Clip(frames[:2, :, :64], np.arange(2) / 10, "video", "d.mp4", ())
    donor = pictures.picture_of(shorter, id="upload-shorter", title="d.mp4", alt="A clip")
    app.session_state[AppKey.UPLOADS] = {donor.id: donor}
    app.run()
    app.get_by_key(Key.DONOR).set_value(donor.id).run()
    other = a2core.Replay(replay.model, shorter, size=SIZE_PX)
    assert rows(app) == expected(replay.run("blocks.5", donor=other))


def test_random_blocks_are_flagged(start):
    assert "Random weights" not in text(start(0))
    assert "Random weights" in text(start(1))


def test_without_a_checkpoint_the_page_says_what_to_do(checkpoints):
    for path in checkpoints.iterdir():
        path.unlink()
    app = AppTest.from_function(page, default_timeout=60).run()
    assert "checkpoints/" in app.error[0].value
