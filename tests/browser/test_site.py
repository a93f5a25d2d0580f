"""The explorer without a server: a built site under a path of a plain host, every other address blocked."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data as photos

import a2core
from a2core.errors import A2Error
from a2core.lesson.steps import Choice, screen, tables_of
from a2core.site import build_site
from a2core.site.exemplars import atlas_beside
from a2core.site.runtime import find_runtime
from tests.a2core.lesson.lessons import Figures
from tests.a2core.media.clip_files import clip_of, rgb_frames
from tests.a2core.media.media_files import exif_with_orientation, saved
from tests.browser import canvas_harness as harness
from tests.browser.firefox import firefox
from tests.browser.tabs import single_tab
from tests.browser.test_accessible import serious_faults
from tests.browser.test_touch import TARGETS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BELOW = "somewhere/deep/explorer"
CLOSE = 1e-3  # of an array's largest value
ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
PHONE = {"has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
PAGE = "window.a2Page"
CHANGED = f"""async (asked) => {{
    const factors = Float64Array.from(asked.factors);
    const {{ after }} = await {PAGE}.work.ask("change", {{ ...asked, factors }});
    return Array.from(after);
}}"""
LESSON_OPEN = "() => document.documentElement.dataset.lesson === 'open'"
LESSON_PRINTS = """expected => {
    const figures = [...document.querySelectorAll(".l-part:not([hidden]) [data-what]")];
    const found = Object.fromEntries(figures.map(({ dataset, textContent }) => [dataset.what, textContent]));
    return Object.entries(expected).every(([what, text]) => found[what] === text);
}"""
# The network is then fetched when it is needed: most of what these tests look at does not need it.
SAVES_DATA = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } });"
NO_CAMERA = """
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotFoundError"); };"""
CAMERAS = """
window.lent = [];
const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await get(wanted);
    window.lent.push(...stream.getTracks());
    return stream;
};"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain host, which says nothing and notes what was asked for."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def model() -> a2core.Model:
    return a2core.load_model("a2-lite0", device="cpu", engine="torch")


@pytest.fixture(scope="module")
def folder(model: a2core.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a host below which the site stands."""
    named = os.environ.get("A2_NODE_MODULES")
    runtime = Path(named) / "onnxruntime-web" if named else None
    try:
        find_runtime(runtime)
    except A2Error as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("host")
    (root / BELOW).parent.mkdir(parents=True)
    build_site(model, root / BELOW, runtime=runtime, atlas=atlas_beside(model))
    return root


@contextlib.contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """The address of the site; afterwards nobody answers there."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}/{BELOW}/"
        host.shutdown()


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with hosted(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Any]:
    """A Chromium that finds no host but this machine."""
    path = harness.chromium_path()
    running = chromium.browser_type.launch(executable_path=path, args=[*harness.CHROMIUM_ARGS, ONLY_HERE])
    yield running
    running.close()


class Site:
    """One visitor's page of the site."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.page.set_default_timeout(60_000)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._check(request.url, address))
        self.page.goto(address)

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _check(self, asked: str, address: str) -> None:
        if not asked.startswith((address, "data:", "blob:")):
            self.foreign.append(asked)

    def settle(self) -> dict[str, Any]:
        """Until what is shown is drawn; the canvas's own account."""
        self.page.wait_for_function(f"() => {harness.ROOT}?.__canvas?.snapshot().ready")
        return dict(self.page.evaluate(f"() => {harness.ROOT}.__canvas.snapshot()"))

    def wait_until_kept(self) -> None:
        """Until the network is there and the site is kept for offline."""
        self.page.wait_for_function("() => document.documentElement.dataset.offline === 'yes'")

    @property
    def status(self) -> str:
        return str(self.page.locator("#status").inner_text())

    def bring(self, name: str, data: bytes, mime: str) -> dict[str, Any]:
        """Choose a file and wait for its trace; the payload."""
        before = self.key
        self.page.locator("#file").set_input_files({"name": name, "mimeType": mime, "buffer": data})
        self.page.wait_for_function(
            f"before => {PAGE}.shown.payload.key !== before || document.querySelector('#status[data-fault]')",
            arg=before,
        )
        assert self.key != before, self.status
        self.settle()
        return dict(self.page.evaluate(f"() => {PAGE}.shown.payload"))

    def refused(self, name: str, data: bytes, mime: str) -> str:
        """What the page says of a file that it cannot take; what was shown still is."""
        before = self.key
        self.page.locator("#file").set_input_files({"name": name, "mimeType": mime, "buffer": data})
        self.page.locator("#status[data-fault]").filter(has_text=name).wait_for()
        assert self.key == before
        return self.status

    @property
    def key(self) -> str:
        return str(self.page.evaluate(f"() => {PAGE}.shown.payload.key"))


