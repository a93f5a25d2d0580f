"""What Python and its components tell each other: which report counts, and when Python decides anew."""

from __future__ import annotations

import pytest
import streamlit as st

from viz_app.components import runtime

KEY, NAME, ABOUT = "board", "asked", "picture/blocks.5"


class Browser:
    """A component whose browser is near: it hears everything at once, and tells what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state: dict[str, object] = {}
        self.handed: dict[str, object] = {}
        monkeypatch.setattr(st, "session_state", self.state)

    def hand(self, value: int, identity: str = ABOUT) -> int:
        """Python shows `value`; the revision with which it does."""
        runtime.hand_over(
            self._mount,
            {"value": value, "rest": 0},
            key=KEY,
            name=NAME,
            identity=identity,
            follows=("value",),
        )
        return int(self.handed["revision"])  # type: ignore[call-overload]

    def _mount(self, *, data: dict[str, object], key: str, on_asked_change: object) -> None:
        self.handed = data

    def tell(self, **fields: object) -> None:
        """A person's doing, on what was handed last."""
        about = {name: self.handed[name] for name in ("identity", "revision")}
        self.state[KEY] = {NAME: about | fields}

    def fresh(self, identity: str = ABOUT) -> object:
        report = runtime.fresh(KEY, NAME, identity)
        return None if report is None else report["value"]


@pytest.fixture
def browser(monkeypatch):
    return Browser(monkeypatch)


def test_a_report_on_what_was_handed_last_counts_and_agreeing_with_it_is_no_decision(browser):
    first = browser.hand(1)
    browser.tell(value=2)
    assert browser.fresh() == 2
    assert browser.hand(2) == first
    browser.tell(value=1)  # back
    assert browser.fresh() == 1
    assert browser.hand(1) == first


def test_where_python_shows_something_else_it_decides_anew_and_the_report_counts_no_more(browser):
    first = browser.hand(1)
    browser.tell(value=2)
    second = browser.hand(5)
    assert second > first
    assert browser.fresh() is None
    assert browser.hand(5) == second, "once"
    assert browser.hand(6) > second, "also where nobody has touched anything"


def test_a_report_from_before_an_override_is_stale_in_the_same_run(browser):
    first = browser.hand(1)
    browser.tell(value=2)
    assert runtime.override(KEY) > first
    assert browser.fresh() is None
    assert browser.hand(1) > first
    assert browser.fresh() is None
    browser.tell(value=3)
    assert browser.fresh() == 3


def test_a_report_about_another_picture_is_stale_before_and_after_that_is_shown(browser):
    first = browser.hand(1)
    browser.tell(value=2)
    assert browser.fresh("picture/blocks.4") is None
    assert browser.hand(2, "picture/blocks.4") > first
    assert browser.fresh() is None
    browser.hand(2)
    assert browser.fresh() is None, "not even when Python has come back to the first"


def test_an_override_names_the_revision_that_is_handed_next(browser):
    revision = runtime.override(KEY, ABOUT)
    assert browser.hand(1) == revision
    assert runtime.override(KEY, "another") == revision + 1
    assert browser.hand(1, "another") == revision + 1


def test_a_page_that_outlives_its_session_has_seen_no_revision_of_the_next(browser):
    before = browser.hand(1)
    browser.tell(value=2)
    del browser.state[f"{KEY}:handed"]
    assert browser.fresh() is None
    assert browser.hand(1) != before


@pytest.mark.parametrize(
    "raw", [None, "x", 3, [], {}, {NAME: None}, {NAME: [1]}, {NAME: {"value": 2}}], ids=str
)
def test_what_is_no_report_is_dropped(browser, raw):
    browser.hand(1)
    browser.state[KEY] = raw
    assert browser.fresh() is None
