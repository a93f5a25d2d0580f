"""The language that is spoken here and now, and modules of words that are read in it.

One server serves visitors of several languages at once: whatever runs for one of them runs in a thread, and
`speaking` says there which language that is. A module that ends in `in_each_language(__name__)` is read in
it: where a folder called as the language, beside it or beside a package that it is in, has a module of the
same path, a public name is taken from that one, and what is not in it is the English one. So nothing changes
where words are used, as long as they are taken from their module when they are said, and not when the program
is imported.

Pure. Not in here: which language a visitor reads, which whoever shows a page knows.
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

from a2core.languages import ENGLISH

__all__ = ["current", "in_each_language", "kept", "speak", "speaking", "translation"]

T = TypeVar("T")
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
    """What the module called `module` says in `language`; None in English, and where that is not said yet.

    The nearest folder counts: of a.b.c it is a.b.zh.c, or else a.zh.b.c.
    """
    if language == ENGLISH:
        return None
    parts = module.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        name = ".".join([*parts[:depth], language, *parts[depth:]])
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:  # nor is there a folder that it could be in
            continue
        if found:
            return importlib.import_module(name)
    return None


def in_each_language(module: str) -> None:
    """Have the public names of the module called `module` be those of the language that is spoken."""
    sys.modules[module].__class__ = _Spoken


class _Spoken(ModuleType):
    def __getattribute__(self, name: str) -> Any:
        language = _current.get()
        if language != ENGLISH and not name.startswith("_"):
            other = translation(ModuleType.__getattribute__(self, "__name__"), language)
            if other is not None and name in vars(other):
                return vars(other)[name]
        return ModuleType.__getattribute__(self, name)
