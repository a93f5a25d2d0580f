"""What a GPU would be given: batches of one size, read by other processes."""

from __future__ import annotations

import numpy as np
import pytest

from a2core.atlas.engine import Engine, Looked
from a2core.atlas.look import Looker
from a2core.atlas.sources import Reader, find_items
from tests.a2core.atlas.made_pictures import SIZE


@pytest.fixture(scope="module")
def seen(pictures, model):
    """What each way of working saw of the pictures, among which there is one that cannot be read."""
    listing = find_items([str(pictures)])
    items = [*listing.items[:5], listing.items[0]._replace(path="gone.png"), *listing.items[5:]]
    reader = Reader(listing.sources, model.input, SIZE, 16)

    def run(workers: int, on_gpu: bool) -> list[list[Looked] | str]:
        engine = Engine("a2-lite0", Looker(model), reader, True, workers)
        engine.on_gpu = on_gpu
        return list(engine.run(items))

    return run(0, False), run(0, True), run(2, True)


def test_batches_of_one_size_see_what_single_pictures_see(seen):
    alone, *batched = seen
    for other in batched:
        assert [isinstance(one, str) for one in other] == [isinstance(one, str) for one in alone]
        for (one,), (two,) in zip(alone[:5] + alone[6:], other[:5] + other[6:], strict=True):
            assert (one.id, one.small) == (two.id, two.small)
            for name, close in (("mean", 1e-5), ("peak", 1e-3), ("mass", 1e-3), ("effect", 2e-3)):
                np.testing.assert_allclose(one.seen.uses[name], two.seen.uses[name], rtol=2e-3, atol=close)
            np.testing.assert_array_equal(one.seen.grids, two.seen.grids)
            np.testing.assert_allclose(one.seen.shares, two.seen.shares, rtol=1e-3, atol=1e-6)


def test_what_cannot_be_read_is_told_in_its_place(seen):
    for results in seen:
        assert [index for index, result in enumerate(results) if isinstance(result, str)] == [5]
        assert "No such file" in str(results[5])
