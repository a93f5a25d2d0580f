"""The languages in which people read our pages, and markup said in another one than English.

English words stand where they are used, or in a module of words beside it. Another language says the same
under the same names (`words.zh.js` beside `words.js`, `zh.py` beside what it is the Chinese of), and of
markup by a catalogue: each English sentence with what is said instead. What is not in it stays English.

Not in here: which language a visitor reads, which whoever shows a page knows. Errors are English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["ENGLISH", "LANGUAGES", "TAGS", "checked", "language_of", "said_in", "sentences"]

ENGLISH = "en"
LANGUAGES = {"en": "English", "zh": "中文"}  # as each is called by who reads it
TAGS = {"en": "en", "zh": "zh-CN"}  # as a page's lang has it

_TEXT = re.compile(r"(>)([^<>]+)(?=<)")
_ATTRIBUTE = re.compile(r'(\s(?:title|aria-label|placeholder|name="description" content)=")([^"]+)(?=")')
_WORD = re.compile(r"[A-Za-z]{2,}")


def language_of(asked: str) -> str:
    """Which of ours a browser or an address means by `asked`, such as "zh-Hans-CN"; English by any other."""
    first = re.split(r"[-_]", asked.strip().lower(), maxsplit=1)[0]
    return first if first in LANGUAGES else ENGLISH


def checked(language: str) -> str:
    """`language`, if it is one of ours.

    Raises:
        ValueError: it is none.
    """
    if language not in LANGUAGES:
        raise ValueError(f"There is no language {language!r}. Known: {', '.join(LANGUAGES)}.")
    return language


def sentences(markup: str) -> Iterator[str]:
    """What people read or hear of `markup`: texts between tags and in attributes, in one line each."""
    for pattern in (_TEXT, _ATTRIBUTE):
        for match in pattern.finditer(markup):
            line = " ".join(match[2].split())
            if _WORD.search(line):
                yield line


def said_in(markup: str, catalogue: Mapping[str, str]) -> str:
    """`markup` with each of its `sentences` that `catalogue` knows said as that has it."""

    def said(match: re.Match[str]) -> str:
        text = match[2]
        known = catalogue.get(" ".join(text.split()))
        if known is None:
            return match[0]
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{match[1]}{before}{known}{after}"

    for pattern in (_TEXT, _ATTRIBUTE):
        markup = pattern.sub(said, markup)
    return markup
