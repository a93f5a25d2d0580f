"""The app's server takes as many threads as it may use, once."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import a2core
from tests.viz_app.explorer import open_explore
from viz_app.views.explore import page as explore

APP = Path(__file__).resolve().parents[3] / "viz_app" / "app.py"


def test_the_first_run_of_the_page_sets_the_threads_and_later_ones_leave_them(monkeypatch):
    asked = []
    monkeypatch.setattr(a2core, "use_cores", lambda: asked.append("asked") or 2)
    monkeypatch.setattr(explore, "render", lambda: None)
    st.cache_resource.clear()
    app = open_explore()
    assert not app.exception
    app.run()
    assert asked == ["asked"]
    st.cache_resource.clear()
