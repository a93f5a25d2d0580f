"""Presenting without a browser: the switch, the pictures to step through, the link."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.viz_app.explorer import drop, page_html, png, report
from viz_app.components.presenter import Asked, parse_asked
from viz_app.ui import playlist, share, text
from viz_app.ui.state import Key, Probe


def pages() -> None:
    """The switch as app.py draws it, on the page that the session says."""
    import streamlit as st

    from viz_app.ui import present

    present.bar(st.session_state.get("at", ""))


def press(app: AppTest, *, presenting: bool, turns: int = 0, links: int = 0, link: str = "") -> AppTest:
    """What the browser reports when something was done in the switch."""
    handed = app.session_state["presenter:handed"]
    asked = {"presenting": presenting, "turns": turns, "links": links, "link": link}
    about = {"identity": handed.identity, "revision": handed.revision}
    app.session_state[Key.PRESENTER] = {"asked": asked | about}
    return app.run()


def test_the_switch_is_kept_from_page_to_page_and_left_by_what_escape_reports():
    app = AppTest.from_function(pages).run()
    assert not app.session_state[Key.PRESENT]
    press(app, presenting=True)
    for page in ("learn", "compare", "experiment", "about", ""):
        app.session_state["at"] = page
        app.run()
        assert app.session_state[Key.PRESENT], page
    press(app, presenting=False)
    app.session_state["at"] = "learn"
    app.run()
    assert not app.session_state[Key.PRESENT]
    assert not app.exception


@pytest.mark.parametrize("parameter", [("present", "1"), ("presentation", "on")])
def test_a_visit_may_begin_with_a_link_that_presents(parameter):
    app = AppTest.from_function(pages)
    name, value = parameter
    app.query_params[name] = value
    assert app.run().session_state[Key.PRESENT]


def test_the_link_is_shown_once_for_each_time_it_is_asked_for():
    app = AppTest.from_function(pages).run()
    press(app, presenting=True, links=1, link="https://a2.example/?picture=astronaut")
    assert "https://a2.example/?picture=astronaut" in page_html(app)
    app.run()
    assert "a2.example" not in page_html(app)


def test_a_link_to_a_page_without_an_address_of_its_own_says_what_is_on_screen():
    app = AppTest.from_function(pages)
    app.session_state["at"] = "compare"
    app.session_state[Key.ADDRESS] = {"picture": "coffee", "at": "x8y8", "present": "1"}
    press(app.run(), presenting=True, links=1, link="https://a2.example/compare")
    assert ">https://a2.example/compare?picture=coffee&amp;at=x8y8<" in page_html(app)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        {},
        {"presenting": 1, "turns": 0, "links": 0},
        {"presenting": True, "turns": "1", "links": 0},
        {"presenting": True, "turns": 0, "links": 1e300},
        {"presenting": True, "turns": 10**9, "links": 0},
    ],
)
def test_a_report_that_does_not_fit_is_dropped(raw):
    assert parse_asked(raw) is None


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://", "http://[", 7, "https://a/" + "a" * 2000]
)
def test_a_link_that_is_none_of_the_web_is_left_out(link):
    raw = {"presenting": True, "turns": 2, "links": 1, "link": link, "copied": True}
    assert parse_asked(raw) == Asked(True, 2, 1, "", True)


# ---- the pictures to step through


def link(picture: str, at: str, pins: str = "") -> dict[str, str]:
    return {"picture": picture, "block": "b", "at": at} | ({"pins": pins} if pins else {})


def test_each_pin_of_a_picture_is_a_stop_and_unpinned_it_leaves_the_list():
    def keeping() -> None:
        import streamlit as st

        from viz_app.ui import playlist

        cat = {"picture": "cat", "at": "x8y8", "pins": "x8y8_x24y8"}
        playlist.keep("Cat", {"picture": "cat", "at": "x8y8"}, pinned=None)
        st.session_state["untouched"] = playlist.stops()
        playlist.keep("Cat", cat, pinned=True)
        playlist.keep("Rocket", {"picture": "rocket", "at": "x1y1", "pins": "x1y1"}, pinned=True)
        st.session_state["stops"] = playlist.stops()
        playlist.keep("Cat", {"picture": "cat", "at": "x8y8"}, pinned=None)
        st.session_state["again"] = playlist.stops()
        playlist.keep("Rocket", {"picture": "rocket", "at": "x1y1"}, pinned=False)
        st.session_state["left"] = playlist.stops()

    app = AppTest.from_function(keeping).run()
    assert not app.exception
    stops = app.session_state["stops"]
    assert [(stop.title, stop.pin, stop.link["at"]) for stop in stops] == [
        ("Cat", 1, "x8y8"),
        ("Cat", 2, "x24y8"),
        ("Rocket", 0, "x1y1"),
    ]
    assert app.session_state["untouched"] == []
    assert app.session_state["again"] == stops
    assert [stop.title for stop in app.session_state["left"]] == ["Cat", "Cat"]


def test_steps_stay_within_the_list_and_begin_at_its_ends():
    stops = [playlist.Stop("Cat", 1, link("cat", "a")), playlist.Stop("Cat", 2, link("cat", "b"))]
    assert playlist.at(link("cat", "b"), stops) == 1
    assert playlist.at(link("cat", "elsewhere"), stops) == 0
    assert playlist.at(link("dog", "a"), stops) is None
    assert [playlist.after(here, by, 2) for here, by in [(0, 1), (1, 1), (0, -1), (None, 1), (None, -1)]] == [
        1, 1, 0, 0, 1,
    ]  # fmt: skip
    assert text.stop(1, 5, "Cat", 2) == "2 / 5 Cat, pin 2"


@pytest.mark.slow
def test_a_remote_steps_through_the_visitors_own_picture_and_a_pin(traced, app):
    first = app.session_state[Key.SHOWN].picture.id
    probe = app.session_state[Key.PROBE]
    pinned = Probe(probe.key, probe.block, 0, 1, 1, None)
    report(app, pinned, pins=[[0, 1, 1]])
    app.session_state[Key.CANVAS]["probe"]["pinned"] = True
    app.run()
    drop(app, "mine.png", png((200, 30, 30)))
    mine = app.session_state[Key.SHOWN].picture.id
    assert mine != first
    press(app, presenting=True, turns=-1)
    assert app.session_state[Key.SHOWN].picture.id == first
    assert app.session_state[Key.PROBE].position == (0, 1, 1)
    assert app.session_state[Key.ADDRESS]["present"] == "1"
    press(app, presenting=True, turns=0)
    assert app.session_state[Key.SHOWN].picture.id == mine
    assert not app.exception


@pytest.mark.slow
def test_pages_about_the_picture_on_screen_step_too(checkpoints, traced):
    def comparing() -> None:
        from viz_app.ui import present, shell

        present.bar("compare")
        with shell.waiting("") as look:
            shell.current_shown(look=look)

    app = AppTest.from_function(comparing, default_timeout=60)
    app.session_state[Key.PLAYLIST] = {
        name: (name, {"picture": name, "size": "224", "block": "blocks.4", "at": at, "pins": at})
        for name, at in [("coffee", "x8y8"), ("astronaut", "x24y8")]
    }
    app.run()
    press(app, presenting=True, turns=1)
    assert app.session_state[Key.SHOWN].picture.id == "coffee"
    press(app, presenting=True, turns=2)
    assert app.session_state[Key.SHOWN].picture.id == "astronaut"
    assert app.session_state[Key.PROBE].position == (0, 0, 1)
    press(app, presenting=True, turns=3)
    assert app.session_state[Key.SHOWN].picture.id == "astronaut", "it was the last"
    assert not app.exception


@pytest.mark.slow
def test_a_visit_to_compare_may_begin_with_a_link(checkpoints, traced):
    def comparing() -> None:
        from viz_app.ui import shell

        with shell.waiting("") as look:
            shell.current_shown(look=look)

    app = AppTest.from_function(comparing, default_timeout=60)
    for name, value in {"picture": "coffee", "size": "224", "block": "blocks.4", "at": "x24y8"}.items():
        app.query_params[name] = value
    app.run()
    assert app.session_state[Key.SHOWN].picture.id == "coffee"
    assert app.session_state[Key.PROBE].position == (0, 0, 1)
    app.query_params["picture"] = "unicorn"
    app.run()
    assert app.session_state[Key.SHOWN].picture.id == "coffee", "only where a visit begins"


# ---- the link


def test_the_code_says_the_link_and_the_words_what_may_keep_others_from_it():
    shown = share.link_html("https://a2.example/?picture=cat&at=x8y8", copied=True)
    assert "picture=cat&amp;at=x8y8</a>" in shown
    assert text.COPIED in shown
    assert '<img src="data:image/svg+xml' in shown  # the browser's test reads it as a phone does
    assert text.THIS_MACHINE_ONLY not in shown
    here = share.link_html("http://localhost:8501/?picture=upload-0123", copied=False)
    assert text.THIS_MACHINE_ONLY in here
    assert text.PICTURE_STAYS in here
    assert text.COPIED not in here


def test_the_link_has_the_address_for_phones_beside_it_where_there_is_one(monkeypatch):
    link = "https://a2.example/?picture=cat"
    assert share.link_html(link, copied=False).count("<img") == 1
    monkeypatch.setenv(share.SITE, "https://static.example/explorer/")
    shown = share.link_html(link, copied=False)
    assert shown.count("<img") == 2
    assert '<a href="https://static.example/explorer/" target="_blank">' in shown
    monkeypatch.setenv(share.SITE, "javascript:alert(1)")
    assert share.link_html(link, copied=False).count("<img") == 1
