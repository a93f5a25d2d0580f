"""A folder of checkpoints made on the spot, so that the app's tests need no trained one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import a2core
from a2core.networks.insert import inserted_blocks
from a2core.networks.sources import build_network
from tests.viz_app.explorer import gif, open_explore
from viz_app.server import models, pictures, traces, uploads
from viz_app.views.explore import page as explore

ARCHITECTURE = {
    "backbone": "tf_efficientnet_lite0",
    "blocks": {
        "blocks.4": {"in_channels": 112, "c_m": 16, "c_n": 16},
        "blocks.5": {"in_channels": 192, "c_m": 16, "c_n": 16},
    },
}


@pytest.fixture(scope="session", autouse=True)
def packages_looked_through_once() -> Iterator[None]:
    """Each AppTest looks through all installed packages for components: half of the time of a short test."""
    with pytest.MonkeyPatch.context() as patched:
        once = cache(manifest_scanner.scan_component_manifests)
        patched.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(scope="session")
def made_checkpoint(tmp_path_factory) -> Path:
    """The file of a small, seeded checkpoint; do not change it."""
    torch.manual_seed(0)
    blocks = inserted_blocks(build_network(ARCHITECTURE).network)
    path = tmp_path_factory.mktemp("made") / "a2-made.safetensors"
    return a2core.save_checkpoint(path, blocks, architecture=ARCHITECTURE, card={"trained_on": "nothing"})


@pytest.fixture(scope="module")
def made(made_checkpoint):
    """The app finds the made checkpoint alone, and keeps what it worked out from one test to the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A2_CHECKPOINTS", str(made_checkpoint.parent))
        yield
    st.cache_resource.clear()


@pytest.fixture
def checkpoints(made_checkpoint, tmp_path, monkeypatch) -> Path:
    """The folder that the app looks for checkpoints in: a copy of the made one, free to be spoiled."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(made_checkpoint.with_suffix(suffix), tmp_path)
    monkeypatch.setenv("A2_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(explore, "CHARTS_LATER_S", 0)
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def app(checkpoints) -> AppTest:
    """The app with Explore drawn."""
    return open_explore()


@pytest.fixture
def no_work_in_the_background(monkeypatch):
    """The samples are traced when they are looked at, and not before."""
    monkeypatch.setattr(traces, "prepare_samples", lambda weights: None)


@pytest.fixture
def weights(checkpoints) -> models.Weights:
    """The weights of the made checkpoint."""
    return models.list_weights()[0][0]


@pytest.fixture
def picture() -> pictures.Picture:
    """A clip of noise, as a visitor would bring it."""
    return uploads.read_upload(gif(), "noise.gif")[0]


@pytest.fixture
def traced(monkeypatch) -> list[int]:
    """The sizes that networks were asked to trace at, one for each time; they trace at 64, to be quick."""
    sizes: list[int] = []
    real = a2core.Model.trace

    def noted(self: a2core.Model, clip: a2core.Clip, size: int = 448, **_: object) -> a2core.Trace:
        sizes.append(size)
        return real(self, clip, 64)

    monkeypatch.setattr(a2core.Model, "trace", noted)
    return sizes
