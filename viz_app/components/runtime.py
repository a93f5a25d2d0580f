"""Components of our own: how one is made without a build step, and the one protocol that all of them keep.

**The protocol.** Whatever a component is handed says what it is about (`identity`) and which time it is that
Python decides what it shows (`revision`); whatever it reports says both again, as they were when the person
acted. So each side can tell stale from new by the same rule, without a clock:

- In the browser, what a person did stays until data with another identity or revision come (`Talk` in
  components/assets/mounting.js). Answers to older questions, which still come in, change nothing of it.
- In Python, a report counts while it is about the identity and the revision handed last (`fresh`). What can
  be moved in several places counts for its callback, where it is what was done last (`latest`).

Python decides anew, with another revision, where it shows something else than the person did (`hand_over`
finds that out), or where a page takes back what was done (`override`: reset, undo, a link that was opened).

**Parcels.** What is large and stays, as the maps of a trace, is sent apart from what changes (`parcel`), by
its identity; components wait for it in the browser. Drawn outside of a fragment it is sent once, whatever
happens in it.

Not in here: what is in a report; the parse function beside each component checks it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from a2core.languages import ENGLISH, LANGUAGES
from viz_app.ui import language

__all__ = [
    "component",
    "fresh",
    "hand_over",
    "in_each_language",
    "latest",
    "override",
    "parcel",
    "script",
]

_ASSETS = Path(__file__).resolve().parent / "assets"
_MOUNTING = _ASSETS / "mounting.js"


def component(name: str, stem: Path, *, parts: Sequence[str] = ()) -> Any:
    """The component `name` from `stem` with .html, .css and .js behind it.

    `parts` are scripts of the same folder that stand before its own. The script ends in
    `export default mounting(selector, App)`, with a class `App` that is made of the element and its `Talk`,
    and has `show(data, said)` and `destroy()`.
    """
    html, css = (stem.with_suffix(end).read_text(encoding="utf-8") for end in (".html", ".css"))

    def made(spoken: str) -> dict[str, str]:
        return {
            "html": language.said(html, spoken),
            "css": css,
            "js": script(stem, parts=parts, language=spoken),
        }

    return in_each_language(name, made)


def in_each_language(name: str, made: Callable[[str], Mapping[str, str]]) -> Callable[..., Any]:
    """The component `name` of html, css and js as `made` in each language; shown in the visitor's."""
    english = made(ENGLISH)

    def registered(name: str, html: str, css: str, js: str) -> Any:
        return st.components.v2.component(name, html=html, css=css, js=js)

    known = {ENGLISH: registered(name, **english)}
    for other in LANGUAGES:
        if (parts := made(other)) != english:
            known[other] = registered(f"{name}_{other}", **parts)

    def shown(**given: Any) -> Any:
        return known.get(language.current(), known[ENGLISH])(**given)

    return shown


def script(stem: Path, *, parts: Sequence[str] = (), language: str = ENGLISH) -> str:
    """The whole script of a component: how it is mounted, what it uses, and its own.

    What it says stands in NAME_words.js, where it says anything beside its markup; in another language that
    is NAME_words.zh.js.
    """
    words = stem.with_name(f"{stem.name}_words.js")
    spoken = words.with_suffix(f".{language}.js")
    said = [spoken if spoken.is_file() else words] if words.is_file() else []
    chosen = [*said, *(stem.with_name(f"{part}.js") for part in (*parts, stem.name))]
    return "".join(path.read_text(encoding="utf-8") for path in (_MOUNTING, *chosen))


# ---- the protocol


@dataclass(frozen=True)
class Handed:
    """What a component was handed last: about what, for which time, and what a person may change of it."""

    identity: str
    revision: int
    value: Mapping[str, Any]


