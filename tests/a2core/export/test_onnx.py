"""A network as ONNX files: they compute what torch does, say what they are, and are not there otherwise."""

from __future__ import annotations

import json
from collections import OrderedDict

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import a2core
from a2core import Model, NetworkError, Replay, insert_blocks
from a2core.blocks.registry import block_settings, make_block
from a2core.cli import main
from a2core.export import onnx as export
from a2core.networks.insert import inserted_blocks
from a2core.networks.spec import InputSpec
from tests.a2core.conftest import make_tiny_model


def session(path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(path, **inputs) -> dict[str, np.ndarray]:
    opened = session(path)
    return dict(zip([of.name for of in opened.get_outputs()], opened.run(None, inputs), strict=True))


def metadata(path) -> dict[str, object]:
    return {prop.key: json.loads(prop.value) for prop in onnx.load(path).metadata_props}


def of_kind(kind: str) -> Model:
    """A tiny chain with one block of a kind, random all over."""
    torch.manual_seed(1)
    network = nn.Sequential()
    network.add_module("stem", nn.Conv2d(3, 16, 16, stride=16))
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("head", nn.Sequential(nn.Flatten(), nn.Linear(16, 6)))
    block = make_block(block_settings(kind, 16)).eval()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    insert_blocks(network, {"stem": block})
    return model_with(network)


def model_with(network: nn.Module, **options) -> Model:
    return Model(
        network,
        inserted_blocks(network),
        name="made up",
        labels=tuple("abcdef"),
        input=options.pop("input", InputSpec()),
        device=torch.device("cpu"),
        **options,
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx")


@pytest.fixture(scope="module")
def tiny(shared):
    """The network of two blocks, its files, and what was said of them."""
    model = make_tiny_model()
    return model, shared / "tiny.onnx", export.write_onnx(model, shared / "tiny.onnx")


@pytest.mark.slow
def test_a_picture_gives_what_a_trace_of_it_holds(tiny, photo):
    model, path, written = tiny
    assert [file.path.name for file in written] == [
        "tiny.onnx",
        "tiny-tail-stem.onnx",
        "tiny-tail-deep.onnx",
    ]
    assert all(file.furthest <= 1e-4 and file.size_bytes == file.path.stat().st_size for file in written)
    trace = model.trace(photo, size=192)
    found = run(path, picture=model.preprocess(trace.model_input).numpy())
    for name, block in trace.blocks.items():
        for key in ("gather", "distribute", "output", "change"):
            expected = getattr(block, key)
            expected = expected[0] if key == "change" else expected[:, 0]
            np.testing.assert_allclose(
                found[f"{name}/{key}"][0], expected, atol=1e-4 * np.abs(expected).max(), err_msg=key
            )
        np.testing.assert_allclose(found[f"{name}/primitives"][0], block.primitives, rtol=1e-3, atol=1e-4)
    chances = np.exp(found["logits"][0]) / np.exp(found["logits"][0]).sum()
    assert model.labels[int(chances.argmax())] == trace.top[0][0]
    assert chances.max() == pytest.approx(trace.top[0][1], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 32, 32), (2, 96, 32), (5, 64, 128)])
def test_any_number_of_pictures_of_any_size_each_for_itself(tiny, shape):
    _, path, _ = tiny
    count, height, width = shape
    pictures = np.random.default_rng(0).normal(size=(count, 3, height, width)).astype(np.float32)
    together = run(path, picture=pictures)
    assert together["logits"].shape == (count, 10)
    assert together["stem/gather"].shape == (count, 5, height // 16, width // 16)
    np.testing.assert_allclose(together["stem/gather"].sum(axis=(2, 3)), 1, atol=1e-5)
    np.testing.assert_allclose(together["deep/distribute"].sum(axis=1), 1, atol=1e-5)
    for at in range(count):
        alone = run(path, picture=pictures[at : at + 1])
        for name, values in together.items():
            np.testing.assert_allclose(values[at : at + 1], alone[name], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_tail_answers_an_experiment_as_replay_does(tiny, photo):
    model, path, _ = tiny
    replay = Replay(model, photo, size=192)
    whole = run(path, picture=model.preprocess(replay.trace.model_input).numpy())
    for block, off in (("stem", [0, 3]), ("deep", [2])):
        given = {key: whole[f"{block}/{key}"] for key in ("input", "primitives", "distribute")}
        tail = path.with_name(f"tiny-tail-{block}.onnx")
        kept = given["distribute"].copy()
        kept[:, off] = 0
        for distribute, expected in (
            (given["distribute"], replay.run(block).after),
            (kept, replay.run(block, off=off).after),
        ):
            logits = run(tail, **{**given, "distribute": distribute})["logits"][0]
            np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), expected, atol=1e-5)
    outcome = replay.run("stem", off=[0, 3])
    given = {key: whole[f"stem/{key}"] for key in ("input", "primitives", "distribute")}
    given["distribute"] = given["distribute"].copy()
    given["distribute"][:, [0, 3]] = 0
    behind = run(path.with_name("tiny-tail-stem.onnx"), **given)
    np.testing.assert_allclose(behind["deep/gather"][0], outcome.blocks["deep"].gather[:, 0], atol=1e-5)


