"""What the cell picker reports is taken when it fits, and dropped whole when it does not."""

from __future__ import annotations

import pytest
import streamlit as st

from viz_app.components import cell_picker
from viz_app.components.cell_picker import parse_cell, picked


@pytest.mark.parametrize(
    "raw", [None, 3, {}, {"row": 1}, {"row": 1, "col": 4}, {"row": -1, "col": 0}, {"row": True, "col": 0},
            {"row": 1.0, "col": 0}, {"row": "1", "col": 0}]
)  # fmt: skip
def test_a_cell_from_the_browser_that_does_not_fit_is_dropped(raw):
    assert parse_cell(raw, (3, 4)) is None


def test_a_cell_from_the_browser_that_fits_is_taken():
    assert parse_cell({"row": 2, "col": 3}, (3, 4)) == (2, 3)


@pytest.fixture
def two_pickers(monkeypatch):
    """Two pickers that show the same cell, in browsers that hear late: `show(cell)`, `pick(key, cell)`."""
    state, heard, handed = {}, {}, {}
    monkeypatch.setattr(st, "session_state", state)

    def mounted(*, data, key, **_):
        handed[key] = data

    monkeypatch.setattr(cell_picker, "_component", mounted)

    class Two:
        def show(self, cell):
            for key in ("one", "two"):
                cell_picker.cell_picker(
                    "", "", identity="cat/blocks.4", cell=cell, grid=(6, 9), aspect=1.5, label="", place="",
                    key=key, on_change=lambda: None,
                )  # fmt: skip

        def hear(self):
            heard.update(handed)

        def pick(self, key, cell):
            about = {name: heard[key][name] for name in ("identity", "revision")}
            state[key] = {"cell": {"row": cell[0], "col": cell[1]} | about}
            return picked(key, "cat/blocks.4", (6, 9))

    two = Two()
    two.show((1, 1))
    two.hear()
    return two


def test_a_click_in_one_picture_counts_that_was_made_before_the_answer_to_one_in_another_came(two_pickers):
    assert two_pickers.pick("one", (2, 2)) == (2, 2)
    two_pickers.show((2, 2))  # on its way to both
    assert two_pickers.pick("two", (3, 4)) == (3, 4)
    two_pickers.show((3, 4))
    two_pickers.hear()
    assert two_pickers.pick("one", (5, 5)) == (5, 5)


def test_a_click_in_a_picture_that_has_gone_is_dropped(two_pickers):
    two_pickers.pick("one", (2, 2))
    assert picked("one", "dog/blocks.4", (6, 9)) is None
