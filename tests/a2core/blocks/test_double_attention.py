"""The block against oracles written another way: explicit loops, Efficient Attention, finite differences."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from a2core import BlockError, DoubleAttention

GRIDS = {1: (11,), 2: (3, 5), 3: (2, 3, 4)}
ORDERS = ("left", "right", "auto")
FOLDS = (True, False, "auto")


def lively(block: DoubleAttention, seed: int = 0) -> DoubleAttention:
    """Every parameter and statistic at a value that matters; evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
        for norm in (block.input_norm, block.output_norm):
            if norm is not None:
                norm.running_mean.copy_(torch.randn(norm.running_mean.shape, generator=generator))
                norm.running_var.copy_(torch.rand(norm.running_var.shape, generator=generator) + 0.5)
    return block.eval()


def features(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def by_hand(block: DoubleAttention, x: torch.Tensor) -> np.ndarray:
    """The equations as loops over positions and primitives, in float64; a plain block without norms."""
    weights = {}
    for name in ("phi", "theta", "rho", "expand"):
        layer = getattr(block, name)
        weight = layer.weight.detach().double().numpy()
        weights[name] = weight.reshape(weight.shape[:2]), layer.bias.detach().double().numpy()
    result = []
    for one in x.detach().double().flatten(2).numpy():
        positions = one.shape[1]
        project = {
            name: [w @ one[:, j] + b for j in range(positions)]
            for name, (w, b) in weights.items()
            if name != "expand"
        }
        n = len(project["theta"][0])
        bag = []
        for i in range(n):
            powers = [np.exp(project["theta"][j][i]) for j in range(positions)]
            bag.append(sum(power * project["phi"][j] for j, power in enumerate(powers)) / sum(powers))
        y = np.empty_like(one)
        for p in range(positions):
            powers = [np.exp(project["rho"][p][i]) for i in range(n)]
            z = sum(power * bag[i] for i, power in enumerate(powers)) / sum(powers)
            y[:, p] = weights["expand"][0] @ z + weights["expand"][1] + (one[:, p] if block.residual else 0)
        result.append(y)
    return np.stack(result).reshape(x.shape)


@pytest.mark.parametrize("dims", GRIDS)
@pytest.mark.parametrize(("order", "fold", "residual"), [*itertools.product(ORDERS, FOLDS, (True, False))])
def test_every_way_of_computing_equals_the_double_loop(dims, order, fold, residual):
    block = DoubleAttention(6, 3, 4, dims, order, residual, input_norm=False, fold=fold)
    x = features(2, 6, *GRIDS[dims])
    np.testing.assert_allclose(lively(block)(x).detach(), by_hand(block, x), rtol=1e-5, atol=1e-5)


def test_one_head_of_efficient_attention_is_the_same_computation():
    """Shen et al.: keys softmaxed over positions, queries over their channels, context first."""
    block = lively(DoubleAttention(8, 5, 6, input_norm=False, residual=False)).double()
    x = features(2, 8, 4, 5, dtype=torch.float64)
    keys = F.softmax(F.conv2d(x, block.theta.weight, block.theta.bias).flatten(2), dim=2)
    queries = F.softmax(F.conv2d(x, block.rho.weight, block.rho.bias).flatten(2), dim=1)
    values = F.conv2d(x, block.phi.weight, block.phi.bias).flatten(2)
    context = torch.einsum("bkj,bvj->bkv", keys, values)
    attended = torch.einsum("bkv,bkj->bvj", context, queries).unflatten(2, (4, 5))
    expected = F.conv2d(attended, block.expand.weight, block.expand.bias)
    torch.testing.assert_close(block(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fold", [True, False])
def test_gradients_equal_finite_differences(order, fold):
    block = lively(DoubleAttention(3, 2, 3, order=order, fold=fold, input_norm=False)).double()
    x = features(2, 3, 2, 3, dtype=torch.float64).requires_grad_()
    names, values = zip(*block.named_parameters(), strict=True)

    def run(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(block, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *values))


@pytest.mark.parametrize("position_norm", [True, "centred"])
@pytest.mark.parametrize("training", [True, False])
def test_gradients_equal_finite_differences_with_every_norm(training, position_norm):
    block = DoubleAttention(3, 2, 2, output_norm=True, position_norm=position_norm)
    block = lively(block).double().train(training)
    x = features(2, 3, 2, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: copy.deepcopy(block)(x), (x,))


@pytest.mark.parametrize("positions", [9, 100, 784])
@pytest.mark.parametrize(
    "norms",
    [
        {},
        {"output_norm": True},
        {"position_norm": True},
        {"position_norm": "centred"},
        {"input_norm": False},
    ],
)
def test_orders_and_folds_agree_to_1e_5_in_float32(positions, norms):
    block = lively(DoubleAttention(64, 16, 24, dims=1, **norms))
    x = features(2, 64, positions)
    block.order, block.fold = "left", False
    expected = block(x)
    for block.order, block.fold in itertools.product(ORDERS, FOLDS):
        difference = (block(x) - expected).norm() / expected.norm()
        assert difference < 1e-5, (block.order, block.fold)


def test_a_centred_block_does_not_see_what_all_positions_share():
    """Only the residual carries it: an offset per channel changes no map and nothing that is added."""
    block = lively(DoubleAttention(8, 5, 6, input_norm=False, position_norm="centred", residual=False))
    x = features(2, 8, 4, 5)
    shared = features(2, 8, 1, 1) * 10
    torch.testing.assert_close(block(x + shared), block(x), rtol=1e-4, atol=1e-4)
    plain = lively(DoubleAttention(8, 5, 6, input_norm=False, position_norm=True, residual=False))
    assert (plain(x + shared) - plain(x)).abs().max() > 0.01


def test_what_is_observed_is_what_is_computed():
    block = lively(DoubleAttention(8, 5, 6, output_norm=True))
    x = features(2, 8, 4, 5)
    seen = []
    plain = block(x)
    block.observer = lambda *what: seen.append(what)
    torch.testing.assert_close(block(x), plain, rtol=1e-5, atol=1e-5)
    ((_, attended, y, grid),) = seen
    assert grid == (4, 5)
    torch.testing.assert_close(y.unflatten(2, grid), plain, rtol=1e-5, atol=1e-5)
    for ours, again in zip(attended, block.attend(x), strict=True):
        torch.testing.assert_close(ours, again)


def test_a_fresh_block_with_its_last_norm_is_the_identity():
    block = DoubleAttention(6, 3, 4, output_norm=True)
    x = features(4, 6, 3, 5)
    assert torch.equal(block.train()(x), x)
    torch.testing.assert_close(block.eval()(x), x)


# ---------------------------------------------------------------------------------------------
# Properties

shapes = st.integers(1, 3).flatmap(
    lambda dims: st.tuples(
        st.integers(1, 3),  # batch
        st.integers(1, 6),  # c
        st.integers(1, 5),  # m
        st.integers(1, 5),  # n
        st.tuples(*[st.integers(1, 5)] * dims),
    )
)
dtypes = st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.float16])


def make(shape, seed: int, dtype: torch.dtype) -> tuple[DoubleAttention, torch.Tensor]:
    batch, c, m, n, grid = shape
    block = lively(DoubleAttention(c, m, n, len(grid), input_norm=False), seed).to(dtype)
    return block, features(batch, c, *grid, seed=seed + 1, dtype=dtype)


@settings(max_examples=60, deadline=None)
@given(shapes, dtypes, st.integers(0, 1000))
def test_both_softmaxes_sum_to_one_and_the_shape_and_dtype_stay(shape, dtype, seed):
    block, x = make(shape, seed, dtype)
    y, attended = block(x), block.attend(x)
    assert y.shape == x.shape
    assert y.dtype == dtype
    assert attended.gather.dtype == torch.promote_types(dtype, torch.float32)
    torch.testing.assert_close(attended.gather.sum(2), torch.ones_like(attended.gather[:, :, 0]))
    torch.testing.assert_close(attended.distribute.sum(1), torch.ones_like(attended.distribute[:, 0]))
    row = block.attention_row(x, 0).flatten(1)
    torch.testing.assert_close(row.sum(1), torch.ones_like(row[:, 0]))


@settings(max_examples=30, deadline=None)
@given(shapes, st.integers(0, 1000))
def test_permuting_positions_permutes_the_output_alike(shape, seed):
    block, x = make(shape, seed, torch.float64)
    order = torch.randperm(x[0, 0].numel(), generator=torch.Generator().manual_seed(seed))
    permuted = x.flatten(2)[:, :, order].reshape(x.shape)
    torch.testing.assert_close(block(permuted).flatten(2), block(x).flatten(2)[:, :, order])


@settings(max_examples=30, deadline=None)
@given(shapes, st.integers(0, 1000), st.sampled_from(["theta", "rho"]), st.floats(-20, 20))
def test_a_constant_added_to_logits_along_their_axis_changes_nothing(shape, seed, which, constant):
    block, x = make(shape, seed, torch.float64)
    before = block(x)
    with torch.no_grad():  # the same for all positions of a primitive, and for all primitives, at once
        getattr(block, which).bias.add_(constant)
    torch.testing.assert_close(block(x), before)


@settings(max_examples=30, deadline=None)
@given(shapes, st.integers(0, 1000))
def test_theta_takes_any_constant_per_primitive_and_rho_any_per_position(shape, seed):
    block, x = make(shape, seed, torch.float64)
    before = block(x)
    with torch.no_grad():
        block.theta.bias.add_(torch.linspace(-3, 3, block.c_n))
        # One row added to all of ρ's adds, at each position, one number to all primitives.
        block.rho.weight.add_(torch.randn_like(block.rho.weight[:1]))
    torch.testing.assert_close(block(x), before)


@settings(max_examples=30, deadline=None)
@given(shapes, st.integers(0, 1000))
def test_one_primitive_is_attention_weighted_average_pooling_handed_to_everyone(shape, seed):
    batch, c, m, _, grid = shape
    block, x = make((batch, c, m, 1, grid), seed, torch.float64)
    flat = x.flatten(2)
    weights = torch.softmax(torch.einsum("nc,bcj->bnj", block.theta.weight.flatten(1), flat), 2)
    pooled = (flat * weights).sum(2)
    pooled = pooled @ block.phi.weight.flatten(1).T + block.phi.bias
    handed = pooled @ block.expand.weight.flatten(1).T + block.expand.bias
    torch.testing.assert_close(block(x).flatten(2), flat + handed[:, :, None])


def test_the_row_of_effective_attention_gives_the_output():
    block = lively(DoubleAttention(6, 4, 5)).double()
    x = features(2, 6, 3, 4, dtype=torch.float64)
    attended = block.attend(x)
    norm = block.input_norm
    standard = (x - norm.running_mean[:, None, None]) / torch.sqrt(norm.running_var + norm.eps)[:, None, None]
    features_a = F.conv2d(standard, block.phi.weight, block.phi.bias)
    for row, col in itertools.product(range(3), range(4)):
        weights = block.attention_row(x, (row, col))
        z = (features_a * weights[:, None]).sum((2, 3))
        torch.testing.assert_close(z, attended.output[:, :, row * 4 + col])
    torch.testing.assert_close(block.attention_row(x, 7), block.attention_row(x, (1, 3)))


# ---------------------------------------------------------------------------------------------
# Precision, layout, batches


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
@pytest.mark.parametrize("positions", [50, 5000])
def test_half_precision_stays_close_to_float64(dtype, tolerance, positions):
    """Relative to the norm of what the block adds, at the rounded weights and input."""
    block = lively(DoubleAttention(16, 8, 8, dims=1, input_norm=False, residual=False)).to(dtype)
    x = features(2, 16, positions).to(dtype)
    exact = copy.deepcopy(block).double()(x.double())
    assert (block(x).double() - exact).norm() / exact.norm() < tolerance


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_softmaxes_of_half_precision_are_accurate_with_many_positions_and_large_logits(dtype):
    block = lively(DoubleAttention(4, 3, 3, dims=1, input_norm=False)).to(dtype)
    with torch.no_grad():
        block.theta.weight.mul_(30)
    attended = block.attend(features(1, 4, 20000).to(dtype))
    assert torch.isfinite(attended.output).all()
    torch.testing.assert_close(attended.gather.sum(2), torch.ones(1, 3))


@pytest.mark.parametrize(("dims", "last"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("residual", [True, False])
def test_channels_last_stays_channels_last(dims, last, fold, residual):
    block = lively(DoubleAttention(6, 3, 4, dims, residual=residual, fold=fold))
    x = features(2, 6, *GRIDS[dims])
    y = block(x.contiguous(memory_format=last))
    assert y.is_contiguous(memory_format=last)
    assert block(x).is_contiguous()
    torch.testing.assert_close(y, block(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("batch", [0, 1, 7])
def test_a_batch_of_any_size_also_none(batch):
    block = lively(DoubleAttention(6, 3, 4))
    x = features(batch, 6, 3, 5)
    alone = [block(one[None]) for one in x]
    assert block(x).shape == x.shape
    if batch:
        torch.testing.assert_close(block(x), torch.cat(alone), rtol=1e-5, atol=1e-5)


def test_frames_of_a_clip_are_attended_to_jointly():
    frames = features(6, 5, 3, 4)
    block = lively(DoubleAttention(5, 3, 4))
    block.frames_per_clip = 3
    volume = DoubleAttention(5, 3, 4, dims=3)
    volume.load_state_dict({k: v[..., None] if v.dim() == 4 else v for k, v in block.state_dict().items()})
    clips = frames.unflatten(0, (2, 3)).transpose(1, 2)
    expected = volume.eval()(clips).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(block(frames), expected, rtol=1e-5, atol=1e-5)
    assert block.attention_row(frames, (2, 1, 1)).shape == (2, 3, 3, 4)


@pytest.mark.parametrize("norms", [{"input_norm": False}, {"output_norm": True}, {"residual": False}])
@pytest.mark.parametrize("last", [False, True])
def test_without_gradients_long_inputs_go_in_runs_and_give_the_same(norms, last, monkeypatch):
    """As they do, at sizes of use, from 2048 positions on."""
    block = lively(DoubleAttention(32, 8, 8, order="left", fold=True, **norms))
    with torch.no_grad():
        block.theta.weight.mul_(5)
    x = features(2, 32, 70, 71)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    assert block._can_stream(x.flatten(2)) is False  # gradients are wanted
    with torch.inference_mode():
        assert block._can_stream(x.flatten(2)) is True
        y = block(x)
        monkeypatch.setattr(block, "_can_stream", lambda x: False)
        torch.testing.assert_close(y, block(x), rtol=1e-4, atol=1e-4)
    assert y.stride() == x.stride()


# ---------------------------------------------------------------------------------------------
# Tools of torch


def test_compiled_it_gives_the_same_numbers_and_gradients():
    block = lively(DoubleAttention(6, 3, 4))
    compiled = torch.compile(block, backend="aot_eager", fullgraph=True)
    for shape in ((2, 6, 3, 5), (2, 6, 7, 5), (1, 6, 9, 9)):
        x = features(*shape)
        torch.testing.assert_close(compiled(x), block(x), rtol=1e-5, atol=1e-5)
        ours, theirs = (
            torch.autograd.grad(f(x).square().sum(), list(block.parameters())) for f in (block, compiled)
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("order", ["left", "right", "auto"])
def test_exported_with_free_batch_and_sides_it_gives_the_same_numbers(order):
    block = lively(DoubleAttention(6, 3, 4, order=order))
    free = torch.export.Dim.DYNAMIC
    exported = torch.export.export(
        block, (features(2, 6, 8, 9),), dynamic_shapes=({0: free, 2: free, 3: free},)
    )
    for shape in ((2, 6, 8, 9), (3, 6, 5, 13), (1, 6, 20, 3)):
        x = features(*shape)
        torch.testing.assert_close(exported.module()(x), block(x), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_as_onnx_it_gives_the_same_numbers_in_onnxruntime(tmp_path):
    pytest.importorskip("onnxscript", reason="ONNX export needs onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime", reason="running ONNX needs onnxruntime")
    block = lively(DoubleAttention(6, 3, 4, output_norm=True))
    free = torch.export.Dim.DYNAMIC
    path = tmp_path / "block.onnx"
    torch.onnx.export(
        block, (features(2, 6, 8, 9),), path, dynamo=True, verbose=False,
        dynamic_shapes=({0: free, 2: free, 3: free},), external_data=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for shape in ((2, 6, 8, 9), (3, 6, 5, 13)):
        x = features(*shape)
        (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        np.testing.assert_allclose(y, block(x).detach(), rtol=1e-4, atol=1e-5)


def test_torch_func_maps_and_differentiates_it():
    block = lively(DoubleAttention(4, 2, 3)).double()
    x = features(3, 4, 2, 3, dtype=torch.float64)
    parameters = dict(block.named_parameters())
    buffers = dict(block.named_buffers())

    def one(parameters, x):
        return torch.func.functional_call(block, (parameters, buffers), (x[None],))[0]

    torch.testing.assert_close(torch.func.vmap(one, (None, 0))(parameters, x), block(x))
    jacobian = torch.func.jacrev(lambda x: one(parameters, x))(x[0])
    expected = torch.autograd.functional.jacobian(lambda x: block(x[None])[0], x[0])
    torch.testing.assert_close(jacobian, expected)
    doubled = {name: torch.stack([value, 2 * value]) for name, value in parameters.items()}
    both = torch.func.vmap(one, (0, None))(doubled, x[0])
    torch.testing.assert_close(both[0], block(x)[0])


def test_auto_takes_the_order_with_fewer_multiply_adds():
    block = DoubleAttention(8, 8, 8, dims=1, fold=False)
    assert block._plan(5).order == "right"
    assert block._plan(500).order == "left"
    assert DoubleAttention(512, 128, 128)._plan(3136) == ("left", True, True)


# ---------------------------------------------------------------------------------------------
# Bad input


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 1, 1), "in_channels is 0"),
        ((4, 0, 1), "c_m is 0"),
        ((4, 1, -2), "c_n is -2"),
        ((4, 1, 1, 4), "dims is 4"),
        ((4, 1, 1, 2, "middle"), "order is 'middle'"),
    ],
)
def test_sizes_and_options_that_cannot_be_are_refused(arguments, said):
    with pytest.raises(BlockError, match=said):
        DoubleAttention(*arguments)


def test_an_unknown_fold_is_refused():
    with pytest.raises(BlockError, match="fold is 'some'"):
        DoubleAttention(4, 2, 2, fold="some")


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.zeros(4, 3, 3), r"tensor of 3 axes.*dims=1"),
        (torch.zeros(1, 5, 3, 3), "Got 5 channels; this block was made for 4"),
        (torch.zeros(1, 4, 3, 3, dtype=torch.int64), r"torch.int64; convert .* x.float\(\)"),
        (torch.zeros(1, 4, 3, 3, dtype=torch.complex64), "torch.complex64"),
        (torch.zeros(1, 4, 0, 3), "no positions"),
    ],
)
def test_input_that_cannot_be_is_refused_with_a_remedy(x, said):
    with pytest.raises(BlockError, match=said):
        DoubleAttention(4, 2, 2).eval()(x)


def test_one_value_per_channel_cannot_be_normalised_in_training():
    block = DoubleAttention(4, 2, 2)
    with pytest.raises(BlockError, match=r"at least two values per channel.*block.eval\(\)"):
        block.train()(torch.zeros(1, 4, 1, 1))
    assert block.eval()(torch.zeros(1, 4, 1, 1)).shape == (1, 4, 1, 1)


@pytest.mark.parametrize("position", [(3, 0), (0, -1), (0,), 15, -1])
def test_a_position_off_the_grid_is_refused(position):
    with pytest.raises(BlockError, match="no position"):
        DoubleAttention(4, 2, 2).eval().attention_row(torch.zeros(1, 4, 3, 5), position)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_asked_to_check_it_says_where_the_input_is_not_finite(value):
    x = torch.zeros(2, 4, 3, 5)
    x[1, 2, 0, 4] = value
    with pytest.raises(BlockError, match=rf"{value} first at batch 1, channel 2, position \(0, 4\)"):
        DoubleAttention(4, 2, 2, check_finite=True).eval()(x)
    assert not torch.isfinite(DoubleAttention(4, 2, 2).eval()(x)).all()


def test_a_batch_that_is_no_number_of_clips_is_refused():
    block = DoubleAttention(4, 2, 2).eval()
    block.frames_per_clip = 2
    with pytest.raises(BlockError, match="no multiple of frames_per_clip=2"):
        block(torch.zeros(3, 4, 3, 5))
