"""What a server tells Prometheus: the right numbers, nothing of visitors, and only when asked to."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from a2core import A2Error, MediaError
from viz_app.server import faults, metrics
from viz_app.server.store import Store
from viz_app.server.visitors import Server


@pytest.fixture
def address(monkeypatch) -> Iterator[str]:
    """Where it answers: a port that the system chose."""
    monkeypatch.setenv("A2_METRICS_PORT", "0")
    server = metrics.serve()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def read(address: str) -> dict[str, float]:
    """The numbers, by name, of a text in which every one has its HELP and its TYPE before it."""
    with urllib.request.urlopen(f"{address}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = answer.read().decode().splitlines()
    numbers = {}
    for told, kind, value in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name, number = value.split(" ")
        assert told.startswith(f"# HELP {name} ")
        assert re.fullmatch(rf"# TYPE {name} (counter|gauge)", kind)
        numbers[name] = float(number)
    return numbers


def test_it_counts_what_happened_and_says_how_things_stand(address, caplog):
    server = Server(Store(limit_bytes=1000, holder_bytes=500), lambda _: True)
    metrics.watch(server.standing)
    before = read(address)
    server.came()
    server.came()
    server.left("first")
    server.store.put("a", b"", "second")

    def refuse() -> None:
        raise MediaError("“holiday.png” is empty.")

    with caplog.at_level("DEBUG"):
        faults.attempt(refuse)
        faults.attempt(lambda: 1 / 0)
        waiting = server.networks.start("work", lambda tell: read(address)["a2_running"])
        assert waiting.wait(30)
    after = read(address)
    gained = {name: after[name] - before[name] for name in after}
    assert gained["a2_visits_total"] == 2
    assert after["a2_visitors"] == 1
    assert gained["a2_refusals_total"] == gained["a2_faults_total"] == 1
    assert waiting.result == 1
    assert after["a2_running"] == after["a2_waiting"] == 0
    assert after["a2_kept_limit_bytes"] == 1000
    assert 10**7 < after["a2_resident_bytes"] < 10**11
    assert "holiday" not in caplog.text
    for timer in server._gone.values():
        timer.cancel()


def test_nothing_else_is_answered(address):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/anything")


def test_it_is_off_unless_it_was_asked_for_and_a_wrong_port_is_said(monkeypatch, address):
    monkeypatch.delenv("A2_METRICS_PORT")
    assert metrics.serve() is None
    monkeypatch.setenv("A2_METRICS_PORT", "http")
    with pytest.raises(A2Error, match="'http'"):
        metrics.serve()
    monkeypatch.setenv("A2_METRICS_PORT", address.rpartition(":")[2])
    with pytest.raises(A2Error, match="Choose another"):
        metrics.serve()
