"""Files that commands write where they are told to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from a2core.errors import A2Error


@contextlib.contextmanager
def writing(path: Path, option: str) -> Iterator[None]:
    """While open, `path` is written, which `option` of the command line named.

    Raises:
        A2Error: the disk or the folder does not let it.
    """
    try:
        yield
    except OSError as error:
        raise A2Error(f"Cannot write {path} ({error.strerror}). Choose another {option}.") from error
