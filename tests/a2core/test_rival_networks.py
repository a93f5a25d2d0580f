"""What the relatives did is read off their own attention matrices, and the same for all is found the same."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import a2core
from a2core.blocks.registry import DOUBLE_ATTENTION, KINDS, block_settings, make_block
from a2core.networks.insert import inserted_blocks
from a2core.networks.sources import build_network
from a2core.rival_networks import Reading
from tests.conftest import softmax

GRID = (2, 3, 4)
CHANNELS = 16


def features(seed: int = 0) -> torch.Tensor:
    """(T, c, h, w), as a block inside a network gets a clip."""
    return torch.randn(GRID[0], CHANNELS, *GRID[1:], generator=torch.Generator().manual_seed(seed))


def block_of(kind: str) -> nn.Module:
    torch.manual_seed(1)
    block = make_block(block_settings(kind, CHANNELS)).eval()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.4)
    return block


def read_by_hand(block: nn.Module, x: torch.Tensor) -> np.ndarray:
    """The full attention matrix, (heads, N, N), in float64 from the block's weights."""
    flat = x.double().numpy().transpose(1, 0, 2, 3).reshape(CHANNELS, -1)
    flat = flat / np.sqrt(1 + block.input_norm.eps)  # fresh statistics: mean 0, variance 1
    flat = flat - flat.mean(axis=1, keepdims=True)  # over all frames
    flat = flat / np.sqrt((flat**2).mean(axis=0) + 1e-6)

    def project(layer):
        weight = layer.weight.detach().double().numpy().reshape(layer.out_channels, -1)
        return weight @ flat + layer.bias.detach().double().numpy()[:, None]

    heads = getattr(block, "heads", 1)
    q, k = (project(layer).reshape(heads, block.inner // heads, -1) for layer in (block.query, block.key))
    scale = 1.0 if heads == 1 else np.sqrt(block.inner // heads)
    return softmax(np.einsum("hdp,hdj->hpj", q, k) / scale, 2)


@pytest.mark.parametrize("kind", ["non_local", "self_attention"])
@pytest.mark.parametrize("position", [(0, 0, 0), (1, 2, 3), (0, 1, 2)])
def test_rows_are_those_of_the_blocks_own_attention_matrix_over_all_frames(kind, position):
    block, x = block_of(kind), features()
    reading = Reading(block, x)
    matrix = read_by_hand(block, x)
    p = np.ravel_multi_index(position, GRID)
    np.testing.assert_allclose(reading.row(position).ravel(), matrix[:, p].mean(axis=0), atol=1e-5)
    if kind == "self_attention":
        np.testing.assert_allclose(reading.heads(position).reshape(8, -1), matrix[:, p], atol=1e-5)
    else:
        assert reading.heads(position) is None
    assert not reading.same_everywhere


def test_the_row_of_double_attention_is_the_effective_attention_of_its_trace(tiny_model, photo):
    reading = a2core.read_block(tiny_model, photo, "stem", size=96)
    block = tiny_model.trace(photo, size=96).blocks["stem"]
    assert reading.grid == block.grid
    row = a2core.effective_attention(block, (0, 2, 3))
    np.testing.assert_allclose(reading.row((0, 2, 3)), row, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "handed"), [("squeeze_excitation", "gates"), ("covariance_pooling", "addition")]
)
def test_what_is_the_same_for_everybody_differs_by_rounding_only(kind, handed):
    reading = Reading(block_of(kind), features())
    assert reading.same_everywhere
    assert reading.handed == handed
    assert reading.scale > 0.1
    assert reading.spread < 1e-4 * reading.scale
    np.testing.assert_allclose(reading.row((1, 1, 1)), 1 / np.prod(GRID))


def test_a_block_that_hands_out_differently_is_found_out_whatever_it_claims():
    class Liar(nn.Module):
        attends = "same"

        def forward(self, x):
            return x + torch.linspace(0, 1, x.shape[-1])

    reading = Reading(Liar(), features())
    assert reading.spread == pytest.approx(1, abs=1e-5)


def test_a_reading_is_its_own_whatever_happens_to_the_network_later():
    block = block_of("non_local")
    reading = Reading(block, features())
    before = reading.row((0, 0, 0))
    block.frames_per_clip = 2
    nn.init.zeros_(block.query.weight)
    np.testing.assert_array_equal(reading.row((0, 0, 0)), before)


def test_a_position_or_block_that_is_not_there_is_refused(tiny_model, photo):
    with pytest.raises(a2core.BlockError, match="grid"):
        Reading(block_of("non_local"), features()).row((0, 3, 0))
    with pytest.raises(a2core.BlockError, match="'stem', 'deep'"):
        a2core.read_block(tiny_model, photo, "attic")


def checkpoint(folder, name: str, kind: str) -> None:
    architecture = {
        "backbone": "tf_efficientnet_lite0",
        "blocks": {"blocks.5": block_settings(kind, 192)},
    }
    blocks = inserted_blocks(build_network(architecture).network)
    a2core.save_checkpoint(folder / f"{name}.safetensors", blocks, architecture=architecture, card={})


def test_rivals_are_found_by_their_cards_and_those_without_one_are_random_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("A2_CHECKPOINTS", str(tmp_path))
    checkpoint(tmp_path, "a2-made", DOUBLE_ATTENTION)
    checkpoint(tmp_path, "whatever", "non_local")
    found = {rival.kind: rival for rival in a2core.find_rivals("a2-made")}
    assert tuple(found) == tuple(KINDS)
    assert {kind: rival.checkpoint for kind, rival in found.items() if rival.trained} == {
        DOUBLE_ATTENTION: "a2-made",
        "non_local": "whatever",
    }
    assert a2core.load_rival(found["non_local"]).trained
    random = a2core.load_rival(found["self_attention"])
    assert not random.trained
    again = a2core.load_rival(found["self_attention"])
    assert torch.equal(random.blocks["blocks.5"].query.weight, again.blocks["blocks.5"].query.weight)
    assert a2core.rival_settings(found["non_local"], "blocks.5")["kind"] == "non_local"
    assert a2core.rival_settings(found["self_attention"], "blocks.5")["in_channels"] == 192
    with pytest.raises(a2core.CheckpointError, match="attic"):
        a2core.find_rivals("attic")
    with pytest.raises(a2core.CheckpointError):
        a2core.rival_settings(found["non_local"], "blocks.4")


def test_a_rival_on_another_trunk_or_at_another_place_is_no_rival(tmp_path, monkeypatch):
    monkeypatch.setenv("A2_CHECKPOINTS", str(tmp_path))
    checkpoint(tmp_path, "a2-made", DOUBLE_ATTENTION)
    checkpoint(tmp_path, "other", "non_local")
    card = json.loads((tmp_path / "other.json").read_text())
    card["architecture"]["backbone"] = "tf_efficientnet_lite2"
    (tmp_path / "other.json").write_text(json.dumps(card))
    assert not any(rival.trained for rival in a2core.find_rivals("a2-made") if rival.kind == "non_local")
