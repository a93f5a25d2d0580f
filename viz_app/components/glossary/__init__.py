"""A page of symbols and words over any page: opened by a button in the header and by one key.

It opens in the browser alone: Python works on undisturbed, and nothing of the page is drawn again. While it
is open the keys of the page beneath rest.

Not in here: what it says (`viz_app.ui.glossary`).
"""

from __future__ import annotations

from pathlib import Path

from viz_app.components.runtime import component, hand_over

__all__ = ["glossary"]

_component = component("a2_glossary", Path(__file__).parent / "assets" / "glossary")


def glossary(*, opener: str, title: str, close: str, letter: str, page: str, key: str) -> None:
    """Show the button `opener`, which opens `page`, HTML of ours, under `title`; so does the key `letter`."""
    data = {"opener": opener, "title": title, "close": close, "letter": letter, "page": page}
    hand_over(_component, data, key=key, name="nothing", identity=key)
