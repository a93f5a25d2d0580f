"""Inserting blocks anywhere, refusing where none can go, the paper's networks and their counts."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

from a2core import DoubleAttention, NetworkError
from a2core.bench.counts import count, count_presets, format_table
from a2core.blocks.registry import make_block
from a2core.networks.backbones import load_backbone
from a2core.networks.chain import stages
from a2core.networks.fold import fold_norms
from a2core.networks.insert import insert_blocks, inserted_blocks
from a2core.networks.nonfinite import find_nonfinite
from a2core.networks.paper import paper_network, video_network
from a2core.networks.sources import build_network
from a2core.networks.video import VideoResNet, inflate_weights


def block(channels: int, dims: int = 2, **options) -> DoubleAttention:
    return DoubleAttention(channels, 4, 4, dims, **options)


@pytest.mark.parametrize(
    ("make", "name", "channels", "size"),
    [
        (lambda: torchvision.models.resnet18(), "layer3.0", 256, 64),
        (lambda: torchvision.models.mobilenet_v3_small(), "features.4", 40, 64),
        (lambda: torchvision.models.vgg11(), "features.3", 128, 32),
        (lambda: timm.create_model("resnet18"), "layer2", 128, 64),
        (lambda: timm.create_model("convnext_atto"), "stages.1.blocks.0", 80, 64),
    ],
)
def test_a_block_goes_into_networks_of_torchvision_and_timm(make, name, channels, size):
    network = make().eval()
    x = torch.randn(1, 3, size, size)
    with torch.no_grad():
        before = network(x)
        insert_blocks(network, {name: block(channels, output_norm=True)})
        torch.testing.assert_close(network(x), before)  # the fresh block is the identity
    assert list(inserted_blocks(network)) == [name]


def test_an_unknown_name_is_refused_with_the_nearest_and_nothing_is_changed():
    network = torchvision.models.resnet18()
    with pytest.raises(NetworkError, match=r"no module 'layer3.00'.*'layer3.0'"):
        insert_blocks(network, {"layer2.0": block(128), "layer3.00": block(256)})
    assert not inserted_blocks(network)


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        ("", block(8), "not the network itself"),
        ("fc", block(1000), "Linear, which returns no grid"),
        ("layer3.0.conv1", block(255), "returns 256 channels; the block is made for 255"),
        ("bn1", block(63), "returns 64 channels"),
    ],
)
def test_a_place_where_no_block_can_go_is_refused_at_once(name, made, said):
    with pytest.raises(NetworkError, match=said):
        insert_blocks(torchvision.models.resnet18(), {name: made})


def test_a_list_of_modules_is_no_place():
    network = nn.Module()
    network.parts = nn.ModuleList([nn.Conv2d(3, 8, 1)])
    with pytest.raises(NetworkError, match=r"only a list.*'parts.0'"):
        insert_blocks(network, {"parts": block(8)})


def test_a_second_block_at_one_place_is_refused():
    network = insert_blocks(torchvision.models.resnet18(), {"layer1": block(64)})
    with pytest.raises(NetworkError, match="already carries a block"):
        insert_blocks(network, {"layer1": block(64)})


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        ("layer3", block(128), r"'layer3' returns \(1, 256, 4, 4\); the block behind it takes 128 channels"),
        ("relu", block(64, dims=3), "'relu' returns .* 3 position axes"),
    ],
)
def test_what_only_a_run_can_tell_is_told_by_name(name, made, said):
    network = insert_blocks(torchvision.models.resnet18().eval(), {name: made.eval()})
    with pytest.raises(NetworkError, match=said):
        network(torch.zeros(1, 3, 64, 64))


def test_a_module_that_returns_no_tensor_is_told_by_name():
    network = insert_blocks(nn.Sequential(nn.LSTM(4, 4)), {"0": block(4)})
    with pytest.raises(NetworkError, match="'0' returns a tuple, not a tensor"):
        network(torch.zeros(2, 3, 4))


def test_a_network_with_a_block_compiles_and_exports():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 1)).eval()
    insert_blocks(network, {"1": block(8).eval()})
    x = torch.randn(2, 3, 9, 9)
    torch.testing.assert_close(torch.compile(network, backend="aot_eager")(x), network(x))
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), network(x))


def test_where_values_first_stop_being_finite():
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Sequential(nn.ReLU(), nn.Conv2d(8, 4, 1)), nn.Sigmoid())
    x = torch.randn(1, 3, 4, 4)
    assert find_nonfinite(network, x) is None
    assert find_nonfinite(network, x / 0) == "input"
    with torch.no_grad():
        network[1][1].weight[0, 0] = float("nan")
    assert find_nonfinite(network, x) == "1.1"
    assert not any(module._forward_hooks for module in network.modules())


# ---------------------------------------------------------------------------------------------
# The networks of the paper


@pytest.fixture(scope="module")
def counted():
    return {row.name: row for row in count_presets()}


@pytest.mark.parametrize(
    ("name", "params_m", "madds_g"),
    [
        ("ResNet-50, plain", "25.557", "4.089"),
        ("ResNet-50 + 5 blocks, m = n = C/4", "29.24", "5.25"),
        ("ResNet-50 + 5 blocks, m = n = C/2", "32.92", "6.66"),
    ],
)
def test_counts_to_the_last_printed_digit(counted, name, params_m, madds_g):
    digits = len(params_m.split(".")[1])
    assert f"{counted[name].params_m:.{digits}f}" == params_m
    assert f"{counted[name].madds_g:.{digits}f}" == madds_g


def test_parameters_counted_by_hand_are_the_same():
    """Four biased 1×1 convolutions and an affine norm, for each block."""

    def by_hand(c: int, k: int) -> int:
        return 3 * (c * k + k) + (k * c + c) + 2 * c

    plain = count(paper_network(blocks=0), (1, 3, 64, 64))[0]
    for divisor in (4, 2):
        added = 2 * by_hand(512, 512 // divisor) + 3 * by_hand(1024, 1024 // divisor)
        assert count(paper_network(divisor), (1, 3, 64, 64))[0] == plain + added


def test_the_table_says_what_matches_and_by_which_conventions(counted):
    text = format_table(list(counted.values()))
    assert "params match (-0.3%), multiply-adds match (+2.4%)" in text
    assert "params differ (-11.4%)" in text
    assert "recalled" in text
    assert "left order" in text


@pytest.mark.parametrize("blocks", range(6))
def test_the_picture_network_takes_up_to_five_blocks_and_starts_as_the_plain_one(blocks):
    network = paper_network(blocks=blocks)
    assert len(inserted_blocks(network)) == blocks
    places = set(inserted_blocks(network))
    assert blocks < 5 or places == {"layer2.0", "layer2.2", "layer3.0", "layer3.2", "layer3.4"}


@pytest.mark.parametrize("depth", [26, 29])
@pytest.mark.parametrize("blocks", [0, 1, 5])
def test_video_networks_take_clips_and_learn(depth, blocks):
    network = video_network(depth, blocks=blocks, classes=3)
    assert len(inserted_blocks(network)) == blocks
    network(torch.randn(2, 3, 2, 32, 32)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("depth", [26, 29, 50])
@pytest.mark.parametrize("frames", [8, 16])
def test_video_networks_take_8_and_16_frames_with_one_to_five_blocks(depth, frames):
    for blocks in range(1, 6):
        with torch.device("meta"):
            network = video_network(depth, blocks=blocks)
            assert network(torch.empty(2, 3, frames, 112, 112)).shape == (2, 400)


def test_an_inflated_network_gives_for_a_still_clip_what_it_gave_for_the_picture():
    """Away from the first and last frame, where padding in time shows."""
    torch.manual_seed(0)
    flat = torchvision.models.resnet50(num_classes=7).eval()
    volume = VideoResNet((3, 4, 6, 3), classes=7).eval()
    assert inflate_weights(flat.state_dict(), volume) == []
    x = torch.randn(1, 3, 32, 32)
    still = x[:, :, None].repeat(1, 1, 5, 1, 1)
    with torch.no_grad():
        stem_2d, stem_3d = (m.maxpool(m.relu(m.bn1(m.conv1(i)))) for m, i in ((flat, x), (volume, still)))
        torch.testing.assert_close(stem_3d[:, :, 2], stem_2d, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            volume.layer1[0](stem_3d)[:, :, 2], flat.layer1[0](stem_2d), rtol=1e-4, atol=1e-4
        )


def test_inflating_leaves_another_classifier_and_refuses_another_network():
    flat = torchvision.models.resnet50().state_dict()
    assert inflate_weights(flat, VideoResNet((3, 4, 6, 3), classes=7)) == ["fc.weight", "fc.bias"]
    with pytest.raises(NetworkError, match="does not inflate"):
        inflate_weights(flat, VideoResNet((3, 4, 6, 3), width=32))


@pytest.mark.parametrize("make", [lambda: paper_network(weights=True), lambda: video_network(weights=True),
                                  lambda: load_backbone("resnet50")])  # fmt: skip
def test_without_a_download_the_message_says_what_to_do(make, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("unreachable")

    monkeypatch.setattr(torchvision.models, "resnet50", offline)
    with pytest.raises(NetworkError, match=r"could not download.*unreachable.*weights=False"):
        make()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: paper_network(blocks=6), "0 to 5"),
        (lambda: paper_network(3), "divided by 3"),
        (lambda: video_network(18), "26, 29 or 50"),
        (lambda: video_network(26, weights=True), "no ImageNet weights for ResNet-26"),
        (lambda: load_backbone("alexnet"), "Unknown backbone 'alexnet'"),
        (lambda: make_block({"kind": "hopfield", "in_channels": 3}), "Unknown kind of block 'hopfield'"),
    ],
)
def test_networks_that_there_are_not_are_refused(make, said):
    with pytest.raises(NetworkError, match=said):
        make()


def test_a_card_may_ask_for_a_rival():
    architecture = {
        "backbone": "tf_efficientnet_lite0",
        "blocks": {
            "blocks.4": {"in_channels": 112, "c_m": 8, "c_n": 8},
            "blocks.5": {"kind": "self_attention", "in_channels": 192, "heads": 4},
        },
    }
    kinds = [type(b).__name__ for b in inserted_blocks(build_network(architecture).network).values()]
    assert kinds == ["DoubleAttention", "SelfAttention"]


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: torchvision.models.resnet18(num_classes=7), torch.randn(2, 3, 64, 64)),
        (lambda: VideoResNet((1, 1, 1, 1), width=4, classes=7), torch.randn(1, 3, 2, 32, 32)),
        (lambda: timm.create_model("tf_efficientnet_lite0", num_classes=7), torch.randn(1, 3, 64, 64)),
    ],
)
def test_the_stages_of_a_network_one_after_the_other_are_the_network(make, x):
    network = make().eval()
    with torch.no_grad():
        wanted, y = network(x), x
        for _, module in stages(network):
            y = module(y)
    torch.testing.assert_close(y, wanted)


def test_a_network_with_its_norms_folded_answers_as_before_and_has_none_left():
    network = load_backbone("tf_efficientnet_lite0").network
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = network(x)
        torch.testing.assert_close(fold_norms(network)(x), before, rtol=1e-4, atol=1e-4)
    assert not [name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)]


def test_a_network_that_is_no_chain_of_stages_is_refused():
    with pytest.raises(NetworkError, match="ConvNeXt is not known as a chain"):
        stages(timm.create_model("convnext_atto"))
