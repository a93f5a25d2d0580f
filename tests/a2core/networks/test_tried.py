"""Networks as people have them: traced rightly, or refused with the reason and a way out."""

from __future__ import annotations

import re

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn
from torchvision.models import SwinTransformer, VisionTransformer

from a2core import Clip, DoubleAttention, InterventionError, NetworkError, Replay, insert_blocks, model_of
from a2core.networks.spec import InputSpec
from a2core.tracing.model_input import standardised


def picture(height: int = 64, width: int = 64) -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    return Clip(frames, np.zeros(1), "image", "", ())


def vit() -> nn.Module:
    return VisionTransformer(64, 16, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=16, num_classes=4)


def swin() -> nn.Module:
    """At 64 px its first stage has as many rows as channels, 16, as swin_t has 96 at 384 px."""
    return SwinTransformer([4, 4], 16, [2, 2], [1, 2], [2, 2], num_classes=4)


def inception_like() -> nn.Module:
    """Without padding, as Inception: small pictures come to nothing on the way."""
    sizes = [(3, 8), *[(8, 8)] * 5]
    convolutions = [nn.Conv2d(taken, made, 3, stride=2) for taken, made in sizes]
    return nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


def of_32_px() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(), nn.Linear(8 * 64, 4))


def fixed_swin() -> nn.Module:
    return timm.create_model("swin_tiny_patch4_window7_224", img_size=64, window_size=4, embed_dim=16,
                             depths=(2, 2), num_heads=(1, 2), num_classes=4)  # fmt: skip


def resnet(channels: int) -> nn.Module:
    return timm.create_model("resnet10t", in_chans=channels, num_classes=4)


def convnext() -> nn.Module:
    return timm.create_model("convnext_atto", depths=(1, 1, 1, 1), dims=(16, 16, 32, 32), num_classes=4)


def detector() -> nn.Module:
    return torchvision.models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None
    )


def segmenter() -> nn.Module:
    return torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)


class Clips(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv3d(3, 8, 3, padding=1), nn.AdaptiveAvgPool3d(1), nn.Flatten())


def with_block(network: nn.Module, place: str, channels: int, dims: int = 2) -> nn.Module:
    torch.manual_seed(0)
    return insert_blocks(network.eval(), {place: DoubleAttention(channels, 4, 4, dims)})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Clips, r"takes clips \(batch, channels, T, h, w\).*Conv3d"),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.Flatten(), nn.Linear(8, 4)),
         r"at none of the sizes tried \(96 × 64, .*at 384 × 384 module '2' fails with: mat1.*Wrap it"),
    ],
)  # fmt: skip
def test_a_network_that_takes_no_pictures_is_refused_with_the_reason_and_a_way_out(make, said):
    network = with_block(make(), "0", 8, 3 if make is Clips else 2)
    with pytest.raises(NetworkError, match=said):
        model_of(network)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


@pytest.mark.parametrize(
    ("make", "place", "channels", "size", "grid", "fixed"),
    [
        (vit, "conv_proj", 16, 96, (4, 4), 64),
        (vit, "encoder.layers.encoder_layer_0", 16, 96, (4, 4), 64),
        (swin, "permute", 32, 96, (12, 12), None),
        (swin, "features.0", 16, 96, (24, 24), None),
        (swin, "features.1", 16, 64, (16, 16), None),  # as many rows as channels
        (fixed_swin, "layers.1", 32, 224, (8, 8), 64),
        (of_32_px, "0", 8, 64, (8, 8), 32),
        (inception_like, "1", 8, 160, (39, 39), None),
        (convnext, "stages.0", 16, 64, (16, 16), None),  # works on channels last inside, and puts them first
        (lambda: resnet(1), "layer3", 256, 64, (4, 4), None),
        (lambda: resnet(5), "layer3", 256, 64, (4, 4), None),
        (lambda: nn.Sequential(torchvision.transforms.Grayscale(), resnet(1)),
         "1.layer3", 256, 64, (4, 4), None),
    ],
)  # fmt: skip
def test_a_network_is_traced_in_its_own_layout_at_the_sizes_that_it_takes(
    make, place, channels, size, grid, fixed
):
    network = with_block(make(), place, channels)
    model = model_of(network)
    trace = model.trace(picture(), size=size)
    seen = trace.blocks[place]
    assert seen.grid == (1, *grid)
    np.testing.assert_allclose(seen.gather.sum(axis=(1, 2, 3)), 1, rtol=1e-4)
    with torch.no_grad():
        answer = network(model.preprocess(trace.model_input)).softmax(dim=1).max()
    assert trace.top[0][1] == pytest.approx(float(answer), abs=1e-5)
    assert model.input.fixed_px == (None if fixed is None else (fixed, fixed))
    if fixed is not None:
        assert trace.model_input.shape == (1, fixed, fixed, 3)
        assert f"{fixed} × {fixed} pixels only" in trace.notes[0]


