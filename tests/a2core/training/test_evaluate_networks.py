"""`evaluate` and `cards` on other networks: tokens in line, one size only, no classes, by a specification."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from a2core.blocks.registry import make_block
from a2core.checkpoints import save_checkpoint
from a2core.cli import main
from a2core.load import load_model
from a2core.networks.insert import module_at
from a2core.training.evaluate.feature_maps import grad_cam, run_watched
from a2core.training.evaluate.on_regions import measure_regions, region_pairs
from a2core.training.photos.read import Skipped

TOKENS = {"axes": "tokens", "prefix": 1}
VIT = {
    "backbone": "timm/vit_tiny_patch16_224@random",
    "blocks": {"blocks.5": {"in_channels": 192, "c_m": 4, "c_n": 5}},
    "layouts": {"blocks.5": TOKENS},
}
LEVIT = {
    "backbone": "timm/levit_128s@random",
    "blocks": {"stages.1": {"in_channels": 256, "c_m": 4, "c_n": 5}},
    "layouts": {"stages.1": {"axes": "tokens", "prefix": 0}},
}
RESNET = {
    "backbone": "timm/resnet10t@random",
    "blocks": {"layer4": {"in_channels": 512, "c_m": 4, "c_n": 5}},
}


@pytest.fixture
def checkpoint(tmp_path):
    """Makes a checkpoint of an architecture with random blocks, which change what comes behind them."""

    def make(described):
        torch.manual_seed(2)
        blocks = {name: make_block(settings).eval() for name, settings in described["blocks"].items()}
        for block in blocks.values():
            torch.nn.init.normal_(block.expand.weight)
        return save_checkpoint(tmp_path / "mine.safetensors", blocks, architecture=described, card={})

    return make


@pytest.fixture
def regions(tmp_path):
    """A picture whose upper and lower halves are its regions."""
    folder = tmp_path / "regions"
    folder.mkdir()
    Image.fromarray(data.coffee()).resize((64, 64)).save(folder / "coffee.jpg")
    halves = (np.mgrid[:64, :64][0] // 32).astype(np.uint16)
    np.savez(folder / "coffee.npz", segmentations=halves[None])
    return folder


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for index in range(6):
        picture = np.roll(data.chelsea(), 30 * index, axis=1)
        Image.fromarray(picture).resize((64, 64)).save(tmp_path / "photos" / f"{index}.png")
    return tmp_path / "photos"


def test_a_block_on_tokens_is_measured_over_the_rows_and_columns_of_the_picture(checkpoint, regions):
    model = load_model(checkpoint(VIT), device="cpu")
    pictures = np.stack([data.astronaut()[:96, 200:296], data.coffee()[:96, 300:396]])
    x = model.preprocess(pictures)
    tokens = []
    host = module_at(model.network, "blocks.5").host
    with torch.no_grad():
        handle = host.register_forward_hook(lambda _, __, output: tokens.append(output))
        model.network(x)
        handle.remove()
    by_hand = torch.stack(
        [tokens[0][:, 1 + 6 * row : 7 + 6 * row].transpose(1, 2) for row in range(6)], dim=2
    )
    read, logits = run_watched(model, pictures)
    torch.testing.assert_close(read["blocks.5"], by_hand)
    assert logits.shape == (2, 1000)
    assert grad_cam(model.network, model.blocks["blocks.5"], x[:1]).shape == (6, 6)
    tables = measure_regions(model, model, region_pairs(regions, without=set(), limit=None), 64, Skipped())
    assert set(tables["blocks.5"]["block"]) >= {"click-AUC", "overlap gather", "median reach"}


@pytest.mark.slow
def test_a_network_of_one_size_is_measured_at_it(checkpoint, regions, photos, tmp_path, capsys):
    path, out = str(checkpoint(LEVIT)), tmp_path / "measures.json"
    assert main(["evaluate", path, "--regions", str(regions), "--no-baselines", "--json", str(out)]) == 0
    assert "224" in json.loads(out.read_text())["regions"]
    assert main(["cards", path, "--photos", str(photos), "--limit", "2"]) == 0
    assert "at 224 pixels" in load_model(path, device="cpu").card["cards"]["stages.1"]["seen"]
    for command in (["evaluate", path, "--regions", str(regions), "--sizes", "352"],
                    ["cards", path, "--photos", str(photos), "--size", "352"]):  # fmt: skip
        assert main(command) == 2
        assert "takes 224 × 224 pixels only: leave --size" in capsys.readouterr().err


@pytest.fixture
def without_classes(checkpoint, tmp_path):
    """A specification of a network that answers with features, and blocks trained in it."""
    checkpoint(RESNET)
    told = {"source": "timm/resnet10t", "weights": "random", "options": {"num_classes": 0}}
    path = tmp_path / "features.json"
    path.write_text(json.dumps({**told, "blocks": "mine.safetensors"}))
    return path


@pytest.mark.slow
def test_a_network_without_classes_is_measured_without_them_and_by_its_specification(
    without_classes, regions, photos, tmp_path, capsys
):
    path, out = str(without_classes), tmp_path / "measures.json"
    asked = ["evaluate", path, "--regions", str(regions), "--sizes", "64", "--json", str(out), "--write"]
    assert main(asked) == 0
    table = json.loads(out.read_text())["regions"]["64"]["blocks"]["layer4"]
    assert "Grad-CAM" not in table
    assert "NMF, data set" in table
    assert table["block"] != table["random block"]
    assert main(["cards", path, "--photos", str(photos), "--size", "64"]) == 0
    card = json.loads((tmp_path / "mine.json").read_text())
    assert "regions at 64 pixels" in card["metrics"]
    numbers = card["cards"]["layer4"]["numbers"]
    assert [of["classes"] for of in numbers] == [{}] * 5
    assert sum(of["use"] for of in numbers) == pytest.approx(5, abs=0.01)
    capsys.readouterr()
    assert main(["evaluate", path, "--photos", str(photos), "--sizes", "64"]) == 2
    assert (
        "answers with features, not with classes, so there is nothing to be right" in capsys.readouterr().err
    )


@pytest.mark.parametrize("command", ["evaluate", "cards"])
def test_a_network_with_no_trained_blocks_is_refused_before_any_work(photos, capsys, command):
    assert main([command, "timm/resnet10t@random", "--photos", str(photos)]) == 2
    assert "names no trained blocks. Train some" in capsys.readouterr().err
