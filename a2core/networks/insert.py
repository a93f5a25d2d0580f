"""Putting blocks behind modules of any torch network, finding them there, and taking them away.

What stands for a module and the block behind it is a `WithBlock`: a module with two children, `host` and
`block`, seen as what it is by everything that copies, saves, converts or traces networks. Not a forward
hook on the host: docs/architecture.md says what was tried and what it lost.

Modules are named here as the network itself names them ("layer3.0"), whatever was put round them since:
a block, torch.compile, DataParallel.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.fx
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from a2core.blocks.position_block import PositionBlock
from a2core.errors import NetworkError
from a2core.networks.layout import Layout, layout_of, misfit


class WithBlock(nn.Module):
    """A module of the network, `host`, followed by an inserted block, `block`.

    Length, iteration, indexing and public attributes are the host's, read and written, so that code
    which looks into the network (`network.layer3[0].conv1`) goes on working. Methods of the host are not
    offered: they would run it without its block. Nor are names with an underscore, by which Python and
    torch ask a module how it is to be copied, saved or run: those are answered for host and block.

    Raises:
        NetworkError: from `forward`, when the host returns something that the block cannot take.
    """

    _place = ""
    _layout: Layout | None = None  # of what the host returns; found by the first run where nobody said
    _prefix = 0  # tokens before those of the picture, should they be tokens

    def __init__(
        self,
        host: nn.Module,
        block: nn.Module,
        place: str = "",
        *,
        prefix: int = 0,
        layout: Layout | None = None,
    ) -> None:
        super().__init__()
        self.host = host
        self.block = block
        self._place, self._prefix, self._layout = place, prefix, layout

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The block applied to what the host returns."""
        features = self.host(*args, **kwargs)
        block = self.block
        if isinstance(features, torch.fx.Proxy):
            # What a block does depends on the shape, so that torch.fx can only take it whole.
            tracer: Any = features.tracer
            return tracer.create_proxy("call_module", tracer.path_of_module(block), (features,), {})
        if not isinstance(features, Tensor):
            raise NetworkError(
                f"Module {self._place!r} returns a {type(features).__name__}, not a tensor, so no block can "
                "stand behind it. Choose a module inside it that returns (batch, channels, *positions)."
            )
        if not isinstance(block, PositionBlock):
            return block(features)
        layout = self._layout_of(args, features, block)
        block.in_line = layout.axes == "tokens"
        return layout.through(block, features)

    def _layout_of(self, args: tuple[Any, ...], features: Tensor, block: PositionBlock) -> Layout:
        known, shape = self._layout, tuple(features.shape)
        if known is not None:
            axes = 3 if known.axes == "tokens" else block.dims + 2
            axis = 1 if known.axes == "NCHW" else -1
            if len(shape) != axes or shape[axis] != block.in_channels:
                raise NetworkError(misfit(self._place, shape, block.in_channels, block.dims))
            return known
        asked = self._place, self.host, args, features, block.in_channels, block.dims, self._prefix
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return Layout()  # nothing is tried while torch writes down what runs
        self._layout = layout_of(*asked)  # once: the next time it is the same axis
        return self._layout

    def __getattr__(self, name: str) -> Any:
        if name in ("host", "block") or self._is_own(name):
            return super().__getattr__(name)
        found = getattr(self.host, name)
        if inspect.ismethod(found):
            raise AttributeError(
                f"{name} of module {self._place!r} would run it without the block behind it. Call the "
                f"module itself, or .host.{name} to leave the block out."
            )
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_own(name):
            super().__setattr__(name, value)
        else:
            setattr(self.host, name, value)

    def __delattr__(self, name: str) -> None:
        if self._is_own(name):
            super().__delattr__(name)
        else:
            delattr(self.host, name)

    def _is_own(self, name: str) -> bool:
        own = name in ("host", "block", "training") or name.startswith("_") or hasattr(type(self), name)
        return own or "host" not in self.__dict__.get("_modules", ())

    def __bool__(self) -> bool:
        return bool(self.host)

    def __len__(self) -> int:
        return len(self.host)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.host)  # type: ignore[call-overload]

    def __getitem__(self, index: Any) -> Any:
        return self.host[index]  # type: ignore[index]

    def __setitem__(self, index: Any, module: nn.Module) -> None:
        self.host[index] = module  # type: ignore[operator]


@dataclass(frozen=True)
class _Place:
    """A name of the network, where in it that is, and what stands there, outermost first."""

    name: str
    parent: nn.Module | None
    key: str
    standing: tuple[nn.Module, ...]  # the last is the module that the network itself calls by this name

    @property
    def carrier(self) -> WithBlock | None:
        """What holds the block behind this place."""
        return next((module for module in self.standing if isinstance(module, WithBlock)), None)

    def put(self, new: nn.Module) -> None:
        """Let `new` stand here instead."""
        setattr(self.parent, self.key, new)


