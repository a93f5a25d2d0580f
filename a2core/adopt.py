"""Networks that are not ours: trace any network with blocks, and double attention written by others.

Most public versions of the block softmax along another axis than the paper does. `adopt` finds out
along which, by running each module on codes from which every number's origin can be read back, says
so in words, and lets a trace show what the module really does: then the maps of a BlockTrace need
not sum to 1, and `AdoptionReport` says which do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from a2core.double_attention import Attended, DoubleAttention, Watchable
from a2core.errors import NetworkError
from a2core.insert import inserted_blocks, named_parts, replace_module, underneath
from a2core.networks import chain, imagenet_labels
from a2core.trace import Model, device_of, pick_device, undisturbed

ROLES = ("phi", "theta", "rho", "expand")
_COMMON_NAMES = (
    {"phi": "convA", "theta": "convB", "rho": "convV", "expand": "conv_reconstruct"},
    {"phi": "phi", "theta": "theta", "rho": "rho", "expand": "expand"},
)
_GRIDS = {1: (7,), 2: (3, 4), 3: (2, 3, 4)}
_PAPER = {"theta": "positions", "rho": "primitives"}


@dataclass(frozen=True)
class AdoptionReport:
    """What one module written by others does, found by running it."""

    name: str  # of the module in its network, "" for the network itself
    c_m: int
    c_n: int
    theta_axis: str | None  # "positions", "primitives", "batch", …; None: no softmax reads θ
    rho_axis: str | None
    expands: bool  # it has a convolution back to the channels of its input
    residual: bool  # it adds its input
    factorises: bool  # what it hands out is (φ(X) Bᵀ) V with the B and V that were found

    @property
    def as_published(self) -> bool:
        """Whether the module computes the block of the paper, the residual included."""
        return (
            self.theta_axis == "positions"
            and self.rho_axis == "primitives"
            and self.expands
            and self.residual
            and self.factorises
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in words, the axes first."""
        said = [
            _axis_sentence("θ", self.theta_axis, "positions", "each gather map sums to 1 over the picture"),
            _axis_sentence("ρ", self.rho_axis, "primitives", "its weights at a pixel sum to 1"),
        ]
        if not self.expands:
            said.append("It has no expansion: its output has m channels.")
        elif not self.residual:
            said.append("It does not add its input; the paper's block does.")
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


class AdoptedBlock(Watchable):
    """A module written by others, run as it is; observed, it shows its own maps.

    Attributes:
        module: the module. Its parameters are found under `<name>.module.*` once adopted.
        parts: role (phi, theta, rho, expand) to the dotted name of the submodule that plays it.
        observer, frames_per_clip: as of `DoubleAttention`; clips are attended to frame by frame, so
            more than one frame at a time cannot be observed.
    """

    def __init__(self, module: nn.Module, parts: Mapping[str, str]) -> None:
        super().__init__()
        self.module = module
        self.parts = dict(parts)
        self.observer: Callable[[Tensor, Attended, Tensor, tuple[int, ...]], None] | None = None
        self.frames_per_clip = 1

    def forward(self, x: Tensor) -> Tensor:
        """What the module returns."""
        if self.observer is None:
            return self.module(x)
        if self.frames_per_clip > 1:
            raise NetworkError(
                "Adopted modules attend within each frame, so a clip has no one bag to show. Trace its "
                "frames one at a time."
            )
        with torch.autocast(x.device.type, enabled=False):
            seen = _Run(self.module, self.parts, x.float())
            attended = seen.attended()
        y = seen.output.flatten(2)
        flat = seen.x.flatten(2)
        self.observer(flat, attended, y if y.shape == flat.shape else flat, tuple(x.shape[2:]))
        return seen.output.to(x.dtype)


