"""What the cell picker reports is taken when it fits, and dropped whole when it does not."""

from __future__ import annotations

import pytest

from viz_app.components.cell_picker import parse_cell


@pytest.mark.parametrize(
    "raw", [None, 3, {}, {"row": 1}, {"row": 1, "col": 4}, {"row": -1, "col": 0}, {"row": True, "col": 0},
            {"row": 1.0, "col": 0}, {"row": "1", "col": 0}]
)  # fmt: skip
def test_a_cell_from_the_browser_that_does_not_fit_is_dropped(raw):
    assert parse_cell(raw, (3, 4)) is None


def test_a_cell_from_the_browser_that_fits_is_taken():
    assert parse_cell({"row": 2, "col": 3}, (3, 4)) == (2, 3)
