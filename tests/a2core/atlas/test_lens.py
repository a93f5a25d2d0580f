"""The graph that ONNX Runtime runs: the same numbers as torch's; where there is none, torch runs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import a2core
from a2core.atlas import look
from a2core.atlas.lens import OpenLens, lens_of
from a2core.atlas.look import Looker
from a2core.errors import AtlasError
from a2core.tracing import graphs
from a2core.tracing.engine import ONNXRUNTIME, TORCH, UnfitError
from tests.a2core.atlas.made_pictures import SETTINGS, assert_same, made_up


def test_graphs_are_shipped_of_what_is_shipped(model):
    for one in (model, a2core.load_model("a2-lite2", device="cpu")):
        shipped = graphs.SHIPPED / f"{lens_of(one)[1]}.zip"
        assert shipped.is_file(), "a block or a trunk has changed. Draw them anew: python docs/graphs.py"


@pytest.fixture(scope="module")
def lookers(model):
    return Looker(model), Looker(model, TORCH)


@pytest.mark.parametrize("side", [(96, 64), (64, 160)])
def test_all_numbers_are_torchs_to_rounding(lookers, side):
    fast, slow = lookers
    assert (fast.engine, slow.engine) == (ONNXRUNTIME, TORCH)
    for seed in range(3):
        pixels = np.asarray(made_up(seed, side[1], side[0]))
        (ours,), (theirs,) = fast.look([pixels]), slow.look([pixels])
        for name, close in (("mean", 2e-6), ("peak", 2e-6), ("mass", 2e-6), ("effect", 2e-5)):
            difference = np.abs(ours.uses[name].astype(float) - theirs.uses[name])
            np.testing.assert_array_less(difference, 2**-10 * np.abs(theirs.uses[name]) + 2**-23 + close)
        for name in ("cell", "peak_cell"):
            assert (ours.uses[name] == theirs.uses[name]).mean() > 0.98  # cells that hold nearly the same
        np.testing.assert_array_equal(ours.grids, theirs.grids)
        np.testing.assert_array_equal(ours.top, theirs.top)
        np.testing.assert_allclose(ours.shares, theirs.shares, rtol=1e-4)


def test_numbers_that_are_not_torchs_are_not_believed(model, monkeypatch):
    seen = OpenLens.look

    def wrong(self, pixels):
        found = seen(self, pixels)
        found.blocks["blocks.5"]["effect"][7] *= 1.5
        found.blocks["blocks.5"]["effect"][7] += 0.01
        return found

    monkeypatch.setattr(OpenLens, "look", wrong)
    assert Looker(model).engine == TORCH
    with pytest.raises(AtlasError, match=r"effect of blocks\.5 is another than by torch"):
        Looker(model, ONNXRUNTIME)


def test_a_network_without_a_graph_is_run_by_torch(model, monkeypatch, tmp_path):
    monkeypatch.setattr(graphs, "SHIPPED", tmp_path)
    monkeypatch.setattr(graphs, "cache_folder", lambda: tmp_path)
    assert Looker(model).engine == TORCH


def test_a_build_goes_on_with_what_it_was_begun_with(pictures, tmp_path, monkeypatch):
    """Else one half of its numbers would be rounded otherwise than the other."""
    monkeypatch.setenv("A2_ENGINE", TORCH)

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a2core.build_atlas([str(pictures)], tmp_path / "stopped", progress=stop, **SETTINGS)
    a2core.build_atlas([str(pictures)], tmp_path / "whole", **SETTINGS)
    monkeypatch.delenv("A2_ENGINE")
    a2core.build_atlas([str(pictures)], tmp_path / "stopped", **SETTINGS)
    assert json.loads((tmp_path / "stopped/atlas.json").read_text())["network_by"] == TORCH
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_what_a_build_was_begun_with_has_to_be_there(model, monkeypatch):
    monkeypatch.setattr(
        look, "OpenLens", lambda *_, **__: (_ for _ in ()).throw(UnfitError("it is not here"))
    )
    with pytest.raises(AtlasError, match="it is not here"):
        Looker(model, ONNXRUNTIME, checked=True)
