"""Compare without a browser: what was measured and what was computed is told apart, for everybody."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import a2core
from a2core import Cost
from a2core.rival_networks import KINDS
from tests.viz_app.views.learn.test_page import html_of
from viz_app.server import visitors
from viz_app.views.compare import charts as compare_charts
from viz_app.views.compare import service
from viz_app.views.compare.words import NAMES

pytestmark = pytest.mark.slow
TIMEOUT_S = 120
POSITIONS = (784, 1600, 2304, 3136, 4624, 100_352)
# Milliseconds grow as the block's kind has it, with a little noise; the last point is never measured.
POWERS = {"non_local": 2.0, "self_attention": 2.0}
NOISE = (1.0, 1.03, 0.98, 1.01, 0.99, 1.0)


def compare() -> None:
    from viz_app.ui.guards import guarded
    from viz_app.views.compare import page as compare

    guarded(compare.render)()


def made_up_curve(settings):
    kind = settings.get("kind", "double_attention")
    for size, noise in zip(POSITIONS, NOISE, strict=True):
        ms = noise * (size / 1000) ** POWERS.get(kind, 1.0)
        yield Cost(size, 1, size, ms=ms, measured=size < POSITIONS[-1])


@pytest.fixture
def app(made, monkeypatch) -> AppTest:
    """The page with nothing measured yet; measuring takes no time."""
    monkeypatch.setattr(a2core, "cost_curve", made_up_curve)
    st.cache_resource.clear()
    return AppTest.from_function(compare, default_timeout=TIMEOUT_S).run()


def panes(app: AppTest) -> list[dict]:
    """What is said over and under each canvas."""
    (row,) = [
        each.proto for each in app.get("bidi_component") if each.proto.component_name == "a2_side_by_side"
    ]
    return json.loads(row.json)["items"]


def measure(app: AppTest) -> AppTest:
    return next(button for button in app.button if "Measure" in button.label).click().run()


def test_rivals_that_nobody_trained_are_there_and_flagged_in_large_letters(app):
    heads = [pane["head"] for pane in panes(app)]
    assert all(any(name in head for head in heads) for name in NAMES.values())
    assert sum('class="a2-random">untrained' in head for head in heads) == len(KINDS) - 1
    assert "Untrained where it says so" in html_of(app)


def test_before_anybody_measured_costs_are_counted_up_to_a_hundred_thousand_positions_and_called_so(app):
    assert "Multiply-adds, computed." in html_of(app)
    assert "Time grows as" not in html_of(app)
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    for trace in figure["data"]:
        assert "computed" in trace["hovertemplate"]
    assert a2core.POSITIONS[0] == 49
    assert a2core.POSITIONS[-1] > 100_000


def test_a_press_measures_all_kinds_and_prints_exponents_with_their_intervals(app):
    measure(app)
    page = html_of(app)
    table = page[page.index("Time grows as") :]
    for kind in KINDS:
        fit = a2core.fit_exponent(made_up_curve({"kind": kind}))
        assert fit.low < POWERS.get(kind, 1.0) < fit.high
        assert fit.points == 4
        printed = f"<b>{fit.value:.2f}</b> [{fit.low:.2f}, {fit.high:.2f}]"
        assert printed in table[table.index(NAMES[kind]) :]
    assert "Discs are measured on this machine, open circles computed" in page
    assert not any("Measure" in button.label for button in app.button)


def test_measured_and_computed_points_are_drawn_apart():
    costs = list(made_up_curve({"kind": "non_local"}))
    measured, computed = compare_charts.cost_curves({"non_local": ("Non-local", costs)}, here=500).data
    assert list(measured.x) == list(POSITIONS[:-1])
    assert measured.line.dash == "solid"
    assert measured.marker.symbol == "circle"
    assert list(computed.x) == list(POSITIONS[-2:])  # joined to the last disc
    assert computed.line.dash == "dot"
    assert computed.marker.symbol == "circle-open"
    assert "computed" in computed.hovertemplate


def test_what_one_visitor_measured_is_there_for_the_next(app):
    measure(app)
    other = AppTest.from_function(compare, default_timeout=TIMEOUT_S).run()
    assert "Time grows as" in html_of(other)


def test_two_who_measure_at_once_measure_once(made, monkeypatch):
    begun, asked, both = [], set(), threading.Event()

    def held_up(settings):
        begun.append(settings["in_channels"])
        assert both.wait(60)
        yield from made_up_curve(settings)

    def look(_: object) -> None:
        asked.add(threading.get_ident())
        if len(asked) == 2:
            both.set()

    monkeypatch.setattr(a2core, "cost_curve", held_up)
    settings = json.dumps({"in_channels": 8})
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: service.measure_curve(settings, look=look), range(2))
    assert first is second
    assert begun == [8]


def test_costs_of_a_picture_are_measured_while_a_curve_is(made, monkeypatch):
    """A curve takes half a minute: whoever opens Compare meanwhile does not wait for its end."""
    halfway, go_on = threading.Event(), threading.Event()

    def held_up(settings):
        for cost in made_up_curve(settings):
            yield cost
            halfway.set()
            assert go_on.wait(60)

    monkeypatch.setattr(a2core, "cost_curve", held_up)
    monkeypatch.setattr(a2core, "measure_cost", lambda settings, positions, memory: positions)
    with ThreadPoolExecutor(2) as pool:
        curve = pool.submit(service.measure_curve, json.dumps({"in_channels": 16}))
        assert halfway.wait(60)
        cost = pool.submit(service.cost_here, json.dumps({"in_channels": 16}), 49)
        while not any(job.key[0] == "cost" for job in visitors.server().networks.waiting()):
            assert not cost.done()
        go_on.set()
        assert cost.result(60) == 49
        assert curve.result(60)
