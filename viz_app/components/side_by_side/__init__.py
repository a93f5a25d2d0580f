"""Several probe canvases under one pointer: hover in one and all answer, painted on one scale.

Each is the canvas of Explore, small or whole, with words over and under it; its payload comes as a parcel
(`probe_canvas.send_payload`). Where a person asked is told as a spot of the picture, in shares of its sides,
so that canvases of other grids mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a2core import canvas
from a2core.languages import ENGLISH
from viz_app.components.runtime import hand_over, in_each_language, latest, script

__all__ = ["Asked", "Pane", "asked_in", "parse_asked", "side_by_side"]

_ASSETS = Path(__file__).parent / "assets"


def component_script(language: str = ENGLISH) -> str:
    """The whole script: the canvas, how components are mounted, and the row of canvases."""
    return canvas.script(language) + script(_ASSETS / "side")


def _markup(language: str) -> str:
    row = (_ASSETS / "side.html").read_text(encoding="utf-8").rstrip().removesuffix("</div>")
    return f"{row}<template>{canvas.markup(language)}</template></div>"


_component = in_each_language(
    "a2_side_by_side",
    lambda language: {
        "html": _markup(language),
        "css": canvas.style() + (_ASSETS / "side.css").read_text(encoding="utf-8"),
        "js": component_script(language),
    },
)


@dataclass(frozen=True)
class Pane:
    """One canvas: which payload it shows, how, and what is said over and under it, as markup."""

    identity: str
    head: str
    foot: str
    label: str
    view: Mapping[str, Any]
    layer: str = ""  # sent by itself


@dataclass(frozen=True)
class Asked:
    """What a person asked last: in which canvas, where, and which block each of them shows."""

    at: int
    spot: tuple[float, float]
    t: int
    blocks: tuple[str, ...]


def side_by_side(
    panes: Sequence[Pane],
    *,
    identity: str,
    spot: tuple[float, float, int],
    small: bool,
    scale: Mapping[str, str],
    presenting: bool,
    key: str,
    on_change: Callable[[], None],
) -> None:
    """Show `panes` beside each other.

    Args:
        panes: what is shown; where each was asked stands in its view.
        identity: what the spot is of.
        spot: (x, y, t) where all are asked: shares of the picture, and a time step.
        small: pictures and one sentence each, without lists and controls.
        scale: what the button is called that has all share one scale ("shared"), and what bright means with
            it ("unit") and without ("own").
        presenting: large type, and no details.
        key: of this place on the page.
        on_change: called when a person asked elsewhere; `asked_in(key, identity)` then says what.
    """
    hand_over(
        _component,
        {
            "items": [asdict(pane) for pane in panes],
            "small": small,
            "scale": dict(scale),
            "presenting": presenting,
            "spot": list(spot),
        },
        key=key,
        name="probe",
        identity=identity,
        follows=("spot",),
        on_change=on_change,
    )


def asked_in(key: str, identity: str, count: int) -> Asked | None:
    """What was asked in the row of `count` canvases, in `on_change` and later; None when it does not fit."""
    return parse_asked(latest(key, "probe", identity), count)


def parse_asked(raw: Any, count: int) -> Asked | None:
    """`raw`, anything at all, as what was asked in `count` canvases, or None."""
    if not isinstance(raw, Mapping):
        return None
    at, spot, blocks = raw.get("at"), raw.get("spot"), raw.get("blocks")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < count:
        return None
    if not isinstance(spot, list) or len(spot) != 3 or not all(_is_number(value) for value in spot):
        return None
    if not isinstance(blocks, list) or len(blocks) != count or not all(isinstance(b, str) for b in blocks):
        return None
    x, y, t = spot
    if not (0 <= x <= 1 and 0 <= y <= 1 and 0 <= t < 10**4 and t % 1 == 0):
        return None
    return Asked(at, (float(x), float(y)), int(t), tuple(blocks))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
