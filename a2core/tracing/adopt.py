"""Networks that are not ours: trace any network with blocks, and double attention written by others.

Most public versions of the block softmax along another axis than the paper does. `adopt` finds out
along which, by running each module on codes from which every number's origin can be read back, says
so in words, and lets a trace show what the module really does: then the maps of a BlockTrace need
not sum to 1, and `AdoptionReport` says which do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from a2core.blocks.double_attention import Attended, DoubleAttention
from a2core.blocks.position_block import Watchable
from a2core.errors import NetworkError
from a2core.networks.insert import inserted_blocks, replace_module
from a2core.tracing.foreign import ROLES, Head, Run, UnclearError, adds_input, after_expansion, heads_of

# Names of the parts, and whether they tell a double attention only together with the expansion's.
_COMMON_NAMES = (
    ({"phi": "convA", "theta": "convB", "rho": "convV", "expand": "conv_reconstruct"}, False),
    ({"phi": "phi", "theta": "theta", "rho": "rho", "expand": "expand"}, False),
    ({"phi": "values", "theta": "keys", "rho": "queries", "expand": "reprojection"}, True),
    ({"phi": "value", "theta": "key", "rho": "query", "expand": "expansion"}, True),
)
_GRIDS = {1: (7,), 2: (3, 4), 3: (2, 3, 4)}


@dataclass(frozen=True)
class AdoptionReport:
    """What one module written by others does, found by running it."""

    name: str  # of the module in its network, "" for the network itself
    c_m: int
    c_n: int
    theta_axis: str | None  # "positions", "primitives", "batch", …; None: no softmax reads θ
    rho_axis: str | None
    expands: bool  # it has a convolution back to the channels of its input
    residual: bool | None  # it adds its input; None: it does something else with it
    factorises: bool  # what it hands out is (φ(X) Bᵀ) V with the B and V that were found, expanded
    norm_follows: bool = False  # a scale and a shift of each channel follow the expansion
    heads: tuple[int, ...] = ()  # primitives of each head, where it has several

    @property
    def as_published(self) -> bool:
        """Whether the module computes the block of the paper, the residual included.

        A batch norm after the expansion, as in the first author's later code, is no difference.
        """
        return (
            self.theta_axis == "positions"
            and self.rho_axis == "primitives"
            and self.expands
            and self.residual is True
            and self.factorises
            and not self.heads
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in words, the axes first."""
        said = [
            _axis_sentence("θ", self.theta_axis, "positions", "each gather map sums to 1 over the picture"),
            _axis_sentence("ρ", self.rho_axis, "primitives", "its weights at a pixel sum to 1"),
        ]
        if self.heads:
            names = [_head_name(self.name, number) for number in (0, len(self.heads) - 1)]
            said.append(
                f"It has {len(self.heads)} heads, each with a bag of its own, and all this is said of each: "
                f"a trace shows them as {names[0]} to {names[1]}."
            )
        if not self.expands:
            said.append("It has no expansion: its output has m channels.")
        elif self.residual is None:
            said.append("It does something else with its input than to add it; the paper's block adds it.")
        elif not self.residual:
            said.append("It does not add its input; the paper's block does.")
        if self.norm_follows:
            said.append("A scale and a shift of each channel, such as a batch norm's, follow its expansion.")
        if not self.factorises:
            said.append("What it hands out is not (A Bᵀ) V of these maps: it does something else besides.")
        return tuple(said)

    def __str__(self) -> str:
        return f"{self.name or 'the network'}: " + " ".join(self.sentences)


def _axis_sentence(symbol: str, axis: str | None, wanted: str, promise: str) -> str:
    if axis == wanted:
        return f"This module normalises {symbol} over {axis}, as the paper does: {promise}."
    broken = promise.replace("sums", "does not sum").replace(
        "weights at a pixel sum", "weights at a pixel do not sum"
    )
    if axis is None:
        return f"This module does not softmax {symbol}: {broken}."
    return f"This module normalises {symbol} over {axis}, not over {wanted}: {broken}."


@dataclass(frozen=True)
class Adopted:
    """A network whose double attention modules are wrapped so that a trace can look in."""

    network: nn.Module
    blocks: dict[str, AdoptedBlock]
    reports: dict[str, AdoptionReport]
    # Modules with the names of one, but no double attention: why not, in a sentence. Left as they are.
    refused: dict[str, str] = field(default_factory=dict)


