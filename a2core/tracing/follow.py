"""Where each position of the picture goes while a network runs, and the softmax attention that it meets.

Whatever moves elements about (view, permute, roll, pad, slices, tokens put before) is done to the numbers of
the cells too; what works on each position by itself hands them on; a convolution or pooling of the picture
makes a new grid. No class is known by name. What an unknown function makes of the picture is followed no
further, up to where it is added to something that was followed: slots keep the places of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from a2core.errors import FORWARD_FAULTS
from a2core.tracing import rules
from a2core.tracing.places import Places, fit, over_picture, same
from a2core.tracing.rules import Call

VALUES = "what it gathers could not be followed back to the cells that it compares"
MORE = "it attends to keys that are no tokens"


@dataclass(frozen=True)
class Attended:
    """One softmax attention that was met.

    Attributes:
        name: of the module that ran it.
        asks, asked: places of queries and keys, (…, n) and (…, m), where they could be followed; the axes
            before are windows and heads.
        queries, keys: (…, n, d) and (…, m, d); None where `weights` was seen alone.
        scale: of their product.
        bias: added after that, (…, n, m) or broadcast to it.
        weights: (…, n, m).
        fault: why it cannot be kept, as far as that is known here.
    """

    name: str
    asks: Places | None
    asked: Places | None
    queries: Tensor | None = None
    keys: Tensor | None = None
    scale: float = 1.0
    bias: Tensor | None = None
    weights: Tensor | None = None
    fault: str = ""


class Follow(TorchFunctionMode):
    """Follows the positions of a picture (1, c, h, w) through what this thread runs while it is open."""

    def __init__(self, x: Tensor, running: Sequence[str], room: int) -> None:
        super().__init__()
        self._room = room  # for numbers that are kept
        self.running, self.met = running, list[Attended]()
        # What the picture reaches; None: unknown where. All else is no part of it: weights, biases, numbers.
        self._places: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._places[x] = over_picture(x.shape[2], x.shape[3], x.shape, x)
        self._tokens = 0
        self._softmaxes: dict[int, str | None] = {}  # None: it was met where it gathered

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = rules.name_of(func)
        outs = list(rules.tensors_in((out,))) if name != "__setitem__" else [args[0]]
        given = rules.tensors_in((*args, *kwargs.values()))
        if not outs or name in rules.FRESH or not any(tensor in self._places for tensor in given):
            return out
        try:
            found = self._found(Call(func, name, args, kwargs, out))
        except FORWARD_FAULTS:
            found = None
        several = found if isinstance(found, list) else [found] * len(outs)
        if len(several) != len(outs):
            several = [None] * len(outs)
        for tensor, places in zip(outs, several, strict=True):
            known = places if places is not None and places.shape == tensor.shape else None
            if known is None and rules.writes(func):
                self._lose_memory_of(tensor)
            self._places[tensor] = known
        return out

    def _lose_memory_of(self, changed: Tensor) -> None:
        """What shares its memory with a tensor that was written to is not known any more either."""
        memory = changed.untyped_storage().data_ptr()
        for tensor in [tensor for tensor in self._places if tensor.untyped_storage().data_ptr() == memory]:
            self._places[tensor] = None

    def stays(self, given: Tensor, returned: Tensor) -> None:
        """Say of a module what cannot be seen: that it returns each position where it was given it."""
        places = self._of(given)
        self._places[returned] = places if places is not None and places.shape == returned.shape else None

    def _of(self, tensor: Any) -> Places | None:
        return self._places.get(tensor) if isinstance(tensor, Tensor) else None

    def _found(self, call: Call) -> Any:
        """Places of what a function returned: of one tensor, or a list of several."""
        name = call.name
        if name == "scaled_dot_product_attention":
            return self._attention(*call.args, out=call.out, **call.kwargs)
        if name == "multi_head_attention_forward":
            return self._layer(*call.args, out=call.out, **call.kwargs)
        if name in rules.PRODUCTS:
            return self._product(call)
        if name in rules.JOINS:
            parts = call.given(0, "tensors")
            if any(self._lost(part) for part in parts):
                return None
            places, self._tokens = rules.joined(call, [self._of(part) for part in parts], self._tokens)
            return places
        if name in rules.EACH:
            every = rules.tensors_in((*call.args, *call.kwargs.values()))
            places = fit([of for tensor in every if (of := self._of(tensor)) is not None], call.out.shape)
            return None if places is None else replace(places, softmax=0)
        first = self._of(call.given(0, "input", "self"))
        if first is None:
            return None
        if name in rules.SAME:
            return first
        if name == "__setitem__":
            return self._set(call, first)
        if name in rules.SHAPES:
            return rules.each_side(first, lambda at: at.reshape(call.out.shape))
        if name in rules.MOVES:
            return rules.moved(call, first)
        if name in rules.OVER:
            return rules.over(call, first)
        if name.startswith("conv") or name in rules.REGRIDS:
            return rules.regridded(call, first)
        rule = {"pad": rules.padded, "linear": rules.linear}.get(name)
        if rule is not None:
            return rule(call, first)
        return self._softmax(call, first) if name == "softmax" else None

    def _lost(self, tensor: Any) -> bool:
        return isinstance(tensor, Tensor) and tensor in self._places and self._places[tensor] is None

    def _set(self, call: Call, places: Places) -> Places | None:
        """Of a tensor of which a part was set, to something of the same places or to numbers."""
        _, where, value = call.args
        if isinstance(value, Tensor) and value in self._places:
            given = self._of(value)
            if given is None or same(rules.each_side(places, lambda at: at[where]), given) is None:
                return None
        return replace(places, softmax=0)

    def _product(self, call: Call) -> Places | None:
        """Of a product of matrices: positions compared, values gathered, or channels mixed."""
        factors = rules.operands(call)
        if factors is None:
            return None
        (one, letters), (two, others), out = factors
        sides = [(one, letters, self._of(one)), (two, others, self._of(two))]
        for (weights, axes, pairs), values in (sides, sides[::-1]):
            if pairs is not None and pairs.across is not None:
                return self._gathered(weights, axes, pairs, values, out, call.out.shape)
        if self._lost(one) or self._lost(two):
            return None
        found = []
        for _, axes, places in sides:
            if places is not None and places.varying:
                on_out = rules.aligned(places, axes, out)
                if on_out is None:
                    return None
                found.append(rules.widened(on_out, call.out.shape))
        if len(found) == 2:
            asks, asked = found
            return None if asks is None or asked is None else replace(asks, across=asked)
        return found[0] if found else None

    def _gathered(
        self,
        weights: Tensor,
        letters: str,
        pairs: Places,
        values: tuple[Tensor, str, Places | None],
        out: str,
        shape: torch.Size,
    ) -> Places | None:
        """Of weights times values: where it was asked. A softmax is met here, where it is used."""
        asks, asked = Places(pairs.grid, pairs.at), pairs.across
        assert asked is not None
        found = rules.aligned(asks, letters, out)
        if not pairs.softmax:
            found = found or rules.aligned(asked, letters, out)
        else:
            _, others, given = values
            summed = {axis for axis, letter in enumerate(letters) if letter not in out}
            if summed >= asked.varying - asks.varying and not summed & asks.varying:
                from_keys = None if given is None else rules.aligned(given, others, letters)
                fault = "" if from_keys is not None and same(asked, from_keys) is not None else VALUES
                self._meet_written(weights, asks, asked, fault)
                self._softmaxes[pairs.softmax] = None
        return rules.widened(found, shape)

    # ---- attention

    def _softmax(self, call: Call, places: Places) -> Places | None:
        number = len(self._softmaxes) + 1
        found = rules.softmaxed(places, call.given(1, "dim"), number)
        if found is not None and found.softmax == number:
            self._softmaxes[number] = self._name
        return found

    @property
    def unused(self) -> list[str]:
        """Modules that took a softmax over positions and did not gather by it as it was."""
        return [name for name in self._softmaxes.values() if name is not None]

    @property
    def _name(self) -> str:
        return self.running[-1] if self.running else ""

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
        *,
        out: Tensor,
    ) -> Places | None:
        """Of `scaled_dot_product_attention`."""
        asks, asked = (_without_channels(self._of(of)) for of in (query, key))
        if enable_gqa and key.dim() > 2:
            times = query.shape[-3] // key.shape[-3]
            key = key.repeat_interleave(times, -3)
            if asked is not None:
                asked = replace(asked, at=asked.at.repeat_interleave(times, -2))
        bias = _as_bias(attn_mask)
        if is_causal:
            bias = _as_bias(torch.ones(query.shape[-2], key.shape[-2], device=query.device).tril().bool())
        self._meet(asks, asked, query, key, scale, bias)
        return None if asks is None else rules.widened(replace(asks, at=asks.at[..., None]), out.shape)

    def _layer(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        embed_dim_to_check: int,
        num_heads: int,
        in_proj_weight: Tensor | None,
        in_proj_bias: Tensor | None,
        bias_k: Tensor | None,
        bias_v: Tensor | None,
        add_zero_attn: bool,
        *_: Any,
        attn_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        out: Any,
        **given: Any,
    ) -> list[Places | None]:
        """Of `nn.MultiheadAttention`, which gets (tokens, batch, channels)."""
        places = self._of(query)
        sides = [
            None if of is None else replace(of, at=of.at.transpose(0, 1)[:, None].expand(-1, num_heads, -1))
            for of in (_without_channels(self._of(tokens)) for tokens in (query, key))
        ]
        weights: tuple[Any, ...] = given.get("q_proj_weight"), given.get("k_proj_weight")
        if in_proj_weight is not None:
            weights = in_proj_weight.chunk(3)[:2]
        biases = (None, None) if in_proj_bias is None else in_proj_bias.chunk(3)[:2]
        queries, keys = (
            F.linear(tokens, weight, bias).unflatten(-1, (num_heads, -1)).permute(1, 2, 0, 3)
            for tokens, weight, bias in zip((query, key), weights, biases, strict=True)
        )
        bias = _as_bias(attn_mask, hides=True)
        if bias is not None and bias.dim() == 3:
            bias = bias.unflatten(0, (-1, num_heads))
        if key_padding_mask is not None:
            hidden = _as_bias(key_padding_mask[:, None, None], hides=True)
            bias = hidden if bias is None else bias + hidden
        more = bias_k is not None or add_zero_attn
        self._meet(sides[0], sides[1], queries, keys, None, bias, MORE if more else "")
        return [places, None][: len(list(rules.tensors_in((out,))))]

    def _meet(
        self,
        asks: Places | None,
        asked: Places | None,
        queries: Tensor,
        keys: Tensor,
        scale: float | None,
        bias: Tensor | None,
        fault: str = "",
    ) -> None:
        scale = float(queries.shape[-1] ** -0.5 if scale is None else scale)
        lead = torch.broadcast_shapes(queries.shape[:-2], keys.shape[:-2])  # one set of keys for all heads
        queries, keys = (of.expand(*lead, *of.shape[-2:]) for of in (queries, keys))
        asks, asked = (
            None if of is None else replace(of, at=of.at.expand(*lead, of.shape[-1])) for of in (asks, asked)
        )
        fault = fault or self._no_room(queries, keys, bias)
        if fault:
            self.met.append(Attended(self._name, None, None, fault=fault))
            return
        self.met.append(Attended(self._name, asks, asked, queries.detach(), keys.detach(), scale, bias))

    def _meet_written(self, weights: Tensor, asks: Places, asked: Places, fault: str) -> None:
        """Of a softmax that was written out, in whatever order its axes are."""
        both = asks.varying & asked.varying
        rows, columns = sorted(asks.varying - both), sorted(asked.varying - both)
        lead = [axis for axis in range(weights.dim()) if axis not in (*rows, *columns)]
        before = [weights.shape[axis] for axis in lead]
        order = (*lead, *rows, *columns)
        n, m = (math.prod(weights.shape[axis] for axis in axes) for axes in (rows, columns))
        sides = []
        for of, axes, others in ((asks, rows, columns), (asked, columns, rows)):
            at = of.at
            for axis in others:
                at = at.narrow(axis, 0, 1)
            count = math.prod(weights.shape[axis] for axis in axes)
            sides.append(replace(of, at=at.permute(order).reshape(*before, count)))
        fault = fault or self._no_room(weights)
        if fault:
            self.met.append(Attended(self._name, None, None, fault=fault))
            return
        written = weights.detach().permute(order).reshape(*before, n, m)
        self.met.append(Attended(self._name, sides[0], sides[1], weights=written, fault=fault))

    def _no_room(self, *tensors: Tensor | None) -> str:
        """Why these are not kept, "" where they are: nothing that is left out may take memory meanwhile."""
        large = sum(tensor.numel() for tensor in tensors if tensor is not None)
        if large > self._room:
            return f"its {large} numbers are more than the {self._room} that there is still room for"
        self._room -= large
        return ""


def _without_channels(places: Places | None) -> Places | None:
    """Of (…, d) as of (…)."""
    if places is None or places.across is not None or places.at.dim() - 1 in places.varying:
        return None
    return Places(places.grid, places.at[..., 0])


def _as_bias(mask: Tensor | None, hides: bool = False) -> Any:
    """A mask as numbers to be added; of booleans torch's two functions disagree which are seen."""
    if mask is None or mask.dtype != torch.bool:
        return None if mask is None else mask.detach().float()
    hidden = mask if hides else ~mask
    return torch.zeros_like(hidden, dtype=torch.float32).masked_fill(hidden, -torch.inf)