def insert_blocks(
    network: nn.Module, blocks: Mapping[str, nn.Module], *, layouts: Mapping[str, Layout] | None = None
) -> nn.Module:
    """Insert each block behind the module that it is named for; changes and returns `network`.

    Modules may return (batch, channels, *positions), (batch, rows, columns, channels) or, with a block of
    two position axes, (batch, tokens, channels).

    Args:
        network: any torch network; load its own weights first, since the host's parameters move
            from `name.*` to `name.host.*`.
        blocks: module name, as in `network.named_modules()`, to block, in any order; one may lie inside
            another. A module that the network holds under several names gets a block at those that are
            named. Nothing is changed unless every name is found.
        layouts: of what these modules return, by name. Of others the first run finds it; tokens before
            those of the picture are so many as the network says it has (`num_prefix_tokens`, a class
            token), else none.

    Raises:
        NetworkError: an unknown name (the nearest ones are named), the network itself, a module that
            already carries a block or is never where a block can go, a place that exists once under
            several names, a block that already stands in the network, or one made for another number
            of channels. What only a run can tell is raised by the first run, by name.
    """
    places = _places(network)
    found = {name: _find(network, places, name) for name in blocks}
    standing = {id(module): name for name, module in network.named_modules()}
    for name, block in blocks.items():
        place = found[name]
        _check_alone(place, places)
        _check_place(place, block)
        if id(block) in standing:
            raise NetworkError(
                f"The block for {name!r} already stands at {standing[id(block)]!r}. Give each place a block "
                "of its own: copy.deepcopy(block), or copy.copy(block), which shares its weights."
            )
        standing[id(block)] = name
    if len({place.name for place in found.values()}) < len(found):
        raise NetworkError(f"Of {', '.join(map(repr, found))} two are one module. Insert each block once.")
    for name, block in blocks.items():
        place = found[name]
        training = place.standing[-1].training
        carrier = WithBlock(
            place.standing[0],
            block.train(training),
            place.name,
            prefix=prefix_tokens(network),
            layout=(layouts or {}).get(name),
        )
        carrier.training = training  # and nothing inside the host, where norms may be kept still
        place.put(carrier)
    return network


def prefix_tokens(network: nn.Module) -> int:
    """How many tokens a Transformer says that it puts before those of the picture; 0 of any other network."""
    inner = underneath(network)
    told = getattr(inner, "num_prefix_tokens", None)
    if isinstance(told, int):
        return told
    return int(isinstance(getattr(inner, "class_token", None), nn.Parameter))


def prefix_names(network: nn.Module) -> tuple[str, ...]:
    """What the tokens are that a Transformer puts before those of the picture, in order; () if unknown."""
    inner: Any = underneath(network)
    parts = {"cls_token": "class token", "class_token": "class token", "dist_token": "distillation token"}
    known = [word for name, word in parts.items() if isinstance(getattr(inner, name, None), nn.Parameter)]
    return (*known, *(f"register {k}" for k in range(getattr(inner, "num_reg_tokens", 0))))


def layout_at(network: nn.Module, name: str) -> Layout | None:
    """The layout in which module `name` hands its features to the block behind it; None until it ran.

    Raises:
        NetworkError: there is no such module.
    """
    carrier = _find(network, _places(network), name).carrier
    return None if carrier is None else carrier._layout


def remove_blocks(network: nn.Module, names: Iterable[str] | None = None) -> dict[str, nn.Module]:
    """Take blocks out of `network`, which is then as before `insert_blocks`; returns them by name.

    Args:
        network: changed in place.
        names: of the modules that the blocks stand behind; all, when None.

    Raises:
        NetworkError: a module with no block behind it. Nothing is changed then.
    """
    places = _places(network)
    carriers = [place for place in places.values() if place.carrier is not None]
    found = carriers if names is None else [_find(network, places, name) for name in names]
    for place in found:
        if place.carrier is None:
            known = ", ".join(repr(other.name) for other in carriers) or "none"
            raise NetworkError(f"There is no block behind {place.name!r}. There are {known}.")
    taken = {}
    for place in found:
        carrier = place.carrier
        if carrier is not None:
            taken[place.name] = underneath(carrier.block)
            place.put(carrier.host)
    return taken


def inserted_blocks(network: nn.Module) -> dict[str, nn.Module]:
    """The blocks of `network`, by the name of the module each one stands behind, in network order.

    One that the network holds under several names has the first of them.
    """
    found: dict[int, tuple[str, nn.Module]] = {}
    for place in _walk(network):
        if place.carrier is not None:
            found.setdefault(id(place.carrier), (place.name, underneath(place.carrier.block)))
    return dict(found.values())


