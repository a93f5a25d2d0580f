"""Double attention written by others: which axes it takes, in words, and what a trace shows of it."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from a2core import Clip, DoubleAttention, NetworkError, effective_attention, insert_blocks
from a2core.bench.contenders import public_block
from a2core.export.figure import figure_png
from a2core.tracing.adopt import adopt
from a2core.tracing.model_of import model_of


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


def test_whether_blocks_are_random_is_said_by_who_made_them_and_figures_follow():
    network = classifier(nn.ReLU())
    insert_blocks(network, {"1": DoubleAttention(12, 4, 6)})
    theirs, fresh = (model_of(network, **said).trace(picture(), size=96) for said in ({}, {"trained": False}))
    assert theirs.trained
    assert not fresh.trained
    # One caption says that the weights are random, the other does not.
    assert figure_png(replace(theirs, trained=False), "1", (0, 2, 3)) != figure_png(theirs, "1", (0, 2, 3))
    assert model_of(adopt(classifier(Foreign(2, 1))).network).trained


def test_our_own_block_needs_no_adopting():
    with pytest.raises(NetworkError, match="Found no double attention"):
        adopt(classifier(DoubleAttention(12, 4, 6)))


class PerHead(nn.Module):
    """Keys softmaxed over positions, queries over the channels of their head, a head at a time.

    As Efficient Attention does it (Shen et al., "Efficient Attention: Attention with Linear Complexities",
    WACV 2021), and the double attention of a public collection of dot-product attentions, which adds its
    input in place; written anew.
    """

    NAMES = {
        "efficient": ("keys", "queries", "values", "reprojection"),
        "collection": ("key", "query", "value", "expansion"),
    }

    def __init__(self, kind="efficient", heads=4, *, channels=12, n=8, m=16, norm=None, folded=False):
        super().__init__()
        self.kind, self.count, self.folded = kind, heads, folded
        sizes = ((channels, n), (channels, n), (channels, m), (m, channels))
        for name, (taken, made) in zip(self.NAMES[kind], sizes, strict=True):
            setattr(self, name, nn.Conv2d(taken, made, 1))
        self.norm = nn.Identity() if norm is None else norm

    def parts(self):
        return [getattr(self, name) for name in self.NAMES[self.kind]]

    def forward(self, x):
        keys, queries, values, out = self.parts()
        split = [part(x).flatten(2) for part in (keys, queries, values)]
        if self.folded:  # all heads at once, on an axis of their own
            k, q, v = (part.unflatten(1, (self.count, -1)) for part in split)
            z = (v @ k.softmax(-1).mT @ q.softmax(-2)).flatten(1, 2)
        else:
            z = torch.cat(
                [
                    v @ k.softmax(2).mT @ q.softmax(1)
                    for k, q, v in zip(*(part.chunk(self.count, 1) for part in split), strict=True)
                ],
                dim=1,
            )
        y = self.norm(out(z.unflatten(2, x.shape[2:])))
        if self.kind == "efficient":
            return y + x
        x += y
        return x


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(("kind", "heads"), [("efficient", 4), ("collection", 1), ("collection", 2)])
def test_public_double_attention_with_heads_is_recognised_and_read(kind, heads, folded):
    torch.manual_seed(0)
    report = adopt(PerHead(kind, heads, folded=folded)).reports[""]
    assert (report.theta_axis, report.rho_axis) == ("positions", "primitives")
    assert (report.c_m, report.c_n) == (16, 8)
    assert report.expands
    assert report.residual is True
    assert report.factorises
    assert report.heads == ((8 // heads,) * heads if heads > 1 else ())
    assert report.as_published == (heads == 1)
    if heads > 1:
        assert f"{heads} heads" in str(report)
        assert f"as head0 to head{heads - 1}" in str(report)


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(("kind", "heads"), [("efficient", 4), ("collection", 2), ("collection", 1)])
def test_a_trace_shows_every_head_as_a_block_that_keeps_its_promises(kind, heads, folded):
    torch.manual_seed(0)
    theirs = PerHead(kind, heads, folded=folded)
    network = classifier(theirs)
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        before = network(x)
    model = model_of(adopt(network).network, device="cpu")
    with torch.no_grad():
        torch.testing.assert_close(network(x), before)
    trace = model.trace(picture(), size=96)
    assert list(trace.blocks) == ([f"1.head{h}" for h in range(heads)] if heads > 1 else ["1"])
    with torch.no_grad():
        features = network[0](model.preprocess(trace.model_input))
        keys, queries, values, out = theirs.parts()
        of_heads = [
            (k.softmax(2), q.softmax(1), v)
            for k, q, v in zip(
                *(part(features).flatten(2).chunk(heads, 1) for part in (keys, queries, values)), strict=True
            )
        ]
    for shown, (b, v, a) in zip(trace.blocks.values(), of_heads, strict=True):
        n = 8 // heads
        assert (shown.n, shown.m, shown.grid) == (n, 16 // heads, (1, 8, 12))
        np.testing.assert_allclose(shown.gather, b[0].reshape(n, 1, 8, 12), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(shown.distribute, v[0].reshape(n, 1, 8, 12), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(shown.primitives, (a @ b.mT)[0], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(shown.gather.sum(axis=(1, 2, 3)), 1, rtol=1e-4)
        np.testing.assert_allclose(shown.distribute.sum(axis=0), 1, rtol=1e-4)
        row = effective_attention(shown, (0, 3, 5))
        np.testing.assert_allclose(row[0], (v[0, :, 3 * 12 + 5] @ b[0]).reshape(8, 12), rtol=1e-4, atol=1e-6)
        assert row.sum() == pytest.approx(1, abs=1e-4)
    z = torch.from_numpy(np.concatenate([shown.output for shown in trace.blocks.values()])).transpose(0, 1)
    with torch.no_grad():
        added = out(z).norm(dim=1) / features.norm(dim=1)
    np.testing.assert_allclose(next(iter(trace.blocks.values())).change, added, rtol=1e-3)
    # Looking changes no answer, though it may be the input itself that the module adds to.
    with torch.no_grad():
        expected = network(model.preprocess(trace.model_input)).softmax(dim=1).max()
    assert trace.top[0][1] == pytest.approx(float(expected), abs=1e-5)


def trained_norm(norm=nn.BatchNorm2d) -> nn.Module:
    """A norm whose statistics and affine part all matter, as after training."""
    norm = norm(12)
    for values in (norm.weight, norm.bias, norm.running_mean):
        nn.init.normal_(values)
    nn.init.uniform_(norm.running_var, 0.2, 3)
    return norm.eval()


class Normed(Foreign):
    def __init__(self, after, **options):
        super().__init__(2, 1, **options)
        self.conv_reconstruct, self.after = nn.Conv2d(5, 12, 1), after

    def forward(self, x):
        y = self.after(super().forward(x))
        return x + y


@pytest.mark.parametrize("training", [False, True])
def test_a_batch_norm_after_the_expansion_is_no_fault_and_stays_as_it_is(training):
    torch.manual_seed(0)
    theirs = Normed(trained_norm())
    theirs.training = training  # the norm inside is kept still, as in fine-tuning
    adopted = adopt(theirs)
    report = adopted.reports[""]
    assert report.residual is True
    assert report.factorises
    assert report.norm_follows
    assert report.as_published
    assert "not add its input" not in str(report)
    assert "follow its expansion" in str(report)
    assert theirs.training is training
    assert not theirs.after.training
    trace = model_of(adopt(classifier(Normed(trained_norm()))).network).trace(picture(), size=96)
    assert trace.blocks["1"].change.min() > 0


@pytest.mark.parametrize(
    ("after", "follows", "factorises"),
    [
        (nn.Identity(), False, True),
        (nn.GELU(), False, False),
        (nn.GroupNorm(3, 12), False, False),
        (nn.Conv2d(12, 12, 3, 1, 1, groups=12), False, False),
    ],
)
def test_what_else_follows_the_expansion_is_said(after, follows, factorises):
    torch.manual_seed(0)
    report = adopt(Normed(after)).reports[""]
    assert (report.residual, report.norm_follows, report.factorises) == (True, follows, factorises)
    assert ("something else besides" in str(report)) == (not factorises)


def test_an_input_that_is_neither_added_nor_left_out_is_called_so():
    class Gated(Foreign):
        def forward(self, x):
            return super().forward(x) * x.sigmoid()

    report = adopt(Gated(2, 1)).reports[""]
    assert report.residual is None
    assert "something else with its input" in str(report)
    assert not report.as_published


def test_a_module_that_only_has_the_names_is_left_alone_beside_one_that_is_meant():
    class Named(PerHead):
        """The names of Efficient Attention, and no softmax at all."""

        def forward(self, x):
            return self.parts()[3](self.parts()[2](x))

    network = nn.Sequential(Named(), Foreign(2, 1))
    adopted = adopt(network)
    assert list(adopted.blocks) == ["1"]
    assert "never runs 'keys', which should be its θ" in adopted.refused["0"]
    assert isinstance(network[0], Named)
    with pytest.raises(NetworkError, match="never runs 'keys'"):
        adopt(nn.Sequential(Named()))
    with pytest.raises(NetworkError, match="Found no double attention"):
        adopt(network[1])  # adopted already


class _NoSoftmax(Foreign):
    def __init__(self):
        super().__init__(None, None)


class _Fails(Foreign):
    def forward(self, x):
        raise RuntimeError("wants two inputs")


class _Changes(Foreign):
    def softmax(self, logits, axis):
        return super().softmax(logits * torch.arange(7.0)[:, None, None].cos(), axis)


class _Pools(Foreign):
    def forward(self, x):
        small = F.avg_pool2d(self.convB(x), (3, 2)).flatten(2).softmax(2)
        a = F.avg_pool2d(self.convA(x), (3, 2)).flatten(2)
        return x + self.conv_reconstruct(
            (a @ small.mT @ self.softmax(self.convV(x), 1)).unflatten(2, x.shape[2:])
        )


@pytest.mark.parametrize(
    ("network", "mapping", "said"),
    [
        (nn.Conv2d(3, 3, 1), None, "Found no double attention"),
        (_NoSoftmax(), None, "no softmax was seen"),
        (_Fails(2, 1), None, "does not run by itself.*wants two inputs"),
        (_Changes(2, 1), None, "changes θ between its convolution and its softmax"),
        (_Pools(2, 1), None, r"softmaxes 28 values where 'convB' hands out 168 for θ: it pools"),
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
