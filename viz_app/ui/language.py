"""The app's words in the language of the visitor whose page is being drawn.

`speaking` says which that is (app.py, `ui.guards`), and what a module of words says is said in it
(`a2core.spoken`): viz_app/zh has a module of the same path. Here is what stands in catalogues instead: the
markup of components, and errors and notes.

Pure. Not in here: which language a visitor reads (`ui.state.language`).
"""

from __future__ import annotations

from a2core.languages import said_in, told_in
from a2core.spoken import current, in_each_language, kept, speak, speaking, translation

__all__ = ["current", "in_each_language", "kept", "said", "speak", "speaking", "told", "translation"]

_PACKAGE = "viz_app."


def said(markup: str, language: str) -> str:
    """The markup of a component in `language`."""
    words = translation(f"{_PACKAGE}markup", language)
    return markup if words is None else said_in(markup, words.MARKUP)


def told(sentence: str | BaseException) -> str:
    """An error or a note in the language that is spoken; one that it does not know is English."""
    words = translation(f"{_PACKAGE}sentences", current())
    return told_in(sentence, {} if words is None else words.SENTENCES)
