"""The one palette, the one opacity curve and the one way to write a share."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from a2core.canvas import colour_table, cover, percent, read_vocabulary


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


def test_opacity_rises_with_the_value_from_little_to_all_that_was_asked_for() -> None:
    painted = cover(np.linspace(0, 1, 50), 0.75)
    assert painted[0] == pytest.approx(0.75 * 0.12)
    assert painted[-1] == pytest.approx(0.75)
    assert (np.diff(painted) >= 0).all()


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "100 %"),
        (0.424, "42 %"),
        (0.0314, "3.1 %"),
        (0.0099, "0.99 %"),
        (0.0004, "0.04 %"),
        (0.00001, "< 0.01 %"),
        (0.0, "0 %"),
    ],
)
def test_shares_read_well_at_any_size(share: float, words: str) -> None:
    assert percent(share) == words.replace(" ", "\u202f")


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
