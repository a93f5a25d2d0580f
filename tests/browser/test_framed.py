"""Behind a proxy with a path, inside a frame of another site: what works there, what is said of the rest.

The settings of the first half are those of the README's "Behind a proxy, inside a page".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.browser.conftest import TRACED_MS, running_app
from tests.browser.framing import Proxy, another_site, proxy
from tests.browser.streamlit_dom import DROP, IDLE
from tests.browser.tabs import single_tab
from tests.load.files import photo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATH = "/atlas/explore"  # two parts, the second of them called like a page
SETTINGS = ("--server.baseUrlPath", PATH, "--server.enableXsrfProtection", "false")
HEADINGS = {
    "": "Point at any spot in the picture.",
    "learn": "The block is given a table of features",
    "compare": "Where does this pixel get its information from?",
    "experiment": "Switch a primitive off.",
    "primitives": "What is each primitive?",
    "about": "About this explorer",
}
OpenFrame = Callable[..., Any]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The app behind a proxy; at the end nothing may have been asked for outside its path."""
    log = tmp_path_factory.mktemp("behind") / "server.log"
    with running_app(log, options=SETTINGS, path=PATH) as server, proxy(server.url, PATH) as made:
        yield made
    assert made.refused == []
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def visitor(chromium: Any) -> Iterator[Any]:
    """One visitor's browser, to be used again."""
    tab = single_tab(chromium, width=1400, height=1400, reduced_motion="reduce")
    tab.set_default_timeout(TRACED_MS)
    yield tab
    tab.context.close()


@pytest.fixture
def open_frame(visitor: Any) -> Iterator[OpenFrame]:
    """Shows an address in a frame of another site, and returns the frame once its page stands."""
    with ExitStack() as sites:

        def show(address: str) -> Any:
            visitor.goto(sites.enter_context(another_site(address)))
            frame = visitor.frames[1]
            stand(frame)
            return frame

        yield show
        visitor.goto("about:blank")


def stand(page: Any) -> None:
    """Until the heading stands and the run that the page or frame asked for is over."""
    page.locator("h1").first.wait_for()
    page.locator(IDLE).wait_for()


def drop(page: Any, name: str, data: bytes) -> None:
    zone = page.locator(DROP)
    zone.set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})


def test_every_page_is_there_by_its_own_address_behind_a_proxy(behind: Proxy, visitor: Any) -> None:
    for name, heading in list(HEADINGS.items())[1:]:  # the first one's is opened further down
        visitor.goto(f"{behind.url}/{name}")
        visitor.get_by_role("heading", name=heading).wait_for()
        assert visitor.url.partition("?")[0] == f"{behind.url}/{name}"
        assert visitor.get_by_test_id("stAlert").count() == 0


def test_in_a_frame_every_page_works_and_what_its_camera_needs_is_said_and_its_address_opens_outside(
    behind: Proxy, open_frame: OpenFrame, visitor: Any
) -> None:
    frame = open_frame(f"{behind.url}/?embed=true")
    frame.get_by_role("button", name="photo_camera").click()
    frame.get_by_test_id("stCameraInput").wait_for()
    frame.get_by_text('the frame there needs allow="camera"').wait_for()
    frame.get_by_role("button", name="photo_camera").click()
    drop(frame, "mine.jpg", photo(1, 800, 600))
    frame.get_by_role("radio", name="mine.jpg", exact=True, checked=True).wait_for()
    frame.wait_for_function("/picture=upload-/.test(location.search)")
    stand(frame)
    with visitor.expect_download() as download:
        frame.get_by_role("button", name="All arrays").click()
    assert download.value.suggested_filename == "mine.npz"
    assert download.value.path().stat().st_size > 10_000
    frame.get_by_role("radio", name="Coffee", exact=True).click()
    frame.wait_for_function("/picture=coffee/.test(location.search)")
    stand(frame)
    frame.locator("[data-ref=stage]").click(position={"x": 30, "y": 30})
    frame.wait_for_function("/[?&]at=x24y/.test(location.search)")
    stand(frame)
    said = frame.locator(".a2-pinned").inner_text()
    shared = frame.url
    assert shared.startswith(f"{behind.url}/?")
    assert "embed=true" in shared

    for name, heading in list(HEADINGS.items())[1:]:
        frame.get_by_role("link", name=name.capitalize(), exact=True).click()
        frame.get_by_role("heading", name=heading).wait_for()
        assert frame.url.partition("?")[0] == f"{behind.url}/{name}"
    frame.get_by_role("link", name="Learn", exact=True).click()
    frame.wait_for_function("/step=1/.test(location.search)")
    frame.get_by_role("button", name="Next").click()
    frame.wait_for_function("/step=2/.test(location.search)")
    stand(frame)
    visitor.evaluate("history.back()")
    frame.wait_for_function("/step=1/.test(location.search)")
    frame.locator("[data-a2-steps] [aria-current]", has_text=re.compile("^1")).wait_for()

    visitor.goto(shared)
    visitor.get_by_role("radio", name="Coffee", exact=True, checked=True).wait_for()
    visitor.locator(".a2-pinned", has_text=said).wait_for()


def test_where_the_browser_keeps_back_the_cookie_of_uploads_the_page_says_what_to_set(
    app_url: str, open_frame: OpenFrame, visitor: Any
) -> None:
    frame = open_frame(f"{app_url}/?embed=true")
    frame.get_by_text("server.enableXsrfProtection = false").wait_for()
    assert frame.locator(DROP).count() == 0
    outside = frame.get_by_role("link", name="Open the explorer by itself")
    assert outside.get_attribute("target") == "_blank"
    assert outside.get_attribute("href").startswith(app_url)
    frame.get_by_role("button", name="photo_camera").click()
    frame.get_by_role("radio", name="Clip", exact=True).wait_for()
    assert frame.get_by_test_id("stCameraInput").count() == 0, "a photo is an upload too"

    visitor.goto(f"{app_url}/")
    visitor.locator(DROP).wait_for(state="attached")
    assert visitor.get_by_text("server.enableXsrfProtection").count() == 0, "by itself all is as ever"
