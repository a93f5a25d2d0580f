"""Measures of primitives, against plain NumPy over the atlas's own tables."""

from __future__ import annotations

import shutil
from collections import Counter

import numpy as np
import pytest

import a2core
from a2core import AtlasError
from a2core.atlas.build import measure_atlas
from tests.a2core.atlas.made_pictures import SETTINGS, made_up


@pytest.fixture(scope="module")
def columns(built):
    """Block to (photos, n) of mean and effect."""
    atlas = a2core.Atlas(built)
    uses = [atlas.uses(number) for number in range(len(atlas))]
    return {
        name: {
            key: np.array([one[name][key] for one in uses], np.float64) for key in ("mean", "peak", "effect")
        }
        for name in atlas.blocks
    }


def test_use_reach_and_effect(built, columns):
    atlas = a2core.Atlas(built)
    for name, of in columns.items():
        rows = atlas.primitives(name)
        assert [row["primitive"] for row in rows] == list(range(atlas.blocks[name]))
        np.testing.assert_allclose([row["use"] for row in rows], of["mean"].mean(axis=0), rtol=1e-5)
        assert sum(row["use"] for row in rows) == pytest.approx(1, abs=1e-2)
        shares = (of["mean"] / of["mean"].sum(axis=0)).T
        np.testing.assert_allclose(
            [row["reach"] for row in rows], a2core.reach(shares) / len(atlas), rtol=1e-4
        )
        assert all(0 < row["reach"] <= 1 + 1e-6 for row in rows)
        np.testing.assert_allclose(
            [row["effect"] for row in rows], of["effect"].mean(axis=0), rtol=1e-3, atol=1e-6
        )
        np.testing.assert_allclose(
            [row["effect_size"] for row in rows], abs(of["effect"]).mean(axis=0), rtol=1e-3
        )


def test_purity_is_of_the_first_exemplars_by_mean(built):
    atlas = a2core.Atlas(built)
    for primitive in (0, 17, 63):
        row = atlas.primitives("blocks.4")[primitive]
        groups = Counter(atlas.photo(one.photo).group for one in atlas.exemplars("blocks.4", primitive))
        assert row["purity"] == pytest.approx(max(groups.values()) / sum(groups.values()))
        assert groups[row["purity_group"]] == max(groups.values())


def test_together_are_those_whose_use_correlates_most(built, columns):
    atlas = a2core.Atlas(built)
    for name, of in columns.items():
        r = np.corrcoef(of["mean"].T)
        np.fill_diagonal(r, -2)
        for primitive, row in enumerate(atlas.primitives(name)):
            best = sorted(r[primitive], reverse=True)[:5]
            np.testing.assert_allclose(row["together_r"], best, atol=2e-3)
            np.testing.assert_allclose(r[primitive][row["together"]], best, atol=2e-3)


def test_the_map_keeps_what_two_axes_can_of_the_correlations(built, columns):
    r = np.corrcoef(columns["blocks.4"]["mean"].T)
    where = np.array([[row["x"], row["y"]] for row in a2core.Atlas(built).primitives("blocks.4")])
    kept = np.linalg.norm(r - where @ where.T)
    assert kept == pytest.approx(
        np.linalg.norm(np.linalg.eigvalsh(r)[:-2]), rel=1e-2
    )  # Eckart and Young's best


def test_of_pictures_in_one_folder_no_purity_is_told(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(3):
        made_up(seed).save(folder / f"{seed}.png")
    a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    assert all(row.get("purity") is None for row in a2core.Atlas(tmp_path / "atlas").primitives("blocks.4"))


def test_against_itself_an_atlas_is_wholly_stable(built, tmp_path):
    one = shutil.copytree(built, tmp_path / "one")
    measure_atlas(one, built)
    atlas = a2core.Atlas(one)
    for name in atlas.blocks:
        rows = atlas.primitives(name)
        np.testing.assert_allclose([row["stability"] for row in rows], 1, atol=1e-4)
        assert [row["twin"] for row in rows] == list(range(len(rows)))


def test_a_second_atlas_of_other_pictures_is_refused(built, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(20, 24):
        made_up(seed).save(folder / f"{seed}.png")
    a2core.build_atlas([str(folder)], tmp_path / "other", **SETTINGS)
    one = shutil.copytree(built, tmp_path / "one")
    with pytest.raises(AtlasError, match="other pictures"):
        measure_atlas(one, tmp_path / "other")
    assert a2core.Atlas(one).primitives("blocks.4")


def test_measuring_again_changes_nothing_but_says_what_it_wrote(built, tmp_path):
    one = shutil.copytree(built, tmp_path / "one")
    measure_atlas(one)
    assert a2core.Atlas(one).told == a2core.Atlas(built).told