def hand_over(
    component: Any,
    data: Mapping[str, Any],
    *,
    key: str,
    name: str,
    identity: str,
    follows: Sequence[str] = (),
    on_change: Callable[[], None] | None = None,
) -> None:
    """Show `component` with `data`.

    Args:
        component: as `component` made it.
        data: what the component's `show` is called with.
        key: of this place on the page.
        name: of the state or trigger that it reports; `on_change` runs when there is another report.
        identity: what the data are about. A report about anything else is stale.
        follows: the fields of `data` that a person changes and that reports hold too. Where they are not
            what the person did last, the browser takes them over from `data`.
        on_change: called before the page runs again.
    """
    value = {field: data[field] for field in follows}
    handed = _next(_handed(key), identity, value, fresh(key, name, identity))
    st.session_state[_memory(key)] = handed
    component(
        data={**data, "key": key, "identity": identity, "revision": handed.revision},
        key=key,
        **{f"on_{name}_change": on_change or _nothing},
    )


def fresh(key: str, name: str, identity: str) -> Mapping[str, Any] | None:
    """The report `name` of the component `key`, unchecked; None if Python has decided anew since.

    `identity` is what the report must be about. It stays fresh until the component is handed something else:
    taking it in twice must change nothing.
    """
    state = st.session_state.get(key)
    report = state.get(name) if isinstance(state, Mapping) else None
    handed = _handed(key)
    return report if handed is not None and _is_about(report, identity, handed.revision) else None


def latest(key: str, name: str, identity: str) -> Mapping[str, Any] | None:
    """The report `name` that a callback of the component `key` is called for, unchecked; None if of another.

    For what can be moved in several places: when it is moved elsewhere Python decides anew here, and what a
    person does here before the browser has heard of that would never be `fresh`. Reports come in the order in
    which things were done, so that the one which calls is what was done last. Not for what `override` takes
    back.
    """
    state = st.session_state.get(key)
    report = state.get(name) if isinstance(state, Mapping) else None
    return report if isinstance(report, Mapping) and report.get("identity") == identity else None


def override(key: str, identity: str = "") -> int:
    """Let what a person did in the component `key` count no more; the revision that is handed next.

    Whatever is still on its way from the browser is stale from now on; the next time that the component is
    shown it takes over all of its data. `identity` is what it will be about then, "" for the same as before.
    """
    handed = _handed(key)
    before = _first_revision() if handed is None else handed.revision
    about = identity or ("" if handed is None else handed.identity)
    st.session_state[_memory(key)] = Handed(about, before + 1, {})
    return before + 1


def _next(handed: Handed | None, identity: str, value: Mapping[str, Any], report: Any) -> Handed:
    """What is handed over now, after `handed` and the fresh `report` on it, if any."""
    if handed is None:
        return Handed(identity, _first_revision(), value)
    shown = {**handed.value, **(report or {})}
    differs = any(field in shown and shown[field] != wanted for field, wanted in value.items())
    another = handed.identity != identity or differs
    return Handed(identity, handed.revision + another, value)


def _is_about(report: Any, identity: str, revision: int) -> bool:
    if not isinstance(report, Mapping):
        return False
    return report.get("identity") == identity and report.get("revision") == revision


def _first_revision() -> int:
    """By chance: a page that outlives its session on the server has seen none of the next session's."""
    return secrets.randbelow(2**48)


def _memory(key: str) -> str:
    return f"{key}:handed"


def _handed(key: str) -> Handed | None:
    handed: Handed | None = st.session_state.get(_memory(key))
    return handed


def _nothing() -> None:
    """The report is read by the run that follows; no callback is needed."""


# ---- parcels


_parcel = st.components.v2.component(
    "a2_parcel",
    html="<i data-a2-parcel hidden></i>",
    js="".join(path.read_text(encoding="utf-8") for path in (_MOUNTING, _ASSETS / "parcel.js")),
)


def parcel(content: Mapping[str, Any], *, identity: str, key: str) -> None:
    """Send `content`, anything that JSON can hold, to the components that ask for the parcel `identity`.

    It is there for as long as this place on the page shows it. As bytes Streamlit does not
    write it twice, and a browser that was sent the same bytes before is sent their name only.
    """
    _parcel(data=json.dumps({"identity": identity, "content": content}).encode(), key=f"parcel-{key}")
