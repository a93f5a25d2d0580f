"""Figures say what the arrays say: order, highlight, symmetric scale, plain words on hover."""

from __future__ import annotations

import numpy as np
import pytest

from viz_app.ui import plots as charts


def bars(figure):
    return figure.data[0]


def test_bars_by_rank_fall_from_left_to_right_and_mark_the_chosen_primitive():
    weights = np.array([0.1, 0.6, 0.05, 0.25], np.float32)
    trace = bars(charts.distribution_bars(weights, 3, by_rank=True))
    assert list(trace.y) == pytest.approx([60, 25, 10, 5], abs=1e-4)
    assert [row[0] for row in trace.customdata] == [1, 3, 0, 2]
    assert [color == charts.CHOSEN for color in trace.marker.color] == [False, True, False, False]


def test_bars_by_index_keep_the_order_and_still_know_each_rank():
    weights = np.array([0.1, 0.6, 0.05, 0.25], np.float32)
    trace = bars(charts.distribution_bars(weights, 3, by_rank=False))
    assert list(trace.y) == pytest.approx([10, 60, 5, 25], abs=1e-4)
    assert [row[1] for row in trace.customdata] == [3, 1, 4, 2]


def test_the_bag_is_drawn_on_a_scale_that_is_symmetric_about_zero():
    bag = np.array([[1.0, -4.0, 0.5], [2.0, 0.0, 3.0]], np.float32)
    heat = charts.bag_heatmap(bag, 1).data[0]
    assert (heat.zmin, heat.zmax) == (-4.0, 4.0)
    np.testing.assert_array_equal(heat.z, bag)


def test_zero_in_the_bag_is_transparent_so_that_both_themes_show_through():
    middle = dict(charts.DIVERGING)[0.5]
    assert middle.endswith(",0)")


def test_the_frame_in_the_bag_stands_around_the_chosen_column():
    frame = charts.bag_heatmap(np.ones((3, 5), np.float32), 4).layout.shapes[0]
    assert (frame.x0, frame.x1) == (3.5, 4.5)


def test_a_bag_of_zeros_still_has_a_scale():
    heat = charts.bag_heatmap(np.zeros((2, 2), np.float32), 0).data[0]
    assert (heat.zmin, heat.zmax) == (-1.0, 1.0)


def test_a_primitives_negative_channels_are_told_apart_from_its_positive_ones():
    trace = bars(charts.vector_bars(np.array([1.0, -2.0, 0.0], np.float32), 7))
    assert list(trace.marker.color) == [charts.POSITIVE, charts.NEGATIVE, charts.POSITIVE]


@pytest.mark.parametrize(
    "figure",
    [
        charts.distribution_bars(np.full(4, 0.25, np.float32), 0, by_rank=True),
        charts.bag_heatmap(np.eye(4, dtype=np.float32), 0),
        charts.vector_bars(np.ones(4, np.float32), 0),
    ],
    ids=["shares", "bag", "vector"],
)
def test_both_axes_of_every_chart_are_named_and_its_paper_is_transparent(figure):
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_every_cell_of_the_heat_map_over_time_says_what_it_is():
    shares = np.arange(12.0).reshape(4, 3) / 66
    order = np.array([2, 0, 3, 1])
    figure = charts.life_heatmap(shares, np.array([0.0, 0.4, 0.9]), order, chosen=3, now=1, colours="Magma")
    heat, points = figure.data
    np.testing.assert_allclose(heat.z, 100 * shares[order])
    for x, y, (primitive, t, time_s, percent) in zip(points.x, points.y, points.customdata, strict=True):
        assert (primitive, t) == (order[y], x)
        assert percent == pytest.approx(100 * shares[int(primitive), x])
        assert time_s == [0.0, 0.4, 0.9][x]
    lowest = heat.colorscale[0]
    assert lowest == (0, "rgb(0, 0, 4)"), "Streamlit's theme would take #000004 for its fourth colour, a red"
    framed = figure.layout.shapes[0]
    assert (framed.y0, framed.y1) == (1.5, 2.5), "primitive 3 stands third"
