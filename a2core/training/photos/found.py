"""Photos found in folders or datasets, and what tells one set of them from another."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from a2core.errors import TrainingError
from a2core.media.folders import PICTURES, files_below
from a2core.training.photos.datasets import photos_of_dataset


def find_photos(
    sources: Sequence[str], *, limit: int | None = None, seed: int = 0, root: Path = Path("data")
) -> list[Path]:
    """All photos of `sources`: image folders (searched whole, but for what is hidden) or datasets' names.

    A dataset of torchvision is given as NAME, its part to train on, or NAME:PART, and is looked for, and
    downloaded where it can be, below `root`. Photos are sorted within each source, so that a seed means the
    same everywhere; with `limit`, so many are chosen at random by `seed`.

    Raises:
        TrainingError: a source that is neither, that cannot be had, or no photo at all.
    """
    photos = [path for source in sources for path, _ in photos_of(source, root)]
    if not photos:
        raise TrainingError(
            f"No photos found in {', '.join(sources)}. Give folders holding JPEG or PNG files."
        )
    if limit is not None and limit < len(photos):
        chosen = np.random.default_rng(seed).choice(len(photos), limit, replace=False)
        photos = [photos[index] for index in chosen]
    return photos


def photos_of(source: str, root: Path = Path("data")) -> list[tuple[Path, str]]:
    """(path, class name) of every photo of one source; "" for what lies in no class's folder.

    Raises:
        TrainingError: as `find_photos`, but for a folder without any.
    """
    folder = Path(source)
    if not folder.is_dir():
        return photos_of_dataset(source, root)
    paths = sorted(files_below(folder, PICTURES, _refuse))
    return [(path, path.relative_to(folder).parts[0] if path.parent != folder else "") for path in paths]


def _refuse(folder: Path, error: OSError) -> None:
    raise TrainingError(
        f"{folder} cannot be looked into ({error.strerror}). Allow it, or give another."
    ) from error


def identity_of(photos: Sequence[Path], *, looked_into: int | None = None) -> str:
    """16 hexadecimal digits that stand for these photos, in this order, by what they show.

    Where they lie and what they are called makes no difference. With `looked_into` only about so many,
    all over the set, are read; of the others their sizes speak.
    """
    every = 1 if looked_into is None else -(-len(photos) // looked_into) or 1
    whole = hashlib.sha256()
    for index, path in enumerate(photos):
        try:
            if index % every == 0:
                with path.open("rb") as file:
                    known = hashlib.file_digest(file, "sha256").digest()
            else:
                known = path.stat().st_size.to_bytes(8, "little")
        except OSError:  # skipped and named when it is to be looked at
            known = b"unreadable"
        whole.update(len(known).to_bytes(1, "little") + known)
    return whole.hexdigest()[:16]


def check_kept_apart(train: Sequence[Path], val: Sequence[Path]) -> None:
    """See to it that nothing is validated on that is trained on, by what files hold and not their names.

    Only files of equal length are read: sets of millions take no longer than to look at their sizes.

    Raises:
        TrainingError: photos are in both, naming the first of them.
    """
    of_length: dict[int, list[Path]] = {}
    for path in train:
        with contextlib.suppress(OSError):  # skipped and named when it is to be looked at
            of_length.setdefault(path.stat().st_size, []).append(path)
    known: dict[Path, bytes] = {}

    def shown_by(path: Path) -> bytes:
        if path not in known:
            with path.open("rb") as file:
                known[path] = hashlib.file_digest(file, "sha256").digest()
        return known[path]

    both = []
    for path in val:
        with contextlib.suppress(OSError):
            alike = of_length.get(path.stat().st_size, ())
            both += [(path, other) for other in alike if shown_by(other) == shown_by(path)][:1]
    if both:
        names = ", ".join(f"{path.name} (trained on as {other.name})" for path, other in both[:5])
        more = f" and {len(both) - 5} more" if len(both) > 5 else ""
        raise TrainingError(
            f"{len(both)} of the {len(val)} photos to validate on are among those to train on: {names}"
            f"{more}. Take them out of one of the two."
        )
