"""A page that was loaded again: its new session takes over what the visitor had brought to the one before.

The tab keeps a ticket (`components/presenter`), from the first file on that somebody brings; on the first run
of a session the browser shows it. Nothing of it is in the address, which is shared.
"""

from __future__ import annotations

import streamlit as st

from viz_app.server import uploads, visitors
from viz_app.server.uploads import UPLOAD_PREFIX
from viz_app.ui import address
from viz_app.ui.state import Key

HANDED_ON = (Key.UPLOADS, Key.SOURCES, Key.MARKS, Key.PLAYLIST, Key.NAMES)  # dicts that are changed in place


def ticket() -> str | None:
    """What the tab is to keep; None for a visitor who has brought nothing."""
    brought = st.session_state.get(Key.UPLOADS) or st.session_state.get(Key.NAMES)
    if Key.INCOMING not in st.session_state and not brought:
        return None
    cloakroom, who = visitors.server().cloakroom, visitors.visitor()
    held: str = st.session_state.get(Key.TICKET, "")
    if not cloakroom.is_of(held, who):
        held = cloakroom.leave(who, {key: st.session_state.setdefault(key, {}) for key in HANDED_ON})
        st.session_state[Key.TICKET] = held
    return held


def asks() -> bool:
    """Whether the browser has still to say which ticket it has."""
    return Key.HEARD not in st.session_state and ticket() is None


def waits() -> bool:
    """Whether the page is not to be drawn before that: it is about a picture that may be taken over."""
    wanted = st.query_params.get(address.PICTURE, "")
    return wanted.startswith(UPLOAD_PREFIX) and wanted not in st.session_state.get(Key.UPLOADS, {}) and asks()


def take_over(shown: str) -> bool:
    """Have what was left under the ticket `shown`, "" for none; whether there was anything."""
    if Key.HEARD in st.session_state:
        return False
    st.session_state[Key.HEARD] = True
    former = visitors.server().hand_on(shown, visitors.visitor())
    if former is None:
        return False
    for key, things in former.items():
        both = {**st.session_state.get(key, {}), **things}
        things.clear()  # in place: the next session is handed the same dict
        things.update(both)
        st.session_state[key] = things
    st.session_state[Key.TICKET] = shown
    uploads.own()  # what the server has let go meanwhile is not among them
    return True


def go_to_last() -> None:
    """Go to the picture looked at last, if it is the visitor's own and the address names none.

    As it was looked at but for the place: that is the visitor's mark, which may be newer.
    """
    last = next(reversed(st.session_state[Key.MARKS]), None)
    if last in uploads.own() and not st.query_params.get(address.PICTURE):
        _, link = st.session_state[Key.PLAYLIST].get(last, ("", {}))
        how = {name: value for name, value in address.without_places(link).items() if name != address.BLOCK}
        st.session_state[Key.GO] = {**how, address.PICTURE: last}
