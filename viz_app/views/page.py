"""What every page shares: its style sheet."""

from pathlib import Path

import streamlit as st

STYLE = Path(__file__).resolve().parent.parent / "assets" / "style.css"


def styled() -> None:
    """Put the app's own type and spacing over Streamlit's."""
    st.html(STYLE)
