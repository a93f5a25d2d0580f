"""What the canvas tells of what a person did: anything at all comes in, typed settings come out.

Whether a report fits the trace on screen is for the caller to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from a2core.canvas.vocabulary import read_vocabulary


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
    token = raw.get("token")
    if any(chosen is not None and not _is_index(chosen) for chosen in (primitive, token)):
        return None
    return {
        "key": key,
        "block": block,
        **place,
        "primitive": primitive,
        "token": token,
        "pinned": raw.get("pinned") is True,
        "view": _settings_in(raw.get("view")),
    }


def _settings_in(view: Any) -> dict[str, Any]:
    """The settings whose types are right; names that are not known here pass as they are."""
    if not isinstance(view, Mapping):
        return {}
    return {name: value for name, value in view.items() if _fits(name, value)}


def _fits(name: str, value: Any) -> bool:
    words = read_vocabulary()
    if name in words.settings:
        return words.settings[name].takes(value)
    if name == "pins":
        few = isinstance(value, list) and len(value) <= words.max_pins
        return few and all(_are_indices(pin, 3) for pin in value)
    return name != "region" or value is None or _are_indices(value, 5)


def _are_indices(value: Any, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(_is_index, value))


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
