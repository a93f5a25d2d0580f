"""A network's specification: what may be said, and what is said of what may not."""

from __future__ import annotations

import json

import pytest

from a2core import NetworkError
from a2core.networks.spec import PUBLISHED, RANDOM, InputSpec, is_spec, read_spec
from a2core.tracing.model_input import input_shape


@pytest.mark.parametrize(
    ("text", "source", "weights", "title"),
    [
        ("timm/convnext_tiny", "timm/convnext_tiny", PUBLISHED, "timm/convnext_tiny"),
        ("timm/vit_tiny@random", "timm/vit_tiny", RANDOM, "timm/vit_tiny, random weights"),
        ("torchvision/resnet50@a/b.pth", "torchvision/resnet50", "a/b.pth", "torchvision/resnet50, b.pth"),
        ("mine.nets:make", "mine.nets:make", PUBLISHED, "mine.nets:make"),
    ],
)
def test_a_name_says_where_a_network_comes_from_and_with_which_weights(text, source, weights, title):
    assert is_spec(text)
    spec = read_spec(text)
    assert (spec.source, spec.weights, spec.title) == (source, weights, title)
    assert spec.runs_code is (":" in text)


def test_a_checkpoint_is_no_specification(tmp_path):
    card = tmp_path / "a2-mine.json"
    card.write_text(json.dumps({"format": 1, "architecture": {}}))
    (tmp_path / "net.json").write_text(json.dumps({"source": "timm/resnet10t"}))
    assert [is_spec(text) for text in ("a2-lite0", "runs/a2/a2.safetensors", str(card))] == [False] * 3
    assert is_spec(str(tmp_path / "net.json"))


def test_a_file_says_all_of_it_and_its_files_lie_beside_it(tmp_path):
    (tmp_path / "classes.txt").write_text("rose\n\ntulip\n")
    told = {"source": "timm/resnet10t", "options": {"in_chans": 1}, "weights": "w.pth", "size": [64, 96],
            "labels": "classes.txt", "mean": [0.5], "std": [0.25], "blocks": "a2.safetensors",
            "at": ["layer3"]}  # fmt: skip
    (tmp_path / "flowers.json").write_text(json.dumps(told))
    spec = read_spec(str(tmp_path / "flowers.json"))
    assert (spec.title, spec.folder, spec.weights) == ("flowers", tmp_path, "w.pth")
    assert (spec.labels, spec.mean, spec.std) == (("rose", "tulip"), (0.5,), (0.25,))
    assert (spec.size_px, spec.at, spec.blocks) == ((64, 96), ("layer3",), "a2.safetensors")
    assert spec.options == {"in_chans": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"net\.json is no JSON"),
        ("[1]", "names no source"),
        ('{"weights": "w.pth"}', "names no source"),
        ('{"source": ""}', "'source' has to be a text"),
        ('{"source": "timm/x", "lables": []}', "says 'lables', which nobody reads"),
        ('{"source": "timm/x", "labels": ["a", 3]}', "'labels' has to be a list of texts"),
        ('{"source": "timm/x", "labels": "no.txt"}', r"labels .*no\.txt cannot be read"),
        ('{"source": "timm/x", "mean": [0.5]}', "needs mean and std together"),
        ('{"source": "timm/x", "mean": [0.5], "std": [0]}', "'std' has to be a list of numbers above 0"),
        ('{"source": "timm/x", "mean": [NaN], "std": [1]}', "'mean' has to be a list of numbers"),
        ('{"source": "timm/x", "mean": [1, 2], "std": [1]}', "needs mean and std together"),
        ('{"source": "timm/x", "size": "big"}', "'size' has to be pixels, or"),
        ('{"source": "timm/x", "options": []}', "'options' has to be an object"),
        ("[" * 9999, "is no JSON"),
    ],
)
def test_a_file_that_says_something_else_is_refused_by_its_entry(tmp_path, text, said):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(NetworkError, match=said):
        read_spec(str(path))


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(NetworkError, match=r"gone\.json cannot be read \(No such file"):
        read_spec(str(tmp_path / "gone.json"))


@pytest.mark.parametrize(
    ("takes", "size", "expected"),
    [
        (InputSpec(), 448, (288, 448)),
        (InputSpec(multiple_px=14), 518, (350, 518)),
        (InputSpec(multiple_px=16), 224, (144, 224)),
        (InputSpec(multiple_px=224), 448, (224, 448)),
        (InputSpec(fixed_px=(224, 192)), 448, (224, 192)),
    ],
)
def test_the_model_input_has_sides_that_the_network_takes(takes, size, expected):
    assert input_shape(200, 300, size, takes) == expected
