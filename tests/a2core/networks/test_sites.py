"""Common networks, each inspected, given blocks and traced: the table of docs/own_network.md."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from a2core import Clip, Replay
from a2core.cli import main
from a2core.load import open_network
from a2core.networks.sites import find_sites
from a2core.networks.sources import build
from a2core.networks.spec import RANDOM, InputSpec, NetworkSpec

DOCS = Path(__file__).resolve().parents[3] / "docs" / "own_network.md"
# As many layers as published ones have, of fewer channels: they answer sooner.
NARROW = {"embed_dim": (32, 32, 64, 64), "stem_width": 16}
# What is called what, what makes it, where its blocks stand, the layout there, at 224 and at 448 pixels
# rows and columns of the coarser, what it answers with where that is no class, and at 224 pixels how many
# layers of attention of its own are recorded.
NETWORKS = [
    ("ConvNeXt", "timm/convnext_atto", {}, "stages.2 stages.3", "NCHW", (7, 14), "", "none"),
    ("MobileNetV3", "timm/mobilenetv3_small_050", {}, "blocks.3 blocks.5", "NCHW", (7, 14), "", "none"),
    ("RegNet", "timm/regnety_002", {}, "s3 s4", "NCHW", (7, 14), "", "none"),
    ("ResNet without classes", "timm/resnet10t", {"num_classes": 0}, "layer3 layer4", "NCHW", (7, 14),
     "features", "none"),
    ("ResNet of one channel", "timm/resnet10t", {"in_chans": 1}, "layer3 layer4", "NCHW", (7, 14), "",
     "none"),
    ("ResNet, `features_only`", "timm/resnet10t", {"features_only": True}, "layer3 layer4", "NCHW", (7, 14),
     "5 tensors of features", "none"),
    ("ViT, any size", "timm/vit_tiny_patch16_224", {}, "blocks.5 blocks.8", "tokens", (14, 28), "",
     "12 layers"),
    ("ViT, one size (DeiT)", "timm/deit_tiny_distilled_patch16_224", {"dynamic_img_size": False},
     "blocks.5 blocks.8", "tokens", (14, None), "", "12 layers"),
    ("DINOv2 with registers", "timm/vit_small_patch14_reg4_dinov2",
     {"img_size": 224, "embed_dim": 96, "num_heads": 3}, "blocks.5 blocks.8", "tokens", (16, 32), "features",
     "12 layers"),
    ("Swin", "torchvision/swin_t", {}, "features.5 features.7", "NHWC", (7, 14), "",
     "12 layers, 10 in windows"),
    ("MaxViT", "timm/maxvit_tiny_rw_224", NARROW, "stages.2 stages.3", "NCHW", (7, 14), "",
     "22 layers, 18 in windows"),
    ("LeViT", "timm/levit_128s", {}, "stages.1 stages.2", "tokens", (4, None), "", "11 layers"),
    ("CoAtNet", "timm/coatnet_pico_rw_224", NARROW, "stages.2 stages.3", "NCHW", (7, None), "", "7 layers"),
    ("Faster R-CNN", "torchvision/fasterrcnn_mobilenet_v3_large_320_fpn", {},
     "backbone.body.12 backbone.body.16", "NCHW", (10, 10), "boxes", "none"),
    ("DeepLab", "torchvision/deeplabv3_mobilenet_v3_large", {}, "backbone.6 backbone.16", "NCHW", (14, 28),
     "maps ('out')", "none"),
    ("Swin of timm", "timm/swin_tiny_patch4_window7_224", {"embed_dim": 24}, "layers.2 layers.3", "NHWC",
     (7, 14), "", "12 layers, 10 in windows"),
    ("BEiT", "timm/beit_base_patch16_224", {"depth": 4, "embed_dim": 192, "num_heads": 3},
     "blocks.1 blocks.2", "tokens", (14, None), "", "4 layers"),
]  # fmt: skip


def photo(height: int, width: int) -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    return Clip(frames, np.zeros(1), "image", "", ())


@pytest.mark.parametrize(
    ("name", "source", "options", "places", "axes", "rows", "said", "own"),
    NETWORKS,
    ids=[row[0] for row in NETWORKS],
)
def test_a_common_network_is_given_blocks_that_leave_its_answers_and_is_traced(
    name, source, options, places, axes, rows, said, own
):
    row = row_of(name, source, places, axes, rows, said, own)
    spec, places = NetworkSpec(source, RANDOM, options), places.split()
    torch.manual_seed(0)
    model = open_network(spec, torch.device("cpu"))
    assert (list(model.blocks), model.answers_with, model.trained) == (places, said, False)
    for size, coarse in zip((224, 448), rows, strict=True):
        trace = model.trace(photo(448, 448), size=size)
        last = trace.blocks[places[-1]]
        assert last.grid[1] == last.grid[2] == (coarse or rows[0])
        for block in trace.blocks.values():
            np.testing.assert_allclose(block.gather.sum(axis=(1, 2, 3)), 1, atol=1e-4)
            np.testing.assert_allclose(block.distribute.sum(axis=0), 1, atol=1e-4)
        assert (trace.top == []) is bool(said)
        if coarse is None:
            assert trace.model_input.shape[1:3] == (224, 224)
            assert "224 × 224 pixels only" in trace.notes[0]
    layers = model.attention(photo(224, 224), size=224)
    windowed = sum(layer.windowed for layer in layers.values())
    told = f"{len(layers)} layers" + (f", {windowed} in windows" if windowed else "")
    assert (told if layers else "none", layers.left_out) == (own, {})
    x = model.preprocess(model.trace(photo(224, 224), size=224).model_input)
    with torch.no_grad():
        looked_at = model.network(x)
        for block in model.blocks.values():
            block.forward = lambda features: features
        if isinstance(looked_at, torch.Tensor):
            torch.testing.assert_close(looked_at, model.network(x), rtol=1e-3, atol=1e-4)
    assert row in DOCS.read_text(encoding="utf-8")
    if not said:
        assert_replay_is_the_whole_pass(spec)


def assert_replay_is_the_whole_pass(spec):
    """Of blocks that do something: as they are, and with all primitives off, when they add nothing."""
    model = open_network(spec, torch.device("cpu"))
    for block in model.blocks.values():
        nn.init.normal_(block.expand.weight, std=1.0)
        nn.init.normal_(block.expand.bias, std=3.0)
    replay = Replay(model, photo(224, 224), size=224)
    x = model.preprocess(replay.trace.model_input)
    with torch.no_grad():
        whole = model.network(x)[0].softmax(0).double().numpy()
    for place, block in model.blocks.items():
        off = replay.run(place, off=range(block.c_n)).after
        forward = block.forward
        block.forward = lambda features: features
        with torch.no_grad():
            changed = model.network(x)[0].softmax(0).double().numpy()
        block.forward = forward
        # Random networks hardly tell pictures apart: rounding is held against what the block does.
        matters = np.abs(changed - whole).max()
        assert np.abs(replay.run(place).after - whole).max() < 0.02 * matters
        assert np.abs(off - changed).max() < 0.02 * matters


def row_of(name, source, places, axes, rows, said, own):
    """A network's row of the table in the documentation."""
    at = ", ".join(f"`{place}`" for place in places.split())
    sizes = "any" if rows[1] else "224 × 224 only"
    return f"| {name} | `{source}` | {axes} | {at} | {sizes} | {said or 'classes'} | {own} |"


