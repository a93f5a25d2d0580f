"""Where a probe is put, and what stays the same place in another block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from viz_app.ui import places


def test_the_first_probe_stands_where_the_sample_says_or_where_the_block_changed_most(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    assert places.default_position(block, (0.999, 0.0)) == (0, 0, 9)
    assert places.default_position(block, (1.0, 1.0)) == (0, 5, 9)
    t, row, col = places.default_position(block, None)
    assert block.change[t, row, col] == block.change[:, 1:5, 2:8].max()


def test_the_first_probe_of_an_upload_stands_inside_the_picture_however_much_its_rim_changed(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    change = np.zeros_like(block.change)
    change[0, 0, :] = change[0, :, 0] = 9.0
    change[0, 3, 4] = 0.1
    assert places.default_position(replace(block, change=change), None) == (0, 3, 4)


def test_a_cells_spot_leads_back_to_the_cell_and_to_the_same_place_of_another_grid(tiny_trace):
    fine, coarse = tiny_trace.blocks.values()
    for row in range(6):
        for col in range(10):
            assert places.cell_at(fine, places.spot_of(fine, (0, row, col))) == (row, col)
            assert places.cell_at(coarse, places.spot_of(fine, (0, row, col))) == (row // 2, col // 2)
