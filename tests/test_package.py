"""The wheel: built from this tree, unpacked elsewhere, used there without the repository."""

from __future__ import annotations

import email
import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version
from skimage import data as photos

import a2core
from a2core.extras import EXTRAS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder that holds what the wheel would install, outside of the repository."""
    built = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", str(built)], check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    assert wheel.stat().st_size <= 8_000_000
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run(installed: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "A2_DEVICE": "cpu"}
    environment.pop("A2_CHECKPOINTS", None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=installed.parent, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_installed_traces_a_photo_outside_of_the_repository(installed, tmp_path):
    photo, out = Path(photos.data_dir, "chelsea.png"), tmp_path / "cat.npz"
    said = run(installed, "-m", "a2core", "trace", str(photo), "--size", "224", "--out", str(out))
    assert "blocks.4: n=64 m=64" in said
    assert out.stat().st_size > 100_000
    page = tmp_path / "cat.html"
    run(installed, "-m", "a2core", "export", str(photo), "--size", "224", "--out", str(page))
    assert "<title>chelsea.png</title>" in page.read_text(encoding="utf-8")


def test_what_is_installed_is_itself_and_has_everything_that_the_app_reads(installed):
    home = run(installed, "-c", "import a2core; print(a2core.__file__)").strip()
    assert Path(home).is_relative_to(installed)
    kept = subprocess.run(
        ["git", "ls-files", "a2core", "viz_app"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in kept if not (installed / name).is_file()] == []
    shipped = {path.name for path in (ROOT / "checkpoints").iterdir()}
    assert {path.name for path in (installed / "a2core" / "shipped").iterdir()} == shipped


def test_the_wheel_says_what_it_needs_and_is_typed(installed):
    (about,) = installed.glob("a2nets-*.dist-info")
    said = email.message_from_string((about / "METADATA").read_text(encoding="utf-8"))
    assert said["Requires-Python"] == ">=3.11"
    assert set(said.get_all("Provides-Extra")) == {*EXTRAS, "all"}
    assert {path.name for path in (about / "licenses").iterdir()} == {"LICENSE", "NOTICE"}
    assert (installed / "a2core" / "py.typed").is_file()


def test_every_bound_is_a_lowest_release_and_the_command_that_tries_them_knows_it():
    script = importlib.util.spec_from_file_location("bounds", ROOT / "tests" / "outside" / "bounds.py")
    bounds = importlib.util.module_from_spec(script)
    script.loader.exec_module(bounds)
    pinned = dict(
        line.split("==") for line in (ROOT / "requirements.txt").read_text().split() if "==" in line
    )
    lowest = bounds.bounds()
    assert {"torch", "streamlit", "onnxscript"} <= set(lowest)
    for name, version in lowest.items():
        if name in pinned:
            assert Version(version) <= Version(pinned[name]), name
    assert len(bounds.tools()) == len(bounds.TOOLS)


def test_the_version_stands_in_one_place_and_the_commands_lead_to_functions(installed):
    (about,) = installed.glob("a2nets-*.dist-info")
    assert about.name == f"a2nets-{a2core.__version__}.dist-info"
    assert f"\nversion: {a2core.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert set(scripts) == {"a2core", "a2-explorer"}
    for target in scripts.values():
        module, function = target.split(":")
        code = f"from {module} import {function}; print(callable({function}))"
        assert run(installed, "-c", code).strip() == "True"
