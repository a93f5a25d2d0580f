"""The study's photos and their features."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from a2core.checkpoints import write_atomically
from a2core.errors import TrainingError
from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, load_backbone
from a2core.networks.fold import fold_norms
from a2core.networks.passage import Passage
from a2core.training.adapt.targets import standardise
from a2core.training.photos.found import identity_of, photos_of
from a2core.training.photos.read import Skipped, read_photo, square

TRUNK = BACKBONES[DEFAULT_TRUNK]
PLACE, SITE = list(TRUNK.sites.items())[-1]  # behind the deepest features
CHUNK = 64
FEWEST_PHOTOS = 10


@dataclass(frozen=True)
class Photos:
    """The labelled photos of one part, "train" or "val": paths, classes, and where each came from."""

    paths: list[Path]
    labels: np.ndarray  # (P,) int64
    sources: np.ndarray  # (P,) int64, index of the folder given

    def identity(self) -> str:
        """What tells these photos and their classes from others, when a study is to go on."""
        labels = hashlib.sha256(self.labels.astype("<i8").tobytes()).hexdigest()[:16]
        return f"{len(self.paths)} photos, {identity_of(self.paths)} {labels}"


def labelled_photos(folders: Sequence[str]) -> tuple[Photos, Photos, list[str]]:
    """Training and validation photos, and the class names, "<folder>/<class>".

    Each folder holds train/<class>/ and val/<class>/.

    Raises:
        TrainingError: a folder without the two parts, a class that is in one part only, or a single
            class.
    """
    parts: dict[str, list[tuple[Path, str, int]]] = {"train": [], "val": []}
    for index, folder in enumerate(map(Path, folders)):
        for part, found in parts.items():
            if not (folder / part).is_dir():
                raise TrainingError(
                    f"{folder} has no folder {part}. Give folders that hold train/<class>/ and val/<class>/."
                )
            pairs = [(p, name) for p, name in photos_of(str(folder / part)) if name]
            if not pairs:
                raise TrainingError(f"{folder / part} holds no photos. Give train/<class>/ and val/<class>/.")
            found += [(p, f"{folder.name}/{name}", index) for p, name in pairs]
    classes = [sorted({name for _, name, _ in found}) for found in parts.values()]
    if classes[0] != classes[1]:
        odd = sorted(set(classes[0]) ^ set(classes[1]))[0]
        raise TrainingError(f"The class {odd!r} is in only one of train and val. Put photos into both.")
    if len(classes[0]) < 2:
        raise TrainingError(f"There is one class only, {classes[0][0]!r}. Give two at least.")
    number = {name: index for index, name in enumerate(classes[0])}
    train, val = (
        Photos(
            [path for path, _, _ in found],
            np.array([number[name] for _, name, _ in found]),
            np.array([source for _, _, source in found]),
        )
        for found in parts.values()
    )
    return train, val, classes[0]


def some_of(photos: Photos, limit: int | None) -> Photos:
    """So many of the photos, chosen at random, always the same ones; all without a limit."""
    if limit is None or limit >= len(photos.paths):
        return photos
    chosen = np.sort(np.random.default_rng(0).permutation(len(photos.paths))[: max(0, limit)])
    return Photos([photos.paths[k] for k in chosen], photos.labels[chosen], photos.sources[chosen])


def fused_trunk() -> nn.Module:
    """The frozen trunk with its batch norms folded into its convolutions: the same answers, faster."""
    network = fold_norms(load_backbone(DEFAULT_TRUNK).network.requires_grad_(False))
    return network.to(memory_format=torch.channels_last)


class Features:
    """The trunk's features at the block's place, (P, c, h, w) float16 on disk, and which photos are whole."""

    def __init__(self, folder: Path, part: str, photos: Photos, size_px: int) -> None:
        self.part, self.photos, self.size_px = part, photos, size_px
        self.path, self.marker = folder / f"{part}.npy", folder / f"{part}.json"

    def build(self) -> None:
        """Compute what is not there yet, a chunk at a time.

        Raises:
            TrainingError: the disk fills up, or no photo can be read.
        """
        total, grid = len(self.photos.paths), self.size_px // SITE.stride_px
        state: dict[str, Any] = {"done": 0, "unreadable": []}
        if self.marker.exists():
            state = json.loads(self.marker.read_text(encoding="utf-8"))
        try:
            if state["done"]:
                array = np.lib.format.open_memmap(self.path, mode="r+")
            else:
                shape = (total, SITE.channels, grid, grid)
                array = np.lib.format.open_memmap(self.path, mode="w+", dtype="float16", shape=shape)
            network = fused_trunk()
            bar = tqdm(total=total, initial=state["done"], desc=f"features, {self.part}", unit="photo")
            for start in range(state["done"], total, CHUNK):
                skipped = Skipped()
                chunk = [read_photo(path, skipped) for path in self.photos.paths[start : start + CHUNK]]
                state["unreadable"] += [start + k for k, photo in enumerate(chunk) if photo is None]
                blank = np.zeros((8, 8, 3), np.uint8)
                pictures = np.stack([square(blank if p is None else p, self.size_px) for p in chunk])
                x = standardise(pictures).contiguous(memory_format=torch.channels_last)
                with torch.inference_mode():
                    features = Passage(network).until(x, PLACE)[PLACE]
                array[start : start + len(chunk)] = features.half().numpy()
                array.flush()
                state["done"] = start + len(chunk)
                write_atomically(self.marker, json.dumps(state).encode())
                bar.update(len(chunk))
            bar.close()
        except OSError as error:
            raise TrainingError(
                f"The features cannot be kept in {self.path.parent} ({error}). Free space, or give another "
                "--out; what is whole is used again."
            ) from error
        if len(state["unreadable"]) == total:
            raise TrainingError(f"None of the photos in {self.part} could be read. Give JPEG or PNG files.")

    def load(self) -> tuple[Tensor, Tensor, np.ndarray]:
        """Features (P', c, h, w) float16, labels and sources (P',) of the photos that could be read."""
        unreadable = json.loads(self.marker.read_text(encoding="utf-8"))["unreadable"]
        whole = np.setdiff1d(np.arange(len(self.photos.paths)), unreadable)
        features = torch.from_numpy(np.load(self.path)[whole])
        return features, torch.from_numpy(self.photos.labels[whole]), self.photos.sources[whole]
