"""Clips on the probe canvas: playing, stepping, attention over all frames; numbers checked with NumPy."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import numpy as np
import pytest

from a2core import Trace, overlay_movie
from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser

GRID = (22, 22)
SMALL = (10, 10)
SCREEN_MS = 17  # between two of its refreshes


def brightness(canvas: harness.CanvasPage) -> int:
    """Of the middle of the picture that is painted: which frame it is, whatever the page believes."""
    return int(
        canvas.page.evaluate(
            "() => { const c = document.querySelector('[data-ref=base]');"
            " const one = document.createElement('canvas').getContext('2d', { willReadFrequently: true });"
            " one.drawImage(c, c.width >> 1, c.height >> 1, 1, 1, 0, 0, 1, 1);"
            " return one.getImageData(0, 0, 1, 1).data[0]; }"
        )
    )


def press(canvas: harness.CanvasPage, *keys: str) -> dict:
    canvas.page.locator("[data-ref=stage]").focus()
    for key in keys:
        canvas.page.keyboard.press(key)
    return canvas.settle()


@pytest.fixture
def clip(show: Show) -> tuple[harness.CanvasPage, harness.Maps]:  # noqa: F811
    """Of the size that the project promises to play: 16 frames, 22 × 22 cells, n = 32."""
    payload, maps = harness.make_clip()
    return show(payload, view={"probe": [0, 5, 5]}), maps


@pytest.fixture
def small(show: Show) -> tuple[harness.CanvasPage, harness.Maps]:  # noqa: F811
    payload, maps = harness.make_clip(size=(160, 160), n=6)
    return show(payload, view={"probe": [0, 5, 5]}), maps


def test_a_hover_in_any_frame_answers_over_all_frames(small) -> None:
    canvas, maps = small
    assert canvas.page.locator("[data-ref=clip]").is_visible()
    assert canvas.page.locator("[data-ref=strip] button").count() == 16
    for key, t in ((".", 1), (".", 2), (",", 1)):
        press(canvas, key)
        told = canvas.hover_cell(7, 8, SMALL)
        assert told["cell"] == {"t": t, "row": 7, "col": 8}
        expected = maps.attention(t, 7, 8)
        np.testing.assert_allclose(
            np.reshape(told["attention"], expected.shape), expected, rtol=1e-3, atol=1e-8
        )
        np.testing.assert_allclose(told["moments"], expected.sum(axis=(1, 2)), atol=1e-5)
    assert sum(told["moments"]) == pytest.approx(1, abs=1e-4)
    bars = canvas.page.evaluate(
        "() => [...document.querySelectorAll('[data-ref=bars] b')]"
        ".map((b) => new DOMMatrix(b.style.transform).d)"
    )
    moments = expected.sum(axis=(1, 2))
    np.testing.assert_allclose(bars, moments / moments.max(), atol=2e-3)
    shares = canvas.page.locator("[data-ref=strip] b").all_inner_texts()
    assert float(shares[3].split("\u202f")[0]) == pytest.approx(100 * moments[3], abs=0.06)
    # A primitive's life: how much of it is gathered, and handed out, at each moment.
    canvas.page.locator("[data-ref=mapGather]").hover()
    told = canvas.settle()
    i = told["shown"]
    np.testing.assert_allclose(told["moments"], maps.gather[i].sum(axis=(1, 2)), atol=1e-5)
    canvas.page.locator("[data-ref=mapDistribute]").hover()
    told = canvas.settle()
    i = told["shown"]
    np.testing.assert_allclose(told["moments"], maps.distribute[i].mean(axis=(1, 2)), atol=1e-5)


def test_every_way_to_a_frame_shows_that_frame_and_its_maps(small) -> None:
    canvas, maps = small
    page = canvas.page
    ways = [
        (lambda: page.locator("[data-ref=frame]").fill("9"), 9),
        (lambda: page.locator("[data-ref=strip] button").nth(4).click(), 4),
        (lambda: page.locator("[data-ref=strip] button").nth(4).press("ArrowRight"), 5),
        (lambda: page.locator("[data-ref=bars] i").nth(12).click(), 12),
        (lambda: press(canvas, ",", ","), 10),
        (lambda: press(canvas, *"......."), 15),
    ]
    seen = {}
    for go, frame in ways:
        go()
        told = canvas.settle()
        assert told["frame"] == frame
        assert told["rest"]["t"] == frame, "an unpinned place goes along"
        assert (
            f"frame {frame + 1} of 16, {0.04 * frame:.2f}" in page.locator("[data-ref=frameOut]").inner_text()
        )
        assert (
            page.locator("[data-ref=strip] button[aria-pressed=true]")
            .get_attribute("aria-label")
            .startswith(f"Frame {frame + 1},")
        )
        seen[frame] = brightness(canvas)
        expected = maps.attention(frame, 5, 5)
        np.testing.assert_allclose(
            np.reshape(told["attention"], expected.shape), expected, rtol=1e-3, atol=1e-8
        )
    order = sorted(seen)
    assert [seen[f] for f in order] == sorted(set(seen.values())), "each frame is the picture it says"


def test_a_pin_stays_at_its_moment_while_the_frames_change(small) -> None:
    canvas, maps = small
    canvas.page.locator("[data-ref=frame]").fill("6")
    canvas.settle()
    assert press(canvas, "ArrowRight", "Enter")["pins"] == [[6, 5, 6]]
    canvas.page.mouse.click(*canvas.spot(0.95, 0.05))
    assert canvas.settle()["pins"] == [[6, 0, 9]]
    canvas.page.mouse.move(1, 1)
    told = press(canvas, ".", ".")
    assert (told["frame"], told["rest"]) == (8, {"t": 6, "row": 0, "col": 9})
    expected = maps.attention(6, 0, 9)
    np.testing.assert_allclose(np.reshape(told["attention"], expected.shape), expected, rtol=1e-3, atol=1e-8)
    assert "0.24\u202fs" in canvas.page.locator("[data-ref=readout]").inner_text()
    report = canvas.wait_for_pins(2)[-1]
    assert [report["t"], report["row"], report["col"]] == [6, 0, 9]
    # A second pin in this frame; choosing the first goes back to its moment.
    canvas.page.keyboard.down("Shift")
    canvas.page.mouse.click(*canvas.spot(0.05, 0.95))
    canvas.page.keyboard.up("Shift")
    assert canvas.settle()["pins"] == [[6, 0, 9], [8, 9, 0]]
    assert press(canvas, "1")["frame"] == 6
    assert canvas.page.locator(".a2c-stage .a2c-pin:visible").all_inner_texts() == ["1"]
    assert "0.32\u202fs" in canvas.page.locator("[data-ref=compareHead]").inner_text()


def test_it_plays_at_24_frames_a_second_with_a_map_on_every_frame(show: Show) -> None:  # noqa: F811
    payload, maps = harness.make_clip()
    canvas = show(payload, view={"probe": [0, 5, 5]}, own_clock=True)
    page = canvas.page
    page.locator("[data-ref=speed]").select_option("24")
    page.mouse.move(*canvas.spot(0.3, 0.4))
    canvas.settle()
    page.clock.install()
    page.clock.pause_at(page.evaluate("() => Date.now()") / 1000 + 1)  # from here on the page's time is ours
    page.evaluate(
        "() => { window.played = []; document.querySelector('[data-a2-root]').addEventListener('a2-frame',"
        " (event) => window.played.push({ ...event.detail, at: performance.now() })); }"
    )
    page.locator("[data-ref=stage]").focus()
    page.keyboard.press(" ")
    for step in range(20):
        page.clock.run_for(100)
        page.mouse.move(*canvas.spot(0.3 + 0.02 * step, 0.4))
    page.clock.run_for(20)  # the last hover is drawn
    played = page.evaluate("() => window.played")
    frames, at_ms = [step["frame"] for step in played], np.array([step["at"] for step in played])
    assert frames == [(1 + k) % 16 for k in range(len(frames))], "none is left out, in order"
    assert all(step["map"] == step["picture"] == step["frame"] for step in played), "each with its own map"
    assert 46 <= len(frames) <= 49, "of two seconds"
    late_ms = at_ms - at_ms[0] - np.arange(len(at_ms)) * 1000 / 24
    # One refresh of the screen until it is due, and one until it is drawn; no delay grows.
    assert np.ptp(late_ms) <= 2 * SCREEN_MS

    page.clock.fast_forward(1000)  # the screen stood still for a second
    page.clock.run_for(100)
    later = [step["frame"] for step in page.evaluate("() => window.played")]
    assert later == [(1 + k) % 16 for k in range(len(later))], "played slower, none is left out"
    assert 1 <= len(later) - len(frames) <= 6
    page.clock.resume()
    page.keyboard.press(" ")
    told = canvas.settle()
    assert not told["playing"]
    assert told["hovering"]
    assert told["cell"]["t"] == told["frame"]
    expected = maps.attention(*told["cell"].values())
    np.testing.assert_allclose(np.reshape(told["attention"], expected.shape), expected, rtol=1e-3, atol=1e-8)


def test_frames_attended_to_alone_exchange_nothing(show: Show) -> None:  # noqa: F811
    payload, maps = harness.make_clip(frames=4, size=(96, 96), n=6, joint=False)
    canvas = show(payload)
    press(canvas, ".", ".")
    told = canvas.hover_cell(1, 4, (6, 6))
    expected = np.zeros((4, 6, 6))
    expected[2] = np.tensordot(maps.rho(2, 1, 4), maps.gather[:, 2], axes=1)
    np.testing.assert_allclose(np.reshape(told["attention"], expected.shape), expected, rtol=1e-3, atol=1e-8)
    np.testing.assert_allclose(told["moments"], [0, 0, 1, 0], atol=1e-4)
    assert "of the frame" in canvas.page.locator("[data-ref=readout]").inner_text()
    told = press(canvas, "d")
    weights = maps.gather[:, 2, 1, 4] * maps.distribute[:, 2].mean(axis=(1, 2))
    np.testing.assert_allclose(told["weights"], weights / weights.sum(), rtol=1e-3)
    expected[2] = np.tensordot(maps.gather[:, 2, 1, 4], maps.distribute[:, 2], axes=1)
    np.testing.assert_allclose(np.reshape(told["attention"], expected.shape), expected, rtol=1e-3, atol=1e-8)


def test_a_picture_shows_nothing_of_a_clip_and_space_pins(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, strides=(32,))
    canvas = show(payload)
    for part in ("clip", "strip", "stills"):
        assert not canvas.page.locator(f"[data-ref={part}]").is_visible()
    assert "of the picture" in canvas.page.locator("[data-ref=readout]").inner_text()
    assert press(canvas, ".", ",")["frame"] == 0
    assert press(canvas, " ")["pinned"]


def test_a_clip_says_why_its_primitives_are_not_sorted_by_effect(small) -> None:
    canvas, _ = small
    assert canvas.page.locator("[data-ref=sort] input[value=effect]").count() == 0
    canvas.page.locator("[data-ref=stills]").hover()
    assert "for pictures only" in canvas.page.locator(".a2c-tip").inner_text()


def test_the_exported_movie_plays_in_the_page(chromium: Any, tiny_trace: Trace) -> None:
    shades = np.stack([np.full((96, 160, 3), 30 * t, np.uint8) for t in range(6)])
    movie = overlay_movie(dataclasses.replace(tiny_trace, model_input=shades), np.ones((6, 6, 10)))
    source = f"data:{movie.mime};base64,{base64.b64encode(movie.data).decode()}"
    page = chromium.new_page()
    played = page.evaluate(
        """source => new Promise((done, failed) => {
          const video = document.createElement("video");
          Object.assign(video, { muted: true, src: source });
          video.onended = () => done([video.videoWidth, video.videoHeight, video.currentTime]);
          video.onerror = () => failed(new Error(video.error.message));
          document.body.append(video);
          video.play();
        })""",
        source,
    )
    page.close()
    assert played[:2] == [800, 480]
    assert played[2] == pytest.approx(6 / 8, abs=0.2)
