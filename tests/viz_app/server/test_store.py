"""The store: shared by content, bounded in bytes, honest about what went, and empty when all have left."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from viz_app.server.store import PUBLIC, Full, Store, bytes_of, loose


def block(size: int) -> np.ndarray:
    return np.zeros(size, np.uint8)


@pytest.fixture
def store() -> Store:
    return Store(limit_bytes=1000, holder_bytes=400)


def test_equal_keys_are_kept_once_and_by_all_who_brought_them(store):
    first = store.put("k", block(300), "ada")
    again = store.put("k", block(300), "bob")
    assert again is first
    assert store.size_bytes == 300
    store.forget("ada")
    assert first.here, "bob still has it"
    store.forget("bob")
    assert not first.here
    assert store.size_bytes == 0


def test_what_is_let_go_is_really_given_back_whoever_still_has_the_entry(store):
    value = block(300)
    gone = weakref.ref(value)
    entry = store.put("k", value, "ada")
    del value
    store.forget("ada")
    gc.collect()
    assert gone() is None
    with pytest.raises(Exception, match="let this go"):
        _ = entry.value


def test_a_visitor_who_brings_too_much_loses_the_oldest_of_it_and_is_told_which(store):
    first = store.put(1, block(200), "ada", name="one.png")
    second = store.put(2, block(200), "ada", name="two.png")
    store.get(1, "ada")  # used again: now the second is the oldest
    store.put(3, block(200), "ada", name="three.png")
    assert (first.here, second.here) == (True, False)
    (letter,) = store.letters("ada")
    assert letter.startswith("two.png was let go")
    assert "at most 0 MB for one visitor" in letter
    assert store.letters("ada") == [], "told once"


def test_one_visitors_bound_takes_nothing_from_another_nor_from_everybody(store):
    theirs = store.put("bob", block(300), "bob", name="bob.png")
    shared = store.put("sample", block(100), PUBLIC)
    for key in range(5):
        store.put(key, block(350), "ada")
    assert theirs.here
    assert shared.here
    assert store.held_bytes("ada") == 350
    assert store.letters("bob") == []


def test_what_two_brought_stays_for_the_second_when_it_is_too_much_for_the_first(store):
    both = store.put(1, block(200), "ada", name="a.png")
    store.get(1, "bob", name="b.png")
    store.put(2, block(300), "ada")
    assert both.here
    assert both.holders == {"bob": "b.png"}, "and nobody's name for it but the holder's own"


def test_for_all_together_the_oldest_goes_and_its_own_visitor_is_told_by_their_own_name(store):
    entries = [store.put(who, block(300), who, name=f"{who}.png") for who in ("ada", "bob", "cy")]
    store.put("dee", block(300), "dee", name="dee.png")
    assert [entry.here for entry in entries] == [False, True, True]
    (letter,) = store.letters("ada")
    assert letter.startswith("ada.png was let go")
    assert "for all visitors" in letter
    assert [store.letters(who) for who in ("bob", "cy", "dee")] == [[], [], []]


def test_what_is_on_a_screen_is_never_let_go_and_what_finds_no_room_then_is_refused(store):
    shown = []
    for who in ("ada", "bob", "cy"):
        shown.append(store.put(who, block(300), who))
        store.pin(who, [shown[-1]])
    with pytest.raises(Full, match=r"on visitors’ screens just now\. Take fewer frames"):
        store.put("dee", block(300), "dee")
    assert all(entry.here for entry in shown)
    assert store.size_bytes == 900
    store.pin("ada", [])
    store.put("dee", block(300), "dee")
    assert not shown[0].here


def test_what_is_larger_than_one_visitor_may_hold_is_refused_and_pushes_nothing_out(store):
    kept = store.put(1, block(300), "ada")
    with pytest.raises(Full, match=r"takes .* at most .* for one visitor\. Take fewer frames"):
        store.put(2, block(401), "ada")
    assert kept.here
    assert store.peek(2) is None


def test_what_is_handed_on_is_all_of_it_counted_once_and_gone_when_the_heir_is(store):
    own = store.put(1, block(300), "tab", name="mine.png")
    both = store.put(2, block(50), "tab", name="theirs.png")
    store.get(2, "bob", name="bob.png")
    store.hand_on("tab", "again")
    assert (store.held_bytes("tab"), store.held_bytes("again"), store.size_bytes) == (0, 350, 350)
    assert own.holders == {"again": "mine.png"}
    assert both.holders == {"bob": "bob.png", "again": "theirs.png"}
    store.forget("tab")  # its while is over
    assert own.here
    store.forget("again")
    assert (own.here, both.here) == (False, True)


def test_what_was_on_the_screen_stays_there_for_the_heir_and_what_was_to_be_told_is_told(store):
    store.put(1, block(300), "tab", name="one.png")
    shown = store.put(2, block(300), "tab", name="two.png")  # one.png is too much with it
    store.pin("tab", [shown])
    store.hand_on("tab", "again")
    store.forget("tab")  # its while is over
    for key in ("a", "b"):
        store.put(key, block(400), "bob" + key)
    assert shown.here
    (letter,) = store.letters("again")
    assert letter.startswith("one.png was let go")
    assert store.letters("tab") == []


def test_an_heir_who_has_too_much_then_loses_the_oldest_and_is_told(store):
    old = store.put(1, block(300), "tab", name="old.png")
    fresh = store.put(2, block(300), "again", name="fresh.png")
    store.hand_on("tab", "again")
    assert (old.here, fresh.here) == (False, True)
    assert store.letters("again")[0].startswith("old.png was let go")


def test_looking_whether_something_is_there_makes_it_nobodys(store):
    entry = store.put(1, block(10), "ada")
    assert store.peek(1) is entry
    assert entry.holders == {"ada": ""}


def test_bytes_are_counted_once_for_views_and_repeats_and_networks_not_at_all():
    class Network:
        def __init__(self) -> None:
            self.network = torch.nn.Linear(100, 100)

    class Result:
        def __init__(self) -> None:
            self.model = Network()
            self.maps = block(70)
            self.features = torch.zeros(5, dtype=torch.float32)

    array = block(100)
    assert bytes_of([array, array[10:], {"again": array}]) == 100
    assert bytes_of(array[:1]) == 100, "a view keeps all of it"
    assert bytes_of(("abc", b"de", 7, None)) == 5
    assert bytes_of(Result()) == 70 + 20


def test_a_loose_entry_belongs_to_no_store():
    assert loose(7).value == 7


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "pin", "forget", "release", "hand on"]),
            st.sampled_from(["ada", "bob", "cy"]),
            st.integers(0, 8),
            st.integers(1, 450),
        ),
        max_size=60,
    )
)
def test_its_bounds_hold_whatever_comes(steps):
    store = Store(limit_bytes=1000, holder_bytes=400)
    screens: dict[str, object] = {}
    for what, who, key, size in steps:
        if what == "put":
            try:
                entry = store.put(key, block(size), who)
            except Full:
                continue
            assert entry.here
        elif what == "forget":
            store.forget(who)
            screens.pop(who, None)
            assert store.held_bytes(who) == 0
        elif what == "hand on":
            heir = "ada" if who != "ada" else "bob"
            store.hand_on(who, heir)
            if who in screens:
                screens.setdefault(heir, screens.pop(who))
            assert store.held_bytes(who) == 0
        elif (entry := store.get(key, who) if size % 2 else store.peek(key)) is not None:
            if what == "pin" and who in entry.holders:
                store.pin(who, [entry])
                screens[who] = entry
            elif what == "release":
                screens = {name: kept for name, kept in screens.items() if (name, kept) != (who, entry)}
                if screens.get(who) is not entry:
                    store.release(who, entry)
        assert store.size_bytes <= 1000
        for name in ("ada", "bob", "cy"):
            pinned = screens.get(name)
            assert store.held_bytes(name) <= 400 + (pinned.size_bytes if pinned is not None else 0)


def test_many_threads_leave_it_whole():
    store = Store(limit_bytes=5000, holder_bytes=1000)

    def visit(who: int) -> None:
        for turn in range(200):
            store.put((who + turn) % 17, block(100), str(who))
            store.get(turn % 17, str(who))
        store.forget(str(who))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(8)))
    assert store.size_bytes == 0
