"""What the tiles report is taken when it fits, and dropped whole when it does not."""

from __future__ import annotations

import pytest

from viz_app.components.tile_board import parse_asked, parse_opened


@pytest.mark.parametrize(
    "raw", [None, 3, {}, {"index": 12}, {"index": -1}, {"index": True}, {"index": 1.0}, {"index": "1"}]
)
def test_a_tile_that_is_none_is_dropped(raw):
    assert parse_opened(raw, 12) is None
    assert parse_asked(raw, 12) is None


def test_a_tile_that_is_one_is_taken():
    assert parse_opened({"index": 11}, 12) == 11


def test_a_tile_that_is_asked_about_is_not_opened_by_it_nor_the_other_way_round():
    asks = {"index": 11, "glance": True}
    assert (parse_asked(asks, 12), parse_opened(asks, 12)) == (11, None)
    assert parse_asked({"index": 11}, 12) is None
    assert parse_asked({"index": 12, "glance": True}, 12) is None
