"""What a double attention module written by others does, read off by running it.

Its projections are made to hand out codes, from which every number's origin can be read back: which
softmax reads θ and ρ, over which axis, and which of their channels belong together in a head. Nothing of
the module's source is looked at, and nothing of the module is changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from a2core.blocks.double_attention import Attended
from a2core.networks.hooks import hooked

ROLES = ("phi", "theta", "rho", "expand")
_SYMBOLS = {"phi": "φ", "theta": "θ", "rho": "ρ", "expand": "expansion"}


class UnclearError(Exception):
    """A part is not read as it is; the text says how."""


@dataclass(frozen=True)
class Head:
    """One head of a module: a bag of its own."""

    primitives: tuple[int, ...]  # channels of θ and ρ
    features: tuple[int, ...]  # channels of φ that it gathers


class Softmax(NamedTuple):
    """One softmax as it ran."""

    logits: Tensor
    axis: int
    weights: Tensor


class Reading(NamedTuple):
    """A softmax that reads a part: where each of its values comes from, as flat indices into the part."""

    softmax: int
    origin: Tensor


class _Softmaxes(TorchDispatchMode):
    """While active, keeps every softmax, also of implicit axes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Softmax] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.ops.aten._softmax.default, torch.ops.aten.softmax.int):
            self.seen.append(Softmax(args[0], args[1] % max(1, args[0].dim()), result))
        return result


def _hooks(
    module: nn.Module, hooks: Mapping[str, Callable[..., Any]]
) -> contextlib.AbstractContextManager[None]:
    return hooked(module.get_submodule(part).register_forward_hook(hook) for part, hook in hooks.items())


