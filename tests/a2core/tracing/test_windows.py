"""Attention inside windows, with a bias, or written out by hand, against the networks' own matrices.

Those are got without `attended`: by hooks on dropouts, which torch's fused attention does without, or worked
out once more here. Which cell a window's slot holds is cut out of a table of numbers, with loops.
"""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from timm.models.maxxvit import MaxxVit, MaxxVitCfg, MaxxVitConvCfg, MaxxVitTransformerCfg
from torch import Tensor, nn
from torchvision.models import SwinTransformer

from a2core import AttentionTrace, BlockError, PairsTrace, effective_attention, received_attention, rollout
from a2core.tracing.attention import attended


def sharpened(network: nn.Module) -> nn.Module:
    """Fresh attention is nearly even, fresh biases are zero: an error in them would not be seen."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in network.named_parameters():
        if any(word in name for word in ("qkv", ".q.", ".kv.", "in_proj", "theta", "phi")):
            parameter.data.normal_(std=0.3, generator=generator)
        if "bias_table" in name or "attention_biases" in name or "relative_position" in name:
            parameter.data.normal_(generator=generator)
    return network.eval()


def picture(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(2))


def unfused(network: nn.Module, x: Tensor) -> list[np.ndarray]:
    """What each layer of timm's hands to its dropout, (groups, heads, n, n), where nothing is fused."""
    seen: list[np.ndarray] = []
    fused = [module for module in network.modules() if getattr(module, "fused_attn", False)]
    for module in fused:
        module.fused_attn = False
    handles = [
        module.register_forward_hook(lambda _, __, out: seen.append(out.numpy()))
        for name, module in network.named_modules()
        if name.endswith("attn_drop")
    ]
    network(x)
    for handle in handles:
        handle.remove()
    for module in fused:
        module.fused_attn = True
    return seen


