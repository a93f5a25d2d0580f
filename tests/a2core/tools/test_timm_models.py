"""timm makes our networks by name, and puts the block where it puts its own attention."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from timm.layers import create_attn

import a2core
from a2core.tools import timm_models


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_timm_makes_it_and_it_answers_as_the_checkpoint_does(picture):
    assert "a2_tf_efficientnet_lite0" in timm.list_models("a2_*")
    made = timm.create_model("a2_tf_efficientnet_lite0", pretrained=True).eval()
    kept = a2core.load_model("a2-lite0", device="cpu")  # its norms folded
    with torch.no_grad():
        assert torch.allclose(made(picture), kept.network(picture), atol=1e-4)
    assert timm.data.resolve_model_data_config(made)["mean"] == (0.5, 0.5, 0.5)
    assert all(parameter.requires_grad for parameter in made.parameters())


def test_other_classes_have_a_fresh_classifier_on_the_same_features(picture):
    made = timm.create_model("a2_tf_efficientnet_lite0", pretrained=True, num_classes=7).eval()
    whole = a2core.checkpoint_network("a2-lite0")
    with torch.no_grad():
        assert made(picture).shape == (1, 7)
        assert torch.equal(made.forward_features(picture), whole.forward_features(picture))


def test_without_weights_a_fresh_block_changes_nothing(picture):
    made = timm.create_model("a2_tf_efficientnet_lite0", in_chans=3).eval()
    with torch.no_grad():
        with_blocks = made(picture)
        assert set(a2core.remove_blocks(made)) == {"blocks.4", "blocks.5"}
        assert torch.equal(made(picture), with_blocks)


@pytest.mark.parametrize("asked", [{"in_chans": 1}, {"features_only": True}])
def test_what_the_weights_are_not_for_is_refused(asked):
    with pytest.raises(a2core.NetworkError):
        timm.create_model("a2_tf_efficientnet_lite0", pretrained=True, **asked)


def test_the_block_is_an_attn_layer_of_timms():
    block = create_attn(timm_models.attn_layer(c_n=8), 32, rd_ratio=0.25).block
    assert isinstance(block, a2core.DoubleAttention)
    assert (block.in_channels, block.c_m, block.c_n) == (32, 8, 8)
    network = timm.create_model("resnet26", block_args={"attn_layer": timm_models.attn_layer(c_n=4)}).eval()
    plain = timm.create_model("resnet26").eval()
    plain.load_state_dict({n: t for n, t in network.state_dict().items() if n in plain.state_dict()})
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), plain(x))  # fresh: as it is without
    frames = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3), dtype=np.uint8)
    clip = a2core.Clip(frames, np.zeros(1), "image", "", ())
    trace = a2core.model_of(network, trained=False).trace(clip, size=64)
    assert [f"layer{stage}.{index}.se" for stage in (1, 2, 3, 4) for index in (0, 1)] == list(trace.blocks)
