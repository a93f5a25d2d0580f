"""The canvas in a page: markup, style, script, and one HTML file of all three that works offline.

The file has the glossary too, in a shadow tree as in the app.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from a2core.canvas import glossary, zh
from a2core.canvas.modules import join
from a2core.languages import ENGLISH, TAGS, checked, said_in

_ASSETS = Path(__file__).parent / "assets"


@cache
def markup(language: str = ENGLISH) -> str:
    """The HTML that the canvas is mounted in."""
    english = _asset("canvas.html")
    return said_in(english, zh.MARKUP) if language == "zh" else english


def style() -> str:
    """The canvas's style sheet."""
    return _asset("canvas.css")


@cache
def script(language: str = ENGLISH) -> str:
    """The canvas's script, whole: it defines `a2Canvas`, with `mount(root, payload, options)`."""
    return join(_ASSETS / "mount.js", name="a2Canvas", language=language)


def widget_script() -> str:
    """The frame round the canvas in a notebook: an ES module that stands behind `script`."""
    return (Path(__file__).parent / "widget.js").read_text(encoding="utf-8")


def standalone_html(
    payload: Mapping[str, Any],
    *,
    view: Mapping[str, Any] | None = None,
    title: str = "",
    language: str = ENGLISH,
) -> str:
    """One HTML page that shows the payload and answers every hover, without a network.

    Its content security policy forbids every request, so it can be opened from disk and passed on. It is in
    `language`, "en" or "zh", for good; classes and cards are as the network's makers named them.

    Raises:
        ValueError: there is no such language.
    """
    checked(language)
    view = dict(view if view is not None else payload.get("view") or {})
    data = {"payload": dict(payload), "view": view, "glossary": glossary.told(language)}
    heading = f"<h1>{html.escape(title)}</h1>" if title else ""
    return _PAGE.format(
        lang=TAGS[language],
        title=html.escape(title or str(payload.get("alt") or (zh.TITLE if language == "zh" else _TITLE))),
        css=_PAGE_CSS + style(),
        heading=heading,
        warning=untrained_warning(language) if payload.get("trained") is False else "",
        symbols=f"<style>{glossary.style()}</style>{glossary.markup()}",
        body=markup(language),
        data=_script_json(data),
        js=script(language) + glossary.script(),
    )


def untrained_warning(language: str = ENGLISH) -> str:
    """What a page of random weights says in large letters, as HTML."""
    what, why = zh.UNTRAINED if language == "zh" else _UNTRAINED
    space = "" if language == "zh" else " "
    return f'<p class="a2-untrained" role="status"><strong>{what}</strong>{space}{why}</p>\n'


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_TITLE = "Double attention"
_UNTRAINED = ("Random weights.", "The blocks of this network were never trained: their maps mean nothing.")

_PAGE_CSS = """
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#ffffff, #101217); color: light-dark(#22242b, #eceef2);
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1680px; margin: 0 auto; padding: 12px 32px 48px; --a2-round-picture: 258px; }
.a2-head { display: flex; align-items: center; gap: 16px; margin-bottom: 8px; }
.a2-symbols { margin-left: auto; --st-primary-color: light-dark(#b8325e, #f2798f);
  --st-heading-font: ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; }
.a2-untrained { margin: 0 0 12px; padding: 10px 16px; border-left: 5px solid #d9661f; font-size: 17px;
  background: light-dark(#f8e9dd, #33241a); }
.a2-untrained strong { display: block; font-size: 24px; }
h1 { font-size: 20px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
"""

_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<main>
<header class="a2-head">{heading}
<div class="a2-symbols"><template shadowrootmode="open">{symbols}</template></div></header>
{warning}{body}
</main>
<script type="application/json" id="a2-data">{data}</script>
<script type="module">
{js}
const given = JSON.parse(document.getElementById("a2-data").textContent);
const symbols = document.querySelector(".a2-symbols").shadowRoot.querySelector("[data-a2-glossary]");
new a2Glossary.Glossary(symbols).show(given.glossary);
a2Canvas.mount(document.querySelector("[data-a2-root]"), given.payload, {{
  view: given.view,
  onPin: (report) => window.dispatchEvent(new CustomEvent("a2-pin", {{ detail: report }})),
  onView: (report) => window.dispatchEvent(new CustomEvent("a2-view", {{ detail: report }})),
}});
</script>
</body>
</html>
"""