Visit = Callable[..., Site]


@pytest.fixture(scope="module")
def visit(browser: Any, address: str) -> Iterator[Visit]:
    """Opens the site, each time as another visitor; `before` runs in the page before its scripts."""
    opened: list[Site] = []

    def open_site(
        before: str = "", path: str = "", *, width: int = 1400, height: int = 1000, **settings: Any
    ) -> Site:
        page = single_tab(browser, width=width, height=height, **settings)
        if before:
            page.add_init_script(before)
        opened.append(Site(page, address + path))
        return opened[-1]

    yield open_site
    for site in opened:
        site.page.context.close()


@pytest.fixture(scope="module")
def site(visit: Visit) -> Iterator[Site]:
    """One visitor's page for the tests that change nothing which another would meet."""
    found = visit(CAMERAS, reduced_motion="reduce", permissions=["camera"])
    found.settle()
    found.wait_until_kept()
    yield found
    assert found.complaints == []
    assert found.foreign == []


def maps_in(payload: dict[str, Any]) -> dict[tuple[str, str], np.ndarray]:
    """The maps of a payload by block and kind, (n, T, h, w)."""
    found = {}
    for block in payload["blocks"]:
        for kind in ("gather", "distribute", "change"):
            packed = block[kind]
            levels = np.frombuffer(base64.b64decode(packed["data"]), "<u2").astype(np.float64)
            scale = np.array(packed["scale"])[:, None] / 65535
            maps = levels.reshape(len(packed["scale"]), -1) * scale
            found[block["name"], kind] = maps.reshape(-1, *block["grid"])
    return found


def assert_close(payload: dict[str, Any], trace: a2core.Trace, close: float = CLOSE) -> None:
    maps = maps_in(payload)
    assert {name for name, _ in maps} == set(trace.blocks)
    for (name, kind), found in maps.items():
        expected = getattr(trace.blocks[name], kind).reshape(found.shape)
        assert np.abs(found - expected).max() <= close * expected.max(), (name, kind)


def photo(name: str) -> Image.Image:
    return Image.open(Path(photos.data_dir) / name).convert("RGB")


def png(picture: Image.Image) -> bytes:
    return saved(np.asarray(picture), "PNG")


def test_the_sample_is_there_and_answers_hovers_before_the_network_is(visit: Visit) -> None:
    site = visit(SAVES_DATA)
    before = site.settle()
    assert before["key"] == "sample"
    stage = site.page.locator("[data-ref=stage]").bounding_box()
    site.page.mouse.move(stage["x"] + 0.8 * stage["width"], stage["y"] + 0.2 * stage["height"])
    after = site.settle()
    assert after["hovering"]
    assert abs(sum(after["attention"]) - 1) < 1e-3
    assert not np.allclose(before["attention"], after["attention"])
    assert "Chelsea" in site.page.locator("#credit").inner_text()
    asked = site.page.evaluate("() => performance.getEntriesByType('resource').map((each) => each.name)")
    assert not any(
        name.endswith(("network.bin", "runtime.bin")) for name in asked
    )  # a visitor who saves data has not asked for it


@pytest.mark.parametrize(
    ("name", "made", "mime"),
    [
        ("smaller.png", lambda: png(photo("rocket.jpg")), "image/png"),
        ("as-it-is.png", lambda: png(photo("coffee.png").crop((60, 40, 508, 328))), "image/png"),
        ("larger.png", lambda: png(photo("chelsea.png").resize((200, 150))), "image/png"),
    ],
)
def test_maps_of_own_photos_are_pythons(
    site: Site, model: a2core.Model, name: str, made: Any, mime: str
) -> None:
    data = made()
    payload = site.bring(name, data, mime)
    trace = model.trace(a2core.read_media(data, name=name), size=448)
    assert (payload["height_px"], payload["width_px"]) == trace.model_input.shape[1:3]
    assert_close(payload, trace)
    assert site.page.locator("#top li").first.inner_text().startswith(trace.top[0][0])
    assert "Traced on this device" in site.status


