"""The probe canvas: the app's one custom component, and the same thing as a single offline page.

The browser answers every hover by itself from the payload (contract 2 in docs/architecture.md); this
module only hands the payload over, once, and then takes small reports back. It computes nothing.

Not in here: making the payload (`viz_app.view_model`), judging the report (`viz_app.state`).
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from viz_app.components.runtime import component, fresh, hand_over, parcel, script

__all__ = ["canvas_payload", "parse_report", "probe_canvas", "standalone_html"]

MAX_PINS = 4
SPEEDS = (0, 4, 8, 24)

_ASSETS = Path(__file__).parent / "assets"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


_STEM = _ASSETS / "canvas"
_PARTS = ("attention", "drawing", "words", "clip")

_component = component("a2_probe_canvas", _STEM, parts=_PARTS)


def canvas_payload(payload: Mapping[str, Any], *, key: str) -> None:
    """Send what the canvas `key` answers hovers from. Drawn outside of its fragment, it goes once."""
    parcel(payload, identity=payload["key"], key=f"{key}-payload")


def probe_canvas(
    identity: str,
    *,
    view: Mapping[str, Any],
    key: str,
    measures: Sequence[str] = (),
    effects: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> dict[str, Any] | None:
    """Show the canvas of the payload `identity` and return what a person did in it last, or None.

    The report is `{"key", "block", "t", "row", "col", "primitive", "pinned", "view"}`, where `key` is
    the payload's and `view` holds the settings below. Types are checked here, and a setting of the wrong
    type is left out; whether it fits the trace on screen is for the caller to judge.

    `view` says what to show, every field optional: "block", "probe" [t, row, col], "primitive", "pinned",
    "revision" and the settings, which are also what the report's "view" holds:

    - "opacity" 0..1, "scale" "relative" | "absolute", "sort" "rho" | "reach" | "use" | "effect",
      "tiles" "gather" | "distribute";
    - "direction": "from" (where the pixel gets its information) | "to" (who receives from it);
    - "layer": "attention" | "gather" | "distribute" (of the chosen primitive) | "change";
    - "pins": up to four [t, row, col], in cells of the block, in the order of their numbers; the report's
      own t, row, col is the one in use;
    - "region": a box [t, row0, col0, row1, col1], both ends inside it, or None;
    - "presentation": large type, no controls;
    - "speed": frames a second at which a clip plays, one of 4, 8 and 24, or 0 for as filmed.

    A person who has touched any of these has the say; to set everything back to what `view` says
    (another trace, an address that was opened), call `components.runtime.override(key, identity)` first
    and send what it returns as the view's "revision".

    `measures` names what the page works out when the canvas is asked to sort by it: "effect"; `effects`
    are those that are known by now, of each block by name, one for each primitive.
    """
    hand_over(
        _component,
        {"view": dict(view), "measures": list(measures), "effects": {n: list(e) for n, e in effects.items()}},
        key=key,
        name="probe",
        identity=identity,
    )
    return parse_report(fresh(key, "probe", identity))


def standalone_html(
    payload: Mapping[str, Any], *, view: Mapping[str, Any] | None = None, title: str = ""
) -> str:
    """One HTML page that shows the payload and answers every hover, without a network.

    Its content security policy forbids every request, so it can be opened from disk and passed on.
    """
    data = {"payload": dict(payload), "view": dict(view if view is not None else payload.get("view") or {})}
    heading = f"<h1>{html.escape(title)}</h1>" if title else ""
    return _PAGE.format(
        title=html.escape(title or str(payload.get("alt") or "Double attention")),
        css=_PAGE_CSS + _asset("canvas.css"),
        heading=heading,
        body=_asset("canvas.html"),
        data=_script_json(data),
        js=script(_STEM, parts=_PARTS),
    )


def parse_report(raw: Any) -> dict[str, Any] | None:
    """The report `raw`, anything at all, with every type checked, or None."""
    if not isinstance(raw, Mapping):
        return None
    key, block, primitive = raw.get("key"), raw.get("block"), raw.get("primitive")
    place = {name: raw.get(name) for name in ("t", "row", "col")}
    if not isinstance(key, str) or not isinstance(block, str):
        return None
    if not all(_is_index(value) for value in place.values()):
        return None
    if primitive is not None and not _is_index(primitive):
        return None
    return {
        "key": key,
        "block": block,
        **place,
        "primitive": primitive,
        "pinned": raw.get("pinned") is True,
        "view": _settings_in(raw.get("view")),
    }


def _settings_in(view: Any) -> dict[str, Any]:
    """The settings whose types are right; names that are not known here pass as they are."""
    if not isinstance(view, Mapping):
        return {}
    return {name: value for name, value in view.items() if _SETTINGS.get(name, _anything)(value)}


def _anything(_: Any) -> bool:
    return True


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _are_indices(value: Any, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(_is_index, value))


_SETTINGS: dict[str, Callable[[Any], bool]] = {
    "opacity": _is_share,
    "scale": _one_of("relative", "absolute"),
    "sort": _one_of("rho", "reach", "use", "effect"),
    "tiles": _one_of("gather", "distribute"),
    "layer": _one_of("attention", "gather", "distribute", "change"),
    "direction": _one_of("from", "to"),
    "pins": lambda value: (
        isinstance(value, list) and len(value) <= MAX_PINS and all(_are_indices(pin, 3) for pin in value)
    ),
    "region": lambda value: value is None or _are_indices(value, 5),
    "presentation": lambda value: isinstance(value, bool),
    "speed": lambda value: isinstance(value, int) and not isinstance(value, bool) and value in SPEEDS,
}


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_PAGE_CSS = """
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#ffffff, #101217); color: light-dark(#22242b, #eceef2);
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1680px; margin: 0 auto; padding: 24px 32px 48px; }
h1 { font-size: 20px; font-weight: 600; margin: 0 0 16px; }
"""

_PAGE = """<!doctype html>
<html lang="en">
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
{heading}
{body}
</main>
<script type="application/json" id="a2-data">{data}</script>
<script type="module">
{js}
const given = JSON.parse(document.getElementById("a2-data").textContent);
mount(document.querySelector("[data-a2-root]"), given.payload, {{
  view: given.view,
  onPin: (report) => window.dispatchEvent(new CustomEvent("a2-pin", {{ detail: report }})),
  onView: (report) => window.dispatchEvent(new CustomEvent("a2-view", {{ detail: report }})),
}});
</script>
</body>
</html>
"""
