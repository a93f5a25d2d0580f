"""Every stored number is what an independent computation from the trace gives."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

import a2core
from tests.a2core.atlas.made_pictures import EXEMPLARS, PHOTOS, SIZE

HALF = 2.0**-11  # what a number may lose in 16 bits, of itself
LEAST = 2.0**-24  # and absolutely


@pytest.fixture(scope="module")
def traced(built, pictures, model):
    atlas = a2core.Atlas(built)
    found = []
    for number in range(len(atlas)):
        clip = a2core.read_media(pictures / atlas.photo(number).path)
        found.append((number, a2core.Replay(model, clip, size=SIZE)))
    return atlas, found


def near(stored: np.ndarray, true: np.ndarray, rounding: float = 2e-6) -> None:
    np.testing.assert_array_less(np.abs(stored - true), HALF * np.abs(true) + LEAST + rounding)


def test_means_peaks_and_masses_are_those_of_the_trace(traced):
    atlas, replays = traced
    for number, replay in replays:
        uses = atlas.uses(number)
        assert list(uses) == list(replay.trace.blocks)
        for name, block in replay.trace.blocks.items():
            near(uses[name]["mean"], block.distribute.mean(axis=(1, 2, 3), dtype=np.float64))
            near(uses[name]["peak"], block.distribute.max(axis=(1, 2, 3)))
            near(uses[name]["mass"], block.gather.max(axis=(1, 2, 3)))


def test_cells_are_where_the_maps_are_largest(traced):
    atlas, replays = traced
    for number, replay in replays:
        uses = atlas.uses(number)
        for name, block in replay.trace.blocks.items():
            for cells, maps in (("cell", block.gather), ("peak_cell", block.distribute)):
                flat = maps.reshape(block.n, -1)
                at = np.take_along_axis(flat, uses[name][cells][:, None].astype(int), axis=1)[:, 0]
                np.testing.assert_allclose(at, flat.max(axis=1), rtol=1e-5)


def test_effects_are_the_first_order_terms_for_the_winning_class(traced):
    atlas, replays = traced
    for number, replay in replays:
        uses = atlas.uses(number)
        for name in replay.trace.blocks:
            # A unit may stand at the end of its ReLU by one engine and a rounding beside it by the other.
            near(uses[name]["effect"], replay.first_order(name), rounding=1e-4 if PHOTOS else 2e-5)


def test_exemplars_have_the_largest_numbers_of_the_traces(traced):
    """Up to what 16 bits cannot tell apart: nobody who is left out has more than the last who is in."""
    atlas, replays = traced
    rounding = {"mean": 2e-6, "peak": 2e-6, "effect": 2e-5}
    for name in atlas.blocks if PHOTOS else ("blocks.4",):
        maps = [replay.trace.blocks[name].distribute for _, replay in replays]
        of_order = {
            "mean": np.stack([each.mean(axis=(1, 2, 3), dtype=np.float64) for each in maps]),
            "peak": np.stack([each.max(axis=(1, 2, 3)) for each in maps]),
            "effect": np.stack([replay.first_order(name) for _, replay in replays]),
        }
        for order, values in of_order.items():
            for primitive in range(values.shape[1]):
                chosen = [one.photo for one in atlas.exemplars(name, primitive, order)]
                assert len(chosen) == min(EXEMPLARS, len(maps))
                rest = np.delete(values[:, primitive], chosen)
                last = values[chosen, primitive].min()
                assert rest.size == 0 or rest.max() <= last + 2 * (HALF * abs(last) + LEAST + rounding[order])


def test_answers_sizes_and_codes_are_those_of_the_trace(traced):
    atlas, replays = traced
    for number, replay in replays:
        photo, trace = atlas.photo(number), replay.trace
        assert [label for label, _ in photo.top] == [label for label, _ in trace.top]
        np.testing.assert_allclose([p for _, p in photo.top], [p for _, p in trace.top], rtol=1e-4)
        assert (photo.height_px, photo.width_px) == trace.clip.frames.shape[1:3]
        code = np.concatenate([of["mean"] for of in atlas.uses(number).values()])
        near(code, atlas.code(trace))


def test_both_tables_of_uses_say_the_same(built):
    atlas = a2core.Atlas(built)
    by_photo = [atlas.uses(number) for number in range(len(atlas))]
    for name in atlas.blocks:
        for primitive in (0, 13, atlas.blocks[name] - 1):
            column = atlas.primitive(name, primitive)
            for key, values in column.items():
                np.testing.assert_array_equal(values, [uses[name][key][primitive] for uses in by_photo])


def test_one_primitive_is_one_row_group(built):
    file = pq.ParquetFile(built / "uses.parquet")
    atlas = a2core.Atlas(built)
    expected = [(name, i) for name, count in atlas.blocks.items() for i in range(count)]
    assert file.num_row_groups == len(expected)
    for group in (0, 5, 64, 319):
        rows = file.read_row_group(group)
        assert set(zip(rows["block"].to_pylist(), rows["primitive"].to_pylist(), strict=True)) == {
            expected[group]
        }
        assert rows["photo"].to_pylist() == list(range(len(atlas)))
