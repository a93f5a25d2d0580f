"""The language of the visitor whose page is being drawn, and modules of words that are read in it.

One server serves visitors of several languages at once: whatever runs for one of them runs in a thread, and
`speaking` says there which language that is (app.py, `ui.guards`). A module that ends in
`in_each_language(__name__)` is read in it: where viz_app/zh has a module of the same path, a public name is
taken from that one, and what is not in it is the English one. So nothing changes where words are used, as
long as they are taken from their module when they are said, and not when the program is imported.

Pure. Not in here: which language a visitor reads (`ui.state.language`).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from a2core.languages import ENGLISH, said_in, told_in

__all__ = ["current", "in_each_language", "kept", "said", "speak", "speaking", "told", "translation"]

T = TypeVar("T")
_PACKAGE = "viz_app."
_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


def current() -> str:
    """The language that is spoken here and now."""
    return _current.get()


def speak(language: str) -> None:
    """Speak `language` from now on, in this thread."""
    _current.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` in what stands within."""
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


def kept(make: Callable[[], T]) -> Callable[[], T]:
    """`make`, for another thread to call, in the language that is spoken now."""
    language = current()

    def made() -> T:
        with speaking(language):
            return make()

    return made


@cache
def translation(module: str, language: str) -> ModuleType | None:
    """What the module called `module` says in `language`; None in English, and where that is not said yet."""
    if language == ENGLISH:
        return None
    name = f"{_PACKAGE}{language}.{module.removeprefix(_PACKAGE)}"
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # nor is there a folder that it could be in
        return None
    return importlib.import_module(name) if found else None


def in_each_language(module: str) -> None:
    """Have the public names of the module called `module` be those of the language that is spoken."""
    sys.modules[module].__class__ = _Spoken


def said(markup: str, language: str) -> str:
    """The markup of a component in `language`."""
    words = translation(f"{_PACKAGE}markup", language)
    return markup if words is None else said_in(markup, words.MARKUP)


def told(sentence: str | BaseException) -> str:
    """An error or a note in the language that is spoken; one that it does not know is English."""
    words = translation(f"{_PACKAGE}sentences", current())
    return told_in(sentence, {} if words is None else words.SENTENCES)


class _Spoken(ModuleType):
    def __getattribute__(self, name: str) -> Any:
        language = _current.get()
        if language != ENGLISH and not name.startswith("_"):
            other = translation(ModuleType.__getattribute__(self, "__name__"), language)
            if other is not None and name in vars(other):
                return vars(other)[name]
        return ModuleType.__getattribute__(self, name)
