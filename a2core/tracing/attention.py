"""The softmax attention that a network was born with: queries and keys, kept while it runs.

Whoever attends by softmax(q·kᵀ) is asked the same as a block: from where does this position gather? The
answer is one row of softmax over N keys for each head; N×N is never written. What is recorded is what
`scaled_dot_product_attention` and `nn.MultiheadAttention` are given: timm's and torchvision's Transformers,
and whoever else attends by these. Attention inside windows, and attention with a bias, is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from a2core.networks.hooks import hooked
from a2core.networks.insert import named_parts, prefix_tokens
from a2core.networks.layout import grid_of_tokens
from a2core.tracing.arrays import frozen
from a2core.tracing.pairs import PairsTrace


def attended(network: nn.Module, x: Tensor) -> dict[str, PairsTrace]:
    """Run `network` on one picture (1, c, h, w); what each of its layers of softmax attention compared.

    Mode, gradients and device are the caller's. A module that attends more than once is kept as NAME,
    NAME#2, and so on.

    Raises:
        Exception: what the network raises.
    """
    running: list[str] = []
    watch = _Watch(running)
    parts = tuple(named_parts(network))
    begins = (
        module.register_forward_pre_hook(lambda *_, name=name: running.append(name)) for name, module in parts
    )
    ends = (module.register_forward_hook(lambda *_: running.pop() and None) for _, module in parts)
    with hooked(begins), hooked(ends), watch:
        network(x)
    picture_px, told = (x.shape[2], x.shape[3]), prefix_tokens(network)
    found: dict[str, PairsTrace] = {}
    for call in watch.calls:
        tokens = call.keys.shape[-2]
        cells = grid_of_tokens(tokens - told, *picture_px)
        if len(call.queries) != 1 or call.queries.shape[-2] != tokens or cells is None:
            continue  # windows, or tokens of something else
        name = call.name if call.name not in found else f"{call.name}#{_times(call.name, found) + 1}"
        queries, keys = (frozen(of[0].float().transpose(1, 2)) for of in (call.queries, call.keys))
        found[name] = PairsTrace(name, queries, keys, call.scale, told, cells)
    return found


def _times(name: str, found: Mapping[str, PairsTrace]) -> int:
    return sum(other == name or other.startswith(f"{name}#") for other in found)


@dataclass(frozen=True)
class _Call:
    """Queries and keys of one call, (batch, heads, tokens, d)."""

    name: str
    queries: Tensor
    keys: Tensor
    scale: float


class _Watch(TorchFunctionMode):
    """Sees what this thread gives to torch's attention functions while it is open."""

    def __init__(self, running: Sequence[str]) -> None:
        super().__init__()
        self.running, self.calls = running, list[_Call]()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if func is F.scaled_dot_product_attention:
            self._keep(*_of_call(*args, **given))
        elif func is F.multi_head_attention_forward:
            self._keep(*_of_layer(*args, **given))
        return func(*args, **given)

    def _keep(self, queries: Tensor, keys: Tensor, scale: float | None, biased: bool) -> None:
        if biased or queries.dim() != 4:
            return
        scale = queries.shape[-1] ** -0.5 if scale is None else scale
        name = self.running[-1] if self.running else ""
        self.calls.append(_Call(name, queries.detach(), keys.detach(), float(scale)))


def _of_call(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Tensor, Tensor, float | None, bool]:
    """What `scaled_dot_product_attention` was given."""
    return query, key, scale, attn_mask is not None or is_causal or enable_gqa


def _of_layer(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    *_: Any,
    attn_mask: Tensor | None = None,
    key_padding_mask: Tensor | None = None,
    **given: Any,
) -> tuple[Tensor, Tensor, float | None, bool]:
    """Queries and keys of `nn.MultiheadAttention`, which gets (tokens, batch, channels)."""
    weights: tuple[Any, ...] = given.get("q_proj_weight"), given.get("k_proj_weight")
    if in_proj_weight is not None:
        weights = in_proj_weight.chunk(3)[:2]
    biases = (None, None) if in_proj_bias is None else in_proj_bias.chunk(3)[:2]
    projected = [
        F.linear(tokens, weight, bias).unflatten(-1, (num_heads, -1)).permute(1, 2, 0, 3)
        for tokens, weight, bias in zip((query, key), weights, biases, strict=True)
    ]
    return projected[0], projected[1], None, attn_mask is not None or key_padding_mask is not None
