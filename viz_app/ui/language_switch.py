"""The switch of the language, in the header of every page, and what a browser keeps of the choice."""

from __future__ import annotations

import streamlit as st

from a2core.languages import LANGUAGES, TAGS
from viz_app.ui import language, text
from viz_app.ui.guards import callback
from viz_app.ui.state import LANGUAGE_COOKIE, Key, choose_language, chosen_language

_KEPT_S = 365 * 24 * 3600


def switch() -> None:
    """Draw a button for each other language, called as its readers call it; tell the browser what is read."""
    for other, called in LANGUAGES.items():
        if other != language.current():
            st.button(
                called,
                key=f"{Key.LANGUAGE_SWITCH}-{other}",
                help=text.READ_IN.format(language=called),
                on_click=callback(choose_language),
                args=(other,),
            )
    script = _script(language.current(), chosen_language())
    if script:
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def _script(spoken: str, chosen: str) -> str:
    """What the browser is told: nothing to a visitor who never chose, and reads English."""
    if not chosen and spoken == "en":
        return ""
    tag = f'document.documentElement.lang = "{TAGS[spoken]}";'
    cookie = f'document.cookie = "{LANGUAGE_COOKIE}={chosen}; path=/; max-age={_KEPT_S}; samesite=lax";'
    return tag + (cookie if chosen else "")
