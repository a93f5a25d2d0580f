"""The switch for presenting, at the same place on every page: on, off, the pictures to step through, a link.

The browser answers at once: the page is large as soon as the switch is pressed, and Escape leaves wherever
the focus is. That it presents is said by `data-a2-presenting` on the page's root, which the style sheets and
the canvas go by.

Being on every page, it also carries the ticket with which a tab that is loaded again finds what its visitor
brought, and the scripts that every page has: charts that stay until the next are drawn (steady.js), a menu
that closes (menu.js). An element of their own would be gone through by the browser with every run.

Not in here: what a ticket is good for (`viz_app.ui.returning`), what the list of pictures is
(`viz_app.ui.playlist`), what a link says (`viz_app.ui.share`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from viz_app.components.runtime import component, fresh, hand_over

__all__ = ["Asked", "asked", "parse_asked", "presenter"]

MOST_OF_A_LINK = 2000  # characters: more does not fit a code that a phone reads from a screen
MOST_COUNTED = 10**6
MOST_OF_A_TICKET = 64  # characters

_component = component(
    "a2_presenter", Path(__file__).parent / "assets" / "presenter", parts=("steady", "menu")
)


@dataclass(frozen=True)
class Asked:
    """What was asked for last. `turns` and `links` count up and down from what the browser was handed."""

    presenting: bool
    turns: int  # steps forward in the list so far, less those back
    links: int  # how often the link was asked for
    link: str  # the address then, "" for none
    copied: bool  # whether the browser has copied it
    ticket: str | None = None  # that the tab has from before it was loaded, "" for none; None: not said


def presenter(
    *,
    presenting: bool,
    turns: int,
    links: int,
    stop: str | None,
    query: str | None,
    ticket: str | None,
    asks: bool,
    waits: bool,
    key: str,
) -> None:
    """Show the switch.

    `stop` is where in the list of pictures the page is, in words; None where none is stepped through.
    `query` is what a link to the page asks for, None where that stands in the browser's address.
    `ticket` is for the tab to keep; with `asks` it says which one it has, with `waits` even if that is none.
    When the visitor does something the page runs, and `asked(key)` says what.
    """
    counted = {"presenting": presenting, "turns": turns, "links": links}
    hand_over(
        _component,
        {**counted, "stop": stop, "query": query, "ticket": ticket, "asks": asks, "waits": waits},
        key=key,
        name="asked",
        identity=key,
        follows=tuple(counted),
    )


def asked(key: str) -> Asked | None:
    """What the browser asked for; None when stale or malformed."""
    return parse_asked(fresh(key, "asked", key))


def parse_asked(raw: Any) -> Asked | None:
    """`raw`, anything at all, as what was asked, or None. A link that is none of the web's is left out."""
    if not isinstance(raw, Mapping):
        return None
    presenting, turns, links, link = (raw.get(name) for name in ("presenting", "turns", "links", "link"))
    if not isinstance(presenting, bool) or not isinstance(turns, int) or not isinstance(links, int):
        return None
    if max(abs(turns), abs(links)) > MOST_COUNTED:
        return None
    fits = isinstance(link, str) and len(link) <= MOST_OF_A_LINK and _is_of_the_web(link)
    shown = raw.get("ticket")
    ticket = shown if isinstance(shown, str) and len(shown) <= MOST_OF_A_TICKET else None
    return Asked(presenting, turns, links, str(link) if fits else "", raw.get("copied") is True, ticket)


def _is_of_the_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
