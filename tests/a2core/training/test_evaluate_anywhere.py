"""A block may stand behind any module: what is measured there, against the network's sums done by hand.

A small ResNet-18 with random weights: one block inside a stage, one inside a unit, one behind a stage.
"""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

import a2core
from a2core.blocks.registry import make_block
from a2core.checkpoints import save_checkpoint
from a2core.cli import main
from a2core.errors import TrainingError
from a2core.load import load_model
from a2core.networks.backbones import load_backbone
from a2core.networks.insert import insert_blocks
from a2core.training.evaluate.feature_maps import grad_cam, run_watched
from a2core.training.evaluate.measures import Regions
from a2core.training.evaluate.on_photos import logits_without
from a2core.training.evaluate.on_regions import measure_regions, region_pairs
from a2core.training.photos.read import Skipped

BLOCKS = {
    "layer3.0": {"in_channels": 256, "c_m": 8, "c_n": 6},
    "layer3.1.conv2": {"in_channels": 256, "c_m": 8, "c_n": 5},
    "layer4": {"kind": "non_local", "in_channels": 512, "inner": 8},
}
ARCHITECTURE = {"backbone": "resnet18", "trunk": "own", "labels": ["cups", "cats"], "blocks": BLOCKS}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(path of the checkpoint, its trunk without blocks, its blocks)."""
    torch.manual_seed(5)
    network = load_backbone("resnet18", weights=False).network
    network.fc = nn.Linear(512, 2)
    trunk = copy.deepcopy(network)
    blocks = {name: make_block(settings).eval() for name, settings in BLOCKS.items()}
    insert_blocks(network, blocks)
    path = tmp_path_factory.mktemp("resnet") / "mine.safetensors"
    save_checkpoint(path, blocks, architecture=ARCHITECTURE, card={}, network=network)
    return path, trunk, blocks


@pytest.fixture(scope="module")
def model(made):
    return load_model(made[0], device="cpu")


@pytest.fixture(scope="module")
def x(model):
    return model.preprocess(np.stack([data.astronaut()[:64, 200:264], data.coffee()[100:164, 300:364]]))


def worked_out(made, x, *, without=(), leaf=None):
    """What each block reads and the logits, of ResNet-18 written out; `leaf` takes the place of the first."""
    _, net, blocks = made
    read = {}

    def through(name, features):
        read[name] = features
        return features if name in without else blocks[name](features)

    x = net.layer2(net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(x))))))
    x = through("layer3.0", net.layer3[0](x) if leaf is None else leaf)
    unit = net.layer3[1]
    inside = through("layer3.1.conv2", unit.conv2(torch.relu(unit.bn1(unit.conv1(x)))))
    x = torch.relu(unit.bn2(inside) + x)
    x = through("layer4", net.layer4(x))
    return read, net.fc(x.mean(dim=(2, 3)))


def test_what_a_block_reads_is_what_reaches_it(made, model):
    pictures = np.stack([data.astronaut()[:64, 200:264], data.coffee()[100:164, 300:364]])
    read, logits = run_watched(model, pictures)
    with torch.no_grad():
        expected, answers = worked_out(made, model.preprocess(pictures))
    assert list(read) == list(BLOCKS)
    for name, features in expected.items():
        torch.testing.assert_close(read[name], features, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits, answers, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("chained", [True, False])
def test_leaving_blocks_out_gives_what_the_network_without_them_gives(made, model, x, chained, monkeypatch):
    if not chained:
        monkeypatch.setattr(model.passage, "chain", None)
    found = logits_without(model, x)
    assert set(found) == {frozenset(), *(frozenset({name}) for name in BLOCKS), frozenset(BLOCKS)}
    plain = found[frozenset()]
    for without, logits in found.items():
        with torch.no_grad():
            torch.testing.assert_close(logits, worked_out(made, x, without=without)[1], rtol=1e-4, atol=1e-4)
        assert not without or (logits - plain).abs().max() > 1e-3
    torch.testing.assert_close(plain, model.network(x))  # and nothing is left behind


def test_grad_cam_at_a_block_is_the_mean_gradient_times_what_it_reads(made, model, x):
    one = x[:1]
    with torch.no_grad():
        features = worked_out(made, one)[0]["layer3.0"]
    leaf = features.clone().requires_grad_(True)
    worked_out(made, one, leaf=leaf)[1].max().backward()
    cam = (leaf.grad.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1)[0].clamp_min(0)
    cam = (cam - cam.min()) / (cam.max() - cam.min())
    found = grad_cam(model.network, model.blocks["layer3.0"], one)
    torch.testing.assert_close(found, cam, rtol=1e-3, atol=1e-4)
    for name in ("layer3.1.conv2", "layer4"):
        assert (
            grad_cam(model.network, model.blocks[name], one).shape == worked_out(made, one)[0][name].shape[2:]
        )
    assert not any(block._forward_pre_hooks for block in model.blocks.values())


@pytest.fixture
def labelled(tmp_path):
    folder = tmp_path / "labelled"
    folder.mkdir()
    for name in ("coffee", "astronaut"):
        Image.fromarray(getattr(data, name)()).resize((96, 64)).save(folder / f"{name}.jpg")
        halves = (np.mgrid[:64, :96][1] // 48).astype(np.uint16)
        np.savez(folder / f"{name}.npz", segmentations=halves[None])
    return folder


@pytest.fixture
def photos(tmp_path):
    for index, name in enumerate(("cups", "cups", "cats", "cats")):
        (tmp_path / "photos" / name / "deeper").mkdir(parents=True, exist_ok=True)
        picture = np.roll(data.coffee() if name == "cups" else data.chelsea(), 30 * index, axis=1)
        Image.fromarray(picture).resize((64, 64)).save(tmp_path / "photos" / name / "deeper" / f"{index}.png")
    return tmp_path / "photos"


@pytest.mark.slow
def test_both_commands_measure_every_block_of_such_a_checkpoint(made, labelled, photos, tmp_path, capsys):
    path = str(made[0])
    out = tmp_path / "measures.json"
    assert main(["evaluate", path, "--regions", str(labelled), "--photos", str(photos), "--sizes", "64",
                 "--json", str(out), "--write"]) == 0  # fmt: skip
    measures = json.loads(out.read_text())
    tables = measures["regions"]["64"]["blocks"]
    assert list(tables) == list(BLOCKS)
    for name in ("layer3.0", "layer3.1.conv2"):
        assert tables[name]["block"] != tables[name]["random block"]
        assert [row for row in tables[name] if row != "cosine, not centred"] == [
            *("block", "random block", "cosine", "target", "k-means", "k-means, data set"),
            "k-means, data set, by nearness",
            *("NMF", "NMF, data set", "Grad-CAM"),
        ]
    assert set(tables["layer4"]["block"]) == {"click-AUC"}
    seen = measures["photos"]["64"]
    assert seen["photos"] == 4
    assert list(seen["rows"]) == ["with the blocks", "plain trunk", "bias only"]  # nobody teaches its classes
    assert not any("top-5" in row for row in seen["rows"].values())  # of two classes
    assert list(seen["use"]) == list(BLOCKS)
    assert main(["cards", path, "--photos", str(photos), "--size", "64"]) == 0
    assert "wrote 11 cards into mine.json" in capsys.readouterr().out
    told = load_model(path, device="cpu").card
    assert {name: len(entry["primitives"]) for name, entry in told["cards"].items()} == {
        "layer3.0": 6,
        "layer3.1.conv2": 5,
    }
    assert "regions at 64 pixels" in told["metrics"]


def test_measuring_clips_leaves_the_blocks_as_they_were(made, labelled):
    model, twin = load_model(made[0], device="cpu"), load_model(made[0], device="cpu")
    pairs = region_pairs(labelled, without=set(), limit=1)
    tables = measure_regions(model, twin, pairs, 64, Skipped(), frames=3)
    assert tables["layer3.0"]["block"] == tables["layer3.0"]["random block"]  # of the same weights
    assert {block.frames_per_clip for each in (model, twin) for block in each.blocks.values()} == {1}


def test_what_cannot_be_measured_is_said(tiny_model, monkeypatch):
    pictures = np.zeros((1, 64, 64, 3), np.uint8)
    monkeypatch.setitem(tiny_model.blocks, "attic", a2core.DoubleAttention(4, 2, 2))
    with pytest.raises(TrainingError, match="never runs its block 'attic'"):
        run_watched(tiny_model, pictures)
    monkeypatch.setattr(tiny_model, "takes_clips", True)
    with pytest.raises(TrainingError, match="takes clips"):
        run_watched(tiny_model, pictures)


def test_a_block_that_reads_no_grid_of_the_picture_is_said(tiny_model):
    class Cut(nn.Module):
        """Works on the quarters of a picture as a batch of their own."""

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, x):
            return self.network(torch.cat(x.chunk(2, dim=3))).unflatten(0, (2, -1)).mean(dim=0)

    tiny_model.network = Cut(tiny_model.network)
    with pytest.raises(TrainingError, match="of 1 pictures"):
        run_watched(tiny_model, np.zeros((1, 64, 64, 3), np.uint8))


def test_regions_fall_onto_a_grid_of_any_shape():
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 5:37, 11:60] = True
    for h, w in ((4, 4), (5, 7), (64, 64), (1, 3)):
        shares = Regions(mask).cells(h, w)
        assert shares.shape == (1, h, w)
        assert shares.min() >= 0
        assert shares.max() <= 1 + 1e-6
        assert shares.sum() * (64 / h) * (64 / w) == pytest.approx(mask.sum(), rel=1e-4)
    by_hand = mask[0].reshape(4, 16, 4, 16).mean(axis=(1, 3))
    np.testing.assert_array_equal(Regions(mask).cells(4, 4)[0], by_hand)


def test_a_checkpoint_without_blocks_is_said(photos, tmp_path, capsys):
    network = load_backbone("resnet18", weights=False).network
    network.fc = nn.Linear(512, 2)
    path = tmp_path / "bare.safetensors"
    save_checkpoint(path, {}, architecture={**ARCHITECTURE, "blocks": {}}, card={}, network=network)
    assert main(["evaluate", str(path), "--photos", str(photos), "--sizes", "64"]) == 2
    assert "bare has no blocks, so there is nothing to measure" in capsys.readouterr().err
