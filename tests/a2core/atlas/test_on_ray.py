"""The same tables by actors of Ray, also where one is killed; and what is said where there is none."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
from pathlib import Path

import pytest

import a2core
from a2core import AtlasError
from tests.a2core.atlas.made_pictures import SETTINGS, assert_same

INSTALLED = importlib.util.find_spec("ray") is not None


@pytest.mark.skipif(INSTALLED, reason="Ray is installed")
def test_without_ray_it_is_said_how_to_go_on(pictures, tmp_path):
    with pytest.raises(AtlasError, match="--engine local"):
        a2core.build_atlas([str(pictures)], tmp_path / "atlas", engine="ray", **SETTINGS)
    assert not (tmp_path / "atlas").exists()


def actors_marked(mark: str) -> list[int]:
    """Processes of Ray's actors that were started by this test."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                b"Actor" in (process / "cmdline").read_bytes()
                and mark.encode() in (process / "environ").read_bytes()
            ):
                found.append(int(process.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="Ray is not installed")
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes cannot be told apart")
def test_actors_make_the_same_tables_also_when_one_is_killed(built, pictures, tmp_path, monkeypatch):
    import ray

    monkeypatch.setenv("A2_MARK", str(tmp_path))  # by which the actors of this test are known
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done and not killed:
            killed.append(actors_marked(str(tmp_path))[0])
            os.kill(killed[0], signal.SIGKILL)

    settings = SETTINGS | {"workers": 2, "part_items": 4, "engine": "ray"}
    a2core.build_atlas([str(pictures)], tmp_path / "atlas", progress=kill_one, **settings)
    assert killed
    assert not ray.is_initialized()
    assert_same(built, tmp_path / "atlas")


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="Ray is not installed")
def test_a_cluster_that_is_not_there_is_said_and_nothing_is_lost(built, pictures, tmp_path):
    ray = {"engine": "ray", "ray_address": "127.0.0.1:1"}
    with pytest.raises(AtlasError, match="Check --ray-address"):
        a2core.build_atlas([str(pictures)], tmp_path / "atlas", **SETTINGS | ray)
    a2core.build_atlas([str(pictures)], tmp_path / "atlas", **SETTINGS)
    assert_same(built, tmp_path / "atlas")
