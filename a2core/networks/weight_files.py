"""Weights out of files: safetensors, or what torch.save wrote, of which only tensors are read."""

from __future__ import annotations

import difflib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from a2core.errors import NetworkError
from a2core.languages import sentence
from a2core.networks.spec import WEIGHT_FILES

# Under which training scripts put the network's own tensors, beside optimizers and counters.
_WRAPPED = ("state_dict", "model_state_dict", "model", "net", "network", "module", "params")
_SHOWN = 3


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name.

    Raises:
        NetworkError: no such file, one that is neither kind, or that holds more than tensors.
    """
    if path.suffix not in WEIGHT_FILES:
        raise NetworkError(
            "{file} is no file of weights. Give one of {known}.",
            file=path.name,
            known=", ".join(WEIGHT_FILES),
        )
    try:
        if path.suffix == ".safetensors":
            return load_tensors(path.read_bytes())
        told = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise NetworkError("There is no file {path}. Give the path of the weights.", path=path) from error
    except OSError as error:
        raise NetworkError(
            "{path} cannot be read ({why}).", path=path, why=error.strerror or str(error)
        ) from error
    except SafetensorError as error:
        raise NetworkError(
            "{file} is not a safetensors file ({why}). Copy it again.", file=path.name, why=str(error)
        ) from error
    except pickle.UnpicklingError as error:
        raise NetworkError(
            "{file} holds more than tensors, which could run code when it is opened, so it is not. "
            "Where it was made, save them alone: torch.save(network.state_dict(), …).",
            file=path.name,
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise NetworkError(
            "{file} is not what torch.save writes ({why}). Copy it again.", file=path.name, why=str(error)
        ) from error
    return _tensors_in(told, path.name)


def _tensors_in(told: Any, name: str) -> dict[str, Tensor]:
    for key in _WRAPPED:
        if isinstance(told, Mapping) and isinstance(told.get(key), Mapping):
            told = told[key]
    tensors = dict(told) if isinstance(told, Mapping) else {}
    found = {str(key): value for key, value in tensors.items() if isinstance(value, Tensor)}
    if not found:
        raise NetworkError("{name} holds no tensors by name. Save network.state_dict().", name=name)
    return found


def fitted(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`tensors` by the names of `wanted`: without what was put before all of them ("module.", "model.").

    As they are where that makes no more of them fit.
    """
    best = dict(tensors)
    known = sum(name in wanted for name in best)
    stripped = dict(tensors)
    while stripped and all("." in name for name in stripped):
        first = {name.partition(".")[0] for name in stripped}
        if len(first) > 1:
            break
        stripped = {name.partition(".")[2]: tensor for name, tensor in stripped.items()}
        now = sum(name in wanted for name in stripped)
        if now > known:
            best, known = stripped, now
    return best


def classes_of(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> int | None:
    """How many classes the weights are for, where that is all in which they differ from the network's."""
    counts = set()
    for name, tensor in wanted.items():
        given = tensors.get(name)
        if given is None or given.shape == tensor.shape:
            continue
        if given.dim() == 0 or given.shape[1:] != tensor.shape[1:]:
            return None
        counts.add(given.shape[0])
    return counts.pop() if len(counts) == 1 else None


def fill_network(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy weights into `network`; all must be there, of the right shape, and none left over.

    Counters of batch norms (`num_batches_tracked`), which change no answer, may be missing.

    Raises:
        NetworkError: naming the first few that do not fit, and the nearest name of each.
    """
    wanted = network.state_dict()
    missing = [n for n in wanted if n not in tensors and not n.endswith("num_batches_tracked")]
    extra = [name for name in tensors if name not in wanted]
    faults = [f"{name!r} is missing{_nearest(name, extra)}" for name in missing]
    if not missing:
        faults += [f"{name!r} belongs to no module" for name in extra]
    faults += [
        f"{name!r} has shape {tuple(tensors[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    if faults:
        more = sentence(" and {count} more", count=len(faults) - _SHOWN) if len(faults) > _SHOWN else ""
        raise NetworkError(
            "{source} does not fit the network: {faults}{more}.",
            source=source,
            faults="; ".join(faults[:_SHOWN]),
            more=more,
        )
    network.load_state_dict(dict(tensors), strict=False)


def _nearest(name: str, others: list[str]) -> str:
    near = difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return f" (the file has {near[0]!r})" if near else ""
