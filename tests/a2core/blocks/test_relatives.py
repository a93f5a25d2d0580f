"""The rivals against their equations written out, and the question all of them answer."""

from __future__ import annotations

import math

import pytest
import torch

from a2core import A2Error, BlockError
from a2core.blocks.covariance_pooling import CovariancePooling
from a2core.blocks.non_local import NonLocal
from a2core.blocks.registry import DOUBLE_ATTENTION, KINDS, block_settings, make_block, settings_as_large
from a2core.blocks.self_attention import SelfAttention
from a2core.blocks.squeeze_excitation import SqueezeExcitation
from a2core.networks.insert import insert_blocks, inserted_blocks

GRIDS = {1: (11,), 2: (3, 5), 3: (2, 3, 4)}
MAKERS = {
    "squeeze_excitation": lambda dims: SqueezeExcitation(8, 4, dims),
    "covariance_pooling": lambda dims: CovariancePooling(8, 3, dims=dims),
    "bilinear": lambda dims: CovariancePooling(8, 3, 5, dims),
    "non_local": lambda dims: NonLocal(8, 6, dims),
    "non_local written out": lambda dims: NonLocal(8, 6, dims, fused=False),
    "dot_product": lambda dims: NonLocal(8, 6, dims, weighing="dot_product"),
    "self_attention": lambda dims: SelfAttention(8, 2, 6, dims),
}


def features(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def project(layer, x: torch.Tensor) -> torch.Tensor:
    """A 1×1 convolution by einsum: (batch, channels, N) in float64."""
    return torch.einsum("oc,bcj->boj", layer.weight.flatten(1), x.flatten(2)) + layer.bias[:, None]


@pytest.mark.parametrize("dims", GRIDS)
@pytest.mark.parametrize("name", MAKERS)
def test_each_keeps_shape_layout_and_any_batch_in_one_two_and_three_dimensions(name, dims):
    block = MAKERS[name](dims).double()
    x = features(2, 8, *GRIDS[dims])
    assert block(x).shape == x.shape
    last = x.movedim(1, -1).contiguous().movedim(-1, 1)
    torch.testing.assert_close(block(last), block(x))
    assert block(last).stride(1) == 1
    assert block(x[:0]).shape == (0, *x.shape[1:])


@pytest.mark.parametrize("name", MAKERS)
def test_each_stands_where_a_double_attention_block_can(name):
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(inplace=True), torch.nn.Conv2d(8, 4, 1)
    )
    insert_blocks(network, {"1": MAKERS[name](2)})
    network(torch.randn(2, 3, 7, 9)).sum().backward()
    assert list(inserted_blocks(network)) == ["1"]
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("dims", GRIDS)
@pytest.mark.parametrize("name", MAKERS)
def test_each_says_where_a_position_gets_its_information_from(name, dims):
    block = MAKERS[name](dims).double()
    x = features(2, 8, *GRIDS[dims])
    position = tuple(side - 1 for side in GRIDS[dims])
    row = block.attention_row(x, position)
    assert row.shape == (2, *GRIDS[dims])
    if block.row_sums_to_one:
        torch.testing.assert_close(row.flatten(1).sum(1), torch.ones(2, dtype=torch.float64))
    if block.attends == "same":
        torch.testing.assert_close(row, torch.full_like(row, 1 / math.prod(GRIDS[dims])))
    with pytest.raises(BlockError, match="no position"):
        block.attention_row(x, math.prod(GRIDS[dims]))


def test_squeeze_excitation_is_its_equation():
    block, x = SqueezeExcitation(8, 4).double(), features(2, 8, 3, 5)
    hidden = torch.relu(x.mean((2, 3)) @ block.squeeze.weight.T + block.squeeze.bias)
    gates = 1 / (1 + torch.exp(-(hidden @ block.excite.weight.T + block.excite.bias)))
    torch.testing.assert_close(block(x), x * gates[:, :, None, None])


def test_covariance_pooling_pools_the_covariance():
    block, x = CovariancePooling(8, 3).double(), features(2, 8, 3, 5)
    a = project(block.phi, x)
    covariance = torch.stack([torch.cov(one, correction=0) for one in a])
    torch.testing.assert_close(block.statistics(x), covariance)
    added = covariance.flatten(1) @ block.expand.weight.T + block.expand.bias
    torch.testing.assert_close(block(x), x + added[:, :, None, None])


