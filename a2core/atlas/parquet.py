"""The library that reads and writes Parquet, loaded when it is used."""

from __future__ import annotations

from typing import Any

from a2core.errors import AtlasError

_REMEDY = "An atlas needs pyarrow. Install it: pip install 'a2nets[atlas]'."


def parquet() -> Any:
    """`pyarrow.parquet`.

    Raises:
        AtlasError: it is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise AtlasError(_REMEDY) from error
    return pyarrow.parquet


def arrow() -> Any:
    """`pyarrow`.

    Raises:
        AtlasError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise AtlasError(_REMEDY) from error
    return pyarrow
