"""The way through the lesson: its steps, back and next, and the address of the step.

The browser answers at once and on its own: a step that was asked for is marked before Python has heard
of it, and no key is lost while the page is busy. It also writes the address, since Streamlit's way would
make a place to go back to of every move of a slider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from viz_app.components.runtime import component, fresh, hand_over

__all__ = ["parse_asked", "step_asked", "step_bar"]

_component = component("a2_step_bar", Path(__file__).parent / "assets" / "steps")


def step_bar(
    names: Sequence[str],
    *,
    step: int,
    address: Mapping[str, str] | None,
    key: str,
    on_change: Callable[[], None],
) -> None:
    """Show the steps `names` with number `step` (from 1) marked.

    `on_change` runs when the visitor asked for another step; `step_asked(key, len(names))` then says
    which. `address` are the query parameters of what is on screen, None where the browser's own are to
    stay: it has just gone back to them.
    """
    hand_over(
        _component,
        {
            "names": list(names),
            "step": step,
            "address": None if address is None else urlencode(address),
        },
        key=key,
        name="asked",
        identity=key,
        follows=("step",),
        on_change=on_change,
    )


def step_asked(key: str, count: int) -> int | None:
    """The step, 1 to `count`, that the browser asked for; None when stale or malformed."""
    return parse_asked(fresh(key, "asked", key), count)


def parse_asked(raw: Any, count: int) -> int | None:
    """`raw`, anything at all, as a step of `count`, or None."""
    step = raw.get("step") if isinstance(raw, Mapping) else None
    return step if isinstance(step, int) and not isinstance(step, bool) and 1 <= step <= count else None