def test_bilinear_pooling_pools_outer_products():
    block, x = CovariancePooling(8, 3, 5).double(), features(2, 8, 3, 5)
    a, b = project(block.phi, x), project(block.psi, x)
    expected = sum(torch.einsum("bm,bn->bmn", a[:, :, j], b[:, :, j]) for j in range(15)) / 15
    torch.testing.assert_close(block.statistics(x), expected)


@pytest.mark.parametrize("kind", ["embedded_gaussian", "dot_product"])
@pytest.mark.parametrize("fused", [True, False])
def test_non_local_is_its_double_sum(kind, fused):
    block, x = NonLocal(8, 6, weighing=kind, fused=fused).double(), features(2, 8, 3, 5)
    q, k, g = (project(layer, x) for layer in (block.query, block.key, block.value))
    z = torch.zeros_like(q)
    for p in range(15):
        scores = torch.stack([(q[:, :, p] * k[:, :, j]).sum(1) for j in range(15)], 1)
        weights = scores / 15 if kind == "dot_product" else torch.softmax(scores, 1)
        torch.testing.assert_close(block.attention_row(x, p).flatten(1), weights)
        z[:, :, p] = sum(weights[:, j, None] * g[:, :, j] for j in range(15))
    torch.testing.assert_close(block(x), x + project(block.expand, z).unflatten(2, (3, 5)))


def test_self_attention_is_its_heads_put_together():
    block, x = SelfAttention(8, 2, 6).double(), features(2, 8, 3, 5)
    q, k, v = (project(layer, x) for layer in (block.query, block.key, block.value))
    z = torch.zeros_like(q)
    for p in range(15):
        rows = block.attention_rows(x, p).flatten(2)
        for head in range(2):
            own = slice(3 * head, 3 * head + 3)
            weights = torch.softmax(torch.einsum("bc,bcj->bj", q[:, own, p], k[:, own]) / math.sqrt(3), 1)
            torch.testing.assert_close(rows[:, head], weights)
            z[:, own, p] = torch.einsum("bj,bcj->bc", weights, v[:, own])
        torch.testing.assert_close(block.attention_row(x, p).flatten(1), rows.mean(1))
    torch.testing.assert_close(block(x), x + project(block.expand, z).unflatten(2, (3, 5)))


