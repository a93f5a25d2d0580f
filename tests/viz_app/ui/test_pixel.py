"""The numbers of a marked pixel are right."""

from __future__ import annotations

import numpy as np
import pytest

from viz_app.ui import pixel


def test_pinned_arrays_are_those_of_the_pixel_and_rank_its_primitives(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    rho = block.distribute[:, 0, 5, 9]
    pinned = pixel.pinned_arrays(block, (0, 5, 9), None)
    assert pinned.primitive == int(rho.argmax())
    assert pinned.rank == 1
    weakest = int(rho.argmin())
    chosen = pixel.pinned_arrays(block, (0, 5, 9), weakest)
    assert (chosen.rank, chosen.share) == (6, pytest.approx(float(rho[weakest])))
    np.testing.assert_array_equal(chosen.vector, block.primitives[:, weakest])
    assert 1 <= chosen.effective <= 6


def test_the_sum_of_a_pixel_is_made_of_shares_that_add_up_to_one(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    z = block.output[:, 0, 2, 3].astype(np.float64)
    terms = pixel.pinned_sum(block, (0, 2, 3))
    assert terms.length == pytest.approx(np.linalg.norm(z), rel=1e-5)
    assert terms.shares.sum() == pytest.approx(1)
    assert list(terms.weights) == sorted(terms.weights, reverse=True)
    for i, weight, length, share in zip(
        terms.primitives, terms.weights, terms.lengths, terms.shares, strict=True
    ):
        g = block.primitives[:, i].astype(np.float64)
        assert weight == block.distribute[i, 0, 2, 3]
        assert length == pytest.approx(np.sqrt((g * g).sum()))
        assert share == pytest.approx(weight * (g @ z) / (z @ z), abs=1e-6)


def test_entropy_is_in_bits_and_a_share_of_nothing_counts_nothing():
    assert pixel.entropy_bits(np.full(8, 1 / 8)) == pytest.approx(3)
    assert pixel.entropy_bits(np.array([1.0, 0.0])) == 0
    assert pixel.entropy_bits(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5)
