"""Checkpoints: a safetensors file holding only what we trained, with a JSON card beside it.

A checkpoint is `NAME.safetensors` and `NAME.json`. The card says which network the tensors belong
to, how they were trained, what was measured, and the file's sha256; a file that does not fit its
card is refused. Nothing is ever unpickled.

Of a network whose trunk stayed as published only the blocks are stored, and a classifier of other
classes; of one that was trained whole, everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from a2core.card import CARD_FORMAT, LARGEST_BYTES, Card, parse_card
from a2core.errors import CheckpointError
from a2core.languages import sentence
from a2core.networks.backbones import classifier_of
from a2core.networks.insert import plain_key

# Beside the packages in the repository, inside of this one where it was installed from a wheel.
_INSTALLED = Path(__file__).resolve().parent / "shipped"
SHIPPED = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).resolve().parent.parent / "checkpoints"
TRAINING_STATE = "state.pt"  # what a run of `train` goes on from; it lies beside what it wrote
_PICKLES = {".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt"}


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint as listed.

    Attributes:
        name, path: what it goes by, and its file.
        card: all that its card says, a plain dictionary; {} where the card cannot be used.
        fault: why it cannot be used; "" where it can.
        contents: the card's entries that we read, checked; None where there is a fault.
    """

    name: str
    path: Path
    card: dict[str, Any]
    fault: str = ""
    contents: Card | None = None


def checkpoint_folder() -> Path:
    """Where named checkpoints are looked for: A2_CHECKPOINTS when set, else the project's own folder."""
    return Path(os.environ.get("A2_CHECKPOINTS", SHIPPED))


def list_checkpoints(folder: Path | None = None) -> list[CheckpointInfo]:
    """Every checkpoint in `folder`, by name, with what is wrong where something is.

    Only cards are read and sizes compared; tensors are verified when a checkpoint is loaded. Pickles
    lying there are listed with their refusal, since someone put them there hoping; a run's own state, and
    hidden files, such as those that macOS puts beside others, are none.

    Raises:
        CheckpointError: the folder itself cannot be looked into.
    """
    folder = folder or checkpoint_folder()
    try:
        paths = sorted(folder.iterdir(), key=lambda path: path.stem) if folder.is_dir() else []
    except OSError as error:
        raise CheckpointError(
            "The folder {folder} cannot be looked into ({why}). Allow it, or set A2_CHECKPOINTS.",
            folder=folder,
            why=error.strerror,
        ) from error
    return [
        _listed(path)
        for path in paths
        if not path.name.startswith(".")
        and path.name != TRAINING_STATE
        and (path.suffix == ".safetensors" or path.suffix in _PICKLES)
    ]


def _listed(path: Path) -> CheckpointInfo:
    name = path.stem.encode(errors="replace").decode()
    try:
        if name != path.stem:
            raise CheckpointError("{name} has a file name that is not UTF-8. Rename it.", name=name)
        card = read_card(path)
    except CheckpointError as error:
        return CheckpointInfo(name, path.with_name(name + path.suffix), {}, error.args[0])
    return CheckpointInfo(name, path, dict(card.entries), contents=card)


def read_card(path: Path) -> Card:
    """The card beside checkpoint `path`.

    Raises:
        CheckpointError: a pickle, no card, a card that is not one (`card.parse_card`), or a file of
            another size than the card says.
    """
    if path.suffix in _PICKLES:
        raise CheckpointError(
            "{file} is a pickle, which can run any code when it is opened, so it is not. Save its "
            "tensors with a2core.save_checkpoint or as .safetensors with a card.",
            file=path.name,
        )
    card_path = path.with_suffix(".json")
    try:
        with card_path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise CheckpointError(
            "{file} has no card. Put {card}, written with it, beside it.", file=path.name, card=card_path.name
        ) from error
    except OSError as error:
        raise CheckpointError(
            "The card {card} cannot be read ({why}). Restore it.", card=card_path.name, why=str(error)
        ) from error
    card = parse_card(data, card_path.name)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CheckpointError(
            "{file} cannot be read ({why}). Copy it again.", file=path.name, why=error.strerror
        ) from error
    if size != card.size_bytes:
        fault = "cut off" if size < card.size_bytes else "larger than it should be"
        raise CheckpointError(
            "{file} is {fault}: {size} bytes, its card says {told}. Copy the file again.",
            file=path.name,
            fault=fault,
            size=size,
            told=card.size_bytes,
        )
    return card


