"""What a browser tells: anything at all comes in, typed settings come out."""

from __future__ import annotations

from typing import Any

import pytest

from a2core.canvas import parse_report

REPORT = {
    "key": "k",
    "block": "blocks.4",
    "t": 0,
    "row": 3,
    "col": 5,
    "primitive": None,
    "token": 0,
    "pinned": True,
    "view": {"opacity": 0.5, "scale": "relative"},
}


def test_a_report_of_the_right_types_comes_through() -> None:
    assert parse_report(REPORT) == REPORT


@pytest.mark.parametrize(
    "broken",
    [
        {"key": 7},
        {"block": None},
        {"t": -1},
        {"row": "3"},
        {"row": True},
        {"col": 2.5},
        {"col": None},
        {"primitive": "g3"},
        {"primitive": -2},
        {"token": "class"},
    ],
)
def test_a_report_of_wrong_types_is_dropped(broken: dict[str, Any]) -> None:
    assert parse_report(REPORT | broken) is None


def test_settings_of_the_right_types_come_through() -> None:
    view = {
        "direction": "to", "layer": "change", "pins": [[0, 1, 2], [0, 3, 4]],
        "region": [0, 1, 2, 3, 4], "presentation": True, "sort": "effect",
    }  # fmt: skip
    told = parse_report(REPORT | {"view": view})
    assert told is not None
    assert told["view"] == view
    told = parse_report(REPORT | {"view": view | {"region": None, "pins": []}})
    assert told is not None
    assert (told["view"]["region"], told["view"]["pins"]) == (None, [])


@pytest.mark.parametrize(
    "broken",
    [
        {"direction": "up"},
        {"layer": 3},
        {"pins": [[0, 1]]},
        {"pins": [[0, 0, i] for i in range(5)]},
        {"pins": "0,1,2"},
        {"region": [0, 1, 2, 3]},
        {"region": [0, 1, 2, 3, -4]},
        {"presentation": "yes"},
        {"opacity": 2},
    ],
)
def test_a_setting_of_the_wrong_type_is_left_out_and_the_rest_kept(broken: dict[str, Any]) -> None:
    told = parse_report(REPORT | {"view": {"scale": "absolute"} | broken})
    assert told is not None
    assert told["view"] == {"scale": "absolute"}


@pytest.mark.parametrize("raw", [None, {}, [1, 2], "x", "{}"])
def test_anything_else_is_no_report(raw: Any) -> None:
    assert parse_report(raw) is None
