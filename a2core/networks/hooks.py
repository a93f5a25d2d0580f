"""Hooks on modules that are gone again whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from torch.utils.hooks import RemovableHandle


@contextlib.contextmanager
def hooked(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Hooks for as long as it is open.

    Args:
        handles: what registering them returned. A generator registers them here, so that one which a module
            refuses leaves none of those before it behind.
    """
    with contextlib.ExitStack() as hooks:
        for handle in handles:
            hooks.enter_context(handle)
        yield