def adopt(network: nn.Module, mapping: Mapping[str, Mapping[str, str]] | None = None) -> Adopted:
    """Find the double attention modules of `network`, say what they do, and make them traceable.

    Modules with submodules convA, convB, convV (and conv_reconstruct), or phi, theta, rho (and
    expand), are recognised by themselves. Each is run a few times on small made-up inputs.

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
    for name, module in modules.items():
        if name not in wanted and id(module) not in ours:
            parts = _recognise(module)
            if parts:
                wanted[name] = parts
    if not wanted:
        raise NetworkError(
            "Found no double attention module in this network. Name its parts: mapping={'module.name': "
            "{'phi': 'convA', 'theta': 'convB', 'rho': 'convV', 'expand': 'conv_reconstruct'}}."
        )
    reports = {name: _examine(name, modules[name], parts) for name, parts in wanted.items()}
    everywhere = list(network.named_modules(remove_duplicate=False))
    blocks = {}
    for name, parts in wanted.items():
        blocks[name] = AdoptedBlock(modules[name], parts).train(modules[name].training)
        for other, module in everywhere:
            if module is modules[name] and other:
                replace_module(network, other, blocks[name])
    return Adopted(blocks.get("", network), blocks, reports)


def model_of(
    network: nn.Module,
    *,
    name: str = "your network",
    labels: Sequence[str] | None = None,
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
    std: tuple[float, float, float] = (0.229, 0.224, 0.225),
    device: str = "auto",
) -> Model:
    """A classifier of yours with inserted or adopted blocks, ready to `trace` pictures.

    The network stays yours: mode, gradients, device and memory format stay as they are, and it may go on
    being trained between two traces. One that torch.compile, DataParallel or DistributedDataParallel
    stands round is run without it.

    Args:
        network: takes (batch, 3, h, w), returns (batch, classes).
        name: shown in traces.
        labels: one per class; ImageNet's when there are 1000 and none are given, else numbers.
        mean: of the input that the network wants, for pixel values in [0, 1]; torchvision's.
        std: of the same.
        device: "auto" is where the network is; another than that is refused.

    Raises:
        NetworkError: no blocks, another device than the network's, a network that does not run on a
            picture or returns no logits, or labels of another number than its classes.
    """
    network = underneath(network)
    blocks = inserted_blocks(network)
    for key, module in named_parts(network):
        if isinstance(module, AdoptedBlock):
            blocks[f"{key}.host" if key in blocks else key] = module  # another block may stand behind it
    if not blocks:
        raise NetworkError("This network has no blocks. Insert one with insert_blocks, or adopt what it has.")
    target = device_of(network)
    if device != "auto" and pick_device(device).type != target.type:
        raise NetworkError(f"The network is on {target}. Move it yourself, with network.to({device!r}).")
    with undisturbed(network), torch.no_grad():
        logits = network(torch.zeros(1, 3, 64, 64, device=target))
    if not isinstance(logits, Tensor) or logits.dim() != 2:
        raise NetworkError("The network returns no logits (batch, classes). Trace a classifier.")
    count = logits.shape[1]
    if labels is None:
        labels = imagenet_labels() if count == 1000 else [f"class {index}" for index in range(count)]
    if len(labels) != count:
        raise NetworkError(f"Got {len(labels)} labels for {count} classes. Give one for each.")
    return Model(
        network,
        blocks,
        name=name,
        labels=tuple(labels),
        mean=mean,
        std=std,
        device=target,
        stages=chain(network),
        borrowed=True,
    )


def _recognise(module: nn.Module) -> dict[str, str]:
    if isinstance(module, DoubleAttention):  # needs no adopting
        return {}
    children = dict(module.named_children())
    for names in _COMMON_NAMES:
        if all(names[role] in children for role in ROLES[:3]):
            return {role: part for role, part in names.items() if part in children}
    return {}


# ---------------------------------------------------------------------------------------------
# Looking into a module while it runs


class _Softmaxes(TorchDispatchMode):
    """While active, keeps (input, axis, output) of every softmax, also of implicit axes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, int, Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.ops.aten._softmax.default, torch.ops.aten.softmax.int):
            self.seen.append((args[0], args[1] % max(1, args[0].dim()), result))
        return result