def test_a_photo_is_set_upright_and_its_transparency_is_white(site: Site, model: a2core.Model) -> None:
    turned = io.BytesIO()
    photo("coffee.png").save(turned, "JPEG", quality=95, exif=exif_with_orientation(6))
    payload = site.bring("turned.jpg", turned.getvalue(), "image/jpeg")
    assert payload["height_px"] > payload["width_px"]
    trace = model.trace(a2core.read_media(turned.getvalue()), size=448)
    assert_close(payload, trace, 0.02)  # two decoders of JPEG may differ by a level
    clear = Image.fromarray(np.zeros((64, 64, 4), np.uint8), "RGBA")
    data = saved(np.asarray(clear), "PNG")
    assert_close(site.bring("clear.png", data, "image/png"), model.trace(a2core.read_media(data), size=448))


def test_an_experiment_says_what_replay_says(site: Site, model: a2core.Model) -> None:
    crop = np.asarray(photo("coffee.png").crop((60, 40, 508, 328)))
    site.bring("cup.png", saved(crop, "PNG"), "image/png")
    donor_key = site.key
    other = np.asarray(photo("rocket.jpg").crop((0, 0, 448, 416)))
    site.bring("rocket.png", saved(other, "PNG"), "image/png")
    replay, donor = (
        a2core.Replay(model, a2core.Clip(each[None], np.zeros(1), "image", "", ()), size=448)
        for each in (other, crop)
    )
    for block in replay.blocks:
        n = replay.trace.blocks[block].n
        strong = int(replay.trace.blocks[block].distribute.reshape(n, -1).mean(axis=1).argmax())
        off, kept, scaled = np.ones(n), np.zeros(n), np.ones(n)
        off[strong], kept[strong], scaled[strong] = 0, 1, 3
        cases = (
            (off, False, "", replay.run(block, off=[strong])),
            (off, True, "", replay.run(block, off=[strong], renormalise=True)),
            (kept, False, "", replay.run(block, only=[strong])),
            (scaled, False, "", replay.run(block, scale={strong: 3.0})),
            (np.ones(n), False, donor_key, replay.run(block, donor=donor)),
        )
        for factors, renormalise, bag, outcome in cases:
            asked = {"key": site.key, "block": block, "factors": factors.tolist(), "renormalise": renormalise}
            after = site.page.evaluate(CHANGED, {**asked, "donor": bag})
            assert np.abs(np.array(after) - outcome.after).max() <= CLOSE
    site.page.locator("#off").click()
    site.page.locator("#said").filter(has_text="moved by").wait_for()
    assert site.page.locator("#shifts tr").count() >= 5
    site.page.locator("#donor").select_option(label="cup.png")
    site.page.locator("#said").filter(has_text="bag of cup.png").wait_for()
    site.page.locator("#reset").click()
    site.page.locator("#rule").select_option("shared")
    site.page.locator("#said").filter(has_text="Nothing is changed").wait_for()


def test_a_clip_is_attended_to_over_all_its_frames(site: Site) -> None:
    crop = np.asarray(photo("coffee.png").resize((320, 224)))
    frames = [np.roll(crop, 8 * k, axis=1) for k in range(20)]
    payload = site.bring("clip.webm", clip_of(rgb_frames(frames), "libvpx", "webm"), "video/webm")
    assert len(payload["frames"]) == len(payload["times_s"]) == 16
    assert payload["times_s"] == sorted(payload["times_s"])
    for (_, kind), maps in maps_in(payload).items():
        assert maps.shape[1] == 16
        if kind == "gather":
            np.testing.assert_allclose(maps.sum(axis=(1, 2, 3)), 1, atol=2e-3)
    assert site.page.locator("[data-ref=clip]").is_visible()


