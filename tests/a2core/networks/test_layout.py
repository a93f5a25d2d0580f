"""A block sees the same positions whatever layout its module returns them in."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from a2core import Clip, DoubleAttention, NetworkError, Replay, insert_blocks, model_of, take_lesson
from a2core.blocks.registry import KINDS
from a2core.networks.insert import layout_at
from a2core.networks.layout import Layout, grid_of_tokens

CHANNELS, PREFIX = 16, 2


class Patches(nn.Module):
    """A small network whose one stage returns its cells in a layout of choice."""

    def __init__(self, axes: str) -> None:
        super().__init__()
        self.axes, self.num_prefix_tokens = axes, PREFIX if axes == "tokens" else 0
        self.stage = Stage(axes)
        self.head = nn.Linear(CHANNELS, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.stage(x)
        return self.head({"NCHW": lambda: y.mean(dim=(2, 3)), "NHWC": lambda: y.mean(dim=(1, 2)),
                          "tokens": lambda: y[:, PREFIX:].mean(dim=1)}[self.axes]())  # fmt: skip


class Stage(nn.Module):
    def __init__(self, axes: str) -> None:
        super().__init__()
        self.axes = axes
        self.cut = nn.Conv2d(3, CHANNELS, 16, 16)
        self.before = nn.Parameter(torch.randn(1, PREFIX, CHANNELS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.cut(x)
        if self.axes == "NHWC":
            return y.permute(0, 2, 3, 1)
        if self.axes == "tokens":
            return torch.cat([self.before.expand(len(y), -1, -1), y.flatten(2).transpose(1, 2)], dim=1)
        return y


def made(axes: str, block: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    network = Patches(axes).eval()
    return insert_blocks(network, {"stage": copy.deepcopy(block).eval()})


def clip(frames: int = 1, height: int = 64, width: int = 96) -> Clip:
    pixels = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    return Clip(pixels, np.arange(frames) / 10, "video" if frames > 1 else "image", "", ())


@pytest.mark.parametrize("axes", ["NHWC", "tokens"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_block_of_any_kind_does_on_any_layout_what_it_does_on_channels_first(kind, axes):
    torch.manual_seed(1)
    block = KINDS[kind](CHANNELS, **({"c_m": 6, "c_n": 5} if kind == "double_attention" else {}))
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected = made("NCHW", block)(x)
        torch.testing.assert_close(made(axes, block)(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axes", ["NHWC", "tokens"])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("together", ["joint", "each"])
def test_a_trace_shows_the_same_maps_whatever_the_layout(axes, frames, together):
    torch.manual_seed(1)
    block = DoubleAttention(CHANNELS, 6, 5)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    expected = model_of(made("NCHW", block)).trace(clip(frames), size=96, frames=together).blocks["stage"]
    seen = model_of(made(axes, block)).trace(clip(frames), size=96, frames=together).blocks["stage"]
    assert seen.grid == expected.grid == (frames, 4, 6)
    for name in ("primitives", "gather", "distribute", "output", "change"):
        np.testing.assert_allclose(getattr(seen, name), getattr(expected, name), rtol=1e-3, atol=1e-5)


def test_tokens_before_the_pictures_are_neither_read_nor_changed():
    torch.manual_seed(1)
    block = DoubleAttention(CHANNELS, 6, 5)
    nn.init.normal_(block.expand.weight)
    network = made("tokens", block)
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        y = network.stage(x)
        torch.testing.assert_close(y[:, :PREFIX], network.stage.host.before, rtol=0, atol=0)
        network.stage.host.before.mul_(100)
        torch.testing.assert_close(network.stage(x)[:, PREFIX:], y[:, PREFIX:], rtol=0, atol=0)
    assert layout_at(network, "stage") == Layout("tokens", PREFIX)
    assert model_of(network).trace(clip(), size=96).blocks["stage"].gather.shape[1:] == (1, 4, 6)


@pytest.mark.parametrize("axes", ["NHWC", "tokens"])
def test_interventions_and_the_lesson_work_in_any_layout(axes):
    torch.manual_seed(1)
    block = DoubleAttention(CHANNELS, 6, 5)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    plain, other = model_of(made("NCHW", block)), model_of(made(axes, block))
    one, two = Replay(plain, clip(), size=96), Replay(other, clip(), size=96)
    expected, found = one.run("stage", off=[1, 2]), two.run("stage", off=[1, 2])
    np.testing.assert_allclose(found.after, expected.after, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.moved, expected.moved, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(two.first_order("stage"), one.first_order("stage"), rtol=1e-3, atol=1e-5)
    lesson, same = take_lesson(other, clip(), "stage", 96), take_lesson(plain, clip(), "stage", 96)
    assert lesson.grid == same.grid == (1, 4, 6)
    np.testing.assert_allclose(lesson.theta_logits, same.theta_logits, rtol=1e-3, atol=1e-5)


def test_what_is_said_of_a_layout_is_held_to():
    network = Patches("NHWC").eval()
    insert_blocks(network, {"stage": DoubleAttention(CHANNELS, 6, 5)}, layouts={"stage": Layout("tokens")})
    with pytest.raises(NetworkError, match=r"returns \(1, 4, 6, 16\); the block behind it takes 16 channels"):
        network(torch.randn(1, 3, 64, 96))
    with pytest.raises(NetworkError, match="Choose NCHW, NHWC, or tokens"):
        Layout("NCWH")


@pytest.mark.parametrize(
    ("count", "height", "width", "cells"),
    [
        (252, 224, 288, (14, 18)),
        (196, 224, 224, (14, 14)),
        (16, 224, 224, (4, 4)),
        (197, 224, 224, None),  # a class token too many
        (252, 224, 224, None),
        (1, 32, 32, (1, 1)),
        (6, 64, 96, (2, 3)),
        (6, 96, 64, (3, 2)),
    ],
)
def test_rows_and_columns_of_tokens_follow_from_the_pictures_shape(count, height, width, cells):
    assert grid_of_tokens(count, height, width) == cells


def test_tokens_that_make_no_grid_are_refused_with_the_way_to_say_it():
    network = made("tokens", DoubleAttention(CHANNELS, 6, 5))
    network.stage._prefix = 0
    with pytest.raises(NetworkError, match=r"26 tokens, which make no grid over 96 × 64.*Layout\('tokens'"):
        model_of(network).trace(clip(), size=96)
