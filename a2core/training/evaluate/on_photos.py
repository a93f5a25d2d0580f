"""A checkpoint's predictions on labelled photos, beside the plain trunk's, and each block's part in them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timm.data import ImageNetInfo
from torch import Tensor, nn
from tqdm import tqdm

from a2core.errors import TrainingError
from a2core.networks.backbones import imagenet_labels
from a2core.networks.hooks import hooked
from a2core.tracing.model import Model
from a2core.tracing.record import watching
from a2core.training.photos.labelled import find_labelled, some_of
from a2core.training.photos.read import Skipped, read_photo, square

BATCH = 16


def imagenet_index(folder_name: str) -> int | None:
    """The ImageNet class that a folder is named for: its WordNet id, or one of its names."""
    info = ImageNetInfo()
    plain = re.sub(r"[^a-z0-9]+", " ", folder_name.lower()).strip()
    for index in range(info.num_classes()):
        if folder_name == info.index_to_label_name(index):
            return index
        names = [
            re.sub(r"[^a-z0-9]+", " ", n.lower()).strip() for n in info.index_to_description(index).split(",")
        ]
        if plain in names:
            return index
    return None


def class_index(model: Model, folder_name: str) -> int | None:
    """The class of `model` that a folder is named for, ImageNet's also by WordNet id or synonym."""
    if folder_name in model.labels:
        return model.labels.index(folder_name)
    return imagenet_index(folder_name) if model.labels == imagenet_labels() else None


def photo_batches(
    photos: Sequence[Path], size_px: int, skipped: Skipped
) -> Iterator[tuple[list[int], np.ndarray]]:
    """(indices, pictures (B, S, S, 3) uint8) of the photos that can be read."""
    for start in range(0, len(photos), BATCH):
        kept, pictures = [], []
        for index in range(start, min(start + BATCH, len(photos))):
            photo = read_photo(photos[index], skipped)
            if photo is not None:
                kept.append(index)
                pictures.append(square(photo, size_px))
        if pictures:
            yield kept, np.stack(pictures)


def left_out(blocks: Iterable[nn.Module]) -> contextlib.AbstractContextManager[None]:
    """While open, these blocks hand on what they read, wherever they stand."""
    return hooked(block.register_forward_hook(lambda _, args, __: args[0]) for block in blocks)


@torch.inference_mode()
def logits_without(model: Model, x: Tensor) -> dict[frozenset[str], Tensor]:
    """Logits with no block left out, each alone and all of them, by the names of those left out.

    What two of them share of the network is run once, as far as the network is known as a chain.
    """
    nothing = frozenset[str]()
    wanted = {nothing, frozenset(model.blocks), *(frozenset({name}) for name in model.blocks)}
    running, passed = {nothing: x}, nothing  # by those left out among the blocks that were passed
    for part in model.passage.chain or (model.network,):
        before = running  # copies of its tensors go in: some modules write over what they are given
        with watching(model.blocks) as ran:
            running = {nothing: part(before[nothing].clone())}
        inside, passed = frozenset(ran), passed | frozenset(ran)
        for some in {some & passed for some in wanted} - {nothing}:
            with left_out(model.blocks[name] for name in some & inside):
                running[some] = part(before[some - inside].clone())
    return {some: running[some & passed] for some in wanted}


def measure_photos(
    model: Model, folder: Path, size_px: int, limit: int | None, skipped: Skipped
) -> dict[str, Any]:
    """Top-1 and top-5 under all classes beside the plain trunk, their agreement, and each block's use.

    Use is the mean KL divergence, in nats, of the prediction when one block is left out. The
    intervals are paired bootstraps over photos, 95 %.

    Raises:
        TrainingError: a network without classes, a folder that is named for no class, or no photo that can
            be read.
    """
    if model.answers_with:
        raise TrainingError(
            f"{model.name} answers with {model.answers_with}, not with classes, so there is nothing to be "
            "right about. Leave --photos out, and measure its maps on --regions."
        )
    labelled = some_of(find_labelled([str(folder)]), limit)
    photos, names, classes = labelled.photos, labelled.classes, labelled.labels
    index_of = {name: class_index(model, name) for name in names}
    unknown = [name for name, index in index_of.items() if index is None]
    if unknown:
        raise TrainingError(
            f"Folder {unknown[0]!r} is named for none of the {len(model.labels)} classes of {model.name}. "
            "Name it for its class; ImageNet's also go by WordNet id."
        )
    truth = np.array([index_of[names[c]] for c in classes])
    ours, theirs, kept = [], [], []
    use: dict[str, list[float]] = {name: [] for name in model.blocks}
    bar = tqdm(total=len(photos), desc=f"photos at {size_px} px", leave=False)
    for indices, pictures in photo_batches(photos, size_px, skipped):
        logits = logits_without(model, model.preprocess(pictures))
        ours.append(logits[frozenset()])
        theirs.append(logits[frozenset(model.blocks)])
        kept += indices
        log_p = ours[-1].log_softmax(dim=1)
        for name in model.blocks:
            without = logits[frozenset({name})].log_softmax(dim=1)
            use[name] += (log_p.exp() * (log_p - without)).sum(dim=1).tolist()
        bar.update(len(indices))
    bar.close()
    if not kept:
        raise TrainingError(f"None of the photos in {folder} could be read. Give JPEG or PNG files.")
    a, b, y = torch.cat(ours), torch.cat(theirs), torch.from_numpy(truth[kept])[:, None]
    measured: dict[str, Any] = {"photos": len(kept)}
    for label, k in (("top-1", 1), ("top-5", 5)):
        if k > 1 and k >= len(model.labels):  # every class is among the first five
            continue
        hit_a, hit_b = ((logits.topk(k).indices == y).any(dim=1).double().numpy() for logits in (a, b))
        measured[label] = round(float(hit_a.mean()), 4)
        measured[f"{label} plain trunk"] = round(float(hit_b.mean()), 4)
        measured[f"{label} difference, 95 % interval"] = paired_interval(hit_a - hit_b)
    measured["agreement with the plain trunk"] = round(float((a.argmax(1) == b.argmax(1)).double().mean()), 4)
    measured["use (KL, nats)"] = {name: round(float(np.mean(values)), 4) for name, values in use.items()}
    return measured


def paired_interval(differences: np.ndarray, *, rounds: int = 2000) -> list[float]:
    """95 % interval of the mean of paired differences, by bootstrap over the pairs, seed 0."""
    rng = np.random.default_rng(0)
    means = [differences[rng.integers(len(differences), size=len(differences))].mean() for _ in range(rounds)]
    return [round(float(bound), 4) for bound in np.percentile(means, [2.5, 97.5])]
