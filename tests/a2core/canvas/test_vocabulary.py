"""The one palette, the one opacity curve and the one way to write a share."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from a2core.canvas import bar_top, colour_table, cover, map_top, percent, read_vocabulary

# Beside this file, and read by vocabulary.test.js too: what both languages must say.
AGREED = json.loads((Path(__file__).parent / "agreed.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "published", "error"),  # cividis has a kink that 33 stops do not follow to the last bit
    [
        ("magma", cv2.COLORMAP_MAGMA, 2),
        ("viridis", cv2.COLORMAP_VIRIDIS, 2),
        ("cividis", cv2.COLORMAP_CIVIDIS, 6),
    ],
)
def test_a_colour_map_is_the_published_one(name: str, published: int, error: int) -> None:
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], published)[:, 0, ::-1]
    assert np.abs(colour_table(name).astype(int) - table).max() <= error


def test_a_colour_map_is_worked_out_once_for_all_and_cannot_be_changed() -> None:
    assert colour_table("magma") is colour_table("magma")
    with pytest.raises(ValueError, match="read-only"):
        colour_table("magma")[0] = 255


def test_opacity_rises_with_the_value_from_little_to_all_that_was_asked_for() -> None:
    painted = cover(np.linspace(0, 1, 50), 0.75)
    assert painted[0] == pytest.approx(0.75 * 0.12)
    assert painted[-1] == pytest.approx(0.75)
    assert (np.diff(painted) >= 0).all()


@pytest.mark.parametrize(("share", "words"), AGREED["shares"])
def test_shares_read_well_at_any_size_and_as_in_the_browser(share: float, words: str) -> None:
    assert percent(share) == words.replace(" ", "\u202f")


@pytest.mark.parametrize(("share", "top"), AGREED["bars"])
def test_a_full_bar_stands_for_a_round_share_that_holds_it_as_in_the_browser(
    share: float, top: float
) -> None:
    assert bar_top(share) == top


def test_a_flat_map_is_painted_half_as_bright_as_can_be_a_peaked_one_from_its_peak() -> None:
    assert map_top(0.01, 0.01) == 0.02
    assert map_top(0.3, 0.01) == 0.3
    assert map_top(0.3, None) == 0.3


def test_colours_and_opacity_are_those_of_the_browser() -> None:
    for name, entries in AGREED["colours"].items():
        assert [[v, *colour_table(name)[v].tolist()] for v, *_ in entries] == entries
    for value, opacity, opaque in AGREED["opacity"]:
        assert float(cover(np.array(value), opacity)) == pytest.approx(opaque, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("opacity", [0, 0.5, 1], [-0.1, 1.1, True, "1", None, float("nan")]),
        ("scale", ["relative"], ["RELATIVE", 1, None]),
        ("speed", [0, 24], [5, True, False, "8"]),
        ("presentation", [True, False], [0, 1, "yes"]),
    ],
)
def test_a_setting_takes_its_own_values_and_no_others(name: str, good: list, bad: list) -> None:
    setting = read_vocabulary().settings[name]
    assert all(setting.takes(value) for value in [*good, setting.first])
    assert not any(setting.takes(value) for value in bad)
