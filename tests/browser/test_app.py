"""The app end to end, as a visitor meets it: server, network, browser, mouse."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import canvas_harness as harness
from tests.browser.conftest import CHARTS_LOOKED_AT, AppPage, OpenApp
from tests.browser.firefox import firefox, within
from tests.browser.streamlit_dom import APP, DROP, MAIN
from tests.browser.tabs import single_tab
from viz_app.server import samples

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def photo(width: int, height: int, *, seed: int = 0, kind: str = "JPEG") -> bytes:
    """A picture with structure at every scale, as a file."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, kind, quality=88)
    return out.getvalue()


def test_the_first_page_shows_a_traced_photo_with_nothing_to_click_first(open_app: OpenApp) -> None:
    app = open_app()
    assert app.picture_spread() > 20
    assert app.page.locator(".a2-answer li").count() == 5
    assert "primitives" in app.pinned.inner_text()
    assert app.message.count() == 0


def test_two_hundred_hovers_send_no_message_to_the_server_and_each_is_answered(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    before = app.frames_sent
    assert before > 0, "the counter must see the messages of the page's start"
    readouts = set()
    rng = np.random.default_rng(1)
    box = app.stage.bounding_box()
    for x, y in rng.uniform(0.02, 0.98, (200, 2)):
        app.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        readouts.add(app.page.locator("[data-ref=readout]").inner_text())
    assert app.frames_sent == before
    assert len(readouts) > 60


def test_a_pin_moves_the_charts_with_one_message_and_the_canvas_is_not_remounted(open_app: OpenApp) -> None:
    app = open_app()
    app.stage.evaluate("stage => { stage.dataset.markedByTest = 'yes' }")
    for x, y in [(0.1, 0.1), (0.9, 0.2), (0.5, 0.5), (0.2, 0.85), (0.8, 0.9)]:
        sent, said = app.frames_sent, app.pinned.inner_text()
        app.pin(x, y)
        app.wait_until(lambda said=said: app.pinned.inner_text() != said)  # type: ignore[misc]
        app.wait_until_idle()
        assert app.frames_sent == sent + 1
    assert app.stage.get_attribute("data-marked-by-test") == "yes"


def test_the_charts_speak_of_the_pixel_that_was_clicked(open_app: OpenApp) -> None:
    app = open_app()
    app.pin(0.02, 0.98)
    app.page.wait_for_function("/x 8, y 280/.test(document.querySelector('.a2-pinned').textContent)")


def test_changing_the_block_in_the_canvas_changes_the_charts(open_app: OpenApp) -> None:
    app = open_app()
    before = app.pinned.inner_text()
    app.page.locator("[data-ref=blocks] label").last.click()
    app.page.wait_for_function(
        "before => document.querySelector('.a2-pinned').innerText !== before", arg=before
    )


def test_a_photo_of_twelve_megapixels_is_uploaded_traced_and_interactive(open_app: OpenApp) -> None:
    app = open_app()
    app.drop("holiday.jpg", photo(4000, 3000), "image/jpeg")
    app.page.get_by_role("radio", name="holiday.jpg", exact=True, checked=True).wait_for()
    app.wait_until_traced()
    aspect = app.stage.evaluate("stage => stage.clientWidth / stage.clientHeight")
    assert aspect == pytest.approx(448 / 320, rel=0.01) or aspect == pytest.approx(448 / 352, rel=0.01)
    before = app.pinned.inner_text()
    app.pin(0.75, 0.75)
    app.page.wait_for_function(
        "before => document.querySelector('.a2-pinned').innerText !== before", arg=before
    )


@pytest.mark.parametrize(
    ("width", "height"), [(600, 1536), (900, 1200), (1000, 1000), (1600, 900), (2048, 720)], ids=str
)
def test_a_picture_of_any_shape_leaves_caption_legend_and_table_in_sight(
    open_app: OpenApp, width: int, height: int
) -> None:
    app = open_app(charts=False)
    app.page.set_viewport_size({"width": 1400, "height": 900})
    app.drop("shape.jpg", photo(width, height), "image/jpeg")
    app.page.get_by_role("radio", name="shape.jpg", exact=True, checked=True).wait_for()
    app.wait_until_traced(charts=False)
    app.page.locator(MAIN).evaluate("main => main.scrollTo(0, 0)")
    for part in ("stage", "what", "readout", "legend", "rank"):
        box = app.page.locator(f"[data-ref={part}]").bounding_box() or {}
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= 900, part


def test_a_bad_upload_is_named_word_for_word_and_the_picture_stays(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    app.stage.evaluate("stage => { stage.dataset.markedByTest = 'yes' }")
    uploads = {
        "notes.png": b"only a few words",
        "empty.jpg": b"",
        "cut off.jpg": photo(800, 600)[:2000],
        "*$x$_[1] :red[it].png": b"\x00" * 64,
    }
    for name, data in uploads.items():
        app.drop(name, data)
        app.message.filter(has_text=name).wait_for()
        assert app.message.count() == 1
        assert app.picture_spread() > 20
        assert app.stage.get_attribute("data-marked-by-test") == "yes", "the canvas was remounted"
    app.choose("Coffee")
    app.message.wait_for(state="detached")
    app.wait_until_traced(charts=False)


def test_a_file_of_more_than_500_megabytes_is_refused_in_sight_and_the_picture_stays(
    open_app: OpenApp, tmp_path: Path
) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(530 * 1024 * 1024)
    app = open_app(charts=False)
    app.page.locator(DROP).set_input_files(path)
    refusal = app.page.locator(".st-key-drop [role=alert]")
    refusal.wait_for()
    assert "500" in refusal.inner_text()
    assert refusal.bounding_box()["height"] > 10
    assert app.picture_spread() > 20


def test_a_second_upload_while_the_first_is_running_leaves_the_page_whole(open_app: OpenApp) -> None:
    app = open_app()
    zone = app.page.locator(DROP)
    for seed, name in enumerate(["first.jpg", "second.jpg"]):
        data = photo(1600, 1200, seed=seed)
        zone.set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})
    app.page.get_by_role("radio", name=re.compile("(first|second).jpg"), checked=True).wait_for()
    app.wait_until_traced()
    assert app.message.count() == 0
    sentence = app.pinned.inner_text()
    app.pin(0.7, 0.7)
    app.page.wait_for_function(
        "before => document.querySelector('.a2-pinned').innerText !== before", arg=sentence
    )
    app.drop("third.jpg", photo(640, 480, seed=3))  # the drop zone is none the worse
    app.page.get_by_role("radio", name="third.jpg", exact=True, checked=True).wait_for()


