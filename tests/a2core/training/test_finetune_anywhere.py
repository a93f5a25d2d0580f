"""Any network is fine-tuned: from `train --mode fine-tune` to a trace, its card, and what is refused."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import a2core
from a2core.checkpoints import read_checkpoint
from a2core.cli import main
from a2core.errors import NetworkError
from a2core.load import load_model, untrained_model
from a2core.networks.insert import remove_blocks
from a2core.training.finetune.settings import FineTuneSettings, architecture, subject_to_tune
from a2core.training.finetune.trainee import trainee

# Somebody's own: two layers of a Vision Transformer, convolutions, and networks with no classifier to find.
HERS = '''
import timm
import torch
from torch import nn


def vit(num_classes=5):
    return timm.create_model("vit_tiny_patch16_224", depth=2, embed_dim=24, num_heads=2, img_size=64,
                             num_classes=num_classes)


def conv(num_classes=5):
    stage = nn.Sequential(nn.ReLU(), nn.Conv2d(8, 12, 2, stride=2))
    return nn.Sequential(nn.Conv2d(3, 8, 8, stride=8), stage, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(12, num_classes))


def maps():
    return conv()[:2]


class Sum(nn.Module):
    """Five logits that no layer makes alone."""

    def __init__(self):
        super().__init__()
        self.trunk = conv()[:2]
        self.one, self.other = nn.Linear(12, 5), nn.Linear(12, 5)

    def forward(self, x):
        x = self.trunk(x).mean(dim=(2, 3))
        return self.one(x) + self.other(x)


class Aided(nn.Module):
    """Also answers with the logits of a second classifier while it trains."""

    def __init__(self):
        super().__init__()
        self.trunk = conv()[:2]
        self.aid, self.head = nn.Linear(12, 5), nn.Linear(12, 5)

    def forward(self, x):
        x = self.trunk(x).mean(dim=(2, 3))
        return (self.head(x), self.aid(x)) if self.training else self.head(x)
'''


@pytest.fixture
def hers(tmp_path, monkeypatch):
    """A folder with her module, its weights in a file, and a specification of both."""
    folder = tmp_path / "hers"
    folder.mkdir()
    (folder / "her_networks.py").write_text(HERS)
    monkeypatch.delitem(sys.modules, "her_networks", raising=False)
    monkeypatch.syspath_prepend(str(folder))
    import her_networks

    torch.manual_seed(4)
    torch.save(her_networks.conv().state_dict(), folder / "conv.pth")
    told = {"source": "her_networks:conv", "weights": "conv.pth", "at": ["1"]}
    told |= {"labels": list("abcde"), "mean": [0.4, 0.5, 0.6], "std": [0.3, 0.2, 0.1]}
    (folder / "conv.json").write_text(json.dumps(told))
    monkeypatch.undo()  # from here on only the specification says where the module lies
    monkeypatch.delitem(sys.modules, "her_networks", raising=False)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve photos of two classes, each noise around a colour; beside them, as many to validate on."""
    root, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for part in ("train", "apart"):
        for name, colour in (("cold", (40, 80, 220)), ("warm", (230, 90, 30))):
            (root / part / name).mkdir(parents=True)
            for index in range(6):
                noise = rng.normal(0, 40, (40, 48, 3))
                picture = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
                Image.fromarray(picture).save(root / part / name / f"{index}.png")
    return root / "train"


def tuned(photos, out, network, *extra):
    """The exit status of a fine-tuning of a few steps."""
    apart = str(photos.with_name("apart"))
    return main(["train", str(photos), "--mode", "fine-tune", "--val", apart, "--network", str(network),
                 "--epochs", "2", "--batch-size", "4", "--name", "mine", "--out", str(out), "--device", "cpu",
                 *map(str, extra)])  # fmt: skip


def card_in(out):
    return json.loads((out / "mine.json").read_text())


# ---------------------------------------------------------------- from the command to a trace


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "extra", "sites", "classifier", "grid"),
    [
        ("timm/resnet10t@random", ("--size", 64), ["layer3", "layer4"], ["fc"], (2, 2)),
        ("timm/resnet10t@random", ("--size", 64, "--at", "layer4", "layer2"), ["layer2", "layer4"], ["fc"],
         (2, 2)),
        ("timm/levit_128s@random", (), ["stages.1", "stages.2"], ["head", "head_dist"], (4, 4)),
    ],
)  # fmt: skip
def test_a_network_of_a_library_is_fine_tuned_and_its_card_opens_it_again(
    photos, tmp_path, capsys, network, extra, sites, classifier, grid
):
    assert tuned(photos, tmp_path, network, *extra) == 0, capsys.readouterr().err
    told = card_in(tmp_path)["architecture"]
    assert (told["backbone"], told["trunk"], told["labels"]) == (network, "own", ["cold", "warm"])
    assert (list(told["blocks"]), told["classifier"]) == (sites, classifier)
    model = load_model(tmp_path / "mine.safetensors", device="cpu")
    assert model.trained
    assert model.labels == ("cold", "warm")
    trace = model.trace(a2core.read_media(photos / "warm" / "0.png"), size=64)
    assert len(trace.top) == 2
    assert trace.blocks[sites[-1]].grid == (1, *grid)
    for block in trace.blocks.values():
        np.testing.assert_allclose(block.distribute.sum(axis=0), 1, atol=1e-5)
    capsys.readouterr()
    picture, checkpoint = photos / "cold" / "1.png", tmp_path / "mine.safetensors"
    assert main(["trace", str(picture), "--checkpoint", str(checkpoint), "--size", "64"]) == 0
    assert f"{sites[-1]}: n=64" in capsys.readouterr().out


