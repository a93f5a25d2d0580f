"""Tabs of Chromium: quick ones, which find compiled what was read before, and one that was never used."""

from __future__ import annotations

from typing import Any


class Tabs:
    """The tabs of one visitor's browser: they share what is stored, and nothing with another visitor's.

    A tab that was opened by another one of the same site lives in its process, and finds there, compiled,
    the scripts that were read before: this is more than half of what it costs to open a page of the app.
    So the first tab stays open, at a page of the site with nothing in it, and opens all the others.
    """

    def __init__(self, browser: Any, empty_page: str, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.first = self.context.new_page()
        self.first.goto(empty_page)

    def open(self, *, width: int, height: int, scheme: str) -> Any:
        """A new tab, nothing in it yet."""
        with self.first.expect_popup() as opened:
            self.first.evaluate("() => void open()")
        page = opened.value
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        return page

    def clear(self) -> None:
        """Close the tabs, and forget what was stored in them or allowed to them."""
        for page in self.context.pages:
            if page is not self.first:
                page.close()
        self.first.evaluate("() => localStorage.clear()")
        self.context.clear_cookies()
        self.context.clear_permissions()


def single_tab(browser: Any, *, width: int, height: int, scheme: str = "light", **settings: Any) -> Any:
    """The only tab of a browser that was never used; whoever asks for it closes its context."""
    viewport = {"width": width, "height": height}
    return browser.new_context(viewport=viewport, color_scheme=scheme, **settings).new_page()
