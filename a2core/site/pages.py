"""A page of the site in a language: its template filled in and said in that, with links to the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from a2core.languages import ENGLISH, LANGUAGES, TAGS, said_in
from a2core.site import zh

_ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> str:
    """What is in a file of assets/."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def named(name: str, language: str) -> str:
    """A file in a language, as `inLanguage` of assets/site.js has it."""
    stem, _, end = name.rpartition(".")
    return name if language == ENGLISH else f"{stem}.{language}.{end}"


def filled(template: str, language: str, parts: Mapping[str, str]) -> str:
    """The page of that name in `language`, each part in its place, and its tag and links to the others."""
    page = asset(template)
    if language == "zh":
        page = said_in(page, zh.PAGE)
    known = {"lang": TAGS[language], "languages": _switch(template, language)}
    for part, text in (known | dict(parts)).items():
        page = page.replace(f"<!-- a2-{part} -->", text)
    return page


def _switch(template: str, language: str) -> str:
    """The page's language, and links to it in the others."""
    return " <i>/</i> ".join(
        f"<b>{called}</b>"
        if each == language
        else f'<a href="{named(template, each)}" lang="{TAGS[each]}" hreflang="{TAGS[each]}" '
        f'data-language="{each}">{called}</a>'
        for each, called in LANGUAGES.items()
    )