def test_the_camera_is_followed_frozen_and_let_go(site: Site) -> None:
    page = site.page
    page.locator("#camera").click()
    page.wait_for_function(f"() => {PAGE}.shown.payload.key.startsWith('live-')")
    stage = page.locator("[data-ref=stage]").bounding_box()
    page.mouse.move(stage["x"] + 0.3 * stage["width"], stage["y"] + 0.4 * stage["height"])
    first = site.key
    page.wait_for_function(f"first => {PAGE}.shown.payload.key !== first && {PAGE}.live.rate > 0", arg=first)
    seen = page.evaluate(f"() => {harness.ROOT}.__canvas.snapshot()")
    assert seen["hovering"]  # where the pointer is stays asked while the picture changes
    page.locator("#rate").filter(has_text="frames a second").wait_for()
    assert page.locator("#turn").is_visible()  # there are two
    page.locator("#freeze").click()
    page.wait_for_function("() => window.lent.every((track) => track.readyState === 'ended')")
    page.wait_for_function("() => !document.body.hasAttribute('data-live')")
    frozen = site.settle()
    assert frozen["key"].startswith("live-")
    kept = page.evaluate(f"() => {PAGE}.shown.payload")
    assert kept["frames"][0].startswith("data:image/")  # as files hold it, so that it can be taken away
    assert all(block["half"] and isinstance(block["gather"]["data"], str) for block in kept["blocks"])
    assert page.locator("[data-ref=rows] li").first.is_visible()
    page.locator("#off").click()
    page.locator("#said").filter(has_text="moved by").wait_for()
    page.locator("#back").click()
    page.wait_for_function(f"() => {PAGE}.shown.payload.key === 'sample'")


def test_what_is_taken_away_is_the_page_of_what_is_shown(site: Site, browser: Any, tmp_path: Path) -> None:
    site.bring("my cup.png", png(photo("coffee.png")), "image/png")
    with site.page.expect_download() as coming:
        site.page.locator("#save").click()
    path = tmp_path / coming.value.suggested_filename
    coming.value.save_as(path)
    assert path.name == "my-cup.html"
    page = single_tab(browser, width=1000, height=900, offline=True)
    taken = harness.CanvasPage(page, path)
    assert taken.complaints == []
    assert page.title() == "my cup.png"
    assert taken.hover(0.5, 0.5)["hovering"]
    page.context.close()
    with site.page.expect_download() as coming:
        site.page.locator("[data-ref=share]").click()
    assert coming.value.suggested_filename.endswith(".png")
    site.page.locator("#link").click()
    site.page.locator("#taken").filter(has_text="save the page instead").wait_for()


@pytest.mark.parametrize(
    ("name", "made", "mime", "words"),
    [
        ("torn.jpg", lambda: b"\xff\xd8\xff" + bytes(50), "image/jpeg", "cannot be shown by this browser"),
        ("torn.mp4", lambda: bytes(4000), "video/mp4", "cannot be played by this browser"),
        (
            "vast.png",
            lambda: saved(Image.new("1", (10_000, 10_000)), "PNG"),
            "image/png",
            "has 100 megapixels; at most 64",
        ),
    ],
)
def test_a_file_that_cannot_be_shown_is_refused_in_a_sentence(
    site: Site, name: str, made: Any, mime: str, words: str
) -> None:
    assert words in site.refused(name, made(), mime)


def test_axe_finds_nothing_serious_light_or_dark(site: Site) -> None:
    for scheme in ("light", "dark"):
        site.page.emulate_media(color_scheme=scheme)
        site.settle()
        assert serious_faults(site) == []  # type: ignore[arg-type]
    site.page.emulate_media(color_scheme="light")


