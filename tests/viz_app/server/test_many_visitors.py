"""Several visitors on one server: equal pictures are shared, names are not, and each has a bound."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import a2core
from tests.viz_app.explorer import TIMEOUT_S, drop, gif, messages, open_explore, page_html, png, shown
from viz_app.server import models, pictures, replays, samples, traces, uploads, visitors
from viz_app.ui import shell as page
from viz_app.ui import text
from viz_app.ui.state import Key
from viz_app.views.compare.service import small_frames
from viz_app.views.experiment import service
from viz_app.views.experiment.setup import plain_setup
from viz_app.views.learn import service as teaching

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_work_in_the_background")]


@pytest.fixture
def visit(checkpoints, monkeypatch):
    """Runs something as a visitor."""

    def as_visitor(name: str) -> None:
        monkeypatch.setattr(visitors, "visitor", lambda: name)

    return as_visitor


def opened() -> AppTest:
    app = open_explore()
    return app.get_by_key(Key.SIZE).set_value(224).run()


def everything(app: AppTest) -> str:
    """All that the browser was sent."""
    kinds = ("html", "bidi_component", "download_button", "button_group")
    return "".join(str(part.proto) for kind in kinds for part in app.get(kind))


def test_the_same_bytes_under_two_names_are_one_trace_and_each_reads_their_own_name(visit):
    visit("ada")
    first = opened()
    drop(first, "holiday-with-ada.png", png((200, 30, 30)))
    visit("bob")
    second = opened()
    drop(second, "scan.png", png((200, 30, 30)))
    assert shown(second).held is shown(first).held
    assert shown(second).picture.held is shown(first).picture.held
    assert "holiday" in everything(first)
    assert "holiday" not in everything(second)
    assert "scan.png" in everything(second)
    assert shown(second).trace.clip.name == "scan.png"
    assert shown(first).trace.clip.name == "holiday-with-ada.png"


def test_what_is_worked_out_of_equal_pictures_carries_nobodys_name(visit):
    weights = models.list_weights()[0][0]
    visit("ada")
    theirs = traces.show(uploads.read_upload(gif(2), "secret.gif")[0], weights, 96)
    kept = [
        replays.subject(theirs.picture, weights, 96),
        teaching.classroom(theirs, "blocks.4"),
        theirs.held.value,
    ]
    names = {name for part in kept for name in re.findall(r"secret[\w.]*", repr(part) + repr(vars(part)))}
    assert names == set()
    visit("bob")
    mine = traces.show(uploads.read_upload(gif(2), "mine.gif")[0], weights, 96)
    assert replays.subject(mine.picture, weights, 96) is kept[0]
    assert teaching.classroom(mine, "blocks.4") is kept[1]
    assert "mine" in teaching.lesson_file(mine, "blocks.4")


def test_another_cut_of_a_clip_is_another_subject_and_another_lesson(visit):
    """All were kept under the file's name once, and showed the first cut for ever."""
    weights = models.list_weights()[0][0]
    visit("ada")
    picture, source = uploads.read_upload(gif(12), "noise.gif")
    before = traces.show(picture, weights, 96)
    seen = [replays.subject(picture, weights, 96), teaching.classroom(before, "blocks.4")]
    again = uploads.cut_again(picture, source, pictures.Cut(0.5, 1.1, 3))
    after = traces.show(again, weights, 96)
    frames = after.trace.model_input
    assert not np.array_equal(frames[0], before.trace.model_input[0])
    np.testing.assert_array_equal(replays.subject(again, weights, 96).replay.trace.model_input, frames)
    assert teaching.classroom(after, "blocks.4") is not seen[1]
    assert teaching.classroom(after, "blocks.4").lesson.grid[0] == 3
    assert small_frames(after) != small_frames(before)
    assert replays.effects(after, "blocks.4") is not replays.effects(before, "blocks.4")


def test_a_clip_on_screen_can_be_experimented_on(visit):
    visit("ada")
    app = opened()
    drop(app, "noise.gif", gif(3))

    def experiment_page() -> None:
        from viz_app.ui.guards import guarded
        from viz_app.views.experiment import page as experiment

        guarded(experiment.render)()

    elsewhere = AppTest.from_function(experiment_page, default_timeout=TIMEOUT_S)
    elsewhere.session_state[Key.SHOWN] = shown(app)
    elsewhere.run()
    assert not elsewhere.exception
    assert page_html(elsewhere).count('class="a2-moved"') == 3


def test_a_transplant_between_two_loads_of_one_network_is_never_tried(visit, monkeypatch):
    """A network that was dropped and loaded anew is another object, whose bags are not exchanged."""
    weights = models.list_weights()[0][0]
    visit("ada")
    cat, cup = (samples.load_sample(sample) for sample in samples.SAMPLES[:2])
    replays.subject(cat, weights, 96)
    models._shelf.clear()
    subject, donor = (replays.subject(picture, weights, 96) for picture in (cat, cup))
    setup = plain_setup(16)
    outcome = service.perform(subject, "blocks.5", setup, donor)
    assert np.isfinite(outcome.after).all()


