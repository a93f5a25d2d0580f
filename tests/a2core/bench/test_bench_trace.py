"""The bench of traces: what it compares computes the same, and its ratios are those of its times."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from a2core.bench import trace as bench_trace
from a2core.cli import main
from a2core.load import load_model


def test_the_plain_network_is_the_trunk_that_the_blocks_stand_in():
    model = load_model(device="cpu")
    names = {
        name.replace(".host", "") for name, _ in model.network.named_parameters() if ".block." not in name
    }
    assert names == {name for name, _ in bench_trace.plain_network(model).named_parameters()}


def test_a_ratio_is_the_median_of_the_ratios_within_a_round(capsys):
    times = {"plain": [1.0, 2.0, 4.0], "trace": [1.1, 3.0, 4.8]}
    rows = bench_trace.told("made up", times, ("plain",))["rows"]
    assert rows[1]["ratios"] == {"plain": pytest.approx(1.2)}
    assert rows[1]["median_ms"] == 3000
    assert "3000 ms" in capsys.readouterr().out


def test_a_clip_is_measured_from_file_to_trace(tmp_path, capsys):
    frames = [Image.fromarray(np.full((48, 64, 3), shade, np.uint8)) for shade in (0, 90, 180)]
    clip, out = tmp_path / "three.gif", tmp_path / "times.json"
    frames[0].save(clip, save_all=True, append_images=frames[1:], duration=100)
    threads = torch.get_num_threads()
    given = ["--pipeline", str(clip), "--size", "64", "--rounds", "2", "--threads", "1", "--json", str(out)]
    assert main(["bench", *given]) == 0
    assert torch.get_num_threads() == threads
    assert "three.gif: 3 frames of 64 × 64 pixels" in capsys.readouterr().out
    names = [row["contender"] for row in json.loads(out.read_text(encoding="utf-8"))["rows"]]
    assert names[2].startswith("published network")
    assert names[3:] == ["read", "trace", "file to trace"]


def test_experiments_are_measured_on_every_block_and_from_the_pixels_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench_trace, "EXPERIMENT_SIZE", 64)
    out = tmp_path / "times.json"
    given = ["--experiment", "--rounds", "2", "--threads", "1", "--json", str(out)]
    assert main(["bench", *given]) == 0
    assert "experiments on a picture of 64 × 64 pixels" in capsys.readouterr().out
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    names = [row["contender"] for row in rows]
    for block in load_model(device="cpu").blocks:
        assert f"{block}: from the pixels to an answer" in names
        assert f"{block}: one primitive off" in names
    assert all(row["median_ms"] > 0 for row in rows)


def test_settings_that_measure_nothing_are_refused(capsys):
    assert main(["bench", "--trace", "--rounds", "1"]) == 2
    assert "no spread" in capsys.readouterr().err
