"""The link to what is on screen, large, with a code that phones read."""

from __future__ import annotations

import html
from urllib.parse import parse_qs, urlsplit

import segno
import streamlit as st

from viz_app.server.uploads import UPLOAD_PREFIX
from viz_app.ui import address, text

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@st.dialog(text.LINK_TITLE, width="large")
def show_link(link: str, *, copied: bool) -> None:
    """Show `link` in a dialog, as text and as a code, and what may keep others from opening it."""
    st.html(link_html(link, copied=copied))


def link_html(link: str, *, copied: bool) -> str:
    """What the dialog says."""
    remarks = [text.COPIED] if copied else []
    parts = urlsplit(link)
    if parts.hostname in _THIS_MACHINE:
        remarks.append(text.THIS_MACHINE_ONLY)
    if parse_qs(parts.query).get(address.PICTURE, [""])[0].startswith(UPLOAD_PREFIX):
        remarks.append(text.PICTURE_STAYS)
    said = "".join(f"<p>{remark}</p>" for remark in remarks)
    # Black on white in either theme, with the quiet edge that readers need.
    code = segno.make(link, micro=False).svg_data_uri(border=4, light="#fff")
    shown = html.escape(link)
    return (
        f'<div class="a2-link"><img src="{code}" alt="{text.LINK_CODE}">'
        f'<div><p><a href="{shown}" target="_blank">{shown}</a></p>{said}</div></div>'
    )
