"""The pictures that a visitor keeps to step through in front of a class: those brought, and those with pins.

Each stop is an address, as of a link: stepping is opening it. Kept for the session, in the order of keeping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from viz_app.server.uploads import UPLOAD_PREFIX
from viz_app.ui import address
from viz_app.ui.state import Key


@dataclass(frozen=True)
class Stop:
    """A pin of a picture, or what was looked at in it last; `title` is the picture's."""

    title: str
    pin: int  # from 1, 0 where the picture has but one mark
    link: Mapping[str, str]


def keep(title: str, link: Mapping[str, str], *, pinned: bool | None) -> None:
    """Note that `link` is how its picture stands now.

    `pinned` is whether there are pins in it, None where nobody has touched it since it came. A picture of the
    visitor's own is kept from the start; any other as long as it has pins.
    """
    kept: dict[str, tuple[str, dict[str, str]]] = st.session_state.setdefault(Key.PLAYLIST, {})
    picture = link[address.PICTURE]
    own = picture.startswith(UPLOAD_PREFIX)
    if pinned is None and (picture in kept or not own):
        return
    if pinned or own:
        kept[picture] = (title, dict(link))
    else:
        kept.pop(picture, None)


def stops() -> list[Stop]:
    """All stops: of a picture with several pins one for each."""
    found = []
    there = st.session_state.get(Key.UPLOADS, {})
    for picture, (title, link) in st.session_state.get(Key.PLAYLIST, {}).items():
        if picture.startswith(UPLOAD_PREFIX) and picture not in there:
            continue  # let go by the server, or by the visitor's next uploads
        pins = link.get("pins", "").split("_")
        if len(pins) < 2:
            found.append(Stop(title, 0, link))
        else:
            place = {name: value for name, value in link.items() if name != "token"}
            found += [Stop(title, k, {**place, "at": pin}) for k, pin in enumerate(pins, 1)]
    return found


def at(link: Mapping[str, str] | None, all_stops: list[Stop]) -> int | None:
    """Which of the stops `link` is at: its pin, or else its picture; None for none of them."""
    if link is None:
        return None
    same = [k for k, stop in enumerate(all_stops) if _of(stop) == link.get(address.PICTURE)]
    exact = [k for k in same if all_stops[k].link.get("at") == link.get("at")]
    return next(iter(exact or same), None)


def after(here: int | None, by: int, count: int) -> int:
    """The stop `by` steps on from `here`, among `count` of them; it stays at the first and the last."""
    if here is None:
        return 0 if by > 0 else count - 1
    return max(0, min(here + by, count - 1))


def _of(stop: Stop) -> str | None:
    return stop.link.get(address.PICTURE)