def test_sites_are_told_with_grid_channels_stride_and_what_attends_there():
    made = build(NetworkSpec("timm/vit_tiny_patch16_224", RANDOM))
    sites = {site.module: site for site in find_sites(made.network.eval(), made.input, torch.device("cpu"))}
    site = sites["blocks.3"]
    assert (site.grid, site.channels, site.stride_px) == ((14, 18), 192, 16)
    assert (site.layout.axes, site.layout.prefix, site.found) == ("tokens", 1, "softmax attention, 3 heads")
    assert not any(m._forward_hooks for m in made.network.modules())


def test_of_a_network_without_stages_the_layers_are_sites():
    network = nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.ReLU(), nn.Conv2d(8, 12, 2, 2), nn.Flatten())
    sites = find_sites(network, InputSpec(), torch.device("cpu"))
    assert [(site.module, site.channels, site.stride_px) for site in sites] == [("0", 8, 8), ("2", 12, 16)]


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("timm/levit_128s@random", ["224 × 224 pixels only", "stages.1 *", "attention, 6 heads", "tench"]),
        ("timm/resnet10t@random", ["multiples of 32 pixels", "layer4 *", "1000 classes"]),
        ("torchvision/deeplabv3_mobilenet_v3_large@random", ["answers: maps ('out')", "backbone.16 *"]),
    ],
)  # fmt: skip
def test_the_command_says_what_a_network_takes_answers_and_where_blocks_go(network, told):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["inspect", network]) == 0
    for words in told:
        assert words in out.getvalue()