@contextlib.contextmanager
def _hooks(module: nn.Module, hooks: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    handles = [module.get_submodule(part).register_forward_hook(hook) for part, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Run:
    """One run of a module, with what its parts returned and what its softmaxes did."""

    def __init__(self, module: nn.Module, parts: Mapping[str, str], x: Tensor) -> None:
        self.module, self.parts, self.x = module, parts, x
        self.returned: dict[str, Tensor] = {}
        self.handed_out: Tensor | None = None

        def keep(role: str) -> Callable[..., None]:
            def hook(part: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
                self.returned[role] = output
                if role == "expand":
                    self.handed_out = args[0]

            return hook

        with _hooks(module, {part: keep(role) for role, part in parts.items()}):
            self.output, self.softmaxes = _run(module, x)
        self.origins = {role: self._origin(role) for role in ("theta", "rho")}

    def _origin(self, role: str) -> tuple[int, Tensor] | None:
        """Which softmax reads the role, and where each of its values comes from, as flat indices.

        The part's output is replaced by a code: distinct numbers in a random order. A softmax reads
        it when its input changes, and the rank of each value there tells which one it is. A second
        code must give the same answer, else more was done than moving values about.
        """
        out = self.returned[role]
        found: list[tuple[int, Tensor] | None] = []
        for seed in (0, 1):
            order = torch.randperm(out.numel(), generator=torch.Generator().manual_seed(seed)).to(out.device)
            code = order.to(out.dtype).reshape(out.shape).div(out.numel())
            with _hooks(self.module, {self.parts[role]: lambda part, args, output, code=code: code}):
                _, softmaxes = _run(self.module, self.x)
            changed = [
                index
                for index, (now, before) in enumerate(zip(softmaxes, self.softmaxes, strict=True))
                if not torch.equal(now[0], before[0])
            ]
            if not changed:
                found.append(None)
                continue
            values = softmaxes[changed[0]][0].flatten()
            if values.numel() != out.numel():
                raise _UnclearError
            by_code = torch.empty_like(order)
            by_code[order] = torch.arange(order.numel(), device=order.device)
            origin = torch.empty_like(order)
            origin[values.argsort()] = by_code
            found.append((changed[0], origin))
        first, second = found
        if first is None or second is None:
            return None
        if first[0] != second[0] or not torch.equal(first[1], second[1]):
            raise _UnclearError
        return first

    def axis(self, role: str) -> str | None:
        """Over what the role is normalised, in words."""
        origin = self.origins[role]
        if origin is None:
            return None
        logits, axis, _ = self.softmaxes[origin[0]]
        batch, count = self.returned[role].shape[:2]
        grid = self.returned[role].shape[2:]
        group = origin[1].reshape(logits.shape).movedim(axis, -1).flatten(0, -2)[0]
        moved = [
            word
            for word, values, size in (
                ("batch", group // (count * grid.numel()), batch),
                ("primitives", group // grid.numel() % count, count),
                ("positions", group % grid.numel(), grid.numel()),
            )
            for word in [word if len(values.unique()) == size else f"part of the {word}"]
            if len(values.unique()) > 1
        ]
        if not moved:  # groups of one value: n = 1 softmaxed over its primitives
            return "primitives" if count == 1 else "single values"
        return " and ".join("the batch" if word == "batch" else word for word in moved)

    def maps(self, role: str) -> Tensor:
        """The weights that the role became, (batch, n, N); its raw values where nothing normalises it."""
        out, origin = self.returned[role], self.origins[role]
        if origin is None:
            return out.flatten(2)
        weights = torch.empty_like(out).flatten()
        weights[origin[1]] = self.softmaxes[origin[0]][2].flatten()
        return weights.reshape(out.shape).flatten(2)

    def attended(self) -> Attended:
        """The module's own maps and bag."""
        gather, distribute = self.maps("theta"), self.maps("rho")
        primitives = self.returned["phi"].flatten(2) @ gather.transpose(1, 2)
        return Attended(primitives, gather, distribute, primitives @ distribute)


class _UnclearError(Exception):
    """A softmax reads a part, but not its values as they are."""


def _run(module: nn.Module, x: Tensor) -> tuple[Tensor, list[tuple[Tensor, int, Tensor]]]:
    with torch.no_grad(), _Softmaxes() as softmaxes:
        return module(x), softmaxes.seen


def _examine(name: str, module: nn.Module, parts: Mapping[str, str]) -> AdoptionReport:
    said = f"Module {name!r}" if name else "The network"
    for role, part in parts.items():
        try:
            module.get_submodule(part)
        except AttributeError as error:
            raise NetworkError(
                f"{said} has no submodule {part!r} for {role}. Correct the mapping."
            ) from error
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
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(weight.device, torch.float32)
    training = module.training
    module.eval()
    try:
        run = _Run(module, parts, x)
    except _UnclearError as error:
        raise NetworkError(
            f"{said} changes θ or ρ between its convolution and its softmax. Name the last submodule "
            "before the softmax in the mapping."
        ) from error
    except (RuntimeError, ValueError, TypeError, AssertionError, KeyError) as error:
        raise NetworkError(
            f"{said} does not run by itself on a tensor of {shape} ({error}). Adopt a module that takes "
            "one tensor (batch, channels, *positions), in float32."
        ) from error
    finally:
        module.train(training)
    phi, theta, rho = (run.returned[role] for role in ROLES[:3])
    if theta.shape[1] != rho.shape[1] or (run.origins["theta"] is None and run.origins["rho"] is None):
        raise NetworkError(
            f"{said} is no double attention: θ has {theta.shape[1]} and ρ {rho.shape[1]} channels, and "
            f"{'some' if run.softmaxes else 'no'} softmax was seen. Leave it out of the mapping."
        )
    expanded, handed_out = run.returned.get("expand"), run.handed_out
    result = run.output if handed_out is None else handed_out
    z = run.attended().output
    plain = run.output if expanded is None else expanded
    residual = plain.shape == x.shape == run.output.shape and _close(run.output, plain + x)
    if expanded is None and x.shape == run.output.shape and z.shape == x.flatten(2).shape:
        residual = _close(run.output.flatten(2), z + x.flatten(2))
        result = run.output - x if residual else run.output
    return AdoptionReport(
        name=name,
        c_m=int(phi.shape[1]),
        c_n=int(theta.shape[1]),
        theta_axis=run.axis("theta"),
        rho_axis=run.axis("rho"),
        expands=expanded is not None,
        residual=residual,
        factorises=result.numel() == z.numel() and _close(result.flatten(2), z),
    )


def _close(a: Tensor, b: Tensor) -> bool:
    return bool(torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(b.abs().max() + 1e-12)))
