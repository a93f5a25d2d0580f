"""Several students in the lesson at once: nobody sees another's numbers, and the server does not swell.

How long they wait is measured by `make bench-class`, not here.
"""

from __future__ import annotations

import sys

import pytest

from tests.browser.conftest import AppPage, OpenApp, Server
from tests.browser.test_learn import Student, figure, open_lesson, slider, step_shown

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GROWTH_MB = 400


def turn_all(apps: list[AppPage], to: int) -> None:
    """Everybody presses Next before anybody's page is waited for."""
    for app in apps:
        app.page.get_by_role("button", name="Next").click(no_wait_after=True)
    for app in apps:
        app.wait_until(lambda app=app: step_shown(app) == to)
        app.wait_until_idle()


def move_all(apps: list[AppPage], step: int) -> None:
    """Everybody moves something, not all of them the same way, before anybody's answer is waited for."""
    watched = {3: "peak", 4: "j_column"}.get(step, "column")
    before = [figure(app, watched) for app in apps]
    way = "ArrowLeft" if step == 4 else "ArrowRight"  # the sum opens whole, on the last cell
    for app, key in zip(apps, (way, f"Shift+{way}", way), strict=True):
        moved = slider(app, "Primitive i") if step == 3 else app.page.locator("[data-a2-picker]")
        moved.press(key, no_wait_after=True)
    for app, said in zip(apps, before, strict=True):
        app.wait_until(lambda app=app, said=said: figure(app, watched) != said)
        app.wait_until_idle()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the server's memory in /proc")
def test_students_at_the_same_time_each_get_their_own_numbers(open_app: OpenApp, app_server: Server) -> None:
    apps = [open_lesson(open_app)]
    before = app_server.memory_mb()  # with the network loaded and one visitor on the page
    apps.append(open_lesson(open_app))  # another student with the same picture
    other = open_app("/?picture=astronaut", charts=False)
    other.page.get_by_role("link", name="Learn").click()
    other.page.locator(".a2-numbers").first.wait_for()
    other.wait_until_idle()
    apps.append(other)
    students = [Student(app) for app in apps]
    assert students[0].oracle.grid != students[2].oracle.grid

    for step in range(1, 8):
        if step > 1:
            turn_all(apps, step)
        move_all(apps, step)
        for student in students:
            assert student.compare(step) >= 5
    positions = [student.moved["position"] for student in students]
    assert positions[0] != positions[1]
    assert students[0].moved["primitive"] != students[1].moved["primitive"]
    assert all(app.message.count() == 0 for app in apps)
    assert app_server.memory_mb() - before < GROWTH_MB