@pytest.mark.parametrize("position_norm", [True, "centred"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_can_read_its_input_as_double_attention_does(kind, position_norm):
    sizes = {
        "double_attention": {"c_m": 3, "c_n": 4},
        "squeeze_excitation": {},
        "covariance_pooling": {"c_m": 3},
    }
    norms = {"input_norm": True}
    if kind in ("double_attention", "non_local", "self_attention"):
        norms["position_norm"] = position_norm
    block = KINDS[kind](8, **sizes.get(kind, {}), **norms).double().eval()
    plain = KINDS[kind](8, **sizes.get(kind, {}), **dict.fromkeys(norms, False)).double()
    plain.load_state_dict(block.state_dict(), strict=False)
    x = features(2, 8, 3, 5)
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
    block.input_norm.running_mean.copy_(mean)
    block.input_norm.running_var.copy_(variance)
    read = (x - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
    if norms.get("position_norm") == "centred":
        read = read - read.mean((2, 3), keepdim=True)
    if "position_norm" in norms:
        read = read / read.square().mean(1, keepdim=True).add(1e-6).sqrt()
    torch.testing.assert_close(block.attention_row(x, (1, 2)), plain.attention_row(read, (1, 2)))
    changed = block(x) / x if kind == "squeeze_excitation" else block(x) - x
    torch.testing.assert_close(
        changed, plain(read) / read if kind == "squeeze_excitation" else plain(read) - read
    )
    block.train()
    with pytest.raises(BlockError, match="batch norm"):
        block(x[:1, :, :1, :1])


@pytest.mark.parametrize("make", [lambda: NonLocal(8, 6), lambda: SelfAttention(8, 2, 6)])
def test_the_attention_of_many_positions_is_that_of_each_and_can_be_learned(make):
    block, x = make().double(), features(2, 8, 3, 5)
    positions = torch.tensor([[0, 7, 14], [3, 3, 1]])
    rows, taken = block.attend(x, positions)
    for entry in range(2):
        for index, position in enumerate(positions[entry].tolist()):
            own = block.attention_row(x, position)[entry].flatten()
            torch.testing.assert_close(rows[entry, index], own)
    torch.testing.assert_close(block(x), x + project(block.expand, taken).unflatten(2, (3, 5)))
    rows.square().sum().backward()
    assert block.query.weight.grad.abs().max() > 0


def test_frames_of_a_clip_are_attended_to_jointly():
    block, x = NonLocal(8, 6).double(), features(4, 8, 3, 5)
    block.frames_per_clip = 2
    assert block.attention_row(x, (1, 2, 2)).shape == (2, 2, 3, 5)
    apart = NonLocal(8, 6).double()
    apart.load_state_dict(block.state_dict())
    assert not torch.allclose(block(x), apart(x))


@pytest.mark.parametrize("name", MAKERS)
def test_input_that_cannot_be_is_refused(name):
    block = MAKERS[name](2)
    for x in (
        torch.zeros(1, 7, 3, 3),
        torch.zeros(8, 3, 3),
        torch.zeros(1, 8, 0, 3),
        torch.zeros(1, 8, 3, 3).int(),
    ):
        with pytest.raises(BlockError):
            block(x)


def test_settings_that_cannot_be_are_refused():
    for make in (
        lambda: SqueezeExcitation(8, 0),
        lambda: SqueezeExcitation(8, hidden=0),
        lambda: CovariancePooling(8, 0),
        lambda: NonLocal(8, 0),
        lambda: NonLocal(8, weighing="concatenation"),
        lambda: SelfAttention(8, 3),
        lambda: SelfAttention(8, 0),
        lambda: SelfAttention(8, 2, dims=4),
    ):
        with pytest.raises(A2Error):
            make()


def test_the_kinds_on_cards_that_people_have_are_still_known():
    assert {
        "double_attention", "squeeze_excitation", "covariance_pooling", "non_local", "self_attention"
    } <= set(KINDS)  # fmt: skip
    assert all(name == block.kind for name, block in KINDS.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_answers_all_that_a_block_is_asked(kind):
    torch.manual_seed(0)
    block = make_block(block_settings(kind, 16)).eval()
    x, rows = torch.randn(2, 16, 3, 4), torch.tensor([[0, 5], [7, 11]])
    block.start_as_identity()
    with torch.no_grad():
        if block.hands == "addition":
            torch.testing.assert_close(block(x), x)
        else:
            torch.testing.assert_close(block(x), x, rtol=0.01, atol=0.01)  # gates of 0.998
        inside = block.inside(x, rows)
        row = block.attention_row(x, (1, 2))
    assert (inside.rows is None) == (block.attends == "same")
    assert (inside.gather is not None) == (block.attends == "bag")
    assert inside.output.shape[1] == block.last_layer.weight.shape[1]
    torch.testing.assert_close(row.sum(dim=(1, 2)), torch.ones(2))
    if inside.rows is not None:
        assert inside.rows.shape == (2, 2, 12)
        flat = torch.stack([block.attention_row(x[:1], 0).flatten(), block.attention_row(x[:1], 5).flatten()])
        torch.testing.assert_close(inside.rows[0], flat)
    assert block.title
    assert block.summary.endswith(".")


def size(settings) -> int:
    return sum(parameter.numel() for parameter in make_block(settings).parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_a_rival_has_as_many_parameters_as_the_block_that_it_is_held_against(kind):
    like = [block_settings(DOUBLE_ATTENTION, channels, c_n=n) for channels, n in ((112, 64), (192, 256))]
    wanted, rivals = sum(map(size, like)), [settings_as_large(kind, of) for of in like]
    assert abs(sum(map(size, rivals)) - wanted) <= 0.02 * wanted
    for rival, of in zip(rivals, like, strict=True):
        assert rival.get("kind", DOUBLE_ATTENTION) == kind
        assert {key: rival.get(key) for key in KINDS[kind].sizes if key != KINDS[kind].width} == {
            key: value for key, value in KINDS[kind].sizes.items() if key != KINDS[kind].width
        }
        step = KINDS[kind].width_step
        for other in (-step, step):  # no other width comes nearer
            near = {**rival, KINDS[kind].width: rival[KINDS[kind].width] + other}
            assert abs(size(near) - size(of)) >= abs(size(rival) - size(of))
