"""The link to what is on screen, large, with a code that phones read."""

from __future__ import annotations

import html
import os
from urllib.parse import parse_qs, urlsplit

import segno
import streamlit as st

from viz_app.server.uploads import UPLOAD_PREFIX
from viz_app.ui import address, text

SITE = "A2_SITE"  # names where the explorer without a server stands (python -m a2core site)
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def show_link(link: str, *, copied: bool) -> None:
    """Show `link` in a dialog, as text and as a code, and what may keep others from opening it."""

    @st.dialog(text.LINK_TITLE, width="large")
    def dialog() -> None:
        st.html(link_html(link, copied=copied))

    dialog()


def link_html(link: str, *, copied: bool) -> str:
    """What the dialog says."""
    remarks = [text.COPIED] if copied else []
    parts = urlsplit(link)
    if parts.hostname in _THIS_MACHINE:
        remarks.append(text.THIS_MACHINE_ONLY)
    if parse_qs(parts.query).get(address.PICTURE, [""])[0].startswith(UPLOAD_PREFIX):
        remarks.append(text.PICTURE_STAYS)
    said = "".join(f"<p>{remark}</p>" for remark in remarks)
    return _code_html(link, text.LINK_CODE, said) + _site_html()


def _code_html(link: str, alt: str, said: str) -> str:
    """A link as a code and in words, and what is said of it."""
    # Black on white in either theme, with the quiet edge that readers need.
    code = segno.make(link, micro=False).svg_data_uri(border=4, light="#fff")
    shown = html.escape(link)
    return (
        f'<div class="a2-link"><img src="{code}" alt="{alt}">'
        f'<div><p><a href="{shown}" target="_blank">{shown}</a></p>{said}</div></div>'
    )


def _site_html() -> str:
    """The explorer without a server, where whoever runs the app has named one (A2_SITE)."""
    site = os.environ.get(SITE, "")
    if urlsplit(site).scheme not in ("http", "https"):
        return ""
    return _code_html(site, text.SITE_CODE, f"<p>{text.SITE}</p>")
