"""What a server tells of itself, for Prometheus: an address of its own, where A2_METRICS_PORT names its port.

Counts since the start and how things stand now; nothing of any visitor, no file's name. It answers at
127.0.0.1 unless A2_METRICS_ADDRESS says otherwise: it asks nobody who they are, and is not for the outside.
No Streamlit in here.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from a2core import A2Error

# By name, what kind of number and what it means; each is written as a2_NAME, counters as a2_NAME_total.
KNOWN: Mapping[str, tuple[str, str]] = {
    "visits": ("counter", "Browser tabs that came, each time that they connected."),
    "visitors": ("gauge", "Browser tabs that are connected."),
    "traces": ("counter", "Pictures and clips that a network was run on; shared ones count once."),
    "refusals": ("counter", "Faults that a visitor's input caused, told in a sentence."),
    "faults": ("counter", "Faults of ours, which are in the log."),
    "waiting": ("gauge", "Pieces of work in line for the networks and the decoders."),
    "running": ("gauge", "Pieces of work that are being done."),
    "kept_bytes": ("gauge", "What the store keeps for visitors."),
    "kept_limit_bytes": ("gauge", "The most that it may keep, A2_SERVER_MB."),
    "resident_bytes": ("gauge", "Memory of the process."),
}

_counts: Counter[str] = Counter()
_lock = threading.Lock()
_standing: list[Callable[[], Mapping[str, float]]] = []


def count(name: str) -> None:
    """One more of a counter."""
    with _lock:
        _counts[name] += 1


def watch(standing: Callable[[], Mapping[str, float]]) -> None:
    """From now on `standing` says how things stand when somebody asks; whoever did before is forgotten."""
    _standing[:] = [standing]


def text() -> str:
    """All numbers, as Prometheus reads them (text format 0.0.4)."""
    with _lock:
        numbers: dict[str, float] = {
            name: _counts[name] for name, (kind, _) in KNOWN.items() if kind == "counter"
        }
    numbers["resident_bytes"] = _resident_bytes()
    for standing in _standing:
        numbers |= standing()
    lines = []
    for name, value in numbers.items():
        kind, meaning = KNOWN[name]
        title = f"a2_{name}_total" if kind == "counter" else f"a2_{name}"
        lines += [f"# HELP {title} {meaning}", f"# TYPE {title} {kind}", f"{title} {value:.10g}"]
    return "\n".join(lines) + "\n"


def serve() -> ThreadingHTTPServer | None:
    """Answer at A2_METRICS_PORT from a thread of its own; None where the variable is not set.

    Raises:
        A2Error: the variable is no port, or nothing can listen there.
    """
    port = os.environ.get("A2_METRICS_PORT", "")
    if not port:
        return None
    if not port.isdecimal() or int(port) > 65535:
        raise A2Error(
            "A2_METRICS_PORT is {port!r}. Give it a port, such as 9464, or leave it out.", port=port
        )
    address = os.environ.get("A2_METRICS_ADDRESS", "127.0.0.1")
    try:
        server = ThreadingHTTPServer((address, int(port)), _Handler)
    except OSError as error:
        raise A2Error(
            "Nothing can listen at A2_METRICS_PORT {port} of {address} ({why}). Choose another.",
            port=port,
            address=address,
            why=error.strerror,
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a client that says nothing

    def do_GET(self) -> None:
        there = self.path.partition("?")[0] == "/metrics"
        body = text().encode() if there else b"The numbers are at /metrics.\n"
        self.send_response(200 if there else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it is asked every few seconds."""


def _resident_bytes() -> float:
    """Memory of this process now; where the system has no /proc, not a number."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return float("nan")
    return float(int(pages) * os.sysconf("SC_PAGE_SIZE"))
