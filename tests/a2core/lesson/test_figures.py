"""Maps and tables as small pictures: a pixel a cell, in the colours of the canvas."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from a2core.canvas import colour_table, cover, read_vocabulary
from a2core.lesson import figures


def pixels(url: str, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert(mode))


def test_a_map_is_drawn_a_pixel_a_cell_brightest_at_its_peak():
    values = np.zeros((3, 4))
    values[2, 1] = 5
    url = figures.map_url(values, "gather")
    drawn = pixels(url)
    assert drawn.shape == (3, 4, 3)
    assert np.unravel_index(drawn.sum(axis=2).argmax(), (3, 4)) == (2, 1)
    assert drawn[0, 0].sum() < 20


def test_a_very_wide_table_is_averaged_down_not_cut():
    values = np.concatenate([np.zeros((2, 3000)), np.ones((2, 3000))], axis=1)
    url = figures.table_url(values, "gather")
    drawn = pixels(url, "L")
    assert drawn.shape == (2, figures.WIDEST_CELLS)
    assert drawn[0, 100] < 30 < 200 < drawn[0, -100]


@pytest.mark.parametrize("what", ["attention", "received", "gather", "distribute", "change"])
def test_a_map_has_the_colours_that_the_canvas_has_for_it(what):
    ramp = np.arange(256.0)[None]
    canvas = colour_table(read_vocabulary().colour_of[what])
    np.testing.assert_array_equal(pixels(figures.map_url(ramp, what))[0], canvas)
    over = pixels(figures.overlay_url(ramp, what, high=255.0), "RGBA")[0]
    np.testing.assert_array_equal(over[:, :3], canvas)
    at_first = cover(ramp[0] / 255, read_vocabulary().settings["opacity"].first)
    np.testing.assert_allclose(over[:, 3], 255 * at_first, atol=0.51)


def test_a_map_is_painted_alike_in_a_lesson_and_on_the_board():
    level = np.linspace(0, 1, 256)
    np.testing.assert_array_equal(figures.painted(level, "gather"), colour_table("magma"))


def test_signed_values_are_dark_at_zero_violet_below_and_orange_above():
    drawn = pixels(figures.map_url(np.array([[-3.0, -1.5, 0.0, 1.5, 3.0]]), figures.SIGNED))[0]
    by_hand = [(201, 188, 255), (91, 76, 162), (17, 17, 22), (150, 74, 16), (255, 196, 140)]
    np.testing.assert_allclose(drawn, by_hand, atol=2)


@pytest.mark.parametrize("what", ["attention", figures.SIGNED])
def test_a_map_of_nothing_is_drawn_and_looks_empty(what):
    drawn = pixels(figures.map_url(np.zeros((2, 3)), what))
    assert drawn.shape == (2, 3, 3)
    assert drawn.max() < 30
