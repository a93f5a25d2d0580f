"""Where networks come from, and what is said when one cannot be had."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import a2core
from a2core import CheckpointError, Clip, NetworkError
from a2core.load import open_network
from a2core.networks import memory, sources
from a2core.networks.sources import build, build_network
from a2core.networks.spec import NetworkSpec, read_spec

CPU = torch.device("cpu")
OWN = """
import torch
from torch import nn

def make(width=8, num_classes=4):
    return nn.Sequential(nn.Conv2d(3, width, 4, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(width, num_classes))

class Public(nn.Module):
    def __init__(self):
        super().__init__()
        self.convA, self.convB, self.convV = nn.Conv2d(8, 6, 1), nn.Conv2d(8, 5, 1), nn.Conv2d(8, 5, 1)
        self.conv_reconstruct = nn.Conv2d(6, 8, 1)

    def forward(self, x):
        maps, vectors = self.convB(x).flatten(2).softmax(-1), self.convV(x).flatten(2).softmax(1)
        bag = self.convA(x).flatten(2) @ maps.mT
        return x + self.conv_reconstruct((bag @ vectors).unflatten(2, x.shape[2:]))

def public():
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), Public(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(8, 4))

def fails():
    raise OSError("the disk is elsewhere")

def text():
    return "no network"
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(OWN)
    monkeypatch.delitem(__import__("sys").modules, "my_networks", raising=False)
    return tmp_path


def test_a_function_of_ones_own_makes_a_network(own):
    made = build(NetworkSpec("my_networks:make", options={"width": 16}, folder=own))
    assert made.network[0].out_channels == 16
    spec = NetworkSpec("my_networks:make", labels=tuple("abcd"), at=("0",), folder=own)
    model = open_network(spec, CPU)
    assert model.labels == tuple("abcd")


def test_double_attention_that_a_network_came_with_is_looked_into_and_is_as_trained_as_the_network(own):
    model = open_network(NetworkSpec("my_networks:public", folder=own), CPU)
    frames = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    trace = model.trace(Clip(frames, np.zeros(1), "image", "", ()), size=96)
    assert {name: (block.n, block.grid) for name, block in trace.blocks.items()} == {"1": (5, (1, 16, 24))}
    np.testing.assert_allclose(trace.blocks["1"].distribute.sum(axis=0), 1, atol=1e-5)
    assert model.trained
    assert not open_network(NetworkSpec("my_networks:public", at=("0",), folder=own), CPU).trained


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("my_networks:mak", "no function 'mak'. The nearest are 'make'"),
        ("my_networks:fails", "could not be made: OSError: the disk is elsewhere"),
        ("my_networks:text", "returned a str, no torch network"),
        ("my_network:make", "There is no module 'my_network' in"),
        ("timm/convnext_tinny", "timm has no network 'convnext_tinny'. The nearest are 'convnext_tiny'"),
        ("torchvision/resnet55", "torchvision has no network 'resnet55'. The nearest are 'resnet5"),
        ("resnet", "Unknown network 'resnet'. Give timm/NAME"),
        ("timm/", "Unknown network 'timm/'"),
    ],
)
def test_a_network_that_is_not_known_is_refused_with_the_nearest(own, source, said):
    with pytest.raises(NetworkError, match=said):
        build(NetworkSpec(source, "random" if "/" in source else "published", folder=own))


def test_without_a_network_to_download_from_it_is_said_where_a_file_goes(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(sources.socket, "getaddrinfo", refuse)
    monkeypatch.setattr(sources.urllib.request, "getproxies", dict)
    monkeypatch.setenv("HF_HOME", "/nonexistent")
    with pytest.raises(NetworkError, match=r"could not be downloaded.*@FILE\.safetensors.*@random"):
        build(read_spec("timm/resnet10t.c3_in1k"))


def test_a_network_larger_than_the_memory_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(memory, "_free_bytes", lambda: 10 * 10**6)
    with pytest.raises(NetworkError, match=r"0\.0 GB of memory are free|of weights, and"):
        build(read_spec("torchvision/resnet18@random"))
    with pytest.raises(NetworkError, match="of weights, and"):
        build(read_spec("timm/resnet10t"))  # and before it is downloaded
    monkeypatch.setattr(memory, "_free_bytes", lambda: None)
    assert build(read_spec("torchvision/resnet18@random")).labels[0] == "tench"


def test_a_card_may_name_what_our_libraries_make_and_nobodys_code(own):
    blocks = {"layer3": {"in_channels": 256, "c_m": 4, "c_n": 4}}
    made = build_network({"backbone": "timm/resnet10t@random", "blocks": blocks})
    assert list(a2core.networks.insert.inserted_blocks(made.network)) == ["layer3"]
    for source in ("my_networks:make", "timm/resnet10t@w.pth"):
        with pytest.raises(NetworkError, match="which a card may not ask for"):
            build_network({"backbone": source, "blocks": blocks})


def test_wrong_labels_and_sites_are_refused_by_number_and_by_name(tmp_path):
    with pytest.raises(NetworkError, match="Got 2 labels for 1000 classes"):
        open_network(NetworkSpec("timm/resnet10t", "random", labels=("a", "b")), CPU)
    with pytest.raises(NetworkError, match=r"'fc' is no site for a block.*There are .*'layer3'"):
        open_network(NetworkSpec("timm/resnet10t", "random", at=("fc",)), CPU)
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        open_network(NetworkSpec("timm/resnet10t", "random", blocks="nobodys"), CPU)


def test_blocks_of_a_checkpoint_go_into_the_network_that_a_specification_names(tmp_path):
    torch.manual_seed(0)
    block = a2core.DoubleAttention(256, 4, 5, position_norm="centred").eval()
    torch.nn.init.normal_(block.expand.weight)
    architecture = {
        "backbone": "timm/resnet10t@hers.pth",
        "blocks": {"layer3": {"in_channels": 256, "c_m": 4, "c_n": 5, "position_norm": "centred"}},
    }
    path = tmp_path / "a2-hers.safetensors"
    a2core.save_checkpoint(path, {"layer3": block}, architecture=architecture, card={})
    spec = NetworkSpec("timm/resnet10t", "random", blocks=path.name, folder=tmp_path)
    model = open_network(spec, CPU)
    assert model.trained
    torch.testing.assert_close(model.blocks["layer3"].expand.weight, block.expand.weight)
    assert model.card["architecture"]["backbone"] == "timm/resnet10t@hers.pth"
    with pytest.raises(NetworkError, match="which a card may not ask for"):
        a2core.load_model(path)
