"""Symbols and words are one key away on every page, and in nobody's way."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenApp

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("path", ["/", "/learn?step=3", "/compare", "/experiment", "/about"])
def test_one_key_opens_and_closes_the_symbols_on_every_page(open_app: OpenApp, path: str) -> None:
    app = open_app(path, traced=path == "/")
    app.wait_until_idle()
    page = app.page
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
    app = open_app("/")
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
