from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from a2core.cli import main
from a2core.media import read_media
from a2core.tracing.probe import effective_attention
from a2core.tracing.trace import BlockTrace


@pytest.fixture
def photo_file(tmp_path):
    from skimage import data

    path = tmp_path / "coffee.jpg"
    Image.fromarray(data.coffee()).save(path)
    return path


def test_trace_writes_arrays_that_add_up_when_checked_by_hand(photo_file, tmp_path, capsys):
    out = tmp_path / "t.npz"
    assert main(["trace", str(photo_file), "--out", str(out), "--size", "224", "--device", "cpu"]) == 0
    assert "top: " in capsys.readouterr().out
    arrays = np.load(out)
    assert arrays["model_input"].shape == (1, 160, 224, 3)
    for name in ("blocks.4", "blocks.5"):
        g, b, v, z = (arrays[f"{name}/{key}"] for key in ("primitives", "gather", "distribute", "output"))
        np.testing.assert_allclose(b.sum(axis=(1, 2, 3)), 1, atol=1e-5)
        np.testing.assert_allclose(v.sum(axis=0), 1, atol=1e-5)
        np.testing.assert_allclose(z, np.einsum("mi,ithw->mthw", g, v), atol=1e-5)
        block = BlockTrace(name, g, b, v, z, arrays[f"{name}/change"])
        row = np.einsum("i,ithw->thw", v[:, 0, 2, 3], b)
        np.testing.assert_allclose(effective_attention(block, (0, 2, 3)), row, atol=1e-5)


def test_trace_sees_what_read_media_reads(photo_file):
    assert read_media(photo_file).frames.shape == (1, 400, 600, 3)


def test_bad_input_is_one_line_on_stderr_and_status_two(tmp_path, capsys):
    bad = tmp_path / "notes.jpg"
    bad.write_text("not a picture")
    assert main(["trace", str(bad)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("a2core: ")
    assert "notes.jpg" in error
    assert error.count("\n") == 1


def test_an_output_that_is_no_npz_is_refused_before_any_work(photo_file, tmp_path, capsys):
    assert main(["trace", str(photo_file), "--out", str(tmp_path / "t.txt")]) == 2
    assert ".npz" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "name"), [("trace", "t.npz"), ("export", "t.html")])
def test_a_file_that_cannot_be_written_is_told_with_the_option_that_named_it(
    photo_file, tmp_path, capsys, command, name
):
    out = tmp_path / "no such folder" / name
    assert main([command, str(photo_file), "--out", str(out), "--size", "64", "--device", "cpu"]) == 2
    assert capsys.readouterr().err == (
        f"a2core: Cannot write {out} (No such file or directory). Choose another --out.\n"
    )


def test_the_module_runs_as_a_program_and_lists_the_checkpoints():
    done = subprocess.run(
        [sys.executable, "-m", "a2core", "checkpoints"], capture_output=True, text=True, check=True
    )
    assert "a2-lite0: tf_efficientnet_lite0" in done.stdout


def test_the_papers_networks_for_clips_are_traced_and_flagged_as_random(tmp_path, capsys):
    frames = [Image.new("RGB", (64, 32), (80 * t, 90, 20)) for t in range(3)]
    clip, out = tmp_path / "clip.gif", tmp_path / "t.npz"
    frames[0].save(clip, save_all=True, append_images=frames[1:], duration=100)
    command = ["trace", str(clip), "--network", "video-resnet26", "--size", "64", "--device", "cpu"]
    assert main([*command, "--out", str(out)]) == 0
    assert "RANDOM WEIGHTS" in capsys.readouterr().out
    arrays = np.load(out)
    np.testing.assert_allclose(arrays["times_s"], [0, 0.1, 0.2])
    assert arrays["layer2.0/gather"].shape == (64, 3, 4, 8)
    np.testing.assert_allclose(arrays["layer2.0/gather"].sum(axis=(1, 2, 3)), 1, atol=1e-5)


def test_of_a_transformer_a_layer_of_its_own_is_drawn_for_a_pixel_a_head_and_the_class_token(
    photo_file, tmp_path, capsys
):
    common = ["export", str(photo_file), "--network", "tests.browser.own_networks:vit", "--size", "224"]
    common += ["--device", "cpu"]
    layer = ["--block", "blocks.1.attn"]
    asked = {"pixel": ["--pixel", "40", "20"], "head": ["--pixel", "40", "20", "--primitive", "2"]}
    asked |= {"token": ["--token", "0"]}
    seen = {}
    for name, how in asked.items():
        out = tmp_path / f"{name}.png"
        assert main([*common, *layer, *how, "--out", str(out)]) == 0, capsys.readouterr().err
        with Image.open(out) as image:
            assert image.width == 1800
            seen[name] = image.tobytes()
    assert len(set(seen.values())) == len(asked), "each is a figure of its own"
    page = tmp_path / "page.html"
    assert main([*common, *layer, "--token", "0", "--out", str(page)]) == 0
    assert '"token":0' in page.read_text(encoding="utf-8")
    for wrong, said in (
        ([*layer, "--pixel", "1", "1", "--out", str(tmp_path / "r.csv")], "has no ρ"),
        (["--token", "0", "--out", str(tmp_path / "t.png")], "has no tokens"),
        ([*layer, "--token", "5", "--out", str(tmp_path / "t.png")], "has no position 5"),
        ([*layer, "--token", "0", "--primitive", "9", "--out", str(tmp_path / "t.png")], "has no head 9"),
    ):
        assert main([*common, *wrong]) == 2
        assert said in capsys.readouterr().err
