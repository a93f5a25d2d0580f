"""HTML of our own, with much in it of which little changes: only what changes is touched in the page.

Streamlit's `st.html` reads and cleans all of it again in the browser whenever a word of it changes, and makes
every picture anew. Here what stays, stays: its pictures are neither read nor decoded nor laid out again.

It is not cleaned: everything in it that is not ours has to be escaped where the HTML is made.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from viz_app.components.runtime import script

__all__ = ["sheet"]

_STEM = Path(__file__).parent / "assets" / "sheet"
_component = st.components.v2.component(
    "a2_sheet",
    html=_STEM.with_suffix(".html").read_text(encoding="utf-8"),
    js=script(_STEM),
    isolate_styles=False,
)


def sheet(html: str, *, key: str) -> None:
    """Show `html`, in the page's own styles."""
    _component(data={"key": key, "html": html}, key=key)
