"""What the server keeps: shared by content, bounded in bytes, and given back when its visitor has left.

A key says what went into a value (frames, weights, size, mode) and nothing of who asked for it, so that
thirty visitors with the same picture share one trace. Who may call a value their own is kept beside it:
its holders. A value that nobody holds any more is gone; what holds for everybody (samples) is held by
`PUBLIC`. No Streamlit in here, and no clock.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from typing import Any, Generic, TypeVar

import numpy as np

from a2core import A2Error
from a2core.languages import sentence

T = TypeVar("T")
PUBLIC = ""  # holds what belongs to nobody
_MB = 10**6


# Why something of a visitor's was let go.
_FOR_ONE = "{name} was let go: the server keeps at most {most} for one visitor. Drop it again to go on."
_FOR_ALL = "{name} was let go: the server keeps at most {most} for all visitors. Drop it again to go on."


class Full(A2Error):  # noqa: N818 - said of the store
    """There is no room for one more value."""


@dataclasses.dataclass(eq=False)
class Entry(Generic[T]):
    """A value that is kept, and may be let go by whoever keeps it: sessions hold entries, not values.

    `size_bytes` is what it takes; `holders` maps who holds it to what they call it, "" for what has no
    name to a person.
    """

    key: Hashable
    size_bytes: int
    content: T | None = dataclasses.field(repr=False)
    holders: dict[str, str] = dataclasses.field(default_factory=dict)
    used: int = 0

    @property
    def here(self) -> bool:
        """Whether the value is still kept."""
        return self.content is not None

    @property
    def value(self) -> T:
        """The value.

        Raises:
            A2Error: it was let go.
        """
        found = self.content
        if found is None:
            raise A2Error("The server has let this go to make room for others. Bring the file again.")
        return found


def loose(value: T) -> Entry[T]:
    """An entry of no store, which stays for as long as somebody refers to it."""
    return Entry(None, 0, value)


class Store:
    """Values by key, the least recently used let go first; safe to use from several threads.

    Invariants: the kept values take at most `limit_bytes` together, and those of one holder at most
    `holder_bytes` beside what is on that holder's screen. What is on a screen (`pin`) is never let go.

    Args:
        limit_bytes: for all.
        holder_bytes: for one visitor; what is also public, or only public, does not count.
    """

    def __init__(self, *, limit_bytes: int, holder_bytes: int) -> None:
        self.limit_bytes, self.holder_bytes = limit_bytes, holder_bytes
        self._entries: dict[Hashable, Entry[Any]] = {}
        self._pins: dict[str, frozenset[Hashable]] = {}
        self._letters: dict[str, list[str]] = defaultdict(list)
        self._clock = itertools.count(1)
        self._lock = threading.RLock()

    @property
    def size_bytes(self) -> int:
        """What all values take together."""
        with self._lock:
            return sum(entry.size_bytes for entry in self._entries.values())

    def held_bytes(self, holder: str) -> int:
        """What the values take that `holder` has brought or asked for; public ones are nobody's."""
        with self._lock:
            return sum(entry.size_bytes for entry in self._of(holder))

    def peek(self, key: Hashable) -> Entry[Any] | None:
        """The entry under `key`, held by nobody more than before; None when it is not kept."""
        with self._lock:
            return self._entries.get(key)

    def get(self, key: Hashable, holder: str, *, name: str = "") -> Entry[Any] | None:
        """The entry under `key`, from now on held by `holder` too; None when it is not kept.

        `name` is what the holder calls it, to be told by when it must go.

        Raises:
            Full: it is larger than what one visitor may hold.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.used = next(self._clock)
            self._hold(entry, holder, name)
            return entry

    def put(
        self,
        key: Hashable,
        value: T,
        holder: str,
        *,
        name: str = "",
    ) -> Entry[T]:
        """Keep `value` under `key` for `holder`; where the key is known already, that entry, held too.

        Raises:
            Full: it is larger than what one visitor may hold, or everything else is on somebody's screen.
        """
        with self._lock:
            known = self.get(key, holder, name=name)
            if known is not None:
                return known
            entry = Entry(key, bytes_of(value), value, used=next(self._clock))
            self._entries[key] = entry
            try:
                self._hold(entry, holder, name)
                self._make_room(entry)
            except Full:
                self._let_go(entry)
                raise
            return entry

    def pin(self, holder: str, entries: Iterable[Entry[Any]]) -> None:
        """Let the values stay that are on the screen of `holder`, in place of those that were before."""
        with self._lock:
            self._pins[holder] = frozenset(entry.key for entry in entries)

    def release(self, holder: str, entry: Entry[Any]) -> None:
        """`holder` has no more use for it."""
        with self._lock:
            self._drop(entry, holder)

    def forget(self, holder: str) -> None:
        """Let everything go that `holder` alone had: the visitor has left."""
        with self._lock:
            self._pins.pop(holder, None)
            self._letters.pop(holder, None)
            for entry in self._of(holder, public=True):
                self._drop(entry, holder)

    def hand_on(self, holder: str, heir: str) -> None:
        """Let everything that `holder` had be held by `heir`: the same visitor, come back.

        Where that is too much together with what `heir` has, the oldest of it goes, and `heir` is told.
        """
        with self._lock:
            for entry in self._of(holder, public=True):
                name = entry.holders.pop(holder)
                entry.holders[heir] = entry.holders.get(heir) or name
            self._letters[heir] += self._letters.pop(holder, [])
            self._pins.setdefault(heir, self._pins.pop(holder, frozenset()))
            self._keep_to_bound(heir)

    def letters(self, holder: str) -> list[str]:
        """What `holder` has to be told of what was let go since the last time, one sentence each."""
        with self._lock:
            return self._letters.pop(holder, [])

    # ---- within the lock

    def _of(self, holder: str, *, public: bool = False) -> list[Entry[Any]]:
        found = [entry for entry in self._entries.values() if holder in entry.holders]
        return found if public else [entry for entry in found if PUBLIC not in entry.holders]

    def _hold(self, entry: Entry[Any], holder: str, name: str) -> None:
        """Note the holder, and let older things of theirs go where that becomes too much."""
        entry.holders[holder] = name or entry.holders.get(holder, "")
        if PUBLIC in entry.holders:
            return
        if entry.size_bytes > self.holder_bytes:
            self._drop(entry, holder)
            raise Full(
                "This takes {size}, and the server keeps at most {most} for one visitor. Take fewer frames, "
                "or a smaller size.",
                size=_megabytes(entry.size_bytes),
                most=_megabytes(self.holder_bytes),
            )
        self._keep_to_bound(holder, entry)

    def _keep_to_bound(self, holder: str, fresh: Entry[Any] | None = None) -> None:
        """Let the oldest of `holder` go while it is too much; not `fresh`, nor what is on their screen."""
        pinned = self._pins.get(holder, frozenset())
        others = sorted(
            (other for other in self._of(holder) if other is not fresh and other.key not in pinned),
            key=lambda other: other.used,
        )
        taken = sum(other.size_bytes for other in others) + (fresh.size_bytes if fresh else 0)
        over = taken - self.holder_bytes
        for other in others:
            if over <= 0:
                break
            over -= other.size_bytes
            self._tell(other, holder, _FOR_ONE, self.holder_bytes)
            self._drop(other, holder)

    def _make_room(self, entry: Entry[Any]) -> None:
        on_screens: Set[Hashable] = frozenset().union(*self._pins.values())
        over = self.size_bytes - self.limit_bytes
        for other in sorted(self._entries.values(), key=lambda other: other.used):
            if over <= 0:
                return
            if other is entry or other.key in on_screens:
                continue
            over -= other.size_bytes
            for holder in other.holders:
                self._tell(other, holder, _FOR_ALL, self.limit_bytes)
            self._let_go(other)
        if over > 0:
            raise Full(
                "All {most} that this server may keep are on visitors’ screens just now. Take fewer frames "
                "or a smaller size, or try again in a minute.",
                most=_megabytes(self.limit_bytes),
            )

    def _tell(self, entry: Entry[Any], holder: str, why: str, most_bytes: int) -> None:
        name = entry.holders.get(holder)
        if name:
            self._letters[holder].append(sentence(why, name=name, most=_megabytes(most_bytes)))

    def _drop(self, entry: Entry[Any], holder: str) -> None:
        entry.holders.pop(holder, None)
        if not entry.holders:
            self._let_go(entry)

    def _let_go(self, entry: Entry[Any]) -> None:
        if self._entries.get(entry.key) is entry:
            del self._entries[entry.key]
        entry.holders.clear()
        entry.content = None


def _megabytes(count: int) -> str:
    return f"{count / _MB:,.0f} MB"


_WEIGHTLESS = {float, int, bool, type(None)}


def bytes_of(value: Any) -> int:
    """Bytes that `value` takes: of arrays, tensors, strings and bytes inside it, each counted once.

    Networks are not counted: they are kept for everybody elsewhere.
    """
    total, seen, waiting = 0, set[int](), [value]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind in _WEIGHTLESS:  # nearly all there is: cards hold tens of thousands of numbers
            continue
        if kind is str:
            if id(part) not in seen:
                seen.add(id(part))
                total += len(part)
            continue
        if isinstance(part, np.ndarray) and part.base is not None:
            part = part.base  # a view keeps all of it
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, np.ndarray):
            total += part.nbytes
        elif isinstance(part, str | bytes | bytearray | memoryview):
            total += len(part)
        elif hasattr(part, "untyped_storage"):
            total += part.untyped_storage().nbytes()
        elif isinstance(part, Mapping):
            waiting.extend(part.values())
        elif isinstance(part, Sequence | Set):
            waiting.extend(part)
        elif hasattr(part, "__dict__") and not callable(part) and not hasattr(part, "network"):
            waiting.extend(vars(part).values())
    return total
