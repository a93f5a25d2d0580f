"""The one way through a network: whole, until a module, or on from one.

What stands behind a block can be run again without what stands before it, and a clip goes through a
network a few frames at a time, if the network is a chain of modules. Its class says so (`chain.py`); a
subclass, a `forward` that was assigned, or a hook may do otherwise between the same modules. So nobody
takes the class's word: the parts are run once beside the network, and where they are not the same the
whole network is run.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, A2Error, NetworkError
from a2core.networks.chain import chain
from a2core.networks.hooks import hooked
from a2core.networks.insert import module_at

_CLOSE = 1e-3  # of the norm: batches of another size round otherwise, on some GPUs in ten bits


class Passage:
    """The way through one network.

    Attributes:
        network: which.
        chain: its modules one after the other, inserted blocks standing for themselves, where its kind is
            known to be that; None where it is not.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.chain = chain(network)
        self._seen: tuple[Any, bool] | None = None

    def parts(self, like: Tensor) -> tuple[nn.Module, ...] | None:
        """`chain`, seen to do what the whole network does on such inputs; None: only the whole is true.

        Looked at once, on noise of the shape of `like` (two entries of the batch at most), and again
        when something was put around the parts since: a hook, a `forward`, another module.

        Raises:
            Exception: what the network itself raises at such an input.
        """
        if self.chain is None:
            return None
        parts = tuple(self.chain)
        state = _around(self.network, parts)
        if self._seen is None or self._seen[0] != state:
            self._seen = state, _same(self.network, parts, like)
        return parts if self._seen[1] else None

    def until(self, x: Tensor, *names: str) -> dict[str, Tensor]:
        """What the modules `names` return on `x`, blocks behind them applied; nothing runs after the last.

        Works for any network: it is left in the middle of its pass.

        Raises:
            NetworkError: no such module, or one that did not run or returned no tensor.
        """
        wanted = {name: module_at(self.network, name) for name in names}
        found: dict[str, Tensor] = {}
        thread = threading.get_ident()

        def keep(name: str) -> Callable[..., None]:
            def look(_: nn.Module, __: Any, output: Any) -> None:
                if threading.get_ident() != thread:
                    return  # another pass through the same network, beside this one
                if not isinstance(output, Tensor):
                    raise NetworkError(
                        f"Module {name!r} returns a {type(output).__name__}, no tensor. Choose a module "
                        "that returns features."
                    )
                found.setdefault(name, output)
                if len(found) == len(wanted):
                    raise _ReachedError

            return look

        looks = (module.register_forward_hook(keep(name)) for name, module in wanted.items())
        with hooked(looks), contextlib.suppress(_ReachedError):
            if wanted:
                self.network(x)
        missing = [name for name in names if name not in found]
        if missing:
            raise NetworkError(
                f"Module {missing[0]!r} did not run. Choose one that every input goes through."
            )
        return {name: found[name] for name in names}

    def onwards(self, module: nn.Module, like: Tensor | None) -> Onwards:
        """The rest of the network behind `module`, a block or any other of it.

        Args:
            module: hands out what the rest is run on.
            like: as of `parts`, to see whether the rest can run by itself; None takes the chain's word for
                it, of those who made the network themselves.
        """
        parts = self.chain if like is None else self.parts(like)
        at = next((index for index, part in enumerate(parts or ()) if part is module), None)
        return Onwards(self.network, module, None if at is None else tuple((parts or ())[at + 1 :]))


class Onwards:
    """The rest of a network behind one of its modules.

    Attributes:
        behind: the modules that follow, in their order; None: the whole network runs, with what the module
            hands out put in its place.
    """

    def __init__(self, network: nn.Module, module: nn.Module, behind: tuple[nn.Module, ...] | None) -> None:
        self.network, self.module, self.behind = network, module, behind

    def __call__(self, y: Tensor, x: Callable[[], Tensor]) -> Any:
        """The network's answer when the module hands out `y`.

        Args:
            y: what the module hands out; what follows may write over it.
            x: makes the network's input, asked for where the whole network runs.
        """
        if self.behind is not None:
            for part in self.behind:
                y = part(y)
            return y
        with self.module.register_forward_hook(lambda *_: y):
            return self.network(x())


class _ReachedError(Exception):
    """Not a fault: everything that was asked for has run."""


def _around(network: nn.Module, parts: Sequence[nn.Module]) -> tuple[Any, ...]:
    """The parts, and all that is around them: modules that hold them, what was hung on these."""
    inside = {module for part in parts for module in part.modules()}
    holders = [module for module in network.modules() if module not in inside]
    return (
        *parts,
        *(
            (
                holder,
                type(holder),
                vars(holder).get("forward"),
                tuple(holder._forward_pre_hooks.values()),
                tuple(holder._forward_hooks.values()),
                tuple(holder._modules.values()),
            )
            for holder in holders
        ),
    )


@torch.no_grad()
def _same(network: nn.Module, parts: Sequence[nn.Module], like: Tensor) -> bool:
    """Whether each part gets from the one before it what it gets in the whole pass, and the last answers."""
    noise = torch.randn(like[:2].shape, generator=torch.Generator().manual_seed(0)).to(like)
    beside = _Beside(network, parts, noise.clone())
    meets = (
        part.register_forward_pre_hook(beside.meet, prepend=True) for part in beside.known.intersection(parts)
    )
    with hooked(meets):
        answer = network(noise)
    return beside.arrives(answer)


class _Beside:
    """Walks the parts beside a whole pass: whatever part the network comes to, both bring it the same."""

    def __init__(self, network: nn.Module, parts: Sequence[nn.Module], x: Tensor) -> None:
        self.known = set(network.modules())  # a chain may hold more: a ResNet flattens in passing
        self.parts, self.at, self.x = tuple(parts), 0, x
        self.agrees, self.walking = True, False

    def meet(self, part: nn.Module, args: tuple[Any, ...]) -> None:
        """The network is about to run `part`."""
        if self.walking or not self.agrees:
            return
        self._walk(until_known=True)
        here = self.parts[self.at] if self.at < len(self.parts) else None
        self.agrees = self.agrees and part is here and _close(args[0] if args else None, self.x)
        self._walk()

    def arrives(self, answer: Any) -> bool:
        """Whether the parts end where the network does."""
        self._walk(until_known=True)
        return self.agrees and self.at == len(self.parts) and _close(answer, self.x)

    def _walk(self, *, until_known: bool = False) -> None:
        """Run the next part; or all up to the next that the network will meet."""
        self.walking = True
        try:
            while self.agrees and self.at < len(self.parts):
                part = self.parts[self.at]
                if until_known and part in self.known:
                    break
                # An entry at a time: a network that mixes the entries of a batch is no such chain.
                self.x = torch.cat([part(entry) for entry in self.x.split(1)])
                self.at += 1
                if not until_known:
                    break
        except torch.OutOfMemoryError:
            raise
        except (A2Error, *FORWARD_FAULTS):
            self.agrees = False
        finally:
            self.walking = False


def _close(a: Any, b: Tensor) -> bool:
    if not isinstance(a, Tensor) or a.shape != b.shape:
        return False
    return bool((a.float() - b.float()).norm() <= _CLOSE * b.float().norm())