def test_it_opens_again_without_a_network_and_with_threads(visit: Visit) -> None:
    Quiet.asked.clear()
    site = visit(path="index.zh.html")
    site.wait_until_kept()
    assert not site.page.evaluate("() => crossOriginIsolated")
    for heavy in ("network.bin", "runtime.bin"):
        assert Quiet.asked.count(f"/{BELOW}/{heavy}") == 1  # to be run, and kept for offline
    site.page.wait_for_function("() => document.documentElement.dataset.exemplars === 'kept'")
    site.page.get_by_role("link", name="七步看等式").click()
    site.wait_until_kept()  # the lesson too, once it was opened
    site.page.context.set_offline(True)
    site.page.reload()
    site.page.wait_for_function(LESSON_OPEN)
    site.page.get_by_role("link", name="回到探索页").click()
    site.wait_until_kept()
    assert site.page.evaluate("() => crossOriginIsolated")
    site.bring("cup.png", png(photo("coffee.png")), "image/png")
    assert "已在此设备上追踪" in site.status
    site.page.locator("#elsewhere").scroll_into_view_if_needed()
    site.page.locator("#exemplars img").nth(7).wait_for()
    assert site.complaints == []
    client = site.page.context.new_cdp_session(site.page)
    faults = client.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {fault["errorId"] for fault in faults} <= {"in-incognito"}


def test_exemplars_are_of_the_primitive_that_is_looked_at(visit: Visit) -> None:
    atlas = a2core.Atlas(a2core.checkpoint_folder() / "atlas" / "a2-lite0")
    site = visit(SAVES_DATA)
    site.settle()
    page = site.page
    page.locator("#elsewhere").scroll_into_view_if_needed()
    for primitive in (None, 41, 3):
        if primitive is not None:
            page.evaluate(f"i => {harness.ROOT}.__canvas.probe.choose(i)", primitive)
        seen = site.settle()
        called = atlas.names.all().get(seen["block"], {}).get(str(seen["shown"]), {}).get("name")
        heading = f"Primitive g{seen['shown']}" + (f", {called}" if called else "")
        page.locator("#elsewhere").get_by_role("heading", name=heading, exact=True).wait_for()
        expected = atlas.exemplars(seen["block"], seen["shown"], "peak", 8)
        found = page.locator("#exemplars img").evaluate_all("all => all.map(({ src }) => src)")
        assert [base64.b64decode(src.partition(",")[2]) for src in found] == [one.crop for one in expected]


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_picture_stays(visit: Visit) -> None:
    site = visit(SAVES_DATA, width=360, height=780, **PHONE)
    site.settle()
    page = site.page
    page.locator("#elsewhere").scroll_into_view_if_needed()
    page.locator("#exemplars button").nth(1).tap()
    page.locator("#whose a[href^='https://www.flickr.com/']").wait_for()  # whose it is, one tap away
    page.locator("#credits summary").tap()
    page.locator("#credited a").nth(100).wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    assert page.evaluate(TARGETS) == []
    page.evaluate("() => scrollTo(0, 0)")
    assert page.locator("#choose").bounding_box()["y"] < 300
    page.evaluate("() => document.querySelector('[data-ref=rows]').scrollIntoView()")
    stage = page.locator("[data-ref=stage]").bounding_box()
    assert -1 <= stage["y"] < 200  # under the list the picture is still in sight
    assert serious_faults(site) == []  # type: ignore[arg-type]


def test_the_lesson_follows_what_is_moved_as_pythons_does(
    visit: Visit, model: a2core.Model, folder: Path, address: str
) -> None:
    site = visit(path="lesson.html", width=360, height=780, **PHONE)
    page = site.page
    page.wait_for_function(LESSON_OPEN)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    assert page.evaluate(TARGETS) == []
    assert serious_faults(site) == []  # type: ignore[arg-type]
    page.evaluate("() => scrollTo(0, 400)")
    page.keyboard.press("PageDown")
    page.locator("#step-2").wait_for()
    page.locator("#step-1").wait_for(state="hidden")
    assert page.evaluate("() => scrollY") == 0
    picture = page.locator("#step-2 .l-pick").bounding_box()
    page.touchscreen.tap(picture["x"] + 0.7 * picture["width"], picture["y"] + 0.3 * picture["height"])
    page.locator("#step-2 [data-moves=primitive]").fill("41")
    seen = np.asarray(Image.open(folder / BELOW / "lesson" / "picture.webp").convert("RGB"))
    clip = a2core.Clip(seen[None], np.zeros(1), "image", "", ())
    lesson = a2core.take_lesson(model, clip, "blocks.4", max(seen.shape))
    opens = {"channel": 3, "a_channel": 5, "temperature": 0.2, "reached": 200, "terms": 9}
    page.evaluate("moved => window.a2Page.move(moved)", opens)
    _, rows, cols = lesson.grid
    choice = Choice(position=(0, int(0.3 * rows), int(0.7 * cols)), primitive=41, **opens)
    tables = tables_of(lesson)
    for step in range(2, 8):
        drawn = screen(step, lesson, choice, tables, "")
        said = drawn.sentence + drawn.overlay_says + drawn.figures + drawn.numbers + drawn.trap
        expected = dict(Figures(said).found)
        page.wait_for_function(LESSON_PRINTS, arg=expected)
        if step < 7:
            page.locator("#next").tap()
    page.wait_for_function("() => location.search.includes('terms=9')")
    page.reload()  # the address says what was moved
    page.wait_for_function(LESSON_PRINTS, arg=expected)
    site.page.emulate_media(color_scheme="dark")
    assert serious_faults(site, of_colour=True) == []  # type: ignore[arg-type]
    assert site.complaints == [each for each in site.foreign if not each.startswith(address)] == []


