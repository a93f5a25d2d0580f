"""What the atlas's tests share: pictures, the network, and an atlas of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import a2core
from a2core import Model
from tests.a2core.atlas.made_pictures import PHOTOS, SETTINGS, make_pictures


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    return Path(PHOTOS) if PHOTOS else make_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def model() -> Model:
    return a2core.load_model("a2-lite0", device="cpu")


@pytest.fixture(scope="session")
def built(pictures, tmp_path_factory) -> Path:
    """The atlas of the pictures; nobody changes it."""
    out = tmp_path_factory.mktemp("atlases") / "atlas"
    a2core.build_atlas([str(pictures)], out, **SETTINGS)
    return out