@pytest.mark.slow
def test_a_function_of_hers_learns_its_photos_and_opens_from_the_specification_beside_it(
    hers, photos, tmp_path, capsys, monkeypatch
):
    (hers / "vit.json").write_text(json.dumps({"source": "her_networks:vit"}))
    assert tuned(photos, tmp_path, hers / "vit.json", "--epochs", 8, "--learning-rate", 3e-3) == 0
    assert "mine-network.json: what --network and NETWORKS take" in capsys.readouterr().out
    card = card_in(tmp_path)
    assert card["architecture"]["layouts"] == {"blocks.0": {"axes": "tokens", "prefix": 1}}
    assert card["trained"]["squares"] == "64 px"  # the one size that it takes
    assert card["metrics"]["validation"]["top-1"] == 1
    monkeypatch.chdir(tmp_path)  # where her module does not lie
    monkeypatch.delitem(sys.modules, "her_networks", raising=False)
    assert main(["trace", str(photos / "warm" / "0.png"), "--network", "mine-network.json"]) == 0
    said = capsys.readouterr().out
    assert "blocks.0: n=64 m=64 grid=1×4×4" in said
    assert "top: warm" in said
    assert "RANDOM" not in said
    with pytest.raises(NetworkError, match=r"a card may not ask for\. Open the NAME-network\.json"):
        load_model("mine.safetensors")


@pytest.mark.slow
def test_with_her_trunk_frozen_blocks_and_classifier_alone_are_stored_and_the_rest_is_her_file(
    hers, photos, tmp_path, capsys
):
    assert tuned(photos, tmp_path, hers / "conv.json", "--freeze-trunk", "--size", 64) == 0
    stored, card = read_checkpoint(tmp_path / "mine.safetensors")
    assert {key.split("/")[0] for key in stored} == {"1", "network"}
    assert {key for key in stored if key.startswith("network/")} == {"network/4.weight", "network/4.bias"}
    assert card.architecture["classifier"] == ["4"]
    model = load_model(tmp_path / "mine-network.json", device="cpu")
    assert model.input.mean == (0.4, 0.5, 0.6)
    network = model.network
    block = remove_blocks(network)["1"]
    weights = torch.load(hers / "conv.pth", weights_only=True)
    ours = network.state_dict()
    assert all(torch.equal(ours[key], tensor) for key, tensor in weights.items() if not key.startswith("4."))
    torch.testing.assert_close(ours["4.weight"], stored["network/4.weight"])
    random = untrained_model(tmp_path / "mine-network.json", device="cpu")
    assert not torch.equal(random.blocks["1"].theta.weight, block.theta.weight)
    torch.testing.assert_close(random.network.state_dict()["4.weight"], stored["network/4.weight"])
    # And on from there, by the network that it was made of.
    assert tuned(photos, tmp_path / "on", hers / "conv.json", "--freeze-trunk", "--size", 64,
                 "--init", tmp_path / "mine.safetensors") == 0  # fmt: skip
    assert card_in(tmp_path / "on")["trained"]["loss"] < card_in(tmp_path)["trained"]["loss"]
    assert card_in(tmp_path / "on")["trained"]["blocks started"] == "as in mine"
    assert main(["evaluate", str(tmp_path / "mine-network.json"), "--photos", str(photos), "--sizes", "64",
                 "--json", str(tmp_path / "measures.json")]) == 0  # fmt: skip
    measured = json.loads((tmp_path / "measures.json").read_text())["photos"]["64"]
    assert (measured["classes"], measured["photos"]) == (2, 12)
    # With other weights in her file, it is another run.
    torch.save({key: tensor + 1 for key, tensor in weights.items()}, hers / "conv.pth")
    capsys.readouterr()
    assert tuned(photos, tmp_path, hers / "conv.json", "--freeze-trunk", "--size", 64) == 2
    assert "started with other settings (weights)" in capsys.readouterr().err