def test_what_a_browser_lacks_or_refuses_is_said_and_the_page_stays_whole(visit: Visit, address: str) -> None:
    old = visit("delete window.WebAssembly;")
    old.page.locator("#status[data-fault]").filter(has_text="cannot run the network").wait_for()
    assert old.settle()["key"] == "sample"
    refused = visit(SAVES_DATA)
    refused.page.locator("#camera").click()
    refused.page.locator("#status[data-fault]").filter(has_text="was not allowed").wait_for()
    none = visit(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };"
    )
    none.page.locator("#camera").click()
    none.page.locator("#status[data-fault]").filter(has_text="No camera was found").wait_for()
    assert none.settle()["key"] == "sample"


def test_a_network_that_arrives_cut_off_is_not_run(visit: Visit, folder: Path) -> None:
    path = folder / BELOW / "network.bin"
    whole = path.read_bytes()
    try:
        for torn in (whole[: len(whole) // 2], whole[:-9] + bytes(9)):
            path.write_bytes(torn)
            site = visit()
            site.page.locator("#status[data-fault]").filter(
                has_text="incomplete or is of another version"
            ).wait_for()
            assert site.settle()["key"] == "sample"
    finally:
        path.write_bytes(whole)
    known = json.loads((folder / BELOW / "site.json").read_text(encoding="utf-8"))
    assert len(whole) == known["network"]["file"]["sent"]


def test_firefox_shows_traces_changes_and_keeps_it_for_offline(
    folder: Path, model: a2core.Model, tmp_path: Path
) -> None:
    cup = tmp_path / "cup.png"
    cup.write_bytes(png(photo("coffee.png")))
    own = f"{PAGE}.shown.payload.key.startsWith('own-') && {PAGE}.shown.payload"
    kept = "document.documentElement.dataset.offline"
    with firefox(tmp_path / "profile") as tab:
        tab.resize(1400, 1000)
        with hosted(folder) as address:
            tab.goto(address)
            tab.wait_for(f"{harness.ROOT}.__canvas.snapshot().ready")
            stage = "document.querySelector('[data-ref=stage]')"
            tab.pointer(tab.place(stage, 0.2, 0.3), tab.place(stage, 0.7, 0.6))
            tab.wait_for(f"{harness.ROOT}.__canvas.snapshot().hovering")
            tab.wait_for(kept)
            tab.choose("#file", cup)
            assert_close(tab.wait_for(own), model.trace(a2core.read_media(cup), size=448))
            tab.evaluate("document.querySelector('#off').click()")
            tab.wait_for("document.querySelector('#said').textContent.includes('moved by')")
            tab.evaluate("document.querySelector('#elsewhere').scrollIntoView()")
            tab.wait_for("document.querySelectorAll('#exemplars img').length === 8")
            tab.evaluate("document.querySelector('#camera').click()")
            tab.wait_for(f"{PAGE}.live.rate > 0")
            assert tab.complaints == []
        tab.goto(address)
        tab.wait_for(kept)
        assert tab.evaluate("crossOriginIsolated")
        tab.choose("#file", cup)
        tab.wait_for(own)