class AdoptedHead(Watchable):
    """One head of an adopted module, for a trace to look at; it is never run by itself.

    Attributes:
        observer, frames_per_clip: as of `AdoptedBlock`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.observer: Callable[[Tensor, Attended, Tensor, tuple[int, ...]], None] | None = None
        self.frames_per_clip = 1


class AdoptedBlock(Watchable):
    """A module written by others, run as it is; observed, it shows its own maps.

    Attributes:
        module: the module. Its parameters are found under `<name>.module.*` once adopted.
        parts: role (phi, theta, rho, expand) to the dotted name of the submodule that plays it.
        heads: which channels each of its heads has.
        observer, frames_per_clip: as of `DoubleAttention`; clips are attended to frame by frame, so
            more than one frame at a time cannot be observed. Of a module with several heads each head
            has its own: see `watched`.
    """

    def __init__(self, module: nn.Module, parts: Mapping[str, str], heads: Sequence[Head]) -> None:
        super().__init__()
        self.module = module
        self.parts = dict(parts)
        self.heads = tuple(heads)
        self.observer: Callable[[Tensor, Attended, Tensor, tuple[int, ...]], None] | None = None
        self.frames_per_clip = 1
        if len(self.heads) > 1:
            for number in range(len(self.heads)):
                self.add_module(_head_name("", number), AdoptedHead())
        self.training = module.training  # and nothing inside it, where norms may be kept still

    def watched(self, name: str) -> dict[str, nn.Module]:
        """What a trace looks at, by the names that it shows: the block called `name`, or its heads."""
        if len(self.heads) == 1:
            return {name: self}
        return {
            _head_name(name, number): self.get_submodule(_head_name("", number))
            for number in range(len(self.heads))
        }

    def forward(self, x: Tensor) -> Tensor:
        """What the module returns."""
        watched: list[Any] = list(self.watched("").values())
        if all(each.observer is None for each in watched):
            return self.module(x)
        if any(each.frames_per_clip > 1 for each in watched):
            raise NetworkError(
                "Adopted modules attend within each frame, so a clip has no one bag to show. Trace its "
                "frames one at a time."
            )
        with torch.autocast(x.device.type, enabled=False):
            try:
                seen = Run(self.module, self.parts, x.float())
            except UnclearError as error:
                raise NetworkError(
                    f"A module that was adopted {error}, on an input of {tuple(x.shape)}. Trace at another "
                    "size."
                ) from error
            y = seen.output.flatten(2)
            flat = seen.x.flatten(2)
            for each, head in zip(watched, self.heads, strict=True):
                if each.observer is not None:
                    attended, shown = seen.attended(head), y if y.shape == flat.shape else flat
                    each.observer(flat, attended, shown, tuple(x.shape[2:]))
        if not torch.equal(seen.left, seen.x):  # the module works in place: what follows may count on it
            x.copy_(seen.left)
        return x if seen.output is seen.left else seen.output.to(x.dtype)


def _head_name(name: str, number: int) -> str:
    return f"{name}.head{number}" if name else f"head{number}"


def adopt(network: nn.Module, mapping: Mapping[str, Mapping[str, str]] | None = None) -> Adopted:
    """Find the double attention modules of `network`, say what they do, and make them traceable.

    Modules with submodules convA, convB, convV (and conv_reconstruct), or phi, theta, rho (and
    expand), or values, keys, queries and reprojection (Efficient Attention), or value, key, query and
    expansion, are recognised by themselves. Each is run a few times on small made-up inputs.

    A module may have several heads, each with primitives, maps and features of its own. A trace then shows
    every head as a block, NAME.head0, NAME.head1, …: within a head all that is promised of a block holds,
    while over all heads together a position's weights would sum to their number.

    Args:
        network: any torch network; changed in place: each module found is wrapped.
        mapping: for others, module name to {"phi": ..., "theta": ..., "rho": ..., "expand": ...},
            the names of its submodules in these roles; "expand" may be left out. A role is played by
            the last submodule before the softmax.

    Raises:
        NetworkError: nothing to adopt, an unknown name, or a module that is no double attention.
    """
    wanted = {name: dict(parts) for name, parts in (mapping or {}).items()}
    modules = dict(network.named_modules())
    for name, parts in wanted.items():
        if name not in modules:
            raise NetworkError(f"The network has no module {name!r}. See named_modules().")
        unknown = sorted(set(parts) - set(ROLES)) + [f"no {role}" for role in ROLES[:3] if role not in parts]
        if unknown:
            raise NetworkError(
                f"The mapping of {name!r} has {', '.join(unknown)}. Name the submodules for phi, theta "
                "and rho, and expand where there is one."
            )
    ours = {id(block) for block in inserted_blocks(network).values()}
    ours |= {id(module.module) for module in modules.values() if isinstance(module, AdoptedBlock)}
    recognised = {
        name: parts
        for name, module in modules.items()
        if name not in wanted and id(module) not in ours and (parts := _recognise(module))
    }
    reports: dict[str, AdoptionReport] = {}
    blocks: dict[str, AdoptedBlock] = {}
    refused: dict[str, str] = {}
    for name, parts in {**wanted, **recognised}.items():
        try:
            reports[name], blocks[name] = _examine(name, modules[name], parts)
        except NetworkError as error:
            if name in wanted:
                raise
            refused[name] = str(error)
    if not blocks:
        raise NetworkError(
            next(iter(refused.values()), "")
            or "Found no double attention module in this network. Name its parts: mapping={'module.name': "
            "{'phi': 'convA', 'theta': 'convB', 'rho': 'convV', 'expand': 'conv_reconstruct'}}."
        )
    everywhere = list(network.named_modules(remove_duplicate=False))
    for block in blocks.values():
        for name, module in everywhere:
            if module is block.module and name:
                replace_module(network, name, block)
    return Adopted(blocks.get("", network), blocks, reports, refused)


def _recognise(module: nn.Module) -> dict[str, str]:
    if isinstance(module, DoubleAttention):  # needs no adopting
        return {}
    children = dict(module.named_children())
    for names, whole in _COMMON_NAMES:
        if all(names[role] in children for role in (ROLES if whole else ROLES[:3])):
            return {role: part for role, part in names.items() if part in children}
    return {}


def _input_for(module: nn.Module, parts: Mapping[str, str], said: str) -> Tensor:
    """Noise of a shape that the module's φ takes, two entries of the batch."""
    convolution = next(
        (
            m
            for m in module.get_submodule(parts["phi"]).modules()
            if hasattr(m, "in_channels") and hasattr(m, "weight")
        ),
        None,
    )
    weight = getattr(convolution, "weight", None)
    if convolution is None or not isinstance(weight, Tensor) or weight.dim() - 2 not in _GRIDS:
        raise NetworkError(f"{said} is no double attention: {parts['phi']!r} is not a convolution.")
    shape = (2, int(weight.shape[1]), *_GRIDS[weight.dim() - 2])
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(weight.device, torch.float32)


