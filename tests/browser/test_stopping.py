"""Stopping the tracing of a clip, by its button and by closing the page: the work on the server ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, AppPage, Server, running_app
from tests.browser.tabs import single_tab
from tests.viz_app.explorer import gif

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ENDED = ["began", "ended by Stopped", "over"]  # as nobody waits for it any more


@dataclass(frozen=True)
class Held:
    """A server in which clips stay at their first frames (see held_server.py), and what it left on disk."""

    server: Server
    folder: Path
    temporary: Path

    def log(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text().split("\n")[:-1] if log.exists() else []

    def let_go(self) -> None:
        (self.folder / "go").touch()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = [str(ROOT / "tests" / "browser" / "held_server.py"), str(tmp_path), "run", "viz_app/app.py"]
    # torch makes a folder of its own where temporary files go, unless told another place.
    environment = {"TMPDIR": str(temporary), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "torch")}
    log = tmp_path / "server.log"
    with running_app(log, program=program, environment=environment) as server:
        yield Held(server, tmp_path, temporary)
    assert "Traceback" not in log.read_text(), log.read_text()


def begin(chromium: Any, held: Held) -> AppPage:
    """A page on which a clip's tracing has begun and stays at its first frames."""
    tab = single_tab(chromium, width=1000, height=900, reduced_motion="reduce")
    app = AppPage(tab, held.server.url)
    app.wait_until_traced()
    app.drop("noise.gif", gif())
    app.page.get_by_text("Tracing 12 frames").wait_for()
    app.wait_until(lambda: held.log() == ["began"])
    return app


def test_the_button_and_a_closed_page_end_the_tracing_of_a_clip(chromium: Any, held: Held) -> None:
    app = begin(chromium, held)
    before = app.trace_key()
    app.stage.evaluate("stage => { stage.dataset.markedByTest = 'yes' }")
    app.page.locator(".st-key-notices").get_by_role("button", name="Stop").click()

    app.page.get_by_text("Stopped before it was traced.").wait_for()
    app.wait_until_idle()
    app.wait_until(lambda: held.log() == ENDED)
    assert app.message.count() == 0
    assert app.trace_key() == before, "what was there stays"
    assert app.stage.get_attribute("data-marked-by-test") == "yes", "the canvas was remounted"
    assert app.picture_spread() > 20
    assert app.page.get_by_role("radio", name="noise.gif", checked=True).is_visible()

    app.page.get_by_role("button", name="Trace it after all").click()
    app.wait_until(lambda: held.log()[3:] == ["began"])
    assert app.complaints == []
    elsewhere = app.context.new_page()
    app.page.close()
    app.page = elsewhere
    app.wait_until(lambda: held.log() == ENDED * 2)
    assert list(held.temporary.iterdir()) == []
    app.close()
