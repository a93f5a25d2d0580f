"""Whether an upload can work is told from how the visitor's browser connected."""

from __future__ import annotations

import pytest

from viz_app.ui import framed

COOKIE = {"_streamlit_xsrf": "2|ab|cd|1"}


@pytest.mark.parametrize(
    ("headers", "cookies", "lacks"),
    [
        ({"Origin": "https://school.example", "Host": "school.example"}, {}, True),
        ({"Origin": "https://school.example", "Host": "school.example"}, {"theme": "dark"}, True),
        ({"Origin": "https://school.example", "Host": "school.example"}, COOKIE, False),
        ({"Host": "127.0.0.1:8501"}, {}, False),  # no browser: nothing is kept back
        ({}, {}, False),
    ],
)
def test_a_browser_that_keeps_the_cookie_of_uploads_back_is_told_from_one_that_sends_it(
    headers: dict[str, str], cookies: dict[str, str], lacks: bool
) -> None:
    assert framed.lacks_upload_cookie(headers, cookies) == lacks
