"""A checkpoint's predictions on labelled photos, beside the plain trunk's, and each block's part in them.

Beside the network with its blocks stand the plain trunk; **bias only**, the trunk with a number added to the
logit of each class, fitted without labels so that its mean prediction is that of the network with blocks:
what it is worth to know how often each class occurs here; and the **teacher** at its own size. Photos are
centre crops (`pictures.centre_crop`). Intervals are paired bootstraps over photos, 95 %.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from timm.data import ImageNetInfo
from torch import Tensor, nn
from tqdm import tqdm

from a2core.errors import NetworkError, TrainingError
from a2core.networks.backbones import BACKBONES, Backbone, imagenet_labels, load_backbone, teachers_of
from a2core.networks.hooks import hooked
from a2core.tracing.model import Model
from a2core.tracing.model_input import standardised
from a2core.tracing.record import watching
from a2core.training.evaluate.intervals import interval
from a2core.training.evaluate.pictures import Enlarged, Size, crops
from a2core.training.photos.labelled import (
    Half,
    Labelled,
    find_labelled,
    find_listed,
    half_of,
    is_listed,
    some_of,
)
from a2core.training.photos.read import Skipped

OURS, PLAIN, BIAS, TEACHER = "with the blocks", "plain trunk", "bias only", "teacher"


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


@dataclass
class _Answers:
    """What the network answered, photo by photo."""

    index: list[int] = field(default_factory=list)
    logits: dict[str, list[Tensor]] = field(default_factory=dict)  # by row of the table, (B, classes) each
    use: dict[str, list[float]] = field(default_factory=dict)  # by block, a photo each

    def in_order(self, row: str) -> Tensor:
        """(photos, classes) in the order of the photos, whatever order their sizes were taken in."""
        return torch.cat(self.logits[row])[torch.tensor(self.index).argsort()]


def photos_with_classes(folder: Path, half: Half | None, limit: int | None) -> Labelled:
    """The labelled photos of a folder: listed, or one folder a class; half of them, so many of those."""
    found = find_listed(folder) if is_listed(folder) else find_labelled([str(folder)])
    return some_of(half_of(found, half), limit)


def check_has_classes(model: Model) -> None:
    """Refuse a network without classes, before any work.

    Raises:
        TrainingError: it is one.
    """
    if model.answers_with:
        raise TrainingError(
            f"{model.name} answers with {model.answers_with}, not with classes, so there is nothing to be "
            "right about. Leave --photos out, and measure its maps on --regions."
        )


def measure_photos(
    model: Model,
    labelled: Labelled,
    size: Size,
    skipped: Skipped,
    *,
    taught: Mapping[Path, Tensor] | None = None,
) -> dict[str, Any]:
    """Top-1 and top-5 under all classes of every row, agreement with the plain trunk, each block's use.

    Use is the mean KL divergence, in nats, of the prediction when one block is left out. `taught` are the
    teacher's logits (`taught_by`), (classes,) each; without them it has no row.

    Raises:
        TrainingError: a network without classes, a class that it does not know, or no photo that can be read.
    """
    check_has_classes(model)
    index_of = {name: class_index(model, name) for name in labelled.classes}
    unknown = [name for name, index in index_of.items() if index is None]
    if unknown:
        raise TrainingError(
            f"{unknown[0]!r} names none of the {len(model.labels)} classes of {model.name}. Name folders for "
            "their classes; ImageNet's also go by WordNet id."
        )
    enlarged = Enlarged()
    answers = _ask(model, labelled.photos, size, skipped, enlarged)
    if not answers.index:
        raise TrainingError(
            f"None of the {len(labelled.photos)} photos could be read. Give JPEG or PNG files."
        )
    kept = sorted(answers.index)
    truth = np.array([index_of[labelled.classes[c]] for c in labelled.labels])[kept]
    logits = {OURS: answers.in_order(OURS), PLAIN: answers.in_order(PLAIN)}
    logits[BIAS] = with_fitted_bias(logits[PLAIN], logits[OURS])
    if taught:
        logits[TEACHER] = torch.stack([taught[labelled.photos[index]] for index in kept])
    same = logits[OURS].argmax(1) == logits[PLAIN].argmax(1)
    return {
        "photos": len(kept),
        "enlarged": enlarged.counts,
        "parameters": sum(p.numel() for block in model.blocks.values() for p in block.parameters()),
        "rows": rows_of(logits, truth),
        "agreement": interval(same.double().numpy()),
        "use": {name: interval(values) for name, values in answers.use.items()},
    }


def _ask(model: Model, photos: Sequence[Path], size: Size, skipped: Skipped, enlarged: Enlarged) -> _Answers:
    answers = _Answers(logits={OURS: [], PLAIN: []}, use={name: [] for name in model.blocks})
    with tqdm(total=len(photos), desc=f"photos at {size}", leave=False) as bar:
        for indices, pictures in crops(photos, size, model.input, skipped, enlarged):
            logits = logits_without(model, model.preprocess(pictures))
            answers.index += indices
            answers.logits[OURS].append(logits[frozenset()])
            answers.logits[PLAIN].append(logits[frozenset(model.blocks)])
            log_p = logits[frozenset()].log_softmax(dim=1)
            for name in model.blocks:
                without = logits[frozenset({name})].log_softmax(dim=1)
                answers.use[name] += (log_p.exp() * (log_p - without)).sum(dim=1).tolist()
            bar.update(len(indices))
    return answers


def rows_of(logits: Mapping[str, Tensor], truth: np.ndarray) -> dict[str, dict[str, Any]]:
    """Top-1 and top-5 of each row of logits (photos, classes), and how far the blocks are above it."""
    y = torch.from_numpy(truth)[:, None]
    rows: dict[str, dict[str, Any]] = {name: {} for name in logits}
    for label, k in (("top-1", 1), ("top-5", 5)):
        if k > 1 and k >= logits[OURS].shape[1]:  # every class is among the first five
            continue
        hits = {name: (of.topk(k).indices == y).any(dim=1).double().numpy() for name, of in logits.items()}
        for name, hit in hits.items():
            rows[name][label] = round(float(hit.mean()), 4)
            if name != OURS:
                rows[name][f"blocks over it, {label}"] = interval(hits[OURS] - hit)
    return rows


def with_fitted_bias(plain: Tensor, ours: Tensor) -> Tensor:
    """The plain logits (photos, classes), each class given a bias that needs no labels.

    Fitted on one half of the photos (seed 0), so that the mean prediction there is that of `ours`, and given
    to the other; and the other way round.
    """
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(plain)))
    halves = order[: (len(order) + 1) // 2], order[(len(order) + 1) // 2 :]
    biased = plain.clone()
    for fit, other in (halves, halves[::-1]):
        if len(fit):
            biased[other] += fitted_bias(plain[fit], ours[fit]).to(plain.dtype)
    return biased


def fitted_bias(plain: Tensor, ours: Tensor) -> Tensor:
    """(classes,) such that the mean of softmax(plain + bias) is that of softmax(ours), as far as is known.

    The likelihood of the wanted means is highest where both are the same. A bias is taken to be about 0 ± 1
    from the start: without that, classes that hardly occur among these photos would be forbidden altogether.
    """
    z, wanted = plain.double(), ours.double().softmax(dim=1).sum(dim=0)

    def loss(bias: np.ndarray) -> tuple[float, np.ndarray]:
        b = torch.from_numpy(bias)
        value = (z + b).logsumexp(dim=1).sum() - wanted @ b + b.square().sum() / 2
        slope = (z + b).softmax(dim=1).sum(dim=0) - wanted + b
        return float(value), slope.numpy()

    found = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return torch.from_numpy(found.x)


def teacher_for(model: Model) -> tuple[Backbone | None, str]:
    """The network whose answers the blocks were to follow, and its name; None where none is to be had.

    The one that the card names, else the largest that teaches the card's trunk.
    """
    source = str(model.card.get("architecture", {}).get("backbone", ""))
    if source not in BACKBONES or model.labels != BACKBONES[source].labels():
        return None, ""
    trained = model.card.get("trained")
    name = trained.get("teacher") if isinstance(trained, dict) else None
    if not isinstance(name, str) or name not in BACKBONES:
        name = teachers_of(source)[-1]
    try:
        return load_backbone(name), name
    except NetworkError:  # its weights cannot be had here
        return None, name


@torch.inference_mode()
def taught_by(teacher: Backbone, photos: Sequence[Path], skipped: Skipped) -> dict[Path, Tensor]:
    """The teacher's logits (classes,) of every photo that can be read, at its own size."""
    found: dict[Path, Tensor] = {}
    for indices, pictures in crops(photos, teacher.input.usual_px, teacher.input, skipped, Enlarged()):
        x = standardised(torch.from_numpy(pictures).permute(0, 3, 1, 2).float(), teacher.input)
        found |= dict(zip([photos[index] for index in indices], teacher.network(x), strict=True))
    return found
