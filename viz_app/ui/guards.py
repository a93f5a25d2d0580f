"""The net under fragments and callbacks: a fault in one must not end what is on screen.

A fault in a page's own run is caught where app.py hands the page to Streamlit; but Streamlit runs fragments
and callbacks without that net. Deferred downloads have one of Streamlit's own: it says beside the button that
no file could be made.

They say also which language the visitor reads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from viz_app.server.faults import attempt
from viz_app.ui import language, state
from viz_app.ui.text import as_markdown

P = ParamSpec("P")


def guarded(render: Callable[P, None]) -> Callable[P, None]:
    """`render`, with every fault shown as a calm message in place of a stack trace."""
    return _over_net(render, tell)


def fragment(*, run_every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A part of a page that reruns alone, as `st.fragment`; a fault in it is a calm message in its place."""

    def made(render: Callable[P, None]) -> Callable[P, None]:
        part: Callable[P, None] = st.fragment(guarded(render), run_every=run_every)
        return part

    return made


def callback(act: Callable[P, object]) -> Callable[P, None]:
    """`act`, to be called before a page runs; a fault in it is told, and the page runs as it was."""
    return _over_net(act, _tell_beside)


def tell(fault: str) -> None:
    """Show `fault` on the page, word for word."""
    st.error(as_markdown(fault), icon=":material/error:")


def _tell_beside(fault: str) -> None:
    # No message in the page: it would move, and so remount, all that stands below it.
    st.toast(as_markdown(fault), icon=":material/error:", duration="infinite")


def _over_net(act: Callable[P, object], told: Callable[[str], None]) -> Callable[P, None]:
    @functools.wraps(act)
    def calm(*args: P.args, **kwargs: P.kwargs) -> None:
        with language.speaking(state.language()):
            _, fault = attempt(lambda: act(*args, **kwargs))
            if fault:
                told(fault)

    return calm