def windows(rows: int, columns: int, side: int, shift: int = 0) -> np.ndarray:
    """(groups, side²): numbers of cells in windows of a rolled picture, padded where it does not divide."""
    cells = np.arange(rows * columns).reshape(rows, columns)
    rolled = np.roll(cells, (-shift, -shift), (0, 1))
    padded = np.full((-(-rows // side) * side, -(-columns // side) * side), -1)
    padded[:rows, :columns] = rolled
    cut = [
        padded[top : top + side, left : left + side].ravel()
        for top in range(0, len(padded), side)
        for left in range(0, padded.shape[1], side)
    ]
    return np.array(cut)


def spaced(rows: int, columns: int, side: int) -> np.ndarray:
    """(groups, side²): cells as far apart as the picture allows, MaxViT's grids."""
    cells = np.arange(rows * columns).reshape(rows, columns)
    down, right = rows // side, columns // side
    return np.array([cells[i::down, j::right].ravel() for i in range(down) for j in range(right)])


def whole(weights: np.ndarray, members: np.ndarray) -> np.ndarray:
    """(heads, N, N), of weights within windows."""
    cells = int(members.max()) + 1
    matrix = np.zeros((weights.shape[1], cells, cells))
    for group, slots in enumerate(members):
        for row, of in enumerate(slots):
            for column, to in enumerate(slots):
                if of >= 0 and to >= 0:
                    matrix[:, of, to] = weights[group, :, row, column]
    return matrix


def agrees(layer: AttentionTrace, matrix: np.ndarray, leak: float = 0.0) -> None:
    """Rows, columns and maps of a layer against (heads, tokens, key tokens); up to `leak` where it has 0."""
    assert layer.heads == len(matrix)
    prefix, (rows, columns), (key_rows, key_columns) = layer.prefix, layer.cells, layer.key_cells
    assert matrix.shape[1:] == (prefix + rows * columns, prefix + key_rows * key_columns)
    assert matrix.max() > 2 / matrix.shape[2]  # not nearly even
    corners = [(0, 0), (rows - 1, columns - 1), (rows // 2, 1), (1, columns // 2)]
    for row, column in corners:
        token = prefix + row * columns + column
        for head in range(layer.heads):
            np.testing.assert_allclose(layer.row((0, row, column), head), matrix[head, token], atol=1e-5)
        mean = matrix[:, token].mean(axis=0)
        got = layer.row((0, row, column))
        np.testing.assert_allclose(got, mean, atol=1e-5)
        assert got[mean == 0].max(initial=0) <= leak
        over = mean[prefix:] / mean[prefix:].sum()
        shown = effective_attention(layer, (0, row, column))
        np.testing.assert_allclose(shown, over.reshape(1, key_rows, key_columns), atol=1e-4)
        assert shown.sum() == pytest.approx(1, abs=1e-5)
    for row, column in [(0, 0), (key_rows - 1, key_columns - 1), (key_rows // 2, 1)]:
        token = prefix + row * key_columns + column
        given = matrix[:, prefix:, token]
        np.testing.assert_allclose(
            layer.received((0, row, column), 0), given[0].reshape(1, rows, columns), atol=1e-5
        )
        np.testing.assert_allclose(
            received_attention(layer, (0, row, column)),
            given.mean(axis=0).reshape(1, rows, columns),
            atol=1e-5,
        )
    for token in range(prefix):
        np.testing.assert_allclose(layer.row(token), matrix[:, token].mean(axis=0), atol=1e-5)
        given = matrix[:, prefix:, token].mean(axis=0)
        np.testing.assert_allclose(layer.received(token), given.reshape(1, rows, columns), atol=1e-5)


def timm_swin(side_px: int, fused: bool) -> nn.Module:
    torch.manual_seed(0)
    network = timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=side_px, window_size=4, embed_dim=16, depths=(2, 2),
        num_heads=(1, 2), num_classes=4,
    )  # fmt: skip
    for module in network.modules():
        if hasattr(module, "fused_attn"):
            module.fused_attn = fused
    return sharpened(network)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("side_px", "grids"), [(64, (16, 8)), (72, (18, 9))])  # which pads its windows
@torch.no_grad()
def test_windows_of_timms_swin_shifted_and_not(side_px, grids, fused):
    network, x = timm_swin(side_px, fused), picture(side_px, side_px)
    layers = list(attended(network, x).values())
    matrices = unfused(network, x)
    assert len(layers) == len(matrices) == 4
    for at, (layer, weights) in enumerate(zip(layers, matrices, strict=True)):
        cells = grids[at // 2]
        assert layer.cells == (cells, cells)
        assert layer.windowed
        agrees(layer, whole(weights, windows(cells, cells, 4, shift=2 * (at % 2))))


def swin_matrix(layer: nn.Module, given: Tensor) -> np.ndarray:
    """(heads, N, N) of torchvision's window attention, over all pairs of cells of the padded picture."""
    side, shift, heads = layer.window_size[0], layer.shift_size[0], layer.num_heads
    rows, columns, channels = given.shape[1:]
    down, right = (-(-size // side) * side for size in (rows, columns))
    padded = torch.zeros(down, right, channels)
    padded[:rows, :columns] = given[0]
    qkv = layer.qkv(padded).reshape(down * right, 3, heads, -1)
    q, k = qkv[:, 0], qkv[:, 1]
    scores = torch.einsum("phd,jhd->hpj", q, k) * q.shape[-1] ** -0.5
    shifts = [shift if side < size else 0 for size in (down, right)]
    row, column = (
        of.flatten() for of in torch.meshgrid(torch.arange(down), torch.arange(right), indexing="ij")
    )
    row, column = (row - shifts[0]) % down, (column - shifts[1]) % right
    far = [(of >= size - s).long() for of, size, s in ((row, down, shifts[0]), (column, right, shifts[1]))]
    group = (row // side * (right // side) + column // side) * 4 + far[0] * 2 + far[1]
    steps = [(of[:, None] - of[None] + side - 1).clamp(0, 2 * side - 2) for of in (row, column)]
    bias = layer.relative_position_bias_table[steps[0] * (2 * side - 1) + steps[1]]
    scores = scores + bias.permute(2, 0, 1)
    scores = scores.masked_fill(group[:, None] != group[None], -torch.inf)
    there = (torch.arange(down)[:, None] < rows) & (torch.arange(right) < columns)
    return scores.softmax(2)[:, there.flatten()][:, :, there.flatten()].numpy()


@pytest.mark.parametrize("size", [(64, 96), (72, 56)])
@torch.no_grad()
def test_windows_of_torchvisions_swin_which_writes_them_out(size):
    torch.manual_seed(0)
    network = sharpened(SwinTransformer([4, 4], 16, [2, 2], [2, 2], [4, 4], num_classes=4))
    x, expected = picture(*size), []
    hooks = [
        module.register_forward_hook(lambda layer, args, _: expected.append(swin_matrix(layer, args[0])))
        for module in network.modules()
        if type(module).__name__ == "ShiftedWindowAttention"
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    layers = attended(network, x)
    assert len(layers) == len(expected) == 4
    for layer, matrix in zip(layers.values(), expected, strict=True):
        agrees(layer, matrix, leak=1e-37)  # it hides by adding -100


def small_maxvit() -> nn.Module:
    torch.manual_seed(0)
    cfg = MaxxVitCfg(
        embed_dim=(16, 32), depths=(1, 1), block_type=("M", "M"), stem_width=8, conv_cfg=MaxxVitConvCfg(),
        transformer_cfg=MaxxVitTransformerCfg(window_size=(4, 4), grid_size=(4, 4), dim_head=8),
    )  # fmt: skip
    return sharpened(MaxxVit(cfg, img_size=(64, 96), num_classes=4))


@torch.no_grad()
def test_blocks_and_grids_of_maxvit():
    network, x = small_maxvit(), picture(64, 96)
    layers, matrices = list(attended(network, x).values()), unfused(network, x)
    expected = [cut(*cells, 4) for cells in ((16, 24), (8, 12)) for cut in (windows, spaced)]
    assert len(layers) == len(matrices) == 4
    for layer, weights, members in zip(layers, matrices, expected, strict=True):
        agrees(layer, whole(weights, members))


def small_beit() -> nn.Module:
    return timm.create_model(
        "beit_base_patch16_224", img_size=64, embed_dim=32, depth=2, num_heads=2, num_classes=4
    )


def small_coatnet() -> nn.Module:
    cfg = MaxxVitCfg(
        embed_dim=(16, 32), depths=(1, 2), block_type=("C", "T"), stem_width=8, conv_cfg=MaxxVitConvCfg(),
        transformer_cfg=MaxxVitTransformerCfg(dim_head=8, rel_pos_type="bias"),
    )  # fmt: skip
    return MaxxVit(cfg, img_size=64, num_classes=4)


def unfused_vit() -> nn.Module:
    network = timm.create_model(
        "vit_tiny_patch16_224", img_size=64, embed_dim=32, depth=2, num_heads=2, reg_tokens=2
    )
    for block in network.blocks:
        block.attn.fused_attn = False
    return network


@pytest.mark.parametrize(
    ("make", "kind", "prefix", "cells"),
    [
        (small_beit, PairsTrace, 1, (4, 4)),
        (small_coatnet, PairsTrace, 0, (8, 8)),
        (unfused_vit, AttentionTrace, 3, (4, 4)),
    ],
)
@torch.no_grad()
def test_whole_pictures_with_a_bias_and_written_by_hand(make, kind, prefix, cells):
    torch.manual_seed(0)
    network, x = sharpened(make()), picture(64, 64)
    layers, matrices = list(attended(network, x).values()), unfused(network, x)
    assert len(layers) == len(matrices) == 2
    for layer, weights in zip(layers, matrices, strict=True):
        assert (type(layer), layer.prefix, layer.cells, layer.windowed) == (kind, prefix, cells, False)
        agrees(layer, weights[0])
    if kind is PairsTrace:
        assert layers[0].bias is not None


def levit_matrix(layer: nn.Module, given: Tensor) -> np.ndarray:
    """(heads, n, m) of one of LeViT's layers; its bias goes by the distance along each axis."""
    rows, columns = layer.resolution
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    asking = cells
    if hasattr(layer, "kv"):
        asking = [(row, column) for row, column in cells if row % 2 == 0 and column % 2 == 0]
        keys = layer.kv(given).reshape(len(cells), layer.num_heads, -1)[:, :, : layer.key_dim]
        at = [row * columns + column for row, column in asking]
        queries = layer.q.ln(given[:, at]).reshape(len(asking), layer.num_heads, -1)
    else:
        both = layer.qkv(given).reshape(len(cells), layer.num_heads, -1)
        queries, keys = both[:, :, : layer.key_dim], both[:, :, layer.key_dim : 2 * layer.key_dim]
    scores = torch.einsum("phd,jhd->hpj", queries, keys) * layer.key_dim**-0.5
    far = torch.tensor([[abs(r - p) * columns + abs(c - q) for p, q in cells] for r, c in asking])
    return (scores + layer.attention_biases[:, far]).softmax(2).numpy()


@torch.no_grad()
def test_levit_whose_queries_are_every_second_cell_where_it_grows_coarser():
    torch.manual_seed(0)
    network = sharpened(
        timm.create_model("levit_128s", img_size=112, embed_dim=(32, 48, 64), depth=(1, 1, 1), num_classes=4)
    )
    x, expected = picture(112, 112), []
    hooks = [
        module.register_forward_hook(lambda layer, args, _: expected.append(levit_matrix(layer, args[0])))
        for module in network.modules()
        if hasattr(module, "attention_biases")
    ]
    network(x)
    for hook in hooks:
        hook.remove()
    layers = attended(network, x)
    grids = [(layer.cells, layer.key_cells) for layer in layers.values()]
    assert grids == [((7, 7), (7, 7)), ((4, 4), (7, 7)), ((4, 4), (4, 4)), ((2, 2), (4, 4)), ((2, 2), (2, 2))]
    for layer, matrix in zip(list(layers.values())[:3], expected, strict=False):
        agrees(layer, matrix)
    with pytest.raises(BlockError, match="layers of one grid"):
        rollout(list(layers.values())[1:2], (0, 0, 0))


@torch.no_grad()
def test_rollout_through_windows_is_the_product_of_the_whole_matrices():
    network, x = timm_swin(64, fused=True), picture(64, 64)
    product = np.eye(256)
    for weights, shift in zip(unfused(network, x)[:2], (0, 2), strict=True):
        matrix = whole(weights, windows(16, 16, 4, shift)).mean(axis=0)
        product = (0.5 * np.eye(256) + 0.5 * matrix) @ product
    layers = list(attended(network, x).values())
    over = product[5 * 16 + 9]
    np.testing.assert_allclose(rollout(layers[:2], (0, 5, 9)).ravel(), over / over.sum(), atol=1e-6)
    with pytest.raises(BlockError, match="layers of one grid"):
        rollout(layers, (0, 0, 0))
