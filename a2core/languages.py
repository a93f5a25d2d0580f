"""The languages in which people read our pages, and markup said in another one than English.

English words stand where they are used, or in a module of words beside it. Another language says the same
under the same names (`words.zh.js` beside `words.js`, `zh.py` beside what it is the Chinese of), and of
markup by a catalogue: each English sentence with what is said instead. What is not in it stays English.

Errors and notes are English wherever they are raised, printed and logged. What a visitor may read of them is
a `sentence`, which remembers its template and the values in it, so that a page can say it by a catalogue too.

Not in here: which language a visitor reads, which whoever shows a page knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "TAGS",
    "Sentence",
    "checked",
    "language_of",
    "said_in",
    "sentence",
    "sentences",
    "told_in",
]

ENGLISH = "en"
LANGUAGES = {"en": "English", "zh": "中文"}  # as each is called by who reads it
TAGS = {"en": "en", "zh": "zh-CN"}  # as a page's lang has it

_TEXT = re.compile(r"(>)([^<>]+)(?=<)")
_ATTRIBUTE = re.compile(r'(\s(?:title|aria-label|placeholder|name="description" content)=")([^"]+)(?=")')
_WORD = re.compile(r"[A-Za-z]{2,}")
# A blank between two Chinese characters, across the tags that stand between them: where English parts words.
_CHINESE = r"[\u4e00-\u9fff]"
_SPACE_BETWEEN = re.compile(rf"(?:(?<={_CHINESE})((?:<[^<>]*>)+) (?={_CHINESE}))")


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
    return _SPACE_BETWEEN.sub(r"\1", markup)


class Sentence(str):
    """A sentence in English that can be said in another language; made by `sentence`."""

    template: str
    values: Mapping[str, Any]


def sentence(template: str, **values: Any) -> Sentence:
    """`template` with its fields filled in by `values`, as `str.format` does it.

    A value may be a sentence or a constant of a catalogue itself. One that is somebody's own words, such as a
    file's name, is never looked into.
    """
    made = Sentence(template.format(**values))
    made.template, made.values = template, values
    return made


def told_in(said: str | BaseException, catalogue: Mapping[str, str]) -> str:
    """A sentence, a constant or an error's message as `catalogue` has it, by its template; else as it is."""
    if isinstance(said, BaseException):
        said = said.args[0] if said.args and isinstance(said.args[0], str) else str(said)
    template, values = (said.template, said.values) if isinstance(said, Sentence) else (said, {})
    known = catalogue.get(template)
    if known is None:
        return str(said)
    told = {k: told_in(value, catalogue) if isinstance(value, str) else value for k, value in values.items()}
    return known.format(**told)
