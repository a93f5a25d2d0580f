"""The softmax attention that a network was born with, kept while it runs.

Whoever attends by softmax(q·kᵀ) is asked the same as a block: from where does this position gather? Over the
whole picture or inside windows, with a bias or without, through torch's `scaled_dot_product_attention` and
`nn.MultiheadAttention` or written out by hand. Which cell of the picture stands in which slot is found by
following the cells through the network (`tracing.follow`); where that ends, a layer is left out and said why.
"""

from __future__ import annotations

import numpy as np
from torch import Size, Tensor, nn

from a2core.networks.hooks import hooked
from a2core.networks.insert import inserted_blocks, named_parts, prefix_names
from a2core.tracing.arrays import frozen
from a2core.tracing.follow import Attended, Follow
from a2core.tracing.pairs import AttentionTrace, Compared, PairsTrace, Written
from a2core.tracing.places import NOTHING, Places, coarsest

MOST_NUMBERS = 2**26  # that all layers together may keep: 256 MiB


class Layers(dict[str, AttentionTrace]):
    """Layers by name, in the order in which they ran.

    Attributes:
        left_out: of others that attended by a softmax, by name: why they are not here, in words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.left_out: dict[str, str] = {}


def attended(network: nn.Module, x: Tensor) -> Layers:
    """Run `network` on one picture (1, c, h, w); what each of its layers of softmax attention did.

    Mode, gradients and device are the caller's. A module that attends more than once is kept as NAME,
    NAME#2, and so on.

    Raises:
        Exception: what the network raises.
    """
    running: list[str] = []
    watch = Follow(x, running, MOST_NUMBERS)
    parts, blocks = tuple(named_parts(network)), inserted_blocks(network)
    begins = (
        module.register_forward_pre_hook(lambda *_, name=name: running.append(name))
        for name, module in (*parts, *blocks.items())
    )
    stays = (
        block.register_forward_hook(lambda _, args, out: watch.stays(args[0], out))
        for block in blocks.values()
    )
    ends = (
        module.register_forward_hook(lambda *_: running.pop() and None)
        for module in (*(module for _, module in parts), *blocks.values())
    )
    with hooked(begins), hooked(stays), hooked(ends), watch:
        network(x)
    layers, names = Layers(), prefix_names(network)
    for met in watch.met:
        known = [*layers, *layers.left_out]
        times = sum(other.partition("#")[0] == met.name for other in known)
        name = f"{met.name}#{times + 1}" if times else met.name
        try:
            layers[name] = _kept(name, met, names)
        except _LeftOutError as why:
            layers.left_out[name] = str(why)
    for name in watch.unused:
        layers.left_out.setdefault(name, "its softmax is changed before it gathers by it")
    return layers


class _LeftOutError(Exception):
    """Why a layer is left out."""


def _kept(name: str, met: Attended, names: tuple[str, ...]) -> AttentionTrace:
    """What can be asked of one attention.

    Raises:
        _LeftOutError: which cell stands where is not known, or is no grid.
    """
    if met.fault:
        raise _LeftOutError(met.fault)
    if met.asks is None or met.asked is None:
        raise _LeftOutError("its queries or keys could not be followed back to cells of the picture")
    lead = range(met.asks.at.dim() - 1)
    windows = [axis for axis in lead if axis in met.asks.varying | met.asked.varying]
    heads = [axis for axis in lead if axis not in windows]
    asks, cells = _numbered(met.asks, windows, heads)
    asked, key_cells = _numbered(met.asked, windows, heads)
    before = sorted(
        {int(token) for token in np.unique([*asks.flat, *asked.flat]) if token < NOTHING}, reverse=True
    )
    members, key_members = (_as_tokens(of, before) for of in (asks, asked))
    asking = members[members >= len(before)]
    if len(asking) != cells[0] * cells[1] or len(np.unique(members[members >= 0])) != (members >= 0).sum():
        raise _LeftOutError("not each position asks once")
    if any(len(set(of[of >= 0])) < (of >= 0).sum() for of in key_members):
        raise _LeftOutError("positions are asked more than once")
    prefix = len(before)
    names = names if len(names) == prefix else ()
    if met.weights is not None:
        written = Written(frozen(_grouped(met.weights, windows, heads)))
        return AttentionTrace(name, prefix, cells, key_cells, members, key_members, written, names)
    assert met.queries is not None
    assert met.keys is not None
    q, k = (frozen(_grouped(of, windows, heads).transpose(2, 3)) for of in (met.queries, met.keys))
    bias = None
    if met.bias is not None:
        bias = frozen(_grouped_bias(met.bias, len(lead), met.asks.shape, windows, heads))
    in_order = np.arange(prefix + cells[0] * cells[1])[None]
    if cells == key_cells and np.array_equal(members, in_order) and np.array_equal(key_members, in_order):
        return PairsTrace(
            name, q[0], k[0], met.scale, prefix, cells, None if bias is None else bias[0], names
        )
    compared = Compared(q, k, met.scale, bias)
    return AttentionTrace(name, prefix, cells, key_cells, members, key_members, compared, names)


def _numbered(places: Places, windows: list[int], heads: list[int]) -> tuple[np.ndarray, tuple[int, int]]:
    """(groups, n): the cells of slots on the coarsest grid that they are one of; and that grid."""
    found = coarsest(places)
    if found is None:
        raise _LeftOutError("its positions are no grid over the picture")
    return _grouped(found.at[..., None], windows, heads)[:, 0, :, 0].cpu().numpy(), found.grid


def _as_tokens(cells: np.ndarray, before: list[int]) -> np.ndarray:
    """Cells numbered behind the tokens `before`."""
    tokens = np.where(cells >= 0, cells + len(before), NOTHING).astype(np.int32)
    for number, token in enumerate(before):
        tokens[cells == token] = number
    return frozen(tokens)


def _grouped(tensor: Tensor, windows: list[int], heads: list[int]) -> Tensor:
    """(…, n, d) as (groups, heads, n, d)."""
    last = [tensor.dim() - 2, tensor.dim() - 1]
    groups, count = (int(np.prod([tensor.shape[axis] for axis in axes])) for axes in (windows, heads))
    return tensor.permute(*windows, *heads, *last).reshape(
        groups, count, *(tensor.shape[axis] for axis in last)
    )


def _grouped_bias(bias: Tensor, lead: int, shape: Size, windows: list[int], heads: list[int]) -> Tensor:
    """(groups or 1, heads or 1, n, m), of a bias that is broadcast to (…, n, m)."""
    bias = bias.reshape(*(1,) * (lead + 2 - bias.dim()), *bias.shape)
    whole = [1] * lead
    for axes in (windows, heads):
        if any(bias.shape[axis] > 1 for axis in axes):
            for axis in axes:
                whole[axis] = shape[axis]
    bias = bias.expand(*whole, shape[-1], bias.shape[-1])
    return _grouped(bias, windows, heads)