def test_a_picture_too_small_for_a_network_is_refused_with_the_size_that_it_took():
    model = model_of(with_block(inception_like(), "1", 8))
    with pytest.raises(NetworkError, match=r"does not run on 64 × 64 pixels \(.+\)\. It did take 224 × 224"):
        model.trace(picture(), size=64)
    assert model.trace(picture(), size=224).blocks


@pytest.mark.parametrize(
    ("make", "place", "channels", "said"),
    [
        (detector, "backbone.body.6", 40, "boxes"),
        (segmenter, "backbone.6", 40, r"maps \('out'\)"),
        (lambda: timm.create_model("resnet10t", features_only=True), "layer3", 256, "5 tensors of features"),
        (lambda: timm.create_model("resnet10t", num_classes=0), "layer3", 256, "features"),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 1)), "0", 8, r"a tensor \(1, 8, 64, 96\)"),
    ],
)
def test_a_network_without_classes_is_traced_and_says_what_it_answers_with(make, place, channels, said):
    model = model_of(with_block(make(), place, channels), labels=["nobody asks"])
    trace = model.trace(picture(64, 96), size=96)
    assert trace.top == []
    assert re.search(f"answers with {said}, not with classes", trace.notes[-1])
    np.testing.assert_allclose(trace.blocks[place].gather.sum(axis=(1, 2, 3)), 1, rtol=1e-4)
    with pytest.raises(InterventionError, match="not with classes"):
        Replay(model, picture(64, 96), size=96)


def test_one_channel_is_the_brightness_and_many_are_red_green_and_blue_in_turn():
    x = torch.tensor([255.0, 51.0, 102.0])[None, :, None, None]
    grey = standardised(x.clone(), InputSpec((0.5,), (0.25,)))
    expected = (0.299 * 1.0 + 0.587 * 0.2 + 0.114 * 0.4 - 0.5) / 0.25
    assert grey.flatten().tolist() == pytest.approx([expected], abs=1e-5)
    five = standardised(x, InputSpec((0.0,) * 5, (1.0,) * 5))
    assert five.flatten().tolist() == pytest.approx([1.0, 0.2, 0.4, 1.0, 0.2])


@pytest.mark.parametrize(
    ("make", "place", "channels", "dims"),
    [
        (swin, "features.0", 24, 2),  # rows, at 96 pixels
        (vit, "encoder.layers.encoder_layer_1", 17, 1),  # 16 patches and the class token
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_rows_are_not_taken_for_channels_where_there_are_as_many(make, place, channels, dims, training):
    network = with_block(make(), place, channels, dims).train(training)
    with pytest.raises(NetworkError, match="channels last"):
        network(torch.randn(1, 3, 64 if make is vit else 96, 64 if make is vit else 96))


@pytest.mark.parametrize("training", [False, True])
def test_where_channels_come_first_as_many_rows_are_no_fault(training):
    network = with_block(convnext(), "stages.0", 16).train(training)
    x = torch.randn(2, 3, 64, 64)
    generator = torch.get_rng_state()
    answer = network(x)
    assert answer.shape == (2, 4)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(module.training is training for module in network.modules())
    # As many rows as channels, and nothing that works on a last axis of that length: nothing is tried.
    mixed = with_block(nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU()), nn.Flatten()), "0", 8)
    assert mixed(torch.randn(1, 3, 8, 8)).shape == (1, 512)
