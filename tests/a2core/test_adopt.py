"""Double attention written by others: which axes it takes, in words, and what a trace shows of it."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from a2core import Clip, DoubleAttention, NetworkError, insert_blocks
from a2core.adopt import adopt, model_of
from a2core.bench import public_block


class Foreign(nn.Module):
    """A block as others might write it: which axis each softmax takes is up to the test."""

    def __init__(
        self, theta_axis, rho_axis, *, residual=False, expand=True, temperature=1.0, transposed=False
    ):
        super().__init__()
        self.convA, self.convB, self.convV = nn.Conv2d(12, 5, 1), nn.Conv2d(12, 7, 1), nn.Conv2d(12, 7, 1)
        if expand:
            self.conv_reconstruct = nn.Conv2d(5, 12, 1)
        self.axes, self.residual, self.temperature, self.transposed = (
            (theta_axis, rho_axis),
            residual,
            temperature,
            transposed,
        )

    def softmax(self, logits, axis):
        if axis is None:
            return logits.flatten(2)
        if axis == "rows":
            return F.softmax(logits, dim=3).flatten(2)
        if self.transposed:
            return nn.Softmax({1: 2, 2: 1, 0: 0}[axis])(logits.flatten(2).transpose(1, 2)).transpose(1, 2)
        return torch.softmax(logits.flatten(2) / self.temperature, axis)

    def forward(self, x):
        b, v = (self.softmax(c(x), a) for c, a in zip((self.convB, self.convV), self.axes, strict=True))
        z = (self.convA(x).flatten(2) @ b.mT @ v).unflatten(2, x.shape[2:])
        y = self.conv_reconstruct(z) if hasattr(self, "conv_reconstruct") else z
        return x + y if self.residual else y


@pytest.mark.parametrize(
    ("axes", "named"),
    [
        ((2, 1), ("positions", "primitives")),
        ((2, 2), ("positions", "positions")),
        ((1, 1), ("primitives", "primitives")),
        ((0, 0), ("the batch", "the batch")),
        (("rows", 1), ("part of the positions", "primitives")),
        ((2, None), ("positions", None)),
    ],
)
@pytest.mark.parametrize("temperature", [1.0, 3.0])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_axis_of_each_softmax_is_found_whatever_the_layout(axes, named, temperature, transposed):
    report = adopt(Foreign(*axes, temperature=temperature, transposed=transposed)).reports[""]
    assert (report.theta_axis, report.rho_axis) == named
    assert (report.c_m, report.c_n) == (5, 7)
    assert report.factorises
    assert not report.as_published


def test_the_report_says_it_in_words():
    said = str(adopt(Foreign(2, 2)).reports[""])
    assert "normalises θ over positions, as the paper does" in said
    assert "normalises ρ over positions, not over primitives: its weights at a pixel do not sum to 1" in said
    assert "does not add its input" in said


def test_a_module_that_is_right_is_called_right():
    assert adopt(Foreign(2, 1, residual=True)).reports[""].as_published


def test_a_mapping_names_parts_that_are_called_otherwise():
    theirs = Foreign(2, 1, residual=True)
    network = nn.Sequential(nn.Conv2d(3, 12, 3), nn.Module())
    renamed = network[1]
    renamed.values, renamed.keys, renamed.queries = theirs.convA, theirs.convB, theirs.convV
    renamed.forward = lambda x: x + (
        renamed.values(x).flatten(2) @ F.softmax(renamed.keys(x).flatten(2), 2).mT
        @ F.softmax(renamed.queries(x).flatten(2), 1)
    ).unflatten(2, x.shape[2:]).repeat(1, 3, 1, 1)[:, :12]  # fmt: skip
    with pytest.raises(NetworkError, match="Name its parts: mapping="):
        adopt(network)
    adopted = adopt(network, {"1": {"phi": "values", "theta": "keys", "rho": "queries"}})
    assert adopted.reports["1"].rho_axis == "primitives"
    assert not adopted.reports["1"].expands


@pytest.mark.parametrize(
    ("package", "axes"),
    [("fightingcv-attention", ("the batch", "the batch")), ("pyzjr", ("positions", "positions"))],
)
@pytest.mark.filterwarnings("ignore")
def test_public_modules_are_read_correctly(package, axes):
    block = public_block(package)
    if block is None and os.environ.get("CI"):
        pytest.fail(f"{package} has to be there in CI: see .ci/run")
    if block is None:
        pytest.skip(f"{package} is not installed, or not in a version that has the block (see .ci/run)")
    theirs = block(12, 5, 7)
    x = torch.randn(3, 12, 4, 6)
    before = theirs(x)
    adopted = adopt(theirs)
    report = adopted.reports[""]
    assert (report.theta_axis, report.rho_axis) == axes
    assert report.expands
    assert not report.residual
    torch.testing.assert_close(adopted.network(x), before)


def picture() -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    return Clip(frames, np.zeros(1), "image", "made-up.png", ())


def classifier(block: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, 8, 1), block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10)
    )


def test_a_trace_shows_what_the_foreign_module_really_does():
    torch.manual_seed(0)
    foreign = Foreign(2, 2, residual=True)
    network = classifier(foreign)
    adopted = adopt(network)
    trace = model_of(adopted.network).trace(picture(), size=96)
    shown = trace.blocks["1"]
    x = network[0](model_of(adopted.network).preprocess(trace.model_input))
    for conv, maps in ((foreign.convB, shown.gather), (foreign.convV, shown.distribute)):
        expected = conv(x).flatten(2).softmax(2)[0].reshape(7, 1, 8, 12)
        np.testing.assert_allclose(maps, expected.detach(), rtol=1e-4, atol=1e-6)
    assert not np.allclose(shown.distribute.sum(0), 1)
    z = np.tensordot(shown.primitives, shown.distribute, axes=1)
    np.testing.assert_allclose(shown.output, z, rtol=1e-4, atol=1e-6)
    assert adopted.blocks["1"].observer is None


def test_a_network_with_one_of_our_blocks_can_be_traced():
    network = classifier(nn.ReLU())
    insert_blocks(network, {"1": DoubleAttention(12, 4, 6)})
    trace = model_of(network, labels=[f"kind {i}" for i in range(10)]).trace(picture(), size=96)
    np.testing.assert_allclose(trace.blocks["1"].distribute.sum(0), 1, rtol=1e-5)
    assert trace.top[0][0].startswith("kind ")


def test_our_own_block_needs_no_adopting():
    with pytest.raises(NetworkError, match="Found no double attention"):
        adopt(classifier(DoubleAttention(12, 4, 6)))


class _NoSoftmax(Foreign):
    def __init__(self):
        super().__init__(None, None)


class _Fails(Foreign):
    def forward(self, x):
        raise RuntimeError("wants two inputs")


class _Changes(Foreign):
    def softmax(self, logits, axis):
        return super().softmax(logits * torch.arange(7.0)[:, None, None].cos(), axis)


@pytest.mark.parametrize(
    ("network", "mapping", "said"),
    [
        (nn.Conv2d(3, 3, 1), None, "Found no double attention"),
        (_NoSoftmax(), None, "no softmax was seen"),
        (_Fails(2, 1), None, "does not run by itself.*wants two inputs"),
        (_Changes(2, 1), None, "between its convolution and its softmax"),
        (Foreign(2, 1), {"a.b": {}}, "no module 'a.b'"),
        (Foreign(2, 1), {"": {"phi": "convA"}}, "no theta, no rho"),
        (Foreign(2, 1), {"": {"phi": "convA", "theta": "convX", "rho": "convV"}}, "no submodule 'convX'"),
    ],
)
def test_what_is_no_double_attention_is_refused_with_a_remedy(network, mapping, said):
    with pytest.raises(NetworkError, match=said):
        adopt(network, mapping)


def test_a_clip_through_an_adopted_module_is_refused_plainly():
    network = adopt(classifier(Foreign(2, 1))).network
    frames = np.zeros((2, 64, 96, 3), np.uint8)
    with pytest.raises(NetworkError, match="frames one at a time"):
        model_of(network).trace(Clip(frames, np.arange(2.0), "video", "", ()), size=96)


@pytest.mark.parametrize(
    ("network", "options", "said"),
    [
        (nn.Conv2d(3, 3, 1), {}, "has no blocks"),
        (insert_blocks(nn.Sequential(nn.Conv2d(3, 8, 1)), {"0": DoubleAttention(8, 2, 2)}), {}, "no logits"),
        (
            insert_blocks(classifier(nn.ReLU()), {"1": DoubleAttention(12, 2, 2)}),
            {"labels": ["a"]},
            "1 labels for 10",
        ),
    ],
)
def test_what_cannot_be_traced_is_refused(network, options, said):
    with pytest.raises(NetworkError, match=said):
        model_of(network, **options)