def named_parts(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """As `network.named_modules()`, but by the network's own names and without inserted blocks.

    A module held under several names comes once, under the first.
    """
    seen: set[int] = set()
    for place in _walk(network):
        module = place.standing[-1]
        if id(module) not in seen:
            seen.add(id(module))
            yield place.name, module


def module_at(network: nn.Module, name: str) -> nn.Module:
    """What stands at `name`, the block behind it included.

    Raises:
        NetworkError: there is no such module.
    """
    return _find(network, _places(network), name).standing[0]


def plain_key(network: nn.Module, key: str) -> str:
    """A name of `network.state_dict()` without what torch.compile and DataParallel put between."""
    return _without(_shell_key, network, key)[0]


def underneath(module: nn.Module) -> nn.Module:
    """The module itself where torch.compile, DataParallel and their like stand round it."""
    while key := _shell_key(module):
        module = module.get_submodule(key)
    return module


def replace_module(network: nn.Module, name: str, new: nn.Module) -> None:
    """Put `new` where module `name` (dotted, as in `named_modules()`, not empty) of `network` was."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)


def _shell_key(module: nn.Module) -> str:
    """The name of the one child of what only stands round a module; "" of any other module."""
    if "_orig_mod" in module._modules:  # torch.compile's own name for it; its class takes a second to import
        return "_orig_mod"
    return "module" if isinstance(module, DataParallel | DistributedDataParallel | AveragedModel) else ""


def _inner_key(module: nn.Module) -> str:
    """The same where an inserted block stands behind the module, too."""
    return "host" if isinstance(module, WithBlock) else _shell_key(module)


def _without(
    passed: Callable[[nn.Module], str], network: nn.Module, name: str
) -> tuple[str, nn.Module | None]:
    """A dotted name without the children that `passed` names, and the module that it leads to."""
    at: nn.Module | None = network
    kept = []
    for part in name.split("."):
        if at is None or part != passed(at):
            kept.append(part)
        at = None if at is None else at._modules.get(part)
    return ".".join(kept), at


def _walk(
    module: nn.Module, name: str = "", parent: nn.Module | None = None, key: str = ""
) -> Iterator[_Place]:
    """Every place of the network under each of its names, parents first; blocks are no places."""
    standing = [module]
    while inner := _inner_key(standing[-1]):
        standing.append(standing[-1].get_submodule(inner))
    yield _Place(name, parent, key, tuple(standing))
    for child_key, child in standing[-1]._modules.items():
        if child is not None:
            yield from _walk(child, f"{name}.{child_key}" if name else child_key, standing[-1], child_key)


def _places(network: nn.Module) -> dict[str, _Place]:
    return {place.name: place for place in _walk(network)}


def _find(network: nn.Module, places: Mapping[str, _Place], name: str) -> _Place:
    if name not in places:  # perhaps as named_modules() has it once there are blocks
        plain, module = _without(_inner_key, network, name)
        if module is None or plain not in places:
            nearest = difflib.get_close_matches(name, [known for known in places if known], n=3, cutoff=0.4)
            hint = f"The nearest are {', '.join(map(repr, nearest))}." if nearest else "See named_modules()."
            raise NetworkError(f"The network has no module {name!r}. {hint}")
        name = plain
    if name == "":
        raise NetworkError("A block goes behind a named module of the network, not the network itself.")
    return places[name]


def _check_alone(place: _Place, places: Mapping[str, _Place]) -> None:
    for other in places.values():
        if other is not place and other.parent is place.parent and other.key == place.key:
            ours, theirs = place.name.rpartition(".")[0], other.name.rpartition(".")[0]
            raise NetworkError(
                f"{place.name!r} is {other.name!r} too, since the network holds one module as {ours!r} and "
                f"as {theirs!r}: a block would stand at both. Make one of them a copy.deepcopy first."
            )


def _check_place(place: _Place, block: nn.Module) -> None:
    name, host = place.name, place.standing[-1]
    if place.carrier is not None:
        raise NetworkError(f"Module {name!r} already carries a block. Insert each block once.")
    if isinstance(host, nn.ModuleList | nn.ModuleDict | nn.ParameterList | nn.ParameterDict):
        raise NetworkError(
            f"Module {name!r} is only a list of modules and is never run itself. Choose one inside it, "
            f"such as {name + '.0'!r}."
        )
    if isinstance(host, nn.Linear | nn.Embedding | nn.Flatten | nn.Bilinear):
        raise NetworkError(
            f"Module {name!r} is a {type(host).__name__}, which returns no grid of positions. Choose a "
            "module that returns (batch, channels, *positions)."
        )
    channels = getattr(host, "out_channels", None) or getattr(host, "num_features", None)
    if isinstance(block, PositionBlock) and isinstance(channels, int) and channels != block.in_channels:
        raise NetworkError(
            f"Module {name!r} returns {channels} channels; the block is made for {block.in_channels}. "
            f"Make it with in_channels={channels}."
        )