def test_a_browser_without_webgl_misses_nothing(chromium: Any, app_url: str) -> None:
    args = [*harness.CHROMIUM_ARGS, "--disable-3d-apis"]
    browser = chromium.browser_type.launch(executable_path=harness.chromium_path(), args=args)
    try:
        tab = single_tab(browser, width=1400, height=1000, reduced_motion="reduce")
        app = AppPage(tab, app_url)
        app.wait_until_traced(charts=False)
        assert app.page.evaluate("document.createElement('canvas').getContext('webgl')") is None
        assert app.picture_spread() > 5
        before = app.page.locator("[data-ref=readout]").inner_text()
        app.move_to(0.9, 0.1)
        app.wait_until(lambda: app.page.locator("[data-ref=readout]").inner_text() != before)
        assert app.complaints == []
    finally:
        browser.close()


def test_the_page_comes_back_as_it_was_left(open_app: OpenApp) -> None:
    app = open_app()
    app.pin(0.9, 0.1)
    app.page.wait_for_function("/x 408, y 24/.test(document.querySelector('.a2-pinned').textContent)")
    app.page.get_by_role("link", name="About").click()
    app.page.get_by_role("heading", name="About this explorer").wait_for()
    app.page.get_by_role("link", name="Explore").click()
    app.wait_until_traced()
    assert "x 408, y 24" in app.pinned.inner_text()


