"""What is installed beside the core on request only: the extras of pyproject.toml, and what is said without.

`pip install a2nets` is the core alone. What needs more calls `need_extra(EXTRA, …)` before it imports it, so
that a library that is missing is said once, with the one command that puts it right.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType

from a2core.errors import A2Error, MissingExtraError

# By extra, the modules that it brings and our code imports; a test holds them to pyproject.toml.
EXTRAS: dict[str, tuple[str, ...]] = {
    "app": ("streamlit", "plotly", "skimage", "segno"),
    "train": ("sklearn", "torchcam", "tqdm", "tensorboard"),  # and a teacher's weights, which wheels.py says
    "video": ("av",),
    "notebook": ("anywidget",),
    "atlas": ("pyarrow",),
    "ray": ("ray",),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
}

_ONE_IS_MISSING = (
    "{what} needs {modules}, which is not installed. "
    "Install the extra: pip install 'a2nets[{extra}]'{instead}."
)
_SEVERAL_ARE_MISSING = (
    "{what} needs {modules}, which are not installed. "
    "Install the extra: pip install 'a2nets[{extra}]'{instead}."
)

# Libraries that tell their makers how they are used, and what keeps them from it, read when they are first
# imported: what people look at here is nobody's business. Whoever sets these otherwise is left to it.
UNTOLD = {"onnxruntime": ("ORT_DISABLE_TELEMETRY", "1"), "ray": ("RAY_USAGE_STATS_ENABLED", "0")}


def quiet(module: str) -> ModuleType:
    """The library of that name, imported so that it tells nobody of its use."""
    os.environ.setdefault(*UNTOLD[module])
    return importlib.import_module(module)


def missing(extra: str) -> list[str]:
    """The modules of an extra that are not installed, nothing being imported for that."""
    return [name for name in EXTRAS[extra] if not _is_there(name)]


def need_extra(extra: str, what: str, error: type[A2Error] = MissingExtraError, *, instead: str = "") -> None:
    """Say that an extra is missing, where it is.

    Args:
        extra: by its name in pyproject.toml.
        what: what cannot be done without, the subject of the sentence: "Training".
        error: the type to raise, for what has one of its own.
        instead: what can be done without installing it, the end of the last sentence.

    Raises:
        MissingExtraError: or `error`; one or two sentences with the extra's name.
    """
    absent = missing(extra)
    if absent:
        said = _ONE_IS_MISSING if len(absent) == 1 else _SEVERAL_ARE_MISSING
        raise error(said, what=what, modules=" and ".join(absent), extra=extra, instead=instead)


def _is_there(module: str) -> bool:
    if module in sys.modules:
        return sys.modules[module] is not None
    return importlib.util.find_spec(module) is not None
