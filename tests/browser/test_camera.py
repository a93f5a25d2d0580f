"""A clip from the visitor's camera: the recorder by itself, and in the app; Chromium films a test picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from a2core.media import Clip, read_media
from tests.browser.conftest import OpenApp
from viz_app.components import clip_recorder
from viz_app.components.runtime import script
from viz_app.ui import framed

pytestmark = pytest.mark.browser

# A page at localhost, as browsers lend no camera elsewhere. What is sent, lent and said is kept in `window`.
ADDRESS = "http://localhost/recorder"
AROUND = "https://another.site/"
KEEP_WHAT_IS_LENT = """
window.lent = [];
const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await get(wanted);
    window.lent.push(...stream.getTracks());
    return stream;
};"""
MOUNT = """async ([js, html, data]) => {
    const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
    const { default: component } = await import(url);
    const parentElement = document.body;
    parentElement.innerHTML = html;
    window.sent = [];
    const setTriggerValue = (...what) => window.sent.push(what);
    window.leave = component({ data, parentElement, setStateValue: null, setTriggerValue });
}"""
LENDS_NO_PICTURE = """
navigator.mediaDevices.getUserMedia = async () => {
    const blank = document.createElement("canvas");
    blank.getContext("2d");
    return blank.captureStream(0);
};
const { start } = MediaRecorder.prototype;
MediaRecorder.prototype.start = function () { start.call(this); window.started = true; };"""
ALL_SWITCHED_OFF = "window.lent.length > 0 && window.lent.every((track) => track.readyState === 'ended')"


@pytest.fixture
def recorder(chromium: Any) -> Iterator[Any]:
    """Shows the recorder: `recorder(script_before, seconds=…, allowed=…)` is its page.

    With `framed`, attributes of its frame, it stands in one of another site; that frame is then returned.
    """
    contexts = []

    def show(
        before: str = KEEP_WHAT_IS_LENT,
        *,
        seconds: float = 60,
        allowed: bool = True,
        framed: str | None = None,
    ) -> Any:
        context = chromium.new_context(permissions=["camera"] if allowed else [])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(before)
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        if framed is not None:
            around = f'<!doctype html><iframe src="{ADDRESS}" {framed}></iframe>'
            page.route(AROUND, lambda route: route.fulfill(body=around, content_type="text/html"))
            page.goto(AROUND)
            page = page.frames[1]
        else:
            page.goto(ADDRESS)
        stem = clip_recorder.STEM
        html = stem.with_suffix(".html").read_text(encoding="utf-8")
        page.evaluate(MOUNT, [script(stem), html, {"seconds": seconds, "mostBytes": 10**7}])
        return page

    yield show
    for context in contexts:
        context.close()


def film(page: Any, pictures: int) -> None:
    """Until it records and the camera has given so many pictures since."""
    page.get_by_text("Recording …").wait_for()
    page.locator("video").evaluate(
        """async (video, pictures) => {
            const next = () => new Promise((come) => video.requestVideoFrameCallback(come));
            for (let k = 0; k < pictures; k++) await next();
        }""",
        pictures,
    )


def stopped(page: Any) -> Clip:
    """Stop by hand; what is then sent."""
    page.get_by_role("button", name="Stop").click()
    page.wait_for_function("window.sent.length === 1")
    data = clip_recorder.parse_clip(page.evaluate("window.sent[0][1]"))
    assert data is not None
    return read_media(data, name="camera clip.webm")


def test_what_is_recorded_ends_by_itself_is_a_clip_and_the_camera_is_off(recorder: Any) -> None:
    page = recorder(seconds=1)
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.wait_for_function("window.sent.length === 1")
    (name, report) = page.evaluate("window.sent[0]")
    assert name == "clip"
    data = clip_recorder.parse_clip(report)
    file_name = clip_recorder.name_of(data)
    assert file_name == "camera clip.webm"
    clip = read_media(data, name=file_name)
    assert clip.kind == "video"
    assert len(clip.frames) >= 2
    assert (np.diff(clip.times_s) > 0).all()
    assert clip.times_s[-1] < 5
    assert clip.notes == ()
    assert (clip.frames[0] != clip.frames[-1]).any(), "the test picture moves"
    assert page.evaluate(ALL_SWITCHED_OFF)


CAMERA_IN_USE = """document.querySelector("video").srcObject?.getVideoTracks()
    .find((track) => track.readyState === "live")?.getSettings().deviceId"""


def test_of_two_cameras_one_turns_to_the_other_and_back_and_the_clip_is_its(recorder: Any) -> None:
    page = recorder()
    other = page.get_by_role("button", name="Other camera")
    other.wait_for()
    first = page.evaluate(CAMERA_IN_USE)
    other.click()
    page.wait_for_function(f"first => ![undefined, first].includes({CAMERA_IN_USE})", arg=first)
    other.wait_for()
    assert page.evaluate("lent.map((track) => track.readyState)") == ["ended", "live"]
    second = page.evaluate(CAMERA_IN_USE)
    page.get_by_role("button", name="Record").click()
    film(page, pictures=3)
    assert page.evaluate(CAMERA_IN_USE) == second, "what is set before recording keeps the camera"
    assert not other.is_visible(), "while it records it stays with one"
    assert stopped(page).kind == "video"
    page = recorder()
    for _ in range(2):
        page.get_by_role("button", name="Other camera").click()
        page.get_by_role("button", name="Record").wait_for()
    page.wait_for_function("lent.length === 3")
    used = page.evaluate("lent.map((track) => track.getSettings().deviceId)")
    assert used[0] == used[2] != used[1]


def test_a_camera_that_was_unplugged_since_it_was_listed_gives_way_to_the_first(recorder: Any) -> None:
    listed = "[{ kind: 'videoinput', deviceId: 'gone' }, { kind: 'videoinput', deviceId: 'gone too' }]"
    page = recorder(f"navigator.mediaDevices.enumerateDevices = async () => {listed};{KEEP_WHAT_IS_LENT}")
    page.get_by_role("button", name="Other camera").click()
    page.wait_for_function("lent.length === 2")
    page.get_by_role("button", name="Record").wait_for()


@pytest.mark.parametrize("listed", ["[{ kind: 'videoinput', deviceId: 'a' }, { kind: 'audioinput' }]", None])
def test_of_one_camera_nothing_offers_another(recorder: Any, listed: str | None) -> None:
    answer = f"async () => {listed}" if listed else "() => Promise.reject(new DOMException('', 'AbortError'))"
    page = recorder(f"navigator.mediaDevices.enumerateDevices = {answer};")
    page.get_by_role("button", name="Record").wait_for()
    assert not page.get_by_role("button", name="Other camera").is_visible()


def test_stopped_by_hand_it_sends_what_it_has(recorder: Any) -> None:
    page = recorder()
    page.get_by_role("button", name="Record").click()
    film(page, pictures=10)
    assert stopped(page).kind == "video"
    assert page.evaluate(ALL_SWITCHED_OFF)


def test_who_had_the_camera_before_does_not_make_the_clip_larger(recorder: Any) -> None:
    # Streamlit's own camera, of which the recorder takes the place, asks for all pixels that there are.
    asked = "window.before = navigator.mediaDevices.getUserMedia({ video: { width: { ideal: -1 } } });"
    page = recorder(f"{asked}\n{KEEP_WHAT_IS_LENT}")
    page.get_by_role("button", name="Record").wait_for()
    page.evaluate("before.then((stream) => stream.getTracks().forEach((track) => track.stop()))")
    page.get_by_role("button", name="Record").click()
    film(page, pictures=3)
    assert stopped(page).frames.shape[1:3] == (480, 640)


def test_stopped_before_the_first_picture_it_says_that_nothing_was_recorded(recorder: Any) -> None:
    page = recorder(f"{LENDS_NO_PICTURE}\n{KEEP_WHAT_IS_LENT}")
    page.get_by_role("button", name="Record").click()
    page.wait_for_function("window.started")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Nothing was recorded. Try again").wait_for()
    assert page.evaluate(ALL_SWITCHED_OFF)
    assert page.evaluate("window.sent") == []
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Record").wait_for()


@pytest.mark.parametrize("recording", [False, True])
def test_leaving_switches_the_camera_off_and_sends_nothing(recorder: Any, recording: bool) -> None:
    page = recorder()
    page.get_by_role("button", name="Record").wait_for()
    if recording:
        page.get_by_role("button", name="Record").click()
        film(page, pictures=1)
    page.evaluate("window.leave()")
    assert page.evaluate(ALL_SWITCHED_OFF)
    page.evaluate("() => new Promise((done) => setTimeout(done))")  # what the recorder's end set going
    assert page.evaluate("window.sent") == []


def test_leaving_while_the_browser_still_asks_switches_the_camera_off_when_it_comes(recorder: Any) -> None:
    held = "navigator.mediaDevices.getUserMedia = (get => async wanted => {"
    held += " await new Promise(go => { window.allow = go }); return get(wanted); })"
    page = recorder(f"{KEEP_WHAT_IS_LENT}\n{held}(navigator.mediaDevices.getUserMedia);")
    page.get_by_text("Waiting for the camera").wait_for()
    page.evaluate("window.leave(); window.allow()")
    page.wait_for_function(ALL_SWITCHED_OFF)


REFUSING = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{}'));"


@pytest.mark.parametrize(
    ("before", "said", "again"),
    [
        (REFUSING.format("NotFoundError"), "No camera was found", True),
        (REFUSING.format("NotReadableError"), "another program may be using it", True),
        (REFUSING.format("AbortError"), "could not be started (AbortError)", True),
        ("delete window.MediaRecorder;", "This browser cannot record clips.", False),
        (
            "Object.defineProperty(navigator, 'mediaDevices', {});",
            "This browser cannot use a camera.",
            False,
        ),
        (
            "Object.defineProperty(window, 'isSecureContext', { value: false });",
            "only to pages over https",
            False,
        ),
    ],
    ids=["none", "in use", "odd", "no recorder", "no devices", "insecure"],
)
def test_what_stands_in_the_way_is_said_with_the_remedy(
    recorder: Any, before: str, said: str, again: bool
) -> None:
    page = recorder(before)
    page.get_by_text(said).wait_for()
    assert page.get_by_role("button", name="Try again").is_visible() == again


def test_where_the_browser_refuses_one_can_allow_it_and_try_again(recorder: Any) -> None:
    page = recorder(allowed=False)
    page.get_by_text("was not allowed to use the camera").wait_for()
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Record").wait_for()


def test_a_frame_of_another_site_has_to_lend_the_camera_and_is_told_so_where_it_does_not(
    recorder: Any,
) -> None:
    mark = framed.SCRIPT.read_text(encoding="utf-8")
    marked = "document.documentElement.hasAttribute('data-a2-unlent-camera')"
    kept_back = recorder("", framed="")
    kept_back.get_by_text('the frame there needs allow="camera"').wait_for()
    assert not kept_back.get_by_role("button", name="Try again").is_visible()
    kept_back.evaluate(mark)
    assert kept_back.evaluate(marked)
    lent = recorder("", framed='allow="camera"')
    lent.get_by_role("button", name="Record").wait_for()
    lent.evaluate(mark)
    assert not lent.evaluate(marked)


def test_a_refusal_in_a_frame_of_a_browser_that_gives_no_reason_names_both(recorder: Any) -> None:
    silent = "for (const name of ['featurePolicy', 'permissionsPolicy'])"
    silent += " Object.defineProperty(document, name, { value: undefined });"
    frame = recorder(silent, framed="", allowed=False)
    said = frame.get_by_text("was not allowed to use the camera")
    said.wait_for()
    assert "beside the page’s address" in said.inner_text()
    assert 'allow="camera" on its frame' in said.inner_text()
    frame.evaluate(framed.SCRIPT.read_text(encoding="utf-8"))
    frame.wait_for_function("document.documentElement.hasAttribute('data-a2-unlent-camera')")


@pytest.mark.slow
def test_a_clip_of_ones_own_camera_is_traced_and_the_camera_is_put_away(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    app.choose("224")
    app.wait_until_idle()
    app.context.grant_permissions(["camera"])
    app.page.evaluate(f"() => {{ {KEEP_WHAT_IS_LENT} }}")
    app.page.get_by_role("button", name="photo_camera").click()
    app.choose("Clip")
    app.page.get_by_role("button", name="Record").click()
    app.page.get_by_role("radio", name="camera clip.webm", checked=True).wait_for()
    app.page.locator("[data-ref=clip]:visible").wait_for(timeout=60_000)
    assert app.page.locator("[data-ref=strip] button").count() >= 2
    assert app.picture_spread() > 5  # of Chromium's test camera, whose picture is plain
    assert app.message.count() == 0
    assert app.page.locator("[data-a2-recorder]").count() == 0
    app.page.wait_for_function(ALL_SWITCHED_OFF)