class Run:
    """One run of a module, with what its parts returned and what its softmaxes did.

    Attributes:
        x, output: what went in, as it was, and what came out.
        left: the input as the module left it: some add to it in place.
        returned: what each role's part returned.
        handed_out: what the expansion was given; None where there is none.

    Raises:
        UnclearError: a part does not run, or a softmax reads θ or ρ, but not as it is.
    """

    def __init__(self, module: nn.Module, parts: Mapping[str, str], x: Tensor) -> None:
        self.module, self.parts, self.x = module, parts, x
        self.returned: dict[str, Tensor] = {}
        self.handed_out: Tensor | None = None

        def keep(role: str) -> Callable[..., None]:
            def hook(part: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
                self.returned[role] = output.clone()
                if role == "expand":
                    self.handed_out = args[0].clone()

            return hook

        self.left = x.clone()
        with _hooks(module, {part: keep(role) for role, part in parts.items()}):
            self.output, self.softmaxes = _run(module, self.left)
        for role, part in parts.items():
            if role not in self.returned:
                raise UnclearError(f"never runs {part!r}, which should be its {_SYMBOLS[role]}")
        self.readings = {role: self._readings(role) for role in ("theta", "rho")}

    def again(self, x: Tensor, returned: Mapping[str, Tensor]) -> Tensor:
        """What the module returns of `x` when these roles' parts return what is given."""
        fixed = {
            self.parts[role]: lambda part, args, output, value=value: value.clone()
            for role, value in returned.items()
        }
        with _hooks(self.module, fixed):
            return _run(self.module, x.clone())[0]

    def _readings(self, role: str) -> list[Reading]:
        """Which softmaxes read the role, and where each of their values comes from; none: nothing does.

        The part's output is replaced by a code: distinct numbers in a random order. A softmax reads it
        when its input changes, and the rank of each value among all that were read tells which one it
        is. A second code must give the same answer, else more was done than moving values about.
        """
        out = self.returned[role]
        found = []
        for seed in (0, 1):
            order = torch.randperm(out.numel(), generator=torch.Generator().manual_seed(seed)).to(out.device)
            code = order.to(out.dtype).reshape(out.shape).div(out.numel())
            with _hooks(self.module, {self.parts[role]: lambda part, args, output, code=code: code.clone()}):
                _, softmaxes = _run(self.module, self.x.clone())
            found.append(self._read(role, order, softmaxes))
        first, second = found
        same = [
            a.softmax == b.softmax and torch.equal(a.origin, b.origin) for a, b in zip(*found, strict=False)
        ]
        if len(first) != len(second) or not all(same):
            raise UnclearError(
                f"changes {_SYMBOLS[role]} between its convolution and its softmax: what "
                f"{self.parts[role]!r} hands out does not arrive in the order that it had"
            )
        return first

    def _read(self, role: str, order: Tensor, softmaxes: Sequence[Softmax]) -> list[Reading]:
        changed: list[int] = []
        count = 0
        for index, (now, before) in enumerate(zip(softmaxes, self.softmaxes, strict=False)):
            if count < order.numel() and not torch.equal(now.logits, before.logits):
                changed.append(index)
                count += now.logits.numel()
        if changed and count != order.numel():
            raise UnclearError(
                f"softmaxes {count} values where {self.parts[role]!r} hands out {order.numel()} for "
                f"{_SYMBOLS[role]}: it pools, repeats or leaves out some on the way"
            )
        if not changed:
            return []
        by_code = torch.empty_like(order)
        by_code[order] = torch.arange(order.numel(), device=order.device)
        origin = torch.empty_like(order)
        origin[torch.cat([softmaxes[index].logits.flatten() for index in changed]).argsort()] = by_code
        sizes = [softmaxes[index].logits.numel() for index in changed]
        return [Reading(index, part) for index, part in zip(changed, origin.split(sizes), strict=True)]

    def _groups(self, reading: Reading) -> Tensor:
        """Flat indices of the values that are normalised together, a row for each sum."""
        logits, axis, _ = self.softmaxes[reading.softmax]
        return reading.origin.reshape(logits.shape).movedim(axis, -1).flatten(0, -2)

    def bags(self) -> list[tuple[int, ...]]:
        """The channels of θ and ρ by the head that they belong to, in order of their first.

        Channels belong together when one softmax reads them, and, where it is over some of the channels,
        when they share a sum.
        """
        labels = torch.stack([self._together("theta"), self._together("rho")], dim=1)
        heads: dict[tuple[int, ...], list[int]] = {}
        for channel, label in enumerate(labels.tolist()):
            heads.setdefault(tuple(label), []).append(channel)
        return [tuple(channels) for channels in heads.values()]

    def _together(self, role: str) -> Tensor:
        out = self.returned[role]
        count, positions = out.shape[1], out.shape[2:].numel()
        labels = torch.zeros(count, dtype=torch.long, device=out.device)
        for number, reading in enumerate(self.readings[role]):
            channels = self._groups(reading) // positions % count
            first = channels.amin(dim=1, keepdim=True)
            several = first != channels.amax(dim=1, keepdim=True)
            label = number * (count + 1) + torch.where(several, first, count)
            labels[channels] = label.expand_as(channels)
        return labels

    def axis(self, role: str, bags: Sequence[Sequence[int]]) -> str | None:
        """Over what the role is normalised, in words: "primitives" are those of one head."""
        if not self.readings[role]:
            return None
        out = self.returned[role]
        batch, count, grid = out.shape[0], out.shape[1], out.shape[2:].numel()
        group = self._groups(self.readings[role][0])[0]
        channels = group // grid % count
        own = next(len(bag) for bag in bags if int(channels[0]) in bag)
        moved = [
            word if len(values.unique()) == size else f"part of the {word}"
            for word, values, size in (
                ("batch", group // (count * grid), batch),
                ("primitives", channels, own),
                ("positions", group % grid, grid),
            )
            if len(values.unique()) > 1
        ]
        if not moved:  # groups of one value: n = 1 softmaxed over its primitives
            return "primitives" if own == 1 else "single values"
        return " and ".join("the batch" if word == "batch" else word for word in moved)

    def maps(self, role: str) -> Tensor:
        """The weights that the role became, (batch, n, N); its raw values where nothing normalises it."""
        out = self.returned[role]
        if not self.readings[role]:
            return out.flatten(2)
        weights = torch.empty_like(out).flatten()
        for reading in self.readings[role]:
            weights[reading.origin] = self.softmaxes[reading.softmax].weights.flatten()
        return weights.reshape(out.shape).flatten(2)

    def attended(self, head: Head) -> Attended:
        """The maps and the bag of one head."""
        bag, features = list(head.primitives), list(head.features)
        gather, distribute = self.maps("theta")[:, bag], self.maps("rho")[:, bag]
        primitives = self.returned["phi"].flatten(2)[:, features] @ gather.transpose(1, 2)
        return Attended(primitives, gather, distribute, primitives @ distribute)


def _run(module: nn.Module, x: Tensor) -> tuple[Tensor, list[Softmax]]:
    with torch.no_grad(), _Softmaxes() as softmaxes:
        return module(x), softmaxes.seen


def heads_of(run: Run, result: Tensor) -> tuple[tuple[Head, ...], bool]:
    """The heads, and whether `result` (batch, rows, N), before any expansion, is what they hand out.

    Which features a head gathers is found by comparing each row with what every head makes of every
    feature.
    """
    count, bags = run.returned["phi"].shape[1], run.bags()
    everything = tuple(Head(bag, tuple(range(count))) for bag in bags)
    if len(bags) == 1:
        z = run.attended(everything[0]).output
        return everything, z.shape == result.shape and close(result, z)
    made = torch.cat([run.attended(head).output for head in everything], dim=1).transpose(0, 1).flatten(1)
    rows = result.transpose(0, 1).flatten(1)
    features: list[list[int]] = [[] for _ in bags]
    if rows.shape[1] == made.shape[1]:
        nearest = torch.cdist(rows, made, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
        if bool((nearest.values <= 1e-3 * rows.norm(dim=1) + 1e-6).all()):
            for at in nearest.indices.tolist():
                features[at // count].append(at % count)
    if all(features):
        return tuple(Head(bag, tuple(found)) for bag, found in zip(bags, features, strict=True)), True
    return everything, False


def adds_input(run: Run) -> bool | None:
    """Whether the module adds its input to what it attends to; None: it does something else with it.

    φ, θ and ρ are held as they are while the input changes: what changes in the output is then the
    input's own part, whatever norms stand in between.
    """
    held = {role: run.returned[role] for role in ROLES[:3]}
    other = run.x + torch.randn(run.x.shape, generator=torch.Generator().manual_seed(1)).to(run.x)
    difference = run.again(other, held) - run.again(run.x, held)
    step = other - run.x
    if bool(difference.abs().max() <= 1e-4 * step.abs().max()):
        return False
    return True if difference.shape == step.shape and close(difference, step) else None


def after_expansion(run: Run, residual: bool | None) -> bool | None:
    """Whether a scale and a shift of each channel follow the expansion; None: something else does."""
    expanded = run.returned["expand"]
    shift = run.again(run.x, {"expand": torch.zeros_like(expanded)})
    if residual:
        shift = shift - run.x
    if shift.shape != expanded.shape:
        return None
    moved = run.output - shift - (run.x if residual else 0)
    axes = [axis for axis in range(expanded.dim()) if axis != 1]
    scale = (moved * expanded).sum(dim=axes, keepdim=True)
    scale = scale / expanded.square().sum(dim=axes, keepdim=True).clamp_min(1e-30)
    size = float(run.output.abs().max())
    constant = bool((shift - shift.mean(dim=axes, keepdim=True)).abs().max() <= 1e-4 * size)
    linear = bool((moved - scale * expanded).abs().max() <= 1e-4 * size)
    if not (constant and linear):
        return None
    plain = bool(shift.abs().max() <= 1e-4 * size) and bool((scale - 1).abs().max() <= 1e-3)
    return not plain


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal but for rounding."""
    return bool(torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(b.abs().max() + 1e-12)))
