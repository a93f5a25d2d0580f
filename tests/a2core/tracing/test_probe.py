from __future__ import annotations

import numpy as np
import pytest

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
