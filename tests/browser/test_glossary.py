"""Symbols and words are one key away on every page, and in nobody's way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import canvas_harness as harness
from tests.browser.conftest import OpenApp
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What an offline page was handed, as a browser writes it.
PAGE_TOLD = """() => {
    const made = document.createElement("div");
    made.innerHTML = JSON.parse(document.getElementById("a2-data").textContent).glossary.page;
    return made.innerHTML;
}"""


def test_one_key_opens_and_closes_the_symbols_on_every_page(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    for name in ("Explore", "Learn", "Compare", "Experiment", "Primitives", "About"):
        if name != "Explore":
            app.page.get_by_role("link", name=name, exact=True).click()
            app.page.wait_for_url(f"**/{name.lower()}**")
        app.wait_until_idle()
        opens_and_closes(app.page)


def opens_and_closes(page: Any) -> None:
    dialog = page.locator("[data-a2-glossary] dialog")
    page.locator("[data-a2-glossary] .open").wait_for()
    assert not dialog.is_visible()
    page.keyboard.press("g")
    dialog.wait_for()
    said = dialog.inner_text()
    assert "distribution weights" in said
    assert "theta tilde" in said
    page.keyboard.press("g")
    dialog.wait_for(state="hidden")
    page.locator("[data-a2-glossary] .open").click()
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_keys_of_the_page_beneath_rest_while_it_is_open_and_a_letter_that_is_typed_opens_nothing(
    open_app: OpenApp,
) -> None:
    app = open_app("/", charts=False)
    page = app.page
    dialog = page.locator("[data-a2-glossary] dialog")
    asked = page.locator("[data-ref=ask] input:checked")
    assert asked.input_value() == "from"
    page.keyboard.press("g")
    dialog.wait_for()
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert asked.input_value() == "from"
    page.locator("[data-ref=filter]").fill("")
    page.locator("[data-ref=filter]").press("g")
    assert not dialog.is_visible()
    assert page.locator("[data-ref=filter]").input_value() == "g"


def test_the_page_that_works_offline_has_them_too_and_the_canvas_beneath_rests(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=16, strides=(16,))
    canvas = show(payload, view={"probe": [0, 3, 3], "pinned": True})
    page = canvas.page
    dialog = page.locator("[data-a2-glossary] dialog")
    page.locator("[data-ref=stage]").focus()
    page.keyboard.press("g")
    dialog.wait_for()
    assert dialog.locator("[role=region]").inner_html() == page.evaluate(PAGE_TOLD)
    page.keyboard.press("d")  # which would turn the question round
    page.keyboard.press("Escape")  # which would remove the pin
    dialog.wait_for(state="hidden")
    told = canvas.settle()
    assert (told["direction"], told["pinned"]) == ("from", True)
    page.locator("[data-ref=filter]").press("g")
    assert not dialog.is_visible(), "a letter that is typed"
    page.get_by_role("button", name="Symbols").click()
    dialog.wait_for()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")
