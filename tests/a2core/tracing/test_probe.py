from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import a2core


@pytest.fixture
def block(tiny_trace):
    return tiny_trace.blocks["blocks.4"]


def full_attention(block):
    """VᵀB written out, (N, N)."""
    return np.einsum("ip,ij->pj", block.distribute.reshape(block.n, -1), block.gather.reshape(block.n, -1))


@pytest.mark.parametrize("position", [(0, 0, 0), (0, 5, 9), (0, 3, 4)])
def test_effective_attention_is_the_row_of_the_full_matrix_and_sums_to_one(block, position):
    row = a2core.effective_attention(block, position)
    flat = np.ravel_multi_index(position, block.grid)
    np.testing.assert_allclose(row.ravel(), full_attention(block)[flat], atol=1e-6)
    assert row.shape == block.grid
    assert row.sum() == pytest.approx(1, abs=1e-5)


def test_who_receives_from_a_cell_is_the_column_of_the_full_matrix(block):
    flat = np.ravel_multi_index((0, 2, 7), block.grid)
    column = a2core.received_attention(block, (0, 2, 7))
    np.testing.assert_allclose(column.ravel(), full_attention(block)[:, flat], atol=1e-6)


def test_the_terms_add_up_to_the_effective_attention(block):
    terms = a2core.attention_terms(block, (0, 1, 1))
    np.testing.assert_allclose(terms.sum(axis=0), a2core.effective_attention(block, (0, 1, 1)), atol=1e-7)


def test_primitives_are_ranked_by_their_weight_at_the_position(block):
    order = a2core.rank_primitives(block, (0, 4, 2))
    weights = block.distribute[order, 0, 4, 2]
    assert sorted(order) == list(range(block.n))
    assert (np.diff(weights) <= 0).all()


AGREED = json.loads((Path(__file__).parents[1] / "canvas" / "agreed.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("cells", "half"), AGREED["half"])
def test_half_of_a_map_lies_in_as_few_cells_as_in_the_browser(cells, half):
    assert a2core.half_area(np.array([cells], np.float32)).tolist() == [half]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30).filter(lambda cells: sum(cells) > 1e-3))
def test_half_of_a_map_lies_in_the_fewest_cells_that_can_hold_it(cells):
    count = int(a2core.half_area(np.array([cells], np.float32))[0])
    largest = sorted(cells, reverse=True)
    assert sum(largest[:count]) >= 0.5 * sum(cells) * (1 - 1e-5)
    assert sum(largest[: count - 1]) < 0.5 * sum(cells) * (1 + 1e-5)


def test_half_of_a_flat_map_lies_in_half_of_the_cells_however_sums_are_rounded():
    for cells in (2, 12, 616, 1232, 9856):
        assert a2core.half_area(np.full((1, cells), 1 / cells, np.float32))[0] == cells // 2


def test_reach_counts_the_cells_of_a_flat_map_and_one_for_a_point():
    maps = np.zeros((2, 1, 4, 5), np.float32)
    maps[0] = 1 / 20
    maps[1, 0, 2, 2] = 1
    np.testing.assert_allclose(a2core.reach(maps), [20, 1], rtol=1e-5)


@pytest.mark.parametrize("position", [(0, 6, 0), (0, -1, 0), (1, 0, 0), (0, 0)])
def test_a_position_outside_the_grid_is_refused_with_the_grid(block, position):
    with pytest.raises(a2core.BlockError, match="6, 10"):
        a2core.effective_attention(block, position)


def test_pixels_and_cells_agree_at_corners_and_centres(tiny_trace, block):
    shape = tiny_trace.model_input.shape
    assert a2core.cell_of_pixel(block, shape, 0, 0) == (0, 0)
    assert a2core.cell_of_pixel(block, shape, 159.99, 95.99) == (5, 9)
    assert a2core.cell_of_pixel(block, shape, 16, 15.99) == (0, 1)
    for row in range(6):
        for col in range(10):
            x_px, y_px = a2core.pixel_of_cell(block, shape, row, col)
            assert (x_px, y_px) == (16 * col + 8, 16 * row + 8)
            assert a2core.cell_of_pixel(block, shape, x_px, y_px) == (row, col)


def test_a_pixel_outside_the_picture_is_refused(tiny_trace, block):
    with pytest.raises(a2core.BlockError, match="160 × 96"):
        a2core.cell_of_pixel(block, tiny_trace.model_input.shape, 160, 0)
