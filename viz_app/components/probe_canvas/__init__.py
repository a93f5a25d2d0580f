"""The probe canvas in the app: a thin frame of Streamlit round `a2core.canvas`.

It hands the payload over, once, and then takes small reports back. It computes nothing.

Not in here: the payload, the page that works offline, what a report may hold (`a2core.canvas`); judging the
report (`viz_app.ui.state`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from a2core import canvas
from a2core.languages import ENGLISH
from viz_app.components.runtime import fresh, hand_over, in_each_language, parcel, script

__all__ = ["component_script", "probe_canvas", "send_cards", "send_layer", "send_payload"]


def component_script(language: str = ENGLISH) -> str:
    """The whole script of the component: the canvas, how it is mounted, and the frame between them."""
    return canvas.script(language) + script(Path(__file__).parent / "assets" / "frame")


_component = in_each_language(
    "a2_probe_canvas",
    lambda language: {
        "html": canvas.markup(language),
        "css": canvas.style(),
        "js": component_script(language),
    },
)


def send_payload(payload: Mapping[str, Any], *, key: str) -> None:
    """Send what the canvas `key` answers hovers from. Drawn outside of its fragment, it goes once."""
    parcel(payload, identity=payload["key"], key=f"{key}-payload")


def send_layer(layer: Mapping[str, Any], identity: str, *, key: str) -> None:
    """Send what the maps of a layer are worked out of, which the payload `identity` has by name alone."""
    parcel(layer, identity=f"{identity}/{layer['name']}", key=f"{key}-layer")


def send_cards(cards: Mapping[str, Sequence[str]], identity: str, *, key: str) -> str:
    """Send what is said of primitives in place of the payload's cards, by block.

    How the canvas asks for it, "" for none. The payload is the same for all visitors, and this is one
    visitor's. Drawn outside of the canvas's fragment, it goes once.
    """
    if not cards:
        return ""
    said = {block: list(each) for block, each in cards.items()}
    told = f"{identity}/cards/{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}"
    parcel(said, identity=told, key=f"{key}-cards")
    return told


def probe_canvas(
    identity: str,
    *,
    view: Mapping[str, Any],
    key: str,
    layer: str = "",
    cards: str = "",
    measures: Sequence[str] = (),
    effects: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> dict[str, Any] | None:
    """Show the canvas of the payload `identity` and return what a person did in it last, or None.

    The report is `{"key", "block", "t", "row", "col", "primitive", "token", "pinned", "view"}`, where `key`
    is the payload's and `view` holds the settings below. Types are checked here, and a setting of the wrong
    type is left out; whether it fits the trace on screen is for the caller to judge.

    `view` says what to show, every field optional: "block", "probe" [t, row, col], "primitive", "pinned",
    "revision" and the settings, which are also what the report's "view" holds:

    - "opacity" 0..1, "scale" "relative" | "absolute", "sort" "rho" | "reach" | "use" | "effect",
      "tiles" "gather" | "distribute";
    - "direction": "from" (where the pixel gets its information) | "to" (who receives from it);
    - "layer": "attention" | "gather" | "distribute" (of the chosen primitive) | "change";
    - "pins": up to four [t, row, col], in cells of the block, in the order of their numbers; the report's
      own t, row, col is the one in use;
    - "token": of a layer, one of the tokens before the picture's that is asked instead of the pixel, or None;
    - "region": a box [t, row0, col0, row1, col1], both ends inside it, or None;
    - "presentation": large type, no controls; in the app it is as the page is (`viz_app.ui.present`);
    - "speed": frames a second at which a clip plays, one of 4, 8 and 24, or 0 for as filmed.

    A person who has touched any of these has the say; to set everything back to what `view` says
    (another trace, an address that was opened), call `components.runtime.override(key, identity)` first
    and send what it returns as the view's "revision".

    `measures` names what the page works out when the canvas is asked to sort by it: "effect"; `effects`
    are those that are known by now, of each block by name, one for each primitive. `layer` names the one that
    was sent by itself (`send_layer`), `cards` what was said of primitives (`send_cards`).
    """
    hand_over(
        _component,
        {
            "view": dict(view),
            "measures": list(measures),
            "effects": {n: list(e) for n, e in effects.items()},
            "layer": layer,
            "cards": cards,
        },
        key=key,
        name="probe",
        identity=identity,
    )
    return canvas.parse_report(fresh(key, "probe", identity))
