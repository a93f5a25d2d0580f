"""The app's server takes as many threads as it may use, once."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

import a2core
from viz_app.pages.explore import page as explore

APP = Path(__file__).resolve().parents[3] / "viz_app" / "app.py"


def test_the_first_run_of_the_page_sets_the_threads_and_later_ones_leave_them(monkeypatch):
    asked = []
    monkeypatch.setattr(a2core, "use_cores", lambda: asked.append("asked") or 2)
    monkeypatch.setattr(explore, "render", lambda: None)
    st.cache_resource.clear()
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    app.run()
    assert asked == ["asked"]
    st.cache_resource.clear()
