"""What a function of torch makes of the places of the tensors that it is given.

By the names of torch's functions, and by what a result's shape tells; nothing is worked out from numbers.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from a2core.tracing.places import NOTHING, Places, kept_small, mixed, once, over_picture, straight_part


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


# The same elements in the same order.
SHAPES = _names("flatten ravel reshape reshape_as squeeze unflatten unsqueeze view view_as")
MOVES = _names(
    """T H mT chunk expand expand_as flip __getitem__ index_select moveaxis movedim narrow permute
    pixel_shuffle pixel_unshuffle repeat roll rot90 select split split_with_sizes swapaxes swapdims t
    tensor_split tile transpose unbind unfold"""
)
JOINS = _names("cat concat concatenate stack")
# A softmax is one afterwards too.
SAME = _names(
    """alpha_dropout bfloat16 clone contiguous cpu cuda data detach double dropout dropout1d dropout2d
    feature_dropout float half to type type_as"""
)
# Of each element, or of its channels, by itself.
EACH = _names(
    """__add__ __iadd__ __imul__ __isub__ __itruediv__ __mul__ __neg__ __pow__ __radd__ __rmul__ __rsub__
    __rtruediv__ __sub__ __truediv__ abs add addcmul batch_norm celu clamp clamp_max clamp_min clip cos div
    elu erf exp gelu group_norm hardsigmoid hardswish hardtanh instance_norm layer_norm leaky_relu lerp log
    log1p log_softmax logsigmoid masked_fill maximum minimum mish mul multiply nan_to_num neg normalize pow
    prelu reciprocal relu relu6 rms_norm rrelu rsqrt rsub selu sigmoid sign silu sin softplus softsign sqrt
    square sub subtract tanh true_divide where"""
)
OVER = _names("amax amin max mean min sum")
REGRIDS = _names(
    """adaptive_avg_pool2d adaptive_max_pool2d adaptive_max_pool2d_with_indices avg_pool2d interpolate
    lp_pool2d max_pool2d max_pool2d_with_indices upsample"""
)
# What is as large as the picture, and has nothing of it.
FRESH = _names(
    """empty_like full_like new_empty new_full new_ones new_tensor new_zeros ones_like rand_like randn_like
    zeros_like"""
)
PRODUCTS = _names("__matmul__ __rmatmul__ baddbmm bmm einsum matmul mm")


@dataclass(frozen=True)
class Call:
    """A function of torch, what it is called, what it was given and what it returned."""

    func: Callable[..., Any]
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any

    def given(self, at: int, *names: str) -> Any:
        """An argument by its place or its names; None where it was left out."""
        if at < len(self.args):
            return self.args[at]
        return next((self.kwargs[name] for name in names if name in self.kwargs), None)


def name_of(func: Any) -> str:
    """What a function is called, whether method, operator, in place, or property."""
    name = str(getattr(func, "__name__", ""))
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", ""))
    return name if name.endswith("__") else name.rstrip("_")


def writes(func: Any) -> bool:
    """Whether a function writes to what it was given."""
    name = str(getattr(func, "__name__", ""))
    return name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))


def tensors_in(given: Iterable[Any]) -> Iterator[Tensor]:
    """Tensors among arguments or results, and in lists of them."""
    for value in given:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def each_side(places: Places, change: Callable[[Tensor], Tensor]) -> Places:
    """The same done to who asks and to who is asked."""
    at, before = change(places.at), places.at
    if at.untyped_storage().data_ptr() != before.untyped_storage().data_ptr():
        at = kept_small(at)
    across = None if places.across is None else each_side(places.across, change)
    return replace(places, at=at, across=across, straight=False)


def moved(call: Call, places: Places) -> Places | list[Places] | None:
    """Of what moves elements about."""
    if writes(call.func):
        return None
    if call.name in ("expand", "expand_as", "repeat", "tile"):
        source, out = call.given(0, "input", "self"), call.out
        if out.dim() > 2 and out.shape[0] > source.shape[0]:
            return None  # the picture more than once
    args, kwargs = call.args[1:], {k: v for k, v in call.kwargs.items() if k not in ("input", "self")}
    if isinstance(call.out, Tensor):
        return each_side(places, lambda at: call.func(at, *args, **kwargs))
    part_of = [lambda at, part=part: call.func(at, *args, **kwargs)[part] for part in range(len(call.out))]
    return [each_side(places, part) for part in part_of]


def padded(call: Call, places: Places) -> Places:
    """Of `pad`: what is put around is no place."""
    widths = call.given(1, "pad")
    return each_side(places, lambda at: F.pad(at, widths, value=NOTHING))


def joined(call: Call, known: Sequence[Places | None], tokens: int) -> tuple[Places | None, int]:
    """Of `cat` and `stack`, and how many tokens are before the picture's now.

    Args:
        call: what was called.
        known: places of its parts; None of those that do not come from the picture. Beside tokens those are
            tokens too, beside channels channels, beside positions padding.
        tokens: so many before.
    """
    parts: list[Tensor] = list(call.given(0, "tensors"))
    axis = (call.given(1, "dim") or 0) % call.out.dim()
    if call.name == "stack":
        parts = [part.unsqueeze(axis) for part in parts]
        known = [None if of is None else each_side(of, lambda at: at.unsqueeze(axis)) for of in known]
    found = [of for of in known if of is not None]
    cells = [of for of in found if bool((once(of.at) >= 0).any())]  # tokens before them go with any grid
    if len({of.grid for of in cells}) != 1 or any(of.across is not None for of in found):
        return None, tokens
    in_line = call.out.dim() == 3 and all(of.varying <= {axis} for of in found)
    along = any(axis in of.varying for of in found)
    pieces = []
    for part, of in zip(parts, known, strict=True):
        count = part.shape[axis]
        if of is not None:
            pieces.append(of.at)
        elif not along:
            pieces.append(found[0].at.narrow(axis, 0, 1).expand(part.shape))
        else:
            numbers = torch.full((count,), NOTHING, dtype=torch.int32, device=part.device)
            if in_line:
                numbers -= 1 + tokens + torch.arange(count, dtype=torch.int32, device=part.device)
                tokens += count
            numbers = numbers.view([-1 if at == axis else 1 for at in range(part.dim())])
            pieces.append(numbers.expand(part.shape))
    places = Places(cells[0].grid, kept_small(torch.cat(pieces, axis)))
    twice = call.name != "stack" and axis == 0 and call.out.dim() > 2 and 0 not in places.varying
    return (None if twice else places), tokens


def softmaxed(places: Places, axis: int, number: int) -> Places | None:
    """Of a softmax along an axis; of what compares positions, those along it are asked."""
    across, axis = places.across, axis % places.at.dim()
    if across is None:
        return places
    asks = Places(places.grid, places.at)
    if axis in asks.varying:
        asks, across = across, asks
    if axis in asks.varying or axis not in across.varying:
        return None
    return replace(asks, across=across, softmax=number)


def linear(call: Call, places: Places) -> Places | None:
    """Of a linear map of the last axis."""
    return widened(mixed(places, places.at.dim() - 1), call.out.shape)


def regridded(call: Call, places: Places) -> Places | None:
    """Of convolutions and poolings: as before where the size stays, else a new grid if it was the picture."""
    source, out = call.given(0, "input", "self"), call.out
    if isinstance(out, tuple):  # pooling with indices
        return regridded(replace(call, out=out[0]), places)
    if source.shape[2:] == out.shape[2:]:
        if 1 in places.varying or places.across is not None:
            alone = call.name.startswith("conv") and set(call.given(1, "weight").shape[2:]) == {1}
            return widened(mixed(places, 1), out.shape) if alone else None
        found = widened(replace(places, at=places.at.narrow(1, 0, 1)), out.shape)
        return None if found is None else replace(found, straight=places.straight)
    part = straight_part(places) if out.dim() == 4 else None
    if part is None:
        return None
    # Padding that a kernel reaches over keeps cells over the picture; more would be cells of its own.
    around = [size - of for size, of in zip(source.shape[2:], part, strict=True)]
    if any(wide > reach for wide, reach in zip(around, _reach(call), strict=True)):
        return None
    return over_picture(out.shape[2], out.shape[3], out.shape, out)


def _reach(call: Call) -> list[int]:
    """How much farther than one position a kernel goes, along rows and columns."""
    if call.name.startswith("conv"):
        sizes, steps = tuple(call.given(1, "weight").shape[2:]), call.given(5, "dilation")
    elif call.name.startswith(("max_pool", "avg_pool")):
        sizes, steps = call.given(1, "kernel_size"), 1
    else:
        return [0, 0]
    both = ([*of] if isinstance(of, list | tuple) else [of or 1] * 2 for of in (sizes, steps))
    return [(size - 1) * step for size, step in zip(*both, strict=True)]


def over(call: Call, places: Places) -> Places | None:
    """Of means and the like over an axis: of channels, or of cells side by side."""
    axis = call.given(1, "dim", "axis")
    if isinstance(axis, list | tuple) and len(axis) == 1:
        axis = axis[0]
    if not isinstance(axis, int) or places.across is not None:
        return None
    found = mixed(places, axis % places.at.dim())
    if found is None or call.given(2, "keepdim"):
        return found
    return replace(found, at=found.at.squeeze(axis), straight=False)


def widened(places: Places | None, shape: torch.Size) -> Places | None:
    """Along an axis of length 1, as long as in `shape`."""
    if places is None or any(a != b and a != 1 for a, b in zip(places.shape, shape, strict=True)):
        return None
    return each_side(places, lambda at: at.expand(shape))


def aligned(places: Places, letters: str, wanted: str) -> Places | None:
    """Who asks, with axes `letters`, on the axes `wanted`; of length 1 where there was none.

    None where an axis that is not wanted tells places apart.
    """
    if any(letter not in wanted and axis in places.varying for axis, letter in enumerate(letters)):
        return None
    at = places.at
    for axis in reversed(range(len(letters))):
        if letters[axis] not in wanted:
            at = at.select(axis, 0)
    left = [letter for letter in letters if letter in wanted]
    at = at.permute([left.index(letter) for letter in wanted if letter in left])
    for axis, letter in enumerate(wanted):
        if letter not in left:
            at = at.unsqueeze(axis)
    return Places(places.grid, at)


def operands(call: Call) -> tuple[tuple[Tensor, str], tuple[Tensor, str], str] | None:
    """The two factors of a product, a letter for each of their axes, and those of the result."""
    if call.name == "einsum":
        return _of_einsum(call)
    first, second = call.given(0, "input", "self"), call.given(1, "other", "mat2")
    if call.name == "baddbmm":
        first, second = call.given(1, "batch1"), call.given(2, "batch2")
    if call.name == "__rmatmul__":
        first, second = second, first
    if first.dim() < 2 or second.dim() < 2:
        return None
    batch = string.ascii_uppercase[: call.out.dim() - 2]
    before = [batch[len(batch) - factor.dim() + 2 :] for factor in (first, second)]
    return (first, before[0] + "nk"), (second, before[1] + "km"), batch + "nm"


def _of_einsum(call: Call) -> tuple[tuple[Tensor, str], tuple[Tensor, str], str] | None:
    given = call.args[1] if len(call.args) == 2 and isinstance(call.args[1], list | tuple) else call.args[1:]
    terms, arrow, out = str(call.args[0]).replace(" ", "").partition("->")
    sides = terms.split(",")
    if not arrow or len(sides) != 2 or len(given) != 2:
        return None
    letters = [_spelt(side, of.dim()) for side, of in zip((*sides, out), (*given, call.out), strict=True)]
    if any(len(set(side)) != len(side) for side in letters):
        return None
    return (given[0], letters[0]), (given[1], letters[1]), letters[2]


def _spelt(side: str, axes: int) -> str:
    """With letters for "...", counted from the right."""
    named = len(side.replace("...", ""))
    spare = "".join(chr(0x3B1 + i) for i in reversed(range(axes - named)))  # Greek, so that none is taken
    return side.replace("...", spare)
