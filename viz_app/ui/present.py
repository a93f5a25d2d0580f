"""Presenting: one switch for all pages, kept from page to page.

Large type and no controls are the style sheets' doing (`style/presenting.css`), which go by what the switch
writes on the page's root. Here is what the session remembers of it.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import streamlit as st

from viz_app.components.glossary import glossary
from viz_app.components.presenter import asked, presenter
from viz_app.ui import address, language_switch, playlist, returning, share, text
from viz_app.ui.state import Key, language_parameter, presenting

# Where pictures are stepped through; the default page has no path. In the lesson a remote turns its steps.
PAGES_WITH_A_LIST = ("", "explore", "compare", "experiment")
PAGES_WITHOUT_AN_ADDRESS = ("compare", "experiment")  # in the browser's bar: their links are made here


def bar(url_path: str) -> None:
    """Draw the switch, and the link if it was asked for; first of all, so that pages know."""
    if Key.PRESENT not in st.session_state:
        st.session_state[Key.PRESENT] = address.presents(st.query_params)
    _take(url_path)
    with st.container(key="present-bar", horizontal=True):
        language_switch.switch()
        glossary(key=Key.GLOSSARY)
        presenter(
            presenting=presenting(),
            turns=st.session_state.get(Key.TURNS, 0),
            links=st.session_state.get(Key.LINKS, 0),
            stop=_where() if url_path in PAGES_WITH_A_LIST else None,
            query=_query(url_path),
            ticket=returning.ticket(),
            asks=returning.asks(),
            waits=returning.waits(),
            key=Key.PRESENTER,
        )
    link = st.session_state.pop(Key.LINK, None)
    if link is not None:
        share.show_link(link.link, copied=link.copied)


def _where() -> str:
    """Which stop of the list is on screen, in words."""
    stops = playlist.stops()
    here = playlist.at(st.session_state.get(Key.GO) or st.session_state.get(Key.ADDRESS), stops)
    stop = stops[here] if here is not None else None
    return text.stop(here, len(stops), stop.title if stop else "", stop.pin if stop else 0)


def _query(url_path: str) -> str | None:
    """What a link to the page asks for, where the browser's address does not say it."""
    if url_path not in PAGES_WITHOUT_AN_ADDRESS:
        return None
    seen = st.session_state.get(Key.ADDRESS) or {}
    told = {name: value for name, value in seen.items() if name != address.PRESENT}
    return urlencode(address.without_language(told) | language_parameter())


def _take(url_path: str) -> None:
    """Take over what was asked for; what is malformed is dropped, what was taken before changes nothing."""
    now = asked(Key.PRESENTER)
    if now is None:
        return
    if now.ticket is not None and returning.take_over(now.ticket) and url_path in PAGES_WITHOUT_AN_ADDRESS:
        returning.go_to_last()
    st.session_state[Key.PRESENT] = now.presenting
    by = now.turns - st.session_state.get(Key.TURNS, 0)
    stops = playlist.stops()
    if by and stops:
        here = playlist.at(st.session_state.get(Key.GO) or st.session_state.get(Key.ADDRESS), stops)
        st.session_state[Key.GO] = stops[playlist.after(here, by, len(stops))].link
    st.session_state[Key.TURNS] = now.turns
    if now.links != st.session_state.get(Key.LINKS, 0) and now.link:
        query = _query(url_path)
        # A pixel that was picked since the switch was drawn is in this link, and not in what was copied.
        link = now.link if query is None else urlsplit(now.link)._replace(query=query).geturl()
        st.session_state[Key.LINK] = replace(now, link=link, copied=now.copied and link == now.link)
    st.session_state[Key.LINKS] = now.links
