"""Explore with a clip, as a visitor meets it: the life of the primitives, and the movie to take away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from a2core.media import read_media
from tests.browser.conftest import AppPage, OpenApp
from tests.viz_app.explorer import gif

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRAMES = 12


@pytest.fixture
def app(open_app: OpenApp) -> AppPage:
    """A page that shows a clip of noise."""
    app = open_app()
    app.choose("224")
    app.wait_until_idle()
    app.drop("noise.gif", gif(FRAMES))
    app.page.locator("[data-ref=clip]:visible").wait_for()
    app.page.locator(".st-key-life-handed .nsewdrag").wait_for()
    app.wait_until_idle()
    return app


def snapshot(app: AppPage) -> dict[str, Any]:
    return dict(app.page.locator("[data-a2-root]").evaluate("root => root.__canvas.snapshot()"))


def test_a_click_in_the_heat_map_goes_to_its_moment_and_primitive_and_the_movie_is_of_it(
    app: AppPage, tmp_path: Path
) -> None:
    app.page.locator(".st-key-life-gathered .js-plotly-plot").evaluate(
        "plot => plot.on('plotly_click', ({ points }) => { window.clicked = points[0].customdata; })"
    )
    moment = 9
    area = app.page.locator(".st-key-life-gathered .nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    app.page.mouse.click(box["x"] + (moment + 0.5) / FRAMES * box["width"], box["y"] + 0.4 * box["height"])
    primitive, frame = (int(number) for number in app.page.evaluate("window.clicked.slice(0, 2)"))
    assert frame == moment

    app.wait_until(lambda: (snapshot(app)["frame"], snapshot(app)["primitive"]) == (moment, primitive))
    app.wait_until_idle()
    assert snapshot(app)["rest"]["t"] == moment

    with app.page.expect_download() as download:
        app.page.get_by_role("button", name=f"Movie of g{primitive}").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == ".webm"
    assert len(read_media(path).frames) == FRAMES
