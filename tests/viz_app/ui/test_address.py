"""What is on screen survives the way through the address bar; what does not fit is left out and told."""

from __future__ import annotations

import random

import pytest

from a2core.canvas import read_vocabulary
from viz_app.ui import address
from viz_app.ui.state import Probe

POSITIONS = {"blocks.4": (6, 10), "blocks.5": (3, 5)}
N = {"blocks.4": 6, "blocks.5": 8}


def test_every_field_comes_back_as_it_went(tiny_trace):
    draw = random.Random(0)
    for _ in range(200):
        block = draw.choice(list(POSITIONS))
        rows, cols = POSITIONS[block]

        def cell(rows: int = rows, cols: int = cols) -> list[int]:
            return [0, draw.randrange(rows), draw.randrange(cols)]

        pins = [cell() for _ in range(draw.randrange(5))]
        at = draw.choice(pins) if pins else cell()
        low, high = cell(), cell()
        box = [0, *(min(a, b) for a, b in zip(low[1:], high[1:], strict=True))]
        box += [max(a, b) for a, b in zip(low[1:], high[1:], strict=True)]
        view = {name: draw.choice(read_vocabulary().settings[name].words) for name in address.WORDS}
        view |= {"opacity": draw.randrange(101) / 100, "presentation": draw.random() < 0.5}
        view |= {"pins": pins, "region": draw.choice([None, box])}
        primitive = draw.choice([None, draw.randrange(N[block])])
        probe = Probe("k", block, at[0], at[1], at[2], primitive)
        link = address.written(probe, view, tiny_trace)
        back, faults = address.followed(link, tiny_trace, "blocks.4")
        assert faults == []
        assert back == {**view, "block": block, "probe": at, "primitive": primitive, "token": None}


def test_a_place_in_the_address_is_the_pixel_in_the_middle_of_its_cell(tiny_trace):
    probe = Probe("k", "blocks.4", 0, 2, 3, None)  # of 6 × 10 cells of 16 pixels
    assert address.written(probe, {}, tiny_trace)["at"] == "x56y40"
    assert address.followed({"at": "x63y47"}, tiny_trace, "blocks.4")[0]["probe"] == [
        0,
        2,
        3,
    ]


def test_an_empty_address_asks_for_nothing_and_complains_of_nothing(tiny_trace):
    view, faults = address.followed({}, tiny_trace, "blocks.4")
    assert faults == []
    assert view["block"] == "blocks.4"
    assert "probe" not in view


BAD = {
    "a block that is not there": ({"block": "blocks.9"}, "blocks.9"),
    "a pixel right of the picture": ({"at": "x160y3"}, "160 × 96"),
    "a pixel below the picture": ({"at": "x3y96"}, "160 × 96"),
    "a frame after the last": ({"at": "x3y3t1"}, "frame"),
    "no pixel at all": ({"at": "<script>alert(1)</script>"}, "is no pixel"),
    "a negative pixel": ({"at": "x-1y3"}, "is no pixel"),
    "a number without end": ({"at": "x" + "9" * 9000 + "y1"}, "is no pixel"),
    "five pins": ({"pins": "_".join(["x1y1"] * 5)}, "first 4"),
    "a pin outside": ({"pins": "x1y1_x999y1"}, "999"),
    "a corner outside": ({"box": "x1y1_x1y500"}, "500"),
    "a primitive too many": ({"primitive": "6"}, "primitive"),
    "a primitive of 9000 digits": ({"primitive": "9" * 9000}, "primitive"),
    "a direction of one's own": ({"direction": "sideways"}, "sideways"),
    "a map of one's own": ({"layer": "jet"}, "jet"),
    "an opacity in words": ({"opacity": "half"}, "half"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_told_in_one_sentence_and_the_rest_holds(tiny_trace, name):
    link, said = BAD[name]
    view, faults = address.followed({"scale": "absolute", **link}, tiny_trace, "blocks.4")
    (fault,) = faults
    assert said.lower() in fault.lower()
    assert len(fault) < 160
    assert (view["block"], view["scale"], view["region"]) == ("blocks.4", "absolute", None)


def test_a_pixel_outlasts_a_block_that_is_not_there_and_its_primitive_does_not(tiny_trace):
    link = {"block": "blocks.9", "at": "x56y40", "primitive": "2"}
    view, faults = address.followed(link, tiny_trace, "blocks.5")
    assert (view["block"], view["probe"], view["primitive"]) == ("blocks.5", [0, 1, 1], None)
    assert len(faults) == 1
