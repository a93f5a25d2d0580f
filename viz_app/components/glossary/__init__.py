"""A page of symbols and words over any page: opened by a button in the header and by one key.

It opens in the browser alone: Python works on undisturbed, and nothing of the page is drawn again. While it
is open the keys of the page beneath rest.

Not in here: what it says, and the dialog itself, which the page that works offline has too
(`a2core.canvas.glossary`).
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from a2core.canvas import glossary as source
from viz_app.components.runtime import hand_over, script
from viz_app.ui import language

__all__ = ["glossary"]

_component = st.components.v2.component(
    "a2_glossary",
    html=source.markup(),
    css=source.style(),
    js=source.script() + script(Path(__file__).parent / "assets" / "frame"),
)


def glossary(*, key: str) -> None:
    """Show the button that opens it; so does its key."""
    hand_over(_component, source.told(language.current()), key=key, name="nothing", identity=key)
