"""Checkpoints to and from Hugging Face's Hub, or any folder of the same form.

A shared checkpoint is a folder with the `.safetensors`, its JSON card, and the model card README.md made of
that. What comes from the Hub is read as every checkpoint is: nothing unpickled, sha256 and shapes checked,
and a card cannot have code run.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from a2core.checkpoints import find_checkpoint, read_checkpoint, write_atomically
from a2core.errors import CheckpointError, NetworkError, first_line
from a2core.load import load_model
from a2core.tools.model_card import model_card
from a2core.tracing.model import Model

_WANTED = ["*.safetensors", "*.json"]


def save_pretrained(name: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Write a checkpoint, its card and a model card into `folder`, as `from_pretrained` reads it.

    Args:
        name: of a checkpoint, or its path.
        folder: made where it is missing.

    Raises:
        CheckpointError: no such checkpoint, one that does not fit its card, or a folder that cannot be
            written to.
    """
    path, folder = find_checkpoint(name), Path(folder)
    _, card = read_checkpoint(path)  # verified: nothing damaged is passed on
    try:
        for source in (path, path.with_suffix(".json")):
            write_atomically(folder / source.name, source.read_bytes())
        write_atomically(folder / "README.md", model_card(card).encode())
    except OSError as error:
        raise CheckpointError(
            f"Cannot write {folder}: {error.strerror}. Free space or choose another folder."
        ) from error
    return folder


def push_to_hub(
    name: str | os.PathLike[str], repo_id: str, *, private: bool = False, token: str | None = None
) -> str:
    """Publish a checkpoint on the Hub as `repo_id`, "somebody/a2-flowers"; the commit's address.

    Args:
        name: of a checkpoint, or its path.
        repo_id: made where it is missing.
        private: seen by its owners alone.
        token: of the Hub; the one that was logged in with where left out.

    Raises:
        CheckpointError: as `save_pretrained`.
        NetworkError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi

    with tempfile.TemporaryDirectory(prefix="a2-hub-") as kept:
        folder = save_pretrained(name, kept)
        try:
            api = HfApi(token=token)
            api.create_repo(repo_id, private=private, exist_ok=True)
            done = api.upload_folder(
                repo_id=repo_id, folder_path=folder, commit_message="Checkpoint of a2nets"
            )
        except Exception as error:  # requests', httpx's and its own have no base in common
            raise _refused(repo_id, error) from error
    return str(done)


def from_pretrained(
    repo_or_folder: str | os.PathLike[str],
    device: str = "auto",
    *,
    revision: str | None = None,
    token: str | None = None,
    engine: str = "auto",
) -> Model:
    """The network of a shared checkpoint, ready to trace.

    Args:
        repo_or_folder: a folder that there is, or the name of a repository on the Hub.
        device: as of `load_model`.
        revision: a branch, a tag or, best, a commit of the repository.
        token: as of `push_to_hub`.
        engine: as of `load_model`.

    Raises:
        CheckpointError: there is no one checkpoint in it, or it is refused (`load_model`).
        NetworkError: the Hub cannot be reached, or refuses.
    """
    folder = Path(repo_or_folder)
    if not folder.is_dir():
        folder = _fetched(os.fspath(repo_or_folder), revision, token)
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise CheckpointError(
            f"{repo_or_folder} has to hold one .safetensors with its card, and there is: {names}. Give "
            "load_model the path of the one that you mean."
        )
    return load_model(found[0], device, engine=engine)


def _fetched(repo_id: str, revision: str | None, token: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repo_id, revision=revision, token=token, allow_patterns=_WANTED))
    except Exception as error:  # as above
        raise _refused(repo_id, error) from error


def _refused(repo_id: str, error: Exception) -> NetworkError:
    return NetworkError(
        f"{repo_id!r} is no folder here, and the Hub could not be asked for it ({first_line(error)}). Check "
        "the name and the connection, or log in: huggingface-cli login."
    )
