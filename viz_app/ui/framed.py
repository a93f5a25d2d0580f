"""Inside a frame of another site's page: what browsers keep back there, and the words that say what to set.

There a browser keeps back the cookie by which the server checks uploads, and lends the camera only where the
page around says so. The first is seen in what the browser sent when it connected; the second only the
browser knows. How the app is put behind a proxy and into a page: README.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from viz_app.ui import text

__all__ = ["about_camera", "about_uploads", "lacks_upload_cookie"]

XSRF_COOKIE = "_streamlit_xsrf"
SCRIPT = Path(__file__).parent / "assets" / "framed.js"


def about_uploads() -> str:
    """Why no file can be uploaded from where the visitor's page stands, as Markdown; "" when one can."""
    headers, cookies = st.context.headers, st.context.cookies
    if not (st.get_option("server.enableXsrfProtection") and lacks_upload_cookie(headers, cookies)):
        return ""
    url = str(st.context.url or "")
    own_tab = text.OWN_TAB_LINK.format(url=url) if urlsplit(url).scheme in ("http", "https") else ""
    return text.NO_UPLOADS.format(instead=own_tab or text.OWN_TAB)


def lacks_upload_cookie(headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
    """Whether a browser connected with these headers, and without the cookie that the server had given it."""
    return "Origin" in headers and XSRF_COOKIE not in cookies


def about_camera() -> None:
    """Say, where it is so, that the page around does not lend the camera, and what to set there."""
    st.html(f'<p class="a2-unlent">{text.NO_CAMERA}</p>')
    st.html(f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)