def _examine(name: str, module: nn.Module, parts: Mapping[str, str]) -> tuple[AdoptionReport, AdoptedBlock]:
    said = f"Module {name!r}" if name else "The network"
    for role, part in parts.items():
        try:
            module.get_submodule(part)
        except AttributeError as error:
            raise NetworkError(
                f"{said} has no submodule {part!r} for {role}. Correct the mapping."
            ) from error
    x = _input_for(module, parts, said)
    modes = {each: each.training for each in module.modules()}
    module.eval()
    try:
        run = Run(module, parts, x)
        phi, theta, rho = (run.returned[role] for role in ROLES[:3])
        if theta.shape[1] != rho.shape[1] or not (run.readings["theta"] or run.readings["rho"]):
            raise NetworkError(
                f"{said} is no double attention: θ has {theta.shape[1]} and ρ {rho.shape[1]} channels, and "
                f"{'some' if run.softmaxes else 'no'} softmax was seen. Leave it out of the mapping."
            )
        residual = adds_input(run)
        follows = after_expansion(run, residual) if "expand" in run.returned else False
    except UnclearError as error:
        raise NetworkError(
            f"{said} {error}. In the mapping, name for each role the last submodule before the softmax."
        ) from error
    except (RuntimeError, ValueError, TypeError, AssertionError, KeyError) as error:
        raise NetworkError(
            f"{said} does not run by itself on a tensor of {tuple(x.shape)} ({error}). Adopt a module that "
            "takes one tensor (batch, channels, *positions), in float32."
        ) from error
    finally:
        for each, mode in modes.items():
            each.training = mode
    result = run.output - x if residual else run.output
    heads, factorises = heads_of(run, (result if run.handed_out is None else run.handed_out).flatten(2))
    bags = [head.primitives for head in heads]
    report = AdoptionReport(
        name=name,
        c_m=int(phi.shape[1]),
        c_n=int(theta.shape[1]),
        theta_axis=run.axis("theta", bags),
        rho_axis=run.axis("rho", bags),
        expands="expand" in run.returned,
        residual=residual,
        factorises=factorises and follows is not None,
        norm_follows=bool(follows),
        heads=tuple(map(len, bags)) if len(bags) > 1 else (),
    )
    return report, AdoptedBlock(module, parts, heads)