def test_the_card_says_what_was_trained_from_what_on_what_and_how(hers, photos, tmp_path):
    assert tuned(photos, tmp_path, hers / "conv.json", "--size", 96, "--kind", "non-local") == 0
    trained = card_in(tmp_path)["trained"]
    assert trained["what"].startswith("the whole network, from the weights of a file")
    assert trained["squares"] == "96 px"
    assert (trained["mean"], trained["std"]) == ([0.4, 0.5, 0.6], [0.3, 0.2, 0.1])
    assert trained["blocks started"].startswith("at zero")
    assert "cross-entropy" in trained["losses"]
    assert len(trained["file of weights, sha256"]) == 16
    assert card_in(tmp_path)["architecture"]["blocks"]["1"]["kind"] == "non_local"
    told = json.loads((tmp_path / "mine-network.json").read_text())
    assert told["weights"] == "random"  # all of it is in the checkpoint
    assert told["labels"] == ["cold", "warm"]
    (hers / "conv.pth").unlink()
    assert load_model(tmp_path / "mine-network.json", device="cpu").labels == ("cold", "warm")


def test_inserted_blocks_change_no_answer_before_training(hers):
    of = subject_to_tune(str(hers / "conv.json"))
    described = architecture(of, "double_attention", ("cold", "warm"), freeze_trunk=False)
    network, takes = trainee(FineTuneSettings(described, size_px=64), None)
    assert takes.mean == (0.4, 0.5, 0.6)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        with_blocks = network(x)
        assert list(remove_blocks(network)) == ["1"]
        torch.testing.assert_close(network(x), with_blocks, rtol=0, atol=0)


def test_a_classifier_that_only_helps_training_is_not_taken_for_the_answer(hers, photos, tmp_path):
    (hers / "aided.json").write_text(json.dumps({"source": "her_networks:Aided"}))
    assert tuned(photos, tmp_path, hers / "aided.json", "--size", 64) == 0
    stored, card = read_checkpoint(tmp_path / "mine.safetensors")
    assert card.architecture["classifier"] == ["head"]
    assert stored["network/head.weight"].shape == (2, 12)
    assert stored["network/aid.weight"].shape == (5, 12)


# ---------------------------------------------------------------- what is refused


def written(hers, name, told):
    (hers / f"{name}.json").write_text(json.dumps(told))
    return hers / f"{name}.json"


CONV = {"source": "her_networks:conv", "at": ["1"]}


@pytest.mark.parametrize(
    ("told", "extra", "said"),
    [
        ({"source": "her_networks:maps"}, (), "answers with a tensor (1, 12, 4, 6), and no layer"),
        ({"source": "her_networks:Sum"}, (), "answers with 5 classes, and no layer in it can be"),
        ({**CONV, "labels": ["a", "b"]}, (), "Got 2 labels for 5 classes"),
        ({**CONV, "weights": "other.pth"}, (), "'0.weight' has shape (9, 3, 8, 8) instead of (8, 3, 8, 8)"),
        ({**CONV, "weights": "renamed.pth"}, (), "'0.weight' is missing (the file has '0.weights')"),
        (CONV, ("--at", "4"), "'4' is no site for a block: no grid over the picture comes out of it"),
        (CONV, ("--at", "1.7"), "no module '1.7'. The nearest are '1."),
        (CONV, ("--size", 100), "--size 100 is no multiple of 32 from 32 on"),
        ({"source": "her_networks:vit"}, ("--size", 96), "takes 64 × 64 pixels only: leave --size out"),
        ({**CONV, "weights": "random"}, ("--freeze-trunk",), "A random trunk must not stay frozen"),
        (CONV, ("--from-scratch", "--freeze-trunk"), "A random trunk must not stay frozen"),
    ],
)  # fmt: skip
def test_what_cannot_be_fine_tuned_is_refused_in_one_line(hers, photos, tmp_path, capsys, told, extra, said):
    weights = torch.load(hers / "conv.pth", weights_only=True)
    other = {**weights, "0.weight": torch.zeros(9, 3, 8, 8), "0.bias": torch.zeros(9)}
    renamed = {f"{key}s" if key == "0.weight" else key: tensor for key, tensor in weights.items()}
    for name, tensors in (("other", other), ("renamed", renamed)):
        torch.save(tensors, hers / f"{name}.pth")
    assert tuned(photos, tmp_path / "run", written(hers, "asked", told), *extra) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("a2core: ")
    assert said in lines[-1]
    assert not (tmp_path / "run").exists()


def test_a_size_that_only_a_run_can_refuse_is_refused_before_training(photos, tmp_path, capsys):
    assert (
        tuned(photos, tmp_path / "run", "torchvision/alexnet@random", "--size", 32, "--at", "features") == 2
    )
    assert "does not run on 32 × 32 pixels" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_fine_tuned_network_is_not_taken_for_the_one_that_it_was_made_of(hers, photos, tmp_path, capsys):
    assert tuned(photos, tmp_path, hers / "conv.json", "--size", 64) == 0
    again = tmp_path / "mine-network.json"
    assert tuned(photos, tmp_path / "on", again, "--size", 64) == 2
    error = capsys.readouterr().err
    assert "mine was fine-tuned, and its weights are in its checkpoint" in error
    assert f"--network {hers / 'conv.json'}" in error
