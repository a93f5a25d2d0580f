"""The line: equal work once, visitors in turn, background last, and nobody waits longer than they like."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from viz_app.server.jobs import Queue, Standing, Tell

LONG_S = 60  # no test takes it: what it bounds is a hang


class Held:
    """Work that begins, says so, and goes on when it may."""

    def __init__(self, name: str = "held") -> None:
        self.name = name
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.times = 0

    def __call__(self, tell: Tell) -> str:
        self.times += 1
        self.begun.set()
        while not self.may_end.wait(0.005):
            tell(0.5)
        return self.name


@pytest.fixture
def pool():
    with ThreadPoolExecutor(40) as threads:
        yield threads


@pytest.fixture
def queue() -> Queue:
    return Queue()


def waits(queue: Queue, pool: ThreadPoolExecutor, key: object, work, **how) -> Future:
    """Somebody asks; returns when they stand in the line."""
    stands = threading.Event()
    look = how.pop("look", lambda standing: None)

    def noticed(standing: Standing) -> None:
        stands.set()
        look(standing)

    future = pool.submit(queue.run, key, work, look=noticed, **how)
    assert stands.wait(LONG_S)
    return future


def test_thirty_who_ask_the_same_get_the_same_of_one_piece_of_work(queue, pool):
    work = Held()
    asked = [waits(queue, pool, "k", work, visitor=str(who)) for who in range(30)]
    work.may_end.set()
    results = [each.result(LONG_S) for each in asked]
    assert work.times == 1
    assert all(result is results[0] for result in results)


def test_what_it_raises_all_who_wait_get_and_the_line_goes_on(queue, pool):
    go_on = threading.Event()

    def fails(_: Tell) -> None:
        assert go_on.wait(LONG_S)
        raise ValueError("broken")

    asked = [waits(queue, pool, "k", fails) for _ in range(3)]
    go_on.set()
    for each in asked:
        with pytest.raises(ValueError, match="broken"):
            each.result(LONG_S)
    assert queue.run("k", lambda tell: 3) == 3


def test_one_thing_at_a_time_and_as_many_as_there_are_workers(pool):
    for workers in (1, 2):
        queue, most, now, lock = Queue(workers), 0, 0, threading.Lock()
        full = threading.Barrier(workers)

        def work(_: Tell, full=full, lock=lock) -> None:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            full.wait(LONG_S)  # until as many are at work
            with lock:
                now -= 1

        list(pool.map(lambda key, queue=queue, work=work: queue.run(key, work), range(8)))
        assert most == workers


def test_each_is_told_how_many_come_before_and_a_place_further_when_one_is_done(queue, pool):
    works = [Held(str(k)) for k in range(4)]
    seen: list[list[int]] = [[] for _ in works]
    for k, work in enumerate(works):
        asked = waits(
            queue, pool, k, work, visitor=str(k), look=lambda standing, k=k: seen[k].append(standing.ahead)
        )
        if k == 0:
            assert work.begun.wait(LONG_S)
    for work in works:
        assert work.begun.wait(LONG_S)
        work.may_end.set()
    assert asked.result(LONG_S) == "3"
    assert [places[0] for places in seen[1:]] == [1, 2, 3]
    assert all(places == sorted(places, reverse=True) for places in seen)


def test_who_asked_for_much_lets_others_in_between(queue, pool):
    """Not in the order of asking: a visitor with ten pictures does not hold up one with a single one."""
    order: list[str] = []
    held = Held()
    first = waits(queue, pool, "first", held, visitor="greedy")
    assert held.begun.wait(LONG_S)
    rest = [
        waits(queue, pool, f"{who}{k}", lambda tell, who=who: order.append(who), visitor=who)
        for who, count in (("greedy", 3), ("ada", 1), ("bob", 1))
        for k in range(count)
    ]
    held.may_end.set()
    for each in (first, *rest):
        each.result(LONG_S)
    assert order == ["ada", "bob", "greedy", "greedy", "greedy"]


def test_who_leaves_the_line_is_gone_and_the_others_move_up(queue, pool):
    class Gone(BaseException):
        pass

    held, never = Held(), Held()
    leave = threading.Event()

    def look(_: Standing) -> None:
        if leave.is_set():
            raise Gone

    first = waits(queue, pool, "first", held)
    assert held.begun.wait(LONG_S)
    second = waits(queue, pool, "second", never, look=look)
    leave.set()
    with pytest.raises(Gone):
        second.result(LONG_S)
    assert queue.waiting() == []
    held.may_end.set()
    first.result(LONG_S)
    assert never.times == 0


def test_work_ends_when_the_last_who_waited_has_left_and_not_before(queue, pool):
    class Gone(BaseException):
        pass

    work = Held()
    leave = [threading.Event(), threading.Event()]

    def look(k: int):
        def looks(_: Standing) -> None:
            if leave[k].is_set():
                raise Gone

        return looks

    asked = [waits(queue, pool, "k", work, look=look(k)) for k in range(2)]
    leave[0].set()
    with pytest.raises(Gone):
        asked[0].result(LONG_S)
    assert not asked[1].done()
    assert work.times == 1
    leave[1].set()
    with pytest.raises(Gone):
        asked[1].result(LONG_S)
    assert queue.run("k", lambda tell: "anew") == "anew", "the next who asks does not join what was stopped"


def test_background_comes_after_all_that_somebody_waits_for_and_makes_way_between_its_pieces(queue, pool):
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def pieces(tell: Tell) -> None:
        for k in range(3):
            begun.set()
            assert go_on.wait(LONG_S)
            order.append(f"piece {k}")
            queue.make_way()

    job = queue.start("background", pieces)
    assert begun.wait(LONG_S)
    other = queue.start("later", lambda tell: order.append("later"))
    asked = [
        waits(queue, pool, who, lambda tell, who=who: order.append(who), visitor=who)
        for who in ("ada", "bob")
    ]
    go_on.set()
    for each in asked:
        each.result(LONG_S)
    assert job.wait(LONG_S)
    assert other.wait(LONG_S)
    assert order == ["piece 0", "ada", "bob", "piece 1", "piece 2", "later"]


def test_background_work_counts_as_nobody_before_a_visitor(queue, pool):
    held = Held()
    seen: list[list[int]] = [[], []]
    background = queue.start("background", held)
    assert held.begun.wait(LONG_S)
    asked = [
        waits(
            queue, pool, who, lambda tell: None, visitor=who, look=lambda now, k=k: seen[k].append(now.ahead)
        )
        for k, who in enumerate(("ada", "bob"))
    ]
    held.may_end.set()
    for each in asked:
        each.result(LONG_S)
    assert background.wait(LONG_S)
    assert [places[0] for places in seen] == [0, 1], "only who waits counts"


def test_somebody_who_waits_for_what_was_background_has_it_sooner(queue, pool):
    order: list[str] = []
    held = Held()
    first = waits(queue, pool, "first", held)
    assert held.begun.wait(LONG_S)
    one = queue.start("one", lambda tell: order.append("one"))
    queue.start("two", lambda tell: order.append("two"))
    asked = waits(queue, pool, "two", lambda tell: order.append("two, again"))
    held.may_end.set()
    for each in (first, asked):
        each.result(LONG_S)
    assert one.wait(LONG_S)
    assert order == ["two", "one"]


def test_work_that_needs_other_work_does_not_wait_for_itself(queue):
    assert queue.run("outer", lambda tell: queue.run("inner", lambda tell: 2) + 1) == 3


def test_it_rests_once_nothing_is_left_and_works_again_after_it():
    rests, rested = [], threading.Semaphore(0)
    queue = Queue(2, at_rest=lambda: (rests.append(queue.waiting()), rested.release()))
    for round_ in range(2):
        assert [queue.run((round_, k), lambda tell, k=k: k) for k in range(3)] == [0, 1, 2]
        assert rested.acquire(timeout=LONG_S)
        assert rests == [[]] * (round_ + 1), "once after each round"


def test_a_thread_that_rests_takes_one_piece_and_another_thread_the_next(pool):
    queue = Queue(2)
    queue.run("first", lambda tell: None)  # its thread waits for more
    both = threading.Barrier(2)
    asked = [pool.submit(queue.run, k, lambda tell: both.wait(LONG_S)) for k in range(2)]
    assert sorted(each.result(LONG_S) for each in asked) == [0, 1], "at the same time"
