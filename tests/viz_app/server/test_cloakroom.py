"""The cloakroom: one tab's ticket, and one session at a time that has what was left under it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from viz_app.server.cloakroom import Cloakroom


@pytest.fixture
def room() -> Cloakroom:
    return Cloakroom()


def nobody(_: str) -> bool:
    return False


def test_what_is_fetched_is_as_it_stands_then_and_changes_no_more_with_what_the_owner_had(room):
    pictures = {}
    ticket = room.leave("first", {"pictures": pictures})
    pictures["brought later"] = 1
    owner, things = room.fetch(ticket, "second", nobody)
    assert (owner, things) == ("first", {"pictures": {"brought later": 1}})
    pictures.clear()
    assert things == {"pictures": {"brought later": 1}}


def test_a_ticket_goes_from_session_to_session_with_what_each_has_added(room):
    ticket = room.leave("first", {"pictures": {}})
    for k, who in enumerate(["second", "third", "fourth"]):
        _, things = room.fetch(ticket, who, nobody)
        assert list(things["pictures"]) == list(range(k))
        assert room.is_of(ticket, who)
        things["pictures"][k] = "added"
    assert not room.is_of(ticket, "first")


def test_nothing_is_fetched_from_who_is_there_nor_by_who_has_it_nor_after_it_is_forgotten(room):
    ticket = room.leave("first", {"pictures": {}})
    assert room.fetch(ticket, "second", {"first"}.__contains__) is None
    assert room.fetch(ticket, "first", nobody) is None
    assert room.fetch("", "second", nobody) is None
    room.forget("first")
    assert room.fetch(ticket, "second", nobody) is None


def test_who_came_before_is_forgotten_without_what_went_on_to_another(room):
    ticket = room.leave("first", {"pictures": {}})
    room.fetch(ticket, "second", nobody)
    room.forget("first")
    assert room.is_of(ticket, "second")


def test_no_two_tickets_are_alike_nor_can_be_guessed(room):
    tickets = {room.leave("first", {}) for _ in range(1000)}
    assert len(tickets) == 1000
    assert min(map(len, tickets)) >= 43, "256 bits"


def test_of_many_who_come_at_once_one_gets_it(room):
    ticket = room.leave("first", {"pictures": {}})
    there = {"first": False} | {str(k): True for k in range(50)}
    with ThreadPoolExecutor(8) as pool:
        got = pool.map(lambda who: room.fetch(ticket, who, there.__getitem__), list(there)[1:])
    assert sum(things is not None for things in got) == 1
