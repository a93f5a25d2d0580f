"""What a visitor's next session takes over after a reload: left under a ticket that one tab holds.

A reload ends a session and begins another, and nothing but the tab knows that both are the same person's. A
ticket cannot be guessed, and one session at a time has what was left under it. No Streamlit in here; the
values themselves are the store's.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Things = Mapping[str, dict[Any, Any]]  # by name; their owner goes on changing them


@dataclass(frozen=True)
class _Left:
    visitor: str
    things: Things


class Cloakroom:
    """Things by ticket; safe to use from several threads."""

    def __init__(self) -> None:
        self._left: dict[str, _Left] = {}
        self._lock = threading.Lock()

    def leave(self, visitor: str, things: Things) -> str:
        """Have `things` fetched after `visitor` has gone; the ticket for them."""
        ticket = secrets.token_urlsafe()
        with self._lock:
            self._left[ticket] = _Left(visitor, things)
        return ticket

    def is_of(self, ticket: str, visitor: str) -> bool:
        """Whether `visitor` is the one who has what was left under `ticket`."""
        with self._lock:
            left = self._left.get(ticket)
            return left is not None and left.visitor == visitor

    def fetch(self, ticket: str, visitor: str, connected: Callable[[str], bool]) -> tuple[str, Things] | None:
        """Give what was left under `ticket` to `visitor`, for whom the ticket holds from now on.

        Returns who had it, and copies for `visitor` to go on changing. None when there is no such ticket, and
        while whoever has it is connected: a tab that was duplicated has its original's ticket.
        """
        with self._lock:
            left = self._left.get(ticket)
            if left is None or left.visitor == visitor or connected(left.visitor):
                return None
            things = {name: dict(thing) for name, thing in left.things.items()}
            self._left[ticket] = _Left(visitor, things)
            return left.visitor, things

    def forget(self, visitor: str) -> None:
        """Nobody can fetch what `visitor` has left any more."""
        with self._lock:
            self._left = {ticket: left for ticket, left in self._left.items() if left.visitor != visitor}
