from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import a2core
from a2core import find_rivals, load_rival
from a2core.checkpoints import checkpoint_folder, list_checkpoints, save_checkpoint
from a2core.cli import main
from a2core.errors import CheckpointError
from a2core.load import load_model
from a2core.networks.insert import inserted_blocks
from a2core.networks.sources import build_network

BLOCK = {"in_channels": 192, "c_m": 4, "c_n": 3}
ARCHITECTURE = {"backbone": "tf_efficientnet_lite0", "blocks": {"blocks.5": BLOCK}}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(5)
    network = build_network(ARCHITECTURE).network
    folder = tmp_path_factory.mktemp("checkpoints")
    blocks = inserted_blocks(network)
    return save_checkpoint(
        folder / "small.safetensors", blocks, architecture=ARCHITECTURE, card={"metrics": {}}
    ), blocks


@pytest.fixture
def copy(saved, tmp_path):
    for file in (saved[0], saved[0].with_suffix(".json")):
        shutil.copy(file, tmp_path)
    return tmp_path / saved[0].name


def test_a_checkpoint_comes_back_with_the_weights_that_were_saved(saved):
    path, blocks = saved
    model = load_model(path, device="cpu")
    assert model.trained
    for name, block in blocks.items():
        for key, tensor in block.state_dict().items():
            torch.testing.assert_close(model.blocks[name].state_dict()[key], tensor, rtol=0, atol=0)


def test_a_checkpoint_holds_only_the_blocks(saved):
    assert {key.split("/")[0] for key in load_file(saved[0])} == {"blocks.5"}


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt"])
def test_a_pickle_is_refused_and_never_run(tmp_path, suffix):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    path = tmp_path / f"evil{suffix}"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match="pickle"):
        load_model(path)
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_that_calls_itself_safetensors_is_refused(copy):
    data = pickle.dumps({"weights": [1, 2, 3]})
    copy.write_bytes(data)
    rewrite_card(copy, data)
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        load_model(copy)


def rewrite_card(path, data, **changes):
    import hashlib

    card = json.loads(path.with_suffix(".json").read_text())
    card |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **changes}
    path.with_suffix(".json").write_text(json.dumps(card))


