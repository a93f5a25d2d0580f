"""A reload without a browser: two sessions of one visitor, the second with the ticket of the first."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.viz_app.explorer import (
    APP,
    TIMEOUT_S,
    drop,
    gif,
    messages,
    open_explore,
    page_html,
    png,
    report,
    shown,
)
from viz_app.server import visitors
from viz_app.ui import link_words
from viz_app.ui.state import Key, Probe

pytestmark = pytest.mark.slow
GONE = link_words.own_picture("").partition(".")[0]


@pytest.fixture
def session(monkeypatch):
    """Says whose session the script that runs is; the browsers of all others have gone, but `beside`."""

    def be(name: str, *, beside: str = "") -> None:
        monkeypatch.setattr(visitors, "visitor", lambda: name)
        monkeypatch.setattr(visitors.server(), "connected", {name, beside}.__contains__)

    be("first")
    return be


@pytest.fixture
def first(checkpoints, session, traced, no_work_in_the_background) -> AppTest:
    """A session with two pictures of the visitor's own, and a pixel marked in one."""
    app = open_explore()
    drop(app, "red.png", png((200, 30, 30)))
    drop(app, "blue.png", png((30, 30, 200)))
    return report(app, Probe(shown(app).key, "blocks.4", 0, 1, 2, 5))


def again(picture: str, **link: str) -> AppTest:
    """The session after a reload, the first run done."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT_S)
    app.session_state[Key.CHARTS] = True
    for name, value in {"picture": picture, **link}.items():
        app.query_params[name] = value
    return app.run()


def show(app: AppTest, ticket: object) -> AppTest:
    """What the browser says of its ticket."""
    handed = app.session_state[f"{Key.PRESENTER}:handed"]
    told = {**handed.value, "ticket": ticket, "identity": handed.identity, "revision": handed.revision}
    app.session_state[Key.PRESENTER] = {"asked": told}
    return app.run()


def names(app: AppTest) -> list[str]:
    return [picture.title for picture in app.session_state[Key.UPLOADS].values()]


def test_the_next_session_has_the_pictures_the_marks_and_the_playlist(first, session):
    ticket, marks = first.session_state[Key.TICKET], dict(first.session_state[Key.MARKS])
    held = visitors.server().store.held_bytes("first")
    here = shown(first)
    session("second")
    app = again(**first.session_state[Key.ADDRESS])
    assert Key.SHOWN not in app.session_state, "no other picture is drawn meanwhile"
    show(app, ticket)
    assert messages(app) == []
    assert GONE not in page_html(app)
    assert names(app) == ["blue.png", "red.png"]
    assert shown(app).key == here.key
    assert {name: app.session_state[Key.MARKS][name] for name in marks} == marks
    assert app.session_state[Key.PLAYLIST].keys() == first.session_state[Key.PLAYLIST].keys()
    assert (visitors.server().store.held_bytes("first"), visitors.server().store.held_bytes("second")) == (
        0,
        held,
    )

    drop(app, "green.png", png((30, 200, 30)))
    session("third")
    assert names(show(again(here.picture.id), ticket)) == ["green.png", "blue.png", "red.png"]


def test_other_frames_can_still_be_cut_from_a_clip(first, session):
    drop(first, "noise.gif", gif())
    here, ticket = shown(first).picture, first.session_state[Key.TICKET]
    session("second")
    app = show(again(here.id), ticket)
    visitors.server().store.forget("first")  # its while is over
    app.slider(f"frames-{here.id}").set_value(3).run()
    assert messages(app) == []
    assert shown(app).picture.frames == 3


def test_a_reload_at_a_picture_of_everybodys_has_the_visitors_own_beside_it(first, session):
    ticket = first.session_state[Key.TICKET]
    session("second")
    app = again("coffee")
    assert shown(app).picture.id == "coffee", "drawn without waiting for the browser"
    show(app, ticket)
    assert shown(app).picture.id == "coffee"
    assert names(app) == ["blue.png", "red.png"]


@pytest.mark.parametrize("ticket", ["", "that of a server before"])
def test_a_picture_that_is_gone_is_said_to_be_once_the_browser_has_answered(first, session, ticket):
    session("second")
    app = again(shown(first).picture.id)
    assert GONE not in page_html(app)
    show(app, ticket)
    assert GONE in page_html(app)
    show(app, first.session_state[Key.TICKET])
    assert not app.session_state[Key.UPLOADS], "a browser answers once"


def test_a_duplicated_tab_has_none_of_it_nor_has_its_original_less(first, session):
    session("twin", beside="first")
    app = show(again(shown(first).picture.id), first.session_state[Key.TICKET])
    assert GONE in page_html(app)
    assert not app.session_state[Key.UPLOADS]
    session("first")
    assert names(first.run()) == ["blue.png", "red.png"]


def test_what_the_server_let_go_meanwhile_is_not_there_and_said_to_be_gone(first, session):
    here = shown(first).picture
    visitors.server().store.release("first", here.held)
    session("second")
    app = show(again(here.id), first.session_state[Key.TICKET])
    assert names(app) == ["red.png"]
    assert GONE in page_html(app)


@pytest.mark.parametrize("ticket", [7, None, ["x"], "x" * 65])
def test_what_is_no_ticket_is_no_answer(first, session, ticket):
    session("second")
    app = show(again(shown(first).picture.id), ticket)
    assert Key.HEARD not in app.session_state


def test_who_has_brought_nothing_has_no_ticket(session, checkpoints, traced, no_work_in_the_background):
    app = open_explore()
    assert Key.TICKET not in app.session_state
    assert shown(app).picture.public


def test_a_page_without_an_address_goes_on_with_the_picture_and_the_mark(first, session):
    def comparing() -> None:
        from viz_app.ui import present, shell

        present.bar("compare")
        with shell.waiting("") as look:
            shell.current_shown(look=look)

    here, ticket = shown(first), first.session_state[Key.TICKET]
    session("second")
    app = show(AppTest.from_function(comparing, default_timeout=TIMEOUT_S).run(), ticket)
    assert not app.exception
    assert shown(app).key == here.key
    assert app.session_state[Key.PROBE] == first.session_state[Key.PROBE]
    at = app.session_state[Key.ADDRESS]
    assert (at["picture"], at["at"]) == (here.picture.id, first.session_state[Key.ADDRESS]["at"])
