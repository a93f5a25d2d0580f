"""A probe from the browser is valid for the trace on screen, or it is dropped."""

from __future__ import annotations

import pytest

from viz_app.ui.state import Probe, parse_probe, parse_settings

GOOD = {"key": "k", "block": "blocks.4", "t": 0, "row": 5, "col": 9, "primitive": 2}


def test_a_good_answer_becomes_a_probe(tiny_trace):
    assert parse_probe(GOOD, tiny_trace, "k") == Probe("k", "blocks.4", 0, 5, 9, 2)


def test_whole_numbers_may_arrive_as_floats_since_json_knows_no_integers(tiny_trace):
    assert parse_probe({**GOOD, "row": 5.0}, tiny_trace, "k") == Probe("k", "blocks.4", 0, 5, 9, 2)


def test_no_primitive_chosen_is_a_valid_answer(tiny_trace):
    probe = parse_probe({**GOOD, "primitive": None}, tiny_trace, "k")
    assert probe is not None
    assert probe.primitive is None


def test_an_answer_about_the_picture_before_is_dropped(tiny_trace):
    assert parse_probe(GOOD, tiny_trace, "another key") is None


@pytest.mark.parametrize(
    "change",
    [
        {"block": "blocks.9"},
        {"block": None},
        {"block": ["blocks.4"]},
        {"t": 1},
        {"row": 6},
        {"row": -1},
        {"row": 2.5},
        {"row": float("nan")},
        {"row": float("inf")},
        {"row": True},
        {"row": "3"},
        {"col": 10},
        {"col": None},
        {"primitive": 6},
        {"primitive": "2"},
        {"key": None},
    ],
    ids=str,
)
def test_one_field_that_does_not_fit_drops_the_whole_answer(tiny_trace, change):
    assert parse_probe({**GOOD, **change}, tiny_trace, "k") is None


@pytest.mark.parametrize("raw", [None, "x", 3, [], {}, {"key": "k"}], ids=str)
def test_anything_else_is_dropped(tiny_trace, raw):
    assert parse_probe(raw, tiny_trace, "k") is None


def test_a_row_of_one_block_is_checked_against_that_blocks_own_grid(tiny_trace):
    assert parse_probe({**GOOD, "block": "blocks.5"}, tiny_trace, "k") is None
    assert parse_probe({**GOOD, "block": "blocks.5", "row": 2, "col": 4}, tiny_trace, "k") is not None


def test_settings_of_the_canvas_are_its_plain_values_and_nothing_about_one_picture():
    raw = {**GOOD, "view": {"opacity": 0.4, "scale": "absolute", "pins": [[0, 1, 2]], "region": None}}
    assert parse_settings(raw) == {"opacity": 0.4, "scale": "absolute"}


@pytest.mark.parametrize(
    "raw", [None, GOOD, {"view": 3}, {"view": {"scale": "x" * 1000}}, {"view": {7: 1}}], ids=str
)
def test_malformed_settings_are_dropped(raw):
    assert parse_settings(raw) == {}
