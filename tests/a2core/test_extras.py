"""What an installation without an extra says: the extra's name, once, in a typed error."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import a2core
from a2core.atlas.on_ray import ray_library
from a2core.atlas.parquet import parquet
from a2core.cli import main
from a2core.extras import EXTRAS, UNTOLD
from a2core.tracing.graphs import exported

ROOT = Path(__file__).resolve().parents[2]
MP4 = bytes.fromhex("00000020") + b"ftypisom" + bytes(200)
# What asks for each extra, and the type of its error.
ASKING = {
    "video": (lambda: a2core.read_media(MP4, name="film.mp4"), a2core.MediaError),
    "atlas": (parquet, a2core.AtlasError),
    "ray": (ray_library, a2core.AtlasError),
    "onnx": (lambda: exported(None, {}, {}, ()), a2core.NetworkError),
    "app": (lambda: a2core.need_extra("app", "The explorer"), a2core.MissingExtraError),
    "train": (lambda: a2core.need_extra("train", "Training"), a2core.MissingExtraError),
}


def named_in_pyproject() -> dict[str, set[str]]:
    """By extra, its distributions; of those that it takes along from other extras, none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        extra: {re.split(r"[\[>=<]", one)[0] for one in wanted if not one.startswith("a2nets[")}
        for extra, wanted in project["optional-dependencies"].items()
    }


@pytest.mark.parametrize("extra", ASKING)
def test_a_missing_extra_is_named_once_by_whoever_needs_it(extra, monkeypatch):
    ask, error = ASKING[extra]
    for module in EXTRAS[extra]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(error) as found:
        ask()
    assert str(found.value).count(f"pip install 'a2nets[{extra}]'") == 1
    assert all(module in str(found.value) for module in EXTRAS[extra])


def test_what_is_installed_is_not_asked_for(monkeypatch):
    monkeypatch.setitem(EXTRAS, "core", ("numpy", "torch"))
    a2core.need_extra("core", "Everything")


@pytest.mark.parametrize("command", [["train", "PHOTOS"], ["evaluate"], ["cards", "--photos", "PHOTOS"]])
def test_a_command_without_its_extra_is_one_line_and_status_2(command, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith(
        "needs tqdm, which is not installed. Install the extra: pip install 'a2nets[train]'.\n"
    )


def test_extras_are_those_of_pyproject_and_each_module_is_brought_by_its_extra():
    named, names = named_in_pyproject(), {"skimage": "scikit-image", "sklearn": "scikit-learn"}
    assert set(EXTRAS) | {"all"} == set(named)
    for extra, modules in EXTRAS.items():
        assert {names.get(module, module) for module in modules} <= named[extra], extra


def test_the_core_alone_traces_a_picture(tmp_path):
    gone = sorted({module for modules in EXTRAS.values() for module in modules})
    picture = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)).save(picture)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({gone}))\n"
        "from a2core.cli import main\n"
        f"sys.exit(main(['trace', {str(picture)!r}, '--size', '96', '--out', {str(tmp_path / 'out.npz')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as kept:
        assert np.allclose(kept["blocks.5/gather"].sum(axis=(1, 2, 3)), 1.0, atol=1e-4)


# One operation, run as a network is.
RUNS = """
from onnx import TensorProto, helper
from a2core.extras import quiet
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "one", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = quiet("onnxruntime").InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
print(session.run(None, {"x": [3.0]})[0][0])
"""


def test_onnx_runtime_keeps_no_number_of_this_machine_and_nothing_to_send(tmp_path):
    """What its makers are told is written there first. By itself it is quiet only where CI is set."""
    homes = {name: tmp_path / name for name in ("HOME", "TMPDIR")}
    for folder in homes.values():
        folder.mkdir()
    known = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        env=known | {name: str(folder) for name, folder in homes.items()} | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "3.0", done.stderr
    assert [path for folder in homes.values() for path in folder.rglob("*") if path.is_file()] == []


def test_what_tells_its_makers_is_imported_nowhere_but_quietly():
    for package in ("a2core", "viz_app"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not {name.partition(".")[0] for name in named} & set(UNTOLD), path
