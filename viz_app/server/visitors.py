"""Who is asking, the one store and the queues of this server, and what happens when a visitor leaves.

A visitor is a browser tab's session. When its connection ends, Streamlit keeps the session for two
minutes, in which a phone that slept or a train that left a tunnel finds everything as it was; then the
store lets go what that visitor brought. A tab that is loaded again is another session, which shows the
former one's ticket in that time and is handed all of it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from a2core import A2Error
from viz_app.server import metrics
from viz_app.server.cloakroom import Cloakroom, Things
from viz_app.server.jobs import Queue, Standing, Tell
from viz_app.server.store import PUBLIC, Entry, Store

T = TypeVar("T")
Look = Callable[[Standing], None]

SERVER_MB, VISITOR_MB = 2000, 600  # unless A2_SERVER_MB, A2_VISITOR_MB say otherwise
DECODERS = 2  # files that are decoded at the same time; each may take up to 1.5 GB
M_ARENA_MAX, HEAPS = -8, 2  # glibc's number for the setting
AWAY_S = 125.0  # a little longer than Streamlit keeps a session for a browser that comes back


@dataclass(eq=False)
class Server:
    """What all visitors share; `connected` says whether a visitor's browser is there."""

    store: Store
    connected: Callable[[str], bool]
    # All that runs a network or measures one; and what decodes files.
    networks: Queue = field(default_factory=lambda: Queue(at_rest=_give_back))
    decoders: Queue = field(default_factory=lambda: Queue(DECODERS, at_rest=_give_back))
    cloakroom: Cloakroom = field(default_factory=Cloakroom)
    here: int = 0  # connections
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _gone: dict[str, threading.Timer] = field(default_factory=dict)  # by visitor, the last time they went

    def standing(self) -> dict[str, float]:
        """How things stand, for `metrics`."""
        queues = (self.networks, self.decoders)
        return {
            "visitors": self.here,
            "waiting": sum(len(queue.waiting()) for queue in queues),
            "running": sum(queue.running for queue in queues),
            "kept_bytes": self.store.size_bytes,
            "kept_limit_bytes": self.store.limit_bytes,
        }

    def came(self) -> None:
        """Somebody's connection began."""
        metrics.count("visits")
        with self._lock:
            self.here += 1

    def left(self, visitor: str) -> None:
        """The visitor's connection ended; unless it is back by then, what is theirs goes in a while."""
        timer = threading.Timer(AWAY_S, lambda: self._forget(visitor, timer))
        timer.daemon = True
        with self._lock:
            self.here -= 1
            self._gone[visitor] = timer
        timer.start()

    def hand_on(self, ticket: str, visitor: str) -> Things | None:
        """Give `visitor` what whoever left with `ticket` had; None if nobody did, or they are still here."""
        fetched = self.cloakroom.fetch(ticket, visitor, self.connected)
        if fetched is None:
            return None
        former, things = fetched
        self.store.hand_on(former, visitor)
        return things

    def _forget(self, visitor: str, timer: threading.Timer) -> None:
        with self._lock:
            if self._gone.get(visitor) is not timer:  # they came back, and went again
                return
            del self._gone[visitor]
        if self.connected(visitor):
            return
        self.cloakroom.forget(visitor)
        self.store.forget(visitor)
        for queue in (self.networks, self.decoders):
            queue.forget(visitor)
        _give_back()


def _glibc(function: str, *arguments: int) -> None:
    """Call what only glibc has; nothing elsewhere."""
    call = getattr(ctypes.CDLL(None), function, None) if sys.platform == "linux" else None
    if call is not None:
        call(*arguments)


def _give_back() -> None:
    """Hand what was freed to the system: glibc keeps it, in pieces that fit nobody's frames."""
    _glibc("malloc_trim", 0)


def _share_heaps() -> None:
    """Have all threads allocate from two heaps.

    Every run of a script is a thread, and glibc would give up to eight a core a heap of their own, each of
    which keeps what its largest trace took: of 1.9 GB with ninety visitors half was free and nobody's.
    """
    _glibc("mallopt", M_ARENA_MAX, HEAPS)


@st.cache_resource(show_spinner=False)
def server() -> Server:
    """The one of this process.

    Raises:
        A2Error: A2_SERVER_MB or A2_VISITOR_MB is no number of megabytes.
    """
    _share_heaps()
    for_all = _megabytes("A2_SERVER_MB", SERVER_MB)
    for_one = _megabytes("A2_VISITOR_MB", VISITOR_MB)
    made = Server(Store(limit_bytes=for_all, holder_bytes=min(for_one, for_all)), _connected)
    metrics.watch(made.standing)
    return made


def _connected(session_id: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session_id)


def _megabytes(variable: str, usual: int) -> int:
    text = os.environ.get(variable, str(usual))
    if not text.isdecimal() or int(text) == 0:
        raise A2Error(
            "{variable} is {text!r}. Give it a whole number of megabytes, {usual} for example.",
            variable=variable,
            text=text,
            usual=usual,
        )
    return int(text) * 10**6


def visitor() -> str:
    """Whose script this is; "" outside of one."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return PUBLIC
    _visit(context.session_id)
    return context.session_id


@dataclass(frozen=True)
class _Visit:
    server: Server
    visitor: str


@st.cache_resource(
    scope="session", show_spinner=False, on_release=lambda visit: visit.server.left(visit.visitor)
)
def _visit(session_id: str) -> _Visit:
    """Noted once while a browser is connected: Streamlit releases it when the connection ends."""
    server().came()
    return _Visit(server(), session_id)


def obtain(
    key: Hashable,
    make: Callable[[Tell], T],
    *,
    holder: str,
    look: Look | None = None,
    queue: Queue | None = None,
    background: bool = False,
) -> Entry[T]:
    """What is kept under `key`; made, once for all who ask, where it is not.

    Args:
        key: all that the value depends on.
        make: makes it, with the function to tell the share that is done.
        holder: whose it is; `PUBLIC` where it came from nothing that a visitor brought.
        look: as of `Queue.run`.
        queue: the line to wait in; that of the networks.
        background: as of `Queue.run`.

    Raises:
        A2Error: there is no room for it.
        Whatever `make` and `look` raise.
    """
    here = server()
    found = here.store.get(key, holder)
    if found is None:
        line = queue or here.networks
        work = functools.partial(_known_or, here.store, key, make)
        value = line.run(key, work, visitor=visitor(), background=background, look=look)
        found = here.store.put(key, value, holder)
    return found


def _known_or(store: Store, key: Hashable, make: Callable[[Tell], T], tell: Tell) -> T:
    """Where its turn has come, it may be there already."""
    known = store.peek(key)
    found: T | None = None if known is None else known.content
    return make(tell) if found is None else found
