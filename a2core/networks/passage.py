"""Running a network in parts, which is believed only once it was held against the whole pass.

What stands behind a block can be run again without what stands before it, and a clip goes through a
network a few frames at a time, if the network is a chain of modules. Its class says so; a subclass, a
`forward` that was assigned, or a hook may do otherwise between the same modules. So nobody takes the
class's word: the parts are run once beside the network, and where they are not the same the whole
network is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, A2Error

_CLOSE = 1e-3  # of the norm: batches of another size round otherwise, on some GPUs in ten bits


class Passage:
    """The way through one network."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self._seen: tuple[Any, bool] | None = None

    def holds(self, parts: Sequence[nn.Module], like: Tensor) -> bool:
        """Whether `parts`, one after the other, do what the whole network does.

        Looked at once, on noise of the shape of `like` (two entries of the batch at most), and again
        when something was put around the parts since: a hook, a `forward`, another module.

        Raises:
            Exception: what the network itself raises at such an input.
        """
        state = _around(self.network, parts)
        if self._seen is None or self._seen[0] != state:
            self._seen = state, _same(self.network, parts, like)
        return self._seen[1]


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
    handles = [
        part.register_forward_pre_hook(beside.meet, prepend=True) for part in beside.known.intersection(parts)
    ]
    try:
        answer = network(noise)
    finally:
        for handle in handles:
            handle.remove()
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
