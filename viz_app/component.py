"""Components of our own, from a folder of assets without a build step; the probe canvas makes its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

_MOUNTING = Path(__file__).parent / "assets" / "mounting.js"


def component(name: str, stem: Path) -> Any:
    """The component `name` from `stem` with .html, .css and .js behind it.

    The script ends in `export default mounting(selector, App)`, with a class `App` that is made of the
    element, and has `show(data, setStateValue, setTriggerValue)` and `destroy()`.
    """
    html, css = (stem.with_suffix(end).read_text(encoding="utf-8") for end in (".html", ".css"))
    return st.components.v2.component(name, html=html, css=css, js=script(stem))


def script(stem: Path) -> str:
    """The whole script of a component: how it is mounted, and its own."""
    return "".join(path.read_text(encoding="utf-8") for path in (_MOUNTING, stem.with_suffix(".js")))


def told(key: str, name: str) -> Any:
    """What the component `key` has as its state `name`: whatever a browser sent, or None."""
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


def answered(key: str, name: str) -> float:
    """When, by the browser's clock, it said what this run answers ("at" of the state); 0 for nothing.

    Sent back with the answer, it tells the browser whether what it said since is still on its way.
    """
    state = told(key, name)
    at = state.get("at") if isinstance(state, Mapping) else None
    return float(at) if isinstance(at, int | float) and math.isfinite(at) else 0.0
