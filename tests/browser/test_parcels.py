"""What a browser is sent of a clip: frames and maps once, wherever the canvas is put up anew."""

from __future__ import annotations

import pytest

from tests.browser.conftest import AppPage, OpenApp
from viz_app.server import samples

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_BYTES = 300_000  # of a pin on a clip: three charts and two heat maps over time, drawn anew


def ready(app: AppPage) -> str:
    """Until the canvas has drawn all that it was asked for; the identity of its trace."""
    app.wait_until_traced()
    root = app.page.locator("[data-a2-root]")
    app.wait_until(lambda: bool(root.evaluate("root => root.__canvas?.snapshot().ready")))
    app.wait_until_idle()
    return app.trace_key()


def test_a_clip_is_sent_once_and_is_there_again_on_the_way_back(open_app: OpenApp) -> None:
    app = open_app(f"/?picture={samples.MADE}", traced=False)
    clip = ready(app)
    whole = app.bytes_received
    assert whole > 10 * MOST_BYTES, "or it would show nothing"

    for x, y in ((0.2, 0.3), (0.7, 0.6)):
        before, said = app.bytes_received, app.pinned.first.inner_text()
        app.pin(x, y)
        app.wait_until(lambda said=said: app.pinned.first.inner_text() != said)  # type: ignore[misc]
        app.wait_until_idle()
        assert 0 < app.bytes_received - before < MOST_BYTES

    # Another page and back: the canvas is put up anew, at the same pixel, and little is sent.
    rest = app.page.locator("[data-a2-root]").evaluate("root => root.__canvas.snapshot().rest")
    before = app.bytes_received
    app.page.get_by_role("link", name="About").click()
    app.page.get_by_role("heading", name="About this explorer").wait_for()
    app.wait_until_idle()
    app.page.get_by_role("link", name="Explore").click()
    assert ready(app) == clip
    assert app.page.locator("[data-a2-root]").evaluate("root => root.__canvas.snapshot().rest") == rest
    assert app.picture_spread() > 20
    assert app.bytes_received - before < whole / 4

    # A new trace replaces it, and each hover is answered from the new one.
    app.choose("Coffee")
    app.wait_until(lambda: app.trace_key() != clip)
    ready(app)
    assert app.page.locator("[data-a2-root]").evaluate("root => root.__canvas.probe.model.frames.length") == 1
    kept = app.page.evaluate("[...a2Parcels.held.keys()]")
    about = {key.partition("/")[0] for key in kept}
    assert about == {app.trace_key()}, "the browser lets go of what is not on screen"
    assert app.message.count() == 0