def find_checkpoint(name_or_path: str | os.PathLike[str]) -> Path:
    """The file of a checkpoint given by name or path.

    Raises:
        CheckpointError: there is none; the message lists those that there are.
    """
    text = os.fspath(name_or_path)
    path = Path(text)
    if path.suffix == ".json":
        path = path.with_suffix(".safetensors")
    if path.is_file() and (path.suffix == ".safetensors" or path.suffix in _PICKLES):
        return path
    if path.is_file():
        raise CheckpointError(
            "{file} is no checkpoint. Give a .safetensors file with its card beside it.", file=path.name
        )
    named = checkpoint_folder() / f"{text}.safetensors"
    if Path(text).name == text and named.is_file():
        return named
    known = ", ".join(info.name for info in list_checkpoints() if not info.fault) or "none"
    raise CheckpointError(
        "There is no checkpoint {text!r}. Known by name: {known}; or give a path.", text=text, known=known
    )


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], Card]:
    """Tensors and card of a checkpoint, verified against each other.

    Raises:
        CheckpointError: as `read_card`, or the content is not what the card's sha256 says.
    """
    card = read_card(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            "{file} cannot be read ({why}). Copy it again.", file=path.name, why=error.strerror
        ) from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise CheckpointError(
            "{file} is not the file its card describes (sha256). Copy both again.", file=path.name
        )
    try:
        return load_tensors(data), card
    except SafetensorError as error:
        raise CheckpointError(
            "{file} is not a safetensors file ({why}). Copy it again.", file=path.name, why=str(error)
        ) from error


def stored_tensors(
    blocks: Mapping[str, nn.Module], network: nn.Module | None, architecture: Mapping[str, Any]
) -> dict[str, Tensor]:
    """What a checkpoint of such an architecture stores, by the names it has there; live, not copied.

    "<module name>/<tensor name>" of the blocks. Of the rest of the network, by "network/<tensor name>",
    all when the card says that the trunk is the checkpoint's own, and the classifier when it has
    classes of its own.
    """
    stored = {
        f"{name}/{plain_key(block, key)}": tensor
        for name, block in blocks.items()
        for key, tensor in block.state_dict().items()
    }
    own_trunk = architecture.get("trunk") == "own"
    if network is not None and (own_trunk or "labels" in architecture):
        inside = {id(t) for block in blocks.values() for t in block.state_dict(keep_vars=True).values()}
        kept = ("",) if own_trunk else tuple(f"{name}." for name in classifier_of(architecture))
        whole = {plain_key(network, key): t for key, t in network.state_dict(keep_vars=True).items()}
        stored |= {
            f"network/{key}": tensor.detach()
            for key, tensor in whole.items()
            if id(tensor) not in inside and key.startswith(kept)
        }
    return stored


def fill_tensors(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy `tensors` into those of `wanted`; all must be there, of the right shape, and none left over.

    Raises:
        CheckpointError: naming the first few tensors that do not fit.
    """
    faults = [f"{key} is missing" for key in wanted if key not in tensors]
    faults += [f"{key} belongs to no block" for key in tensors if key not in wanted]
    faults += [
        f"{key} has shape {tuple(tensors[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in tensors and tensors[key].shape != tensor.shape
    ]
    faults += [
        f"{key} holds values that are not finite"
        for key, tensor in tensors.items()
        if not torch.isfinite(tensor).all()
    ]
    if faults:
        more = sentence(" and {count} more", count=len(faults) - 3) if len(faults) > 3 else ""
        raise CheckpointError(
            "{source} does not fit the network on its card: {faults}{more}. Use the card that was "
            "written with it.",
            source=source,
            faults="; ".join(faults[:3]),
            more=more,
        )
    with torch.no_grad():
        for key, tensor in wanted.items():
            tensor.copy_(tensors[key])


def save_checkpoint(
    path: str | os.PathLike[str],
    blocks: Mapping[str, nn.Module],
    *,
    architecture: Mapping[str, Any],
    card: Mapping[str, Any],
    network: nn.Module | None = None,
    trained: bool = True,
) -> Path:
    """Write `blocks` and their card as `path` (.safetensors) and .json, each whole or not at all.

    `network`, in which they stand, is only needed where `architecture` says that more of it was trained
    (`stored_tensors`). `card` holds what is worth saying (training, metrics, limits); format,
    architecture, sha256 and size are added. Random blocks are saved with `trained` False: their card then
    says so, and so does whatever shows them. The card is written first: a kill between the two leaves a
    pair that is refused, never one that is believed.

    Raises:
        CheckpointError: a card that could not be read again, or a folder that cannot be written to.
    """
    path = Path(path)
    stored = stored_tensors(blocks, network, architecture)
    data = save_tensors({key: tensor.detach().cpu().contiguous() for key, tensor in stored.items()})
    full = {
        "format": CARD_FORMAT,
        "name": path.stem,
        "architecture": dict(architecture),
        **card,
        **({} if trained else {"untrained": True}),
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    text = json.dumps(full, indent=1, ensure_ascii=False) + "\n"
    parse_card(text.encode(errors="surrogatepass"), path.with_suffix(".json").name)
    try:
        write_atomically(path.with_suffix(".json"), text.encode())
        write_atomically(path, data)
    except OSError as error:
        raise CheckpointError(
            "Cannot write {path}: {why}. Free space or choose another folder.", path=path, why=error.strerror
        ) from error
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, or a kill at any moment, sees the old file or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