@pytest.mark.slow
def test_the_file_says_what_it_is(tiny):
    model, path, _ = tiny
    told = metadata(path)
    assert told["labels"] == list(model.labels)
    assert told["input"]["mean"] == [0.5, 0.5, 0.5]
    assert told["input"]["multiple_px"] == 32
    (stem, deep) = told["sites"]
    assert (stem["name"], stem["kind"], stem["m"], stem["n"]) == ("stem", "double_attention", 6, 5)
    assert deep["tail"] == "tiny-tail-deep.onnx"
    assert set(stem["outputs"] + deep["outputs"]) | {"logits"} == {
        of.name for of in session(path).get_outputs()
    }
    assert b"site-packages" not in path.read_bytes()
    assert str(path.parent).encode() not in path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "outputs"),
    [
        ("non_local", {"queries", "keys"}),
        ("self_attention", {"queries", "keys"}),
        ("squeeze_excitation", {"gates"}),
        ("covariance_pooling", {"statistics"}),
    ],
)
def test_a_relative_is_exported_with_what_it_has(kind, outputs, tmp_path):
    model = of_kind(kind)
    (written,) = export.write_onnx(model, tmp_path / "one.onnx")
    (site,) = metadata(written.path)["sites"]
    assert set(site["outputs"]) == {f"stem/{key}" for key in {"input", "change", *outputs}}
    assert site["tail"] is None
    picture = torch.randn(2, 3, 64, 96)
    found = run(written.path, picture=picture.numpy())
    with torch.no_grad():
        expected = model.network(picture).numpy()
    np.testing.assert_allclose(found["logits"], expected, rtol=1e-3, atol=1e-4)
    if "keys" in outputs:  # the attention of one position, worked out by hand
        q, k = found["stem/queries"][0], found["stem/keys"][0]
        scores = site["scale"] * np.einsum("hd,hdn->hn", q[:, :, 7], k)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        rows = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
        features = torch.from_numpy(found["stem/input"][:1])
        with torch.no_grad():
            row = model.blocks["stem"].attention_row(features, (1, 1)).flatten().numpy()
        np.testing.assert_allclose(rows, row, atol=1e-5)


@pytest.mark.slow
def test_what_does_not_agree_is_not_written(tiny, tmp_path, monkeypatch):
    model, _, _ = tiny
    monkeypatch.setattr(export, "CLOSE", 1e-12)
    with pytest.raises(NetworkError, match=r"differs from torch by .* Nothing was written"):
        export.write_onnx(model, tmp_path / "off.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"answers_with": "boxes"}, "answers with boxes"),
        ({"input": InputSpec(fixed_px=(64, 64))}, "one size only"),
    ],
)
def test_a_network_that_cannot_be_exported_is_refused_with_the_reason(options, said, tmp_path):
    model = model_with(of_kind("squeeze_excitation").network, **options)
    with pytest.raises(NetworkError, match=said):
        export.write_onnx(model, tmp_path / "no.onnx")


def test_networks_for_clips_and_without_blocks_are_refused(tmp_path):
    with pytest.raises(NetworkError, match="whole clips"):
        export.write_onnx(a2core.video_model(26, device="cpu", blocks=1), tmp_path / "no.onnx")
    bare = nn.Sequential(nn.Conv2d(3, 6, 16, stride=16), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NetworkError, match="no blocks"):
        export.write_onnx(model_with(bare), tmp_path / "no.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_operation_that_onnx_does_not_know_is_said(tmp_path):
    class Odd(nn.Module):
        def forward(self, x):
            return x if float(x.mean()) > 0 else -x  # which way depends on the numbers

    parts = dict(of_kind("squeeze_excitation").network.named_children())
    network = nn.Sequential(OrderedDict(odd=Odd(), **parts))
    with pytest.raises(NetworkError, match="cannot be exported"):
        export.write_onnx(model_with(network), tmp_path / "no.onnx")


def test_the_command_refuses_what_it_cannot_do(tmp_path, capsys):
    assert main(["export", "--onnx", str(tmp_path / "network.pt")]) == 2
    assert ".onnx" in capsys.readouterr().err
    assert main(["export"]) == 2
    assert "--onnx OUT.onnx" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_writes_a_shipped_checkpoint_in_half_of_the_bytes(tmp_path, capsys):
    out, name = tmp_path / "net.onnx", "covariance-pooling-lite0"
    assert main(["export", "--onnx", str(out), "--checkpoint", name, "--half"]) == 0
    assert "read back by onnxruntime" in capsys.readouterr().out
    told = metadata(out)
    assert told["card"]["name"] == name
    assert len(told["labels"]) == 1000
    assert [site["name"] for site in told["sites"]] == ["blocks.4", "blocks.5"]
    network = a2core.load_model(name, device="cpu").network
    weights = sum(tensor.numel() for tensor in network.parameters())
    assert 2 * weights < out.stat().st_size < 2.5 * weights
    picture = np.random.default_rng(0).normal(size=(1, 3, 96, 64)).astype(np.float32)
    logits = run(out, picture=picture)["logits"]
    with torch.inference_mode():
        theirs = network(torch.from_numpy(picture)).numpy()
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, theirs, atol=0.02 * np.abs(theirs).max())