def test_a_visitor_has_a_bound_loses_the_oldest_and_is_told_by_name_and_others_lose_nothing(
    visit, monkeypatch
):
    monkeypatch.setenv("A2_VISITOR_MB", "3")
    visit("bob")
    other = opened()
    drop(other, "bob.png", png((9, 9, 9)))
    visit("ada")
    app = opened()
    store = visitors.server().store
    for k in range(6):
        drop(app, f"photo{k}.png", png((40 * k, 3, 3), size=(640, 500)))  # 0.96 MB each, decoded
        assert messages(app) == []
        assert shown(app).picture.title == f"photo{k}.png", "the newest is always there"
        assert (
            store.held_bytes("ada") <= 3e6 + shown(app).held.size_bytes + shown(app).picture.held.size_bytes
        )
    assert "photo2.png was let go: the server keeps at most 3 MB for one visitor" in page_html(app)
    strip = list(app.session_state[Key.UPLOADS].values())
    assert all(picture.held.here for picture in strip)
    assert 1 <= len(strip) < 6
    visit("bob")
    other.run()
    assert shown(other).picture.title == "bob.png"
    assert "let go" not in page_html(other)


def test_when_a_visitor_has_left_nothing_of_theirs_is_kept_and_the_samples_are(visit):
    visit("ada")
    app = opened()
    drop(app, "noise.gif", gif(3))
    store = visitors.server().store
    clip = shown(app)
    replays.subject(clip.picture, clip.weights, clip.size_px)
    teaching.classroom(clip, "blocks.4")
    replays.effects(clip, "blocks.4").job.wait(60)
    visitors.server().left("ada")
    timer = visitors.server()._gone["ada"]
    timer.cancel()
    timer.function()
    assert store.held_bytes("ada") == 0
    assert not clip.held.here
    assert not clip.picture.held.here
    held = [entry for entry in store._entries.values() if "" not in entry.holders]
    assert held == [], "what is left is nobody's"
    assert traces.known(samples.load_sample(samples.SAMPLES[0]), models.list_weights()[0][0], 224)


def test_a_clip_too_large_for_the_bound_is_refused_in_words_and_the_screen_stays(visit, monkeypatch):
    monkeypatch.setenv("A2_VISITOR_MB", "1")
    visit("ada")
    app = opened()
    before = shown(app)
    drop(app, "large.gif", gif(12, size=(400, 300)))  # 4.3 MB of frames
    (message,) = messages(app)
    assert re.match(
        r"This takes 4 MB, and the server keeps at most 1 MB for one visitor\. Take fewer", message
    )
    assert shown(app).held is before.held


def test_a_file_that_finds_no_room_beside_its_frames_costs_only_the_choice_of_others(visit, monkeypatch):
    data = gif(12)
    monkeypatch.setattr(pictures, "FRAMES", 2)
    monkeypatch.setenv("A2_VISITOR_MB", "1")
    visit("ada")
    picture, source = uploads.read_upload(data, "noise.gif")
    assert source is not None
    monkeypatch.setattr(visitors.server().store, "holder_bytes", len(data) - 1)
    visitors.server().store.forget("ada")
    picture, source = uploads.read_upload(data, "noise.gif")
    assert source is None
    assert picture.frames == 2
    assert any("no room to keep the file of noise.gif" in note for note in picture.notes)


def test_files_are_decoded_two_at_a_time_whoever_brings_them(visit, monkeypatch):
    visit("ada")
    now, most, lock, real = 0, 0, threading.Lock(), a2core.read_media
    crowded = threading.Barrier(visitors.DECODERS)

    def counted(*args, **how):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        crowded.wait(60)
        try:
            return real(*args, **how)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(a2core, "read_media", counted)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda k: uploads.read_upload(png((k, k, k)), f"{k}.png"), range(8)))
    assert most == visitors.DECODERS
    assert [int(picture.clip.frames.mean()) for picture, _ in read] == list(range(8))


def test_words_and_a_button_for_each_wait_of_a_run_and_nothing_of_them_stays(visit, monkeypatch):
    """Reading two files of one name and tracing one: three waits that are all told, in one run."""
    monkeypatch.setattr(page, "WORDS_AFTER_S", -1.0)
    visit("ada")
    app = opened()
    said = []
    real = text.waiting
    monkeypatch.setattr(text, "waiting", lambda what, ahead: said.append(what) or real(what, ahead))
    files = [("same.gif", gif(count), "image/gif") for count in (2, 3)]
    app.file_uploader[0].set_value(files)
    app.run()
    assert messages(app) == []
    assert set(said) == {f"Reading {text.as_markdown('same.gif')}", "Tracing 2 frames"}
    assert not [button for button in app.button if button.label == "Stop"]
