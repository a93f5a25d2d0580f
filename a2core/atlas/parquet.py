"""The library that reads and writes Parquet, loaded when it is used."""

from __future__ import annotations

from typing import Any

from a2core.errors import AtlasError
from a2core.extras import need_extra


def parquet() -> Any:
    """`pyarrow.parquet`.

    Raises:
        AtlasError: it is not installed.
    """
    need_extra("atlas", "An atlas", AtlasError)
    import pyarrow.parquet

    return pyarrow.parquet


def arrow() -> Any:
    """`pyarrow`.

    Raises:
        AtlasError: it is not installed.
    """
    need_extra("atlas", "An atlas", AtlasError)
    import pyarrow

    return pyarrow