def test_a_checkpoint_that_is_cut_off_says_how_much_is_there(copy):
    copy.write_bytes(copy.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut off"):
        load_model(copy)


def test_a_checkpoint_with_one_byte_changed_is_refused(copy):
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(bytes(data))
    with pytest.raises(CheckpointError, match="sha256"):
        load_model(copy)


def test_tensors_of_another_shape_are_named(copy):
    tensors = load_file(copy)
    tensors["blocks.5/theta.weight"] = torch.zeros(2, 192, 1, 1)
    save_file(tensors, copy)
    rewrite_card(copy, copy.read_bytes())
    with pytest.raises(
        CheckpointError, match=r"theta.weight has shape \(2, 192, 1, 1\) instead of \(3, 192, 1, 1\)"
    ):
        load_model(copy)


def test_tensors_that_are_missing_left_over_or_not_finite_are_named(copy):
    tensors = load_file(copy)
    del tensors["blocks.5/phi.bias"]
    tensors["blocks.9/rho.bias"] = torch.zeros(3)
    tensors["blocks.5/rho.bias"] = torch.full((3,), float("nan"))
    save_file(tensors, copy)
    rewrite_card(copy, copy.read_bytes())
    with pytest.raises(CheckpointError) as caught:
        load_model(copy)
    for words in ("phi.bias is missing", "blocks.9/rho.bias belongs to no block", "not finite"):
        assert words in str(caught.value)


def test_a_missing_card_a_broken_card_and_a_foreign_format_each_have_their_reason(copy):
    card_path = copy.with_suffix(".json")
    text = card_path.read_text()
    card_path.unlink()
    with pytest.raises(CheckpointError, match="no card"):
        load_model(copy)
    card_path.write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(copy)
    card_path.write_text(json.dumps(json.loads(text) | {"format": 99}))
    with pytest.raises(CheckpointError, match="format 99"):
        load_model(copy)


def test_an_architecture_that_cannot_be_built_is_refused(copy):
    rewrite_card(
        copy,
        copy.read_bytes(),
        architecture={"backbone": "tf_efficientnet_lite0", "blocks": {"blocks.5": {**BLOCK, "x": 1}}},
    )
    with pytest.raises(CheckpointError, match="cannot build"):
        load_model(copy)


def test_an_unknown_name_lists_the_known_ones(copy, monkeypatch):
    monkeypatch.setenv("A2_CHECKPOINTS", str(copy.parent))
    with pytest.raises(CheckpointError, match="small"):
        load_model("smal")


def test_the_listing_tells_good_from_refused(copy, monkeypatch):
    monkeypatch.setenv("A2_CHECKPOINTS", str(copy.parent))
    (copy.parent / "other.pth").write_bytes(b"\x80\x04")
    (copy.parent / "state.pt").write_bytes(b"\x80\x04")  # of the run that wrote the checkpoint beside it
    listed = {info.name: info.fault for info in list_checkpoints()}
    assert listed["small"] == ""
    assert "pickle" in listed["other"]
    assert "state" not in listed


def test_the_shipped_checkpoints_load_are_small_and_keep_their_cards(photo):
    infos = list_checkpoints()
    assert "a2-lite0" in {info.name for info in infos}
    assert sum(path.stat().st_size for path in checkpoint_folder().iterdir()) < 20e6
    for info in infos:
        assert info.fault == ""
        trace = load_model(info.name, device="cpu").trace(photo, size=96)
        assert trace.trained
        for block in trace.blocks.values():
            np.testing.assert_allclose(block.gather.sum(axis=(1, 2, 3)), 1, atol=1e-5)


def test_the_shipped_checkpoint_reads_a_real_photo_with_confidence():
    from skimage import data

    clip = a2core.Clip(data.chelsea()[None], np.zeros(1), "image", "chelsea.png", ())
    trace = load_model("a2-lite0", device="cpu").trace(clip)
    assert any("cat" in label.lower() for label, _ in trace.top[:3])


def test_random_blocks_are_said_to_be_untrained_and_follow_their_seed(photo):
    a, b, c = (
        a2core.untrained_model("a2-lite0", "cpu", seed=seed).trace(photo, size=96) for seed in (0, 0, 1)
    )
    assert not a.trained
    np.testing.assert_array_equal(a.blocks["blocks.5"].gather, b.blocks["blocks.5"].gather)
    assert np.abs(a.blocks["blocks.5"].gather - c.blocks["blocks.5"].gather).max() > 0


def test_random_blocks_that_are_saved_as_such_stay_random_for_all_who_read_them(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("A2_CHECKPOINTS", str(tmp_path))
    blocks = inserted_blocks(build_network(ARCHITECTURE).network)
    path = save_checkpoint(
        tmp_path / "fresh.safetensors", blocks, architecture=ARCHITECTURE, card={}, trained=False
    )
    model = load_model("fresh", device="cpu")
    assert not model.trained
    torch.testing.assert_close(model.blocks["blocks.5"].theta.weight, blocks["blocks.5"].theta.weight)
    (info,) = list_checkpoints()
    assert info.contents is not None
    assert not info.contents.trained
    (ours,) = [rival for rival in find_rivals("fresh") if rival.checkpoint]
    assert (ours.checkpoint, ours.trained) == ("fresh", False)
    assert load_rival(ours, "cpu").name == "fresh"
    assert main(["checkpoints"]) == 0
    assert "random blocks" in capsys.readouterr().out
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "dark.png")
    command = [
        "trace",
        str(tmp_path / "dark.png"),
        "--checkpoint",
        "fresh",
        "--size",
        "64",
        "--device",
        "cpu",
    ]
    assert main(command) == 0
    assert "RANDOM WEIGHTS: the blocks of fresh were never trained" in capsys.readouterr().out
    # A trained one at the same places is preferred, and who saves without a word has trained.
    save_checkpoint(tmp_path / "later.safetensors", blocks, architecture=ARCHITECTURE, card={})
    assert load_model("later", device="cpu").trained
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(card | {"untrained": "no"}))
    assert "untrained is the text 'no' instead of true or false" in list_checkpoints()[0].fault
