"""Visitors: what one brings no other sees, and all of it goes when its visitor has left."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import a2core
from viz_app.server import visitors
from viz_app.server.store import Store


@pytest.fixture
def here():
    """Which visitors are connected."""
    return set[str]()


@pytest.fixture
def server(here, monkeypatch) -> visitors.Server:
    monkeypatch.setattr(visitors, "AWAY_S", 0.01)
    return visitors.Server(Store(limit_bytes=10**6, holder_bytes=10**6), here.__contains__)


def timers(server: visitors.Server) -> None:
    """Wait for all that was to happen in a while."""
    for timer in list(server._gone.values()):
        timer.join(60)


def test_what_a_visitor_brought_is_gone_a_while_after_the_connection_is(server, here):
    entry = server.store.put("k", np.zeros(10), "ada")
    here.add("ada")
    server.left("ada")
    timers(server)
    assert entry.here, "back in time"
    here.remove("ada")
    server.left("ada")
    timers(server)
    assert not entry.here


def test_who_goes_twice_has_the_whole_while_each_time(server, monkeypatch):
    entry = server.store.put("k", np.zeros(10), "ada")
    monkeypatch.setattr(visitors, "AWAY_S", 3600.0)
    server.left("ada")
    first = server._gone["ada"]
    server.left("ada")
    first.function()  # the first while is over
    assert entry.here
    server._gone["ada"].function()
    assert not entry.here
    first.cancel()
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.cancel()


def test_who_comes_back_with_the_ticket_has_all_of_it_and_the_while_of_before_takes_nothing(server, here):
    entry = server.store.put("k", np.zeros(10), "tab")
    ticket = server.cloakroom.leave("tab", {"pictures": {"k": entry}})
    server.left("tab")
    here.add("again")
    assert server.hand_on(ticket, "again") == {"pictures": {"k": entry}}
    timers(server)
    assert entry.here
    assert server.store.held_bytes("again") == 80
    here.remove("again")
    server.left("again")
    timers(server)
    assert not entry.here
    assert server.hand_on(ticket, "late") is None


def test_who_comes_back_after_the_while_finds_nothing(server):
    server.store.put("k", np.zeros(10), "tab")
    ticket = server.cloakroom.leave("tab", {"pictures": {}})
    server.left("tab")
    timers(server)
    assert server.hand_on(ticket, "again") is None


def test_a_ticket_of_a_server_before_is_worth_nothing(server):
    other = visitors.Server(Store(limit_bytes=10**6, holder_bytes=10**6), set().__contains__)
    assert server.hand_on(other.cloakroom.leave("tab", {}), "again") is None
    assert server.hand_on("", "again") is None


def test_while_a_tab_is_there_its_duplicate_gets_nothing_and_takes_nothing(server, here):
    here |= {"tab", "twin"}
    entry = server.store.put("k", np.zeros(10), "tab")
    ticket = server.cloakroom.leave("tab", {"pictures": {}})
    assert server.hand_on(ticket, "twin") is None
    assert list(entry.holders) == ["tab"]


@pytest.mark.parametrize("text", ["lots", "-3", "0", "1.5", ""])
def test_a_bound_that_is_no_number_of_megabytes_is_refused_in_words(monkeypatch, text):
    monkeypatch.setenv("A2_VISITOR_MB", text)
    with pytest.raises(a2core.A2Error, match=r"A2_VISITOR_MB is .*\. Give it a whole number of megabytes"):
        visitors.server.__wrapped__()


def test_the_bounds_can_be_set(monkeypatch):
    monkeypatch.setenv("A2_SERVER_MB", "300")
    monkeypatch.setenv("A2_VISITOR_MB", "1000")
    store = visitors.server.__wrapped__().store
    assert (store.limit_bytes, store.holder_bytes) == (300 * 10**6, 300 * 10**6)
