"""The About page."""

import streamlit as st

from viz_app.views.page import styled


def render() -> None:
    """Draw the page."""
    styled()
    st.title("About")
