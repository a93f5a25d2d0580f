"""Exemplars are the true best, of what is counted, and show the place that they are about."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import a2core
from a2core import AtlasError
from a2core.atlas.crops import crops_of, window
from a2core.atlas.look import USE
from a2core.atlas.ranks import Bars, best, exemplars_of, reaches
from tests.a2core.atlas.made_pictures import EXEMPLARS, PHOTOS


def random_uses(rng: np.random.Generator, *shape: int) -> np.ndarray:
    uses = np.zeros(shape, USE)
    for name in ("mean", "peak", "effect"):  # coarse, so that many are equal
        uses[name] = rng.integers(-30, 30, shape) / 8
    return uses


@pytest.mark.parametrize("count", [1, 64, 5000])
def test_the_best_are_the_best_and_equals_go_by_their_ids(count):
    rng = np.random.default_rng(count)
    values, ids = rng.integers(0, 40, 2000) / 8, rng.permutation(2000).astype("S8")
    order = sorted(range(2000), key=lambda i: (-values[i], ids[i]))
    assert best(values.astype(np.float16), ids, count).tolist() == order[:count]


def test_counter_examples_have_the_largest_peaks_and_the_least_effect():
    rng = np.random.default_rng(0)
    uses, ids = random_uses(rng, 1000), rng.permutation(1000).astype("S8")
    idle = exemplars_of(uses, ids, 16, True)["idle"]
    pool = sorted(range(1000), key=lambda i: (-float(uses["peak"][i]), ids[i]))[:64]
    expected = sorted(pool, key=lambda i: (abs(float(uses["effect"][i])), ids[i]))[:4]
    assert idle.tolist() == expected


def test_a_network_without_classes_has_no_exemplars_by_effect():
    uses = random_uses(np.random.default_rng(0), 20)
    assert set(exemplars_of(uses, np.arange(20).astype("S8"), 4, False)) == {"mean", "peak"}


def test_whoever_is_an_exemplar_in_the_end_was_kept_when_it_came():
    rng = np.random.default_rng(1)
    uses, ids = random_uses(rng, 400, 7), rng.permutation(400).astype("S8")
    bars, kept = Bars(7, 8), set()
    for start in range(0, 400, 50):
        now = bars.values()
        kept |= {start + i for i, one in enumerate(uses[start : start + 50]) if reaches(one, now)}
        bars.add(uses[start : start + 50])
    for primitive in range(7):
        for chosen in exemplars_of(uses[:, primitive], ids, 8, True).values():
            assert set(chosen.tolist()) <= kept
    assert len(kept) < 400  # and not simply everybody


def test_an_atlas_holds_the_true_best_of_its_own_uses(built):
    atlas = a2core.Atlas(built)
    ids = [atlas.photo(number).id for number in range(len(atlas))]
    some = ((0, 41), (200,)) if not PHOTOS else ((range(64)), (range(256)))
    for name, primitive in ((n, i) for n, of in zip(atlas.blocks, some, strict=True) for i in of):
        uses = atlas.primitive(name, primitive)
        for order in ("mean", "peak", "effect"):
            expected = sorted(range(len(atlas)), key=lambda i: (-uses[order][i], ids[i]))[:EXEMPLARS]
            found = atlas.exemplars(name, primitive, order)
            assert [one.photo for one in found] == expected
            assert [one.rank for one in found] == list(range(len(expected)))
            cells = uses["peak_cell" if order == "peak" else "cell"][expected]
            assert [one.row * one.cols + one.col for one in found] == cells.tolist()
            np.testing.assert_array_equal([one.value for one in found], uses[order][expected])


def test_a_crop_is_the_picture_around_the_cell(built, pictures):
    atlas = a2core.Atlas(built)
    for one in atlas.exemplars("blocks.4", 7) + atlas.exemplars("blocks.5", 7, "peak"):
        picture = Image.open(pictures / atlas.photo(one.photo).path).convert("RGB")
        scale = 256 / max(picture.size)
        small = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BICUBIC)
        x, y = (one.col + 0.5) / one.cols, (one.row + 0.5) / one.rows
        assert one.place == (x, y)
        expected = np.asarray(small.crop(window(*small.size, x, y)), float)
        crop = np.asarray(Image.open(io.BytesIO(one.crop)).convert("RGB"), float)
        assert crop.shape == expected.shape
        assert np.abs(crop - expected).mean() < 12  # twice compressed
        assert np.corrcoef(crop.ravel(), expected.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.01, 0.99)])
@pytest.mark.parametrize("size", [(256, 192), (256, 40), (20, 256), (256, 256)])
def test_a_crop_lies_inside_its_picture(size, x, y):
    left, top, right, bottom = window(*size, x, y)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert (right - left, bottom - top) == (min(96, size[0]), min(96, size[1]))


@pytest.mark.parametrize("side_px", [4200, 14000])
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(side_px):
    """An atlas may be somebody else's: what is in it is measured as an upload is."""
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG")
    data = bytearray(file.getvalue())
    at = data.index(b"\xff\xc0") + 5  # height and width stand there
    data[at : at + 4] = side_px.to_bytes(2, "big") * 2
    with pytest.raises(AtlasError):
        crops_of(bytes(data), [(0.5, 0.5)])
    with pytest.raises(AtlasError, match="damaged"):
        crops_of(b"RIFF no picture", [(0.5, 0.5)])
