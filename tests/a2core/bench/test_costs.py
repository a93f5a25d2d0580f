"""Costs against formulas worked out by hand, curves that say what was measured, exponents against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import a2core
from a2core import Cost
from a2core.bench import costs
from a2core.blocks.registry import KINDS, block_settings, make_block

C, INNER = 32, 64


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_those_of_the_block(kind):
    settings = block_settings(kind, C)
    parameters = sum(parameter.numel() for parameter in make_block(settings).parameters())
    assert a2core.count_cost(settings, 100).parameters == parameters


@pytest.mark.parametrize("positions", [49, 1000, 100_352])
def test_multiply_adds_are_those_of_the_formulas(positions):
    n = positions
    pairwise = 4 * C * INNER * n + 2 * INNER * n * n
    for kind in ("non_local", "self_attention"):
        assert a2core.count_cost(block_settings(kind, C), n).multiply_adds == pairwise
    covariance = C * 16 * n + 16 * 16 * n + 16 * 16 * C
    assert a2core.count_cost(block_settings("covariance_pooling", C), n).multiply_adds == covariance
    double = a2core.count_cost(block_settings("double_attention", C), n).multiply_adds
    # θ, ρ; φ and the gathering, folded; the expansion of the bag and handing it out.
    assert double == 2 * C * INNER * n + 2 * (C * INNER * n + C * INNER * INNER)


def test_a_measured_cost_has_a_time_and_a_peak_near_the_size_of_its_maps():
    cost = a2core.measure_cost(block_settings("double_attention", C), 2000, memory=True)
    assert cost.measured
    assert cost.ms > 0
    maps_mib = 2 * INNER * 2000 * 4 / 2**20
    assert 0.5 * maps_mib < cost.peak_mib < 6 * maps_mib


def test_a_time_is_that_of_the_block_and_not_of_the_work_beside_it(monkeypatch):
    waits = iter([0.12, 0.002, 0.11] + [0.1] * 20)  # seconds: most runs wait for a thread that others hold
    clock = iter(np.cumsum([[0.0, wait] for wait in waits]))
    monkeypatch.setattr(costs, "_now_s", lambda: next(clock))
    cost = a2core.measure_cost(block_settings("double_attention", C), 49)
    assert cost.ms == pytest.approx(2.0)


def test_a_curve_is_measured_as_far_as_it_may_and_computed_beyond_by_multiply_adds():
    settings = block_settings("self_attention", C)
    costs = list(a2core.cost_curve(settings, (49, 100, 196, 400), longest_s=1e-9))
    assert [cost.measured for cost in costs] == [True, False, False, False]
    for cost in costs[1:]:
        assert cost.ms == pytest.approx(costs[0].ms * cost.multiply_adds / costs[0].multiply_adds)
    assert all(cost.measured for cost in a2core.cost_curve(settings, (49, 100), longest_s=60))


def test_a_computed_time_grows_at_least_with_the_positions():
    settings = block_settings("squeeze_excitation", C)  # whose counted multiply-adds do not grow at all
    costs = list(a2core.cost_curve(settings, (49, 490), longest_s=1e-9))
    assert costs[1].ms == pytest.approx(10 * costs[0].ms)


def points(power: float, noise: float = 0.0) -> list[Cost]:
    rng = np.random.default_rng(0)
    sizes = (100, 1600, 3136, 6400, 12544, 25088)
    return [
        Cost(n, 1, n * n, 1e-6 * n**power * float(np.exp(noise * rng.normal())), measured=True) for n in sizes
    ]


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_exponent_of_an_exact_power_is_found_exactly(power):
    fit = a2core.fit_exponent(points(power))
    assert fit.value == pytest.approx(power)
    assert fit.high - fit.low < 1e-6
    assert fit.counted == pytest.approx(2)
    assert (fit.points, fit.least, fit.most) == (5, 1600, 25088)


def test_the_interval_is_that_of_ordinary_least_squares():
    noisy = points(1.5, noise=0.1)
    fit = a2core.fit_exponent(noisy)
    used = [cost for cost in noisy if cost.positions >= 1600]
    theirs = stats.linregress(np.log([c.positions for c in used]), np.log([c.ms for c in used]))
    half = stats.t.ppf(0.975, 3) * theirs.stderr
    assert (fit.value, fit.low, fit.high) == pytest.approx(
        (theirs.slope, theirs.slope - half, theirs.slope + half)
    )
    assert fit.low < 1.5 < fit.high


def test_computed_points_are_not_fitted_and_too_few_give_nothing():
    computed = [Cost(cost.positions, 1, 1, cost.ms, measured=cost.positions < 6400) for cost in points(2.0)]
    assert a2core.fit_exponent(computed) is None
    assert a2core.fit_exponent([]) is None
