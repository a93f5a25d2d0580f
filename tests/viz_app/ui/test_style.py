"""What leans on Streamlit's own markup stands in one style sheet, which names the Streamlit it is for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit

STYLES = Path(__file__).resolve().parents[3] / "viz_app" / "ui" / "style"
PRIVATE = re.compile(r"\[data-testid|\[data-stale|\.st[A-Z]")


def test_the_style_sheet_over_streamlits_markup_was_read_again_with_the_streamlit_that_is_installed():
    first = (STYLES / "streamlit.css").read_text(encoding="utf-8").splitlines()[0]
    assert f"Streamlit {streamlit.__version__} " in first


@pytest.mark.parametrize("name", sorted(path.name for path in STYLES.glob("*.css")))
def test_no_other_style_sheet_reaches_into_streamlits_markup(name):
    if name != "streamlit.css":
        assert PRIVATE.findall((STYLES / name).read_text(encoding="utf-8")) == []
