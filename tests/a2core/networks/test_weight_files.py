"""Weights of one's own: read as tensors alone, by the names that the network has."""

from __future__ import annotations

import pickle

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from a2core import NetworkError
from a2core.networks.sources import build
from a2core.networks.spec import NetworkSpec, read_spec
from a2core.networks.weight_files import fill_network, fitted, read_weights


def network(classes: int = 7) -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model("resnet10t", num_classes=classes).eval()


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {f"module._orig_mod.{name}": tensor for name, tensor in state.items()},
        lambda state: {f"encoder.net.{name}": tensor for name, tensor in state.items()},
    ],
)
def test_a_file_of_torch_is_read_whatever_a_training_script_put_round_it(tmp_path, wrapped):
    trained = network()
    torch.save(wrapped(trained.state_dict()), tmp_path / "mine.pth")
    made = build(read_spec(f"timm/resnet10t@{tmp_path / 'mine.pth'}"))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(made.network(x), trained(x))
    assert made.labels == ()


def test_safetensors_fill_a_network_and_its_classes_are_counted_from_them(tmp_path):
    save_file(network(37).state_dict(), tmp_path / "mine.safetensors")
    made = build(NetworkSpec("timm/resnet10t", str(tmp_path / "mine.safetensors"), labels=("a",) * 37))
    assert made.network(torch.zeros(1, 3, 64, 64)).shape == (1, 37)
    assert len(made.labels) == 37


class Evil:
    def __reduce__(self):
        return print, ("the pickle ran code",)


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("evil.pth", lambda path: path.write_bytes(pickle.dumps(Evil())), "holds more than tensors"),
        ("evil.pt", lambda path: torch.save({"state_dict": Evil()}, path), "holds more than tensors"),
        ("whole.pth", lambda path: torch.save(nn.Linear(2, 2), path), r"save\(network\.state_dict\(\)"),
        ("cut.pth", lambda path: path.write_bytes(b"PK\x03\x04 and no more"), "not what torch.save writes"),
        ("cut.safetensors", lambda path: path.write_bytes(b"\x08"), "not a safetensors file"),
        ("empty.pth", lambda path: torch.save({"epoch": 3}, path), "holds no tensors by name"),
        ("weights.onnx", lambda path: path.write_bytes(b""), "no file of weights. Give one of .safetensors"),
        ("gone.pth", lambda path: None, "There is no file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_weights_is_refused_and_runs_nothing(tmp_path, capsys, name, write, said):
    write(tmp_path / name)
    with pytest.raises(NetworkError, match=said):
        read_weights(tmp_path / name)
    assert capsys.readouterr().out == ""


def test_weights_that_do_not_fit_are_told_by_name_with_the_nearest():
    wanted = network().state_dict()
    renamed = {name.replace("layer4.0.conv1", "layer4.0.convA"): tensor for name, tensor in wanted.items()}
    with pytest.raises(
        NetworkError, match=r"'layer4\.0\.conv1\.weight' is missing \(the file has 'layer4\.0\.convA"
    ):
        fill_network(network(), renamed, "mine.pth")
    with pytest.raises(NetworkError, match=r"mine\.pth does not fit.*'extra' belongs to no module"):
        fill_network(network(), {**wanted, "extra": torch.zeros(1)}, "mine.pth")
    with pytest.raises(NetworkError, match=r"'fc\.weight' has shape \(9, 512\) instead of \(7, 512\)"):
        fill_network(network(), {**wanted, "fc.weight": torch.zeros(9, 512)}, "mine.pth")


def test_nothing_is_cut_off_names_that_fit_as_they_are():
    state = {"model.weight": torch.zeros(1), "model.bias": torch.zeros(1)}
    assert set(fitted(state, state)) == set(state)
    assert set(fitted({f"module.{name}": tensor for name, tensor in state.items()}, state)) == set(state)