def test_settings_made_in_the_canvas_outlast_the_picture(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    absolute = app.page.locator("[data-ref=scale] label").filter(has_text="Absolute")
    sent = app.frames_sent
    absolute.click()
    app.wait_until(lambda: app.frames_sent > sent)
    app.wait_until_idle()
    before = app.trace_key()
    app.choose("Coffee")
    app.wait_until(lambda: app.trace_key() != before)
    assert absolute.locator("input").is_checked()


def test_random_weights_are_flagged_in_large_letters(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    app.page.get_by_role("combobox", name="Weights").click()
    app.page.get_by_role("option", name="random blocks").first.click()
    flag = app.page.locator(".a2-untrained strong")
    flag.wait_for()
    assert float(flag.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")) >= 28


def test_the_page_and_its_charts_follow_the_systems_theme(open_app: OpenApp) -> None:
    app = open_app(scheme="dark")

    def greys() -> list[float]:
        return app.page.evaluate(
            """app => {
                const channels = color => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
                const grey = color => channels(color).reduce((sum, channel) => sum + channel / 3, 0);
                const style = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
                return [grey(style(app, 'backgroundColor')), grey(style('.a2-lead h1', 'color')),
                        grey(style('.js-plotly-plot .xtitle', 'fill'))];
            }""",
            APP,
        )

    page, ink, axis = greys()
    assert page < 50 < 150 < min(ink, axis)
    app.page.emulate_media(color_scheme="light")
    app.wait_until(lambda: (now := greys())[0] > 230 > 150 > max(now[1:]))


@pytest.mark.parametrize("path", ["", "/about"])
def test_no_page_is_wider_than_the_window(open_app: OpenApp, path: str) -> None:
    app = open_app(path, width=800, traced=not path)
    app.page.locator("h1").first.wait_for()
    app.wait_until_idle()
    widest = f"Math.max(...['{MAIN}', 'html'].map((at) => document.querySelector(at).scrollWidth))"
    for width in (800, 1400, 1920):
        app.page.set_viewport_size({"width": width, "height": 1400})
        app.page.wait_for_function(f"width => innerWidth === width && {widest} <= width", arg=width)


def test_every_sample_can_be_chosen_and_traced(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    for sample in samples.SAMPLES[1:]:
        app.choose(sample.title)
        app.page.get_by_text(sample.credit).wait_for()
        app.wait_until_traced(charts=False)
        assert app.message.count() == 0
        if sample.title == "Astronaut":
            shape = app.stage.evaluate("stage => stage.clientWidth / stage.clientHeight")
            assert shape == pytest.approx(1, rel=0.01)


def test_charts_come_when_they_are_looked_at_also_by_a_jump_over_them(chromium, app_url):
    tab = single_tab(chromium, width=1000, height=900, reduced_motion="reduce")
    app = AppPage(tab, app_url)
    app.stage.wait_for()
    app.wait_until_idle()
    loaded = "() => performance.getEntriesByType('resource').some(({ name }) => name.includes('Plotly'))"
    assert not tab.evaluate(loaded)
    assert tab.locator(".js-plotly-plot").count() == 0
    tab.locator(".st-key-take").wait_for()  # the last part of the page
    high = tab.evaluate(f"document.querySelector('{MAIN}').scrollHeight")
    tab.wait_for_function(CHARTS_LOOKED_AT, arg=MAIN)
    assert tab.evaluate(loaded)
    app.wait_until_idle()
    assert abs(tab.evaluate(f"document.querySelector('{MAIN}').scrollHeight") - high) < 40, (
        "they had their room"
    )
    app.close()


def test_firefox_shows_it_too_hovers_pins_and_uploads(app_url: str, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(photo(640, 480, kind="PNG"))
    canvas, stage = within("[data-a2-root]") + ".__canvas", within("[data-ref=stage]")
    pinned = "document.querySelector('.a2-pinned')?.innerText"
    with firefox(tmp_path / "profile") as tab:
        tab.resize(1400, 1000)
        tab.goto(app_url)
        tab.wait_for(f"{canvas}.snapshot().ready")
        said = tab.wait_for(pinned)
        tab.pointer(tab.place(stage, 0.3, 0.3), tab.place(stage, 0.7, 0.6))
        tab.wait_for(f"{canvas}.snapshot().hovering")
        tab.pointer(tab.place(stage, 0.7, 0.6), press=True)
        tab.wait_for(f"{canvas}.snapshot().pinned && {pinned} !== {json.dumps(said)}")
        key = tab.evaluate(f"{canvas}.snapshot().key")
        tab.choose("input[type=file]", own)
        tab.wait_for(f"{canvas}.snapshot().ready && {canvas}.snapshot().key !== {json.dumps(key)}")
        assert tab.complaints == []
