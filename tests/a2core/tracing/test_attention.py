"""A network's own softmax attention, against the matrices that it works out itself."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models import VisionTransformer

import a2core
from a2core import BlockError, Clip, DoubleAttention, PairsTrace, insert_blocks, model_of, rollout
from a2core.blocks.non_local import NonLocal
from a2core.tracing.attention import attended


def timm_vit(**options) -> nn.Module:
    torch.manual_seed(0)
    network = timm.create_model(
        "vit_tiny_patch16_224", depth=3, dynamic_img_size=True, num_classes=4, **options
    )
    return sharpened(network)


def torchvision_vit() -> nn.Module:
    torch.manual_seed(0)
    return sharpened(VisionTransformer(64, 16, 3, 2, 32, 32, num_classes=4))


def sharpened(network: nn.Module) -> nn.Module:
    """Fresh attention is nearly even: an error in it would not be seen."""
    for name, parameter in network.named_parameters():
        if "qkv" in name or "in_proj" in name:
            nn.init.normal_(parameter, std=0.3)
    return network.eval()


def timm_matrices(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """(heads, tokens, tokens) of each layer, as timm works them out where nothing is fused."""
    seen: list[torch.Tensor] = []
    handles = []
    for block in network.blocks:
        block.attn.fused_attn = False
        handles.append(block.attn.attn_drop.register_forward_hook(lambda _, __, out: seen.append(out[0])))
    network(x)
    for handle, block in zip(handles, network.blocks, strict=True):
        handle.remove()
        block.attn.fused_attn = True
    return seen


def torchvision_matrices(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []

    def again(layer, args, kwargs, _):
        layer.forward = type(layer).forward.__get__(layer)
        seen.append(layer.forward(*args, need_weights=True, average_attn_weights=False)[1][0])

    layers = [layer.self_attention for layer in network.encoder.layers]
    handles = [layer.register_forward_hook(again, with_kwargs=True) for layer in layers]
    network(x)
    for handle in handles:
        handle.remove()
    return seen


CASES = [
    (timm_vit, timm_matrices, (64, 96), (4, 6), 1),
    (lambda: timm_vit(reg_tokens=4), timm_matrices, (64, 96), (4, 6), 5),
    (lambda: timm_vit(qk_norm=True), timm_matrices, (64, 64), (4, 4), 1),
    (lambda: timm_vit(class_token=False, global_pool="avg"), timm_matrices, (64, 64), (4, 4), 0),
    (torchvision_vit, torchvision_matrices, (64, 64), (4, 4), 1),
]


@pytest.mark.parametrize(("make", "matrices", "size", "cells", "prefix"), CASES)
@torch.no_grad()
def test_rows_are_those_of_the_networks_own_matrices(make, matrices, size, cells, prefix):
    network, x = make(), torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    expected = matrices(network, x)
    layers = attended(network, x)
    assert len(layers) == len(expected) == 3
    for layer, matrix in zip(layers.values(), expected, strict=True):
        assert (layer.cells, layer.prefix, layer.heads) == (cells, prefix, len(matrix))
        for position in [(0, 0, 0), (0, 2, 3), *range(prefix)]:
            token = layer.token(position)
            for head in range(layer.heads):
                row = layer.row(position, head)
                np.testing.assert_allclose(row, matrix[head, token].numpy(), atol=1e-5)
                column = layer.received(position, head).ravel()
                # Scores of a hundred are rounded at 1e-5: so much of a weight is two roundings apart.
                expected_column = matrix[head, prefix:, token].numpy()
                np.testing.assert_allclose(column, expected_column, atol=1e-5, rtol=1e-4)
            np.testing.assert_allclose(layer.row(position), matrix[:, token].mean(dim=0).numpy(), atol=1e-5)
    assert float(max(matrix.max() for matrix in expected)) > 0.2  # not nearly even


@torch.no_grad()
def test_rollout_is_the_product_of_the_mixed_matrices():
    network, x = timm_vit(), torch.randn(1, 3, 64, 96)
    product = np.eye(25)
    for matrix in timm_matrices(network, x):
        product = (0.5 * np.eye(25) + 0.5 * matrix.mean(dim=0).double().numpy()) @ product
    layers = attended(network, x)
    for position, token in [((0, 1, 2), 1 + 8), (0, 0)]:
        over = product[token, 1:]
        np.testing.assert_allclose(rollout(layers, position).ravel(), over / over.sum(), atol=1e-6)
    with pytest.raises(BlockError, match="layers of one grid"):
        rollout([], 0)


def test_looking_changes_nothing_and_leaves_nothing_behind():
    network, x = timm_vit(), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before = network(x)
        attended(network, x)
        torch.testing.assert_close(network(x), before, rtol=0, atol=0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_a_model_tells_its_attention_at_the_pictures_size_beside_its_blocks():
    network = insert_blocks(timm_vit(), {"blocks.1": DoubleAttention(192, 4, 5)})
    frames = np.random.default_rng(0).integers(0, 256, (1, 80, 120, 3), dtype=np.uint8)
    layers = model_of(network).attention(Clip(frames, np.zeros(1), "image", "", ()), size=96)
    assert list(layers) == ["blocks.0.attn", "blocks.1.attn", "blocks.2.attn"]
    layer = layers["blocks.2.attn"]
    over = a2core.effective_attention(layer, (0, 1, 1))
    assert over.shape == layer.grid == (1, 4, 6)
    assert over.sum() == pytest.approx(1)
    with pytest.raises(BlockError, match=r"no position \(0, 4, 0\).*grid of 4 × 6, and 1 tokens before"):
        a2core.effective_attention(layer, (0, 4, 0))
    with pytest.raises(BlockError, match="no head 3: they are counted from 0 to 2"):
        layer.row(0, 3)
    with pytest.raises(ValueError, match="read-only"):
        layer.queries[:] = 0


@pytest.mark.parametrize("fused", [False, True])
@torch.no_grad()
def test_a_block_that_compares_pairs_is_told_by_its_place_and_hides_nothing_behind_it(fused):
    block = NonLocal(192, inner=8, fused=fused)
    nn.init.normal_(block.query.weight)
    network = insert_blocks(timm_vit(), {"blocks.1": block}).eval()
    given: list[torch.Tensor] = []
    hook = block.register_forward_hook(lambda _, args, __: given.append(args[0]))
    layers = attended(network, torch.randn(1, 3, 64, 96))
    hook.remove()
    assert list(layers) == ["blocks.0.attn", "blocks.1.attn", "blocks.1", "blocks.2.attn"]
    row = block.attention_row(given[0], (2 * 6 + 3, 0)).numpy()
    np.testing.assert_allclose(layers["blocks.1"].row((0, 2, 3)), row.ravel(), atol=1e-5)
    assert (layers["blocks.1"].prefix, layers["blocks.2.attn"].prefix) == (0, 1)


@torch.no_grad()
def test_a_network_without_attention_has_none():
    layers = attended(timm.create_model("resnet10t", num_classes=4).eval(), torch.randn(1, 3, 64, 64))
    assert (layers, layers.left_out) == ({}, {})


def test_rows_of_long_inputs_are_worked_out_without_the_whole_matrix():
    rng = np.random.default_rng(0)
    queries, keys = (rng.normal(size=(2, 8, 601)).astype(np.float32) for _ in range(2))
    layer = PairsTrace("long", queries, keys, 0.5, 1, (20, 30))
    whole = np.exp(0.5 * np.einsum("hdp,hdn->hpn", queries, keys))
    whole /= whole.sum(axis=2, keepdims=True)
    mixed = 0.5 * np.eye(601) + 0.5 * whole.mean(axis=0)
    over = (mixed @ mixed)[7, 1:]
    np.testing.assert_allclose(rollout([layer, layer], (0, 0, 6)).ravel(), over / over.sum(), rtol=1e-4)
    np.testing.assert_allclose(layer.received((0, 9, 7)).ravel(), whole[:, 1:, 278].mean(axis=0), rtol=1e-4)
