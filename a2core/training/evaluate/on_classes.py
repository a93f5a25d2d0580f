"""What primitives mean on photos with classes: stability, class purity, MonoScore, deletion.

Codes and their baselines are those of `codes.py`, found in the centre crops of these photos; each measure is
defined at the head of `meaning.py`. Stability is that of two runs: of the block the checkpoints given with
`--second`, of every baseline another seed. Deletion leaves the network's other parts as they are: what is
switched off goes missing and nothing takes its place (`tracing.intervene`, rule zero), so that the curve ends
at the network without the block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from a2core.blocks.double_attention import DoubleAttention
from a2core.errors import NetworkError, TrainingError
from a2core.media import Clip
from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, Backbone, load_backbone, teachers_of
from a2core.networks.hooks import hooked
from a2core.networks.insert import module_at
from a2core.tracing.intervene import Replay
from a2core.tracing.model import Model
from a2core.tracing.model_input import standardised
from a2core.training.evaluate.codes import BLOCK, codes_of, double_attention
from a2core.training.evaluate.compared import Compared, compared
from a2core.training.evaluate.feature_maps import run_watched
from a2core.training.evaluate.meaning import (
    TOP_PICTURES,
    area_under,
    matched_correlations,
    mono_scores,
    purity,
)
from a2core.training.evaluate.pictures import Enlarged, Size, crops
from a2core.training.photos.labelled import Labelled
from a2core.training.photos.read import Skipped

BY_USE, BY_FIRST_ORDER, BY_CHANCE = "by ρ", "by first order", "by chance"
DELETION_STEPS, DELETION_PHOTOS = 8, 24


class Seen(NamedTuple):
    """What is kept of the photos that could be read, in their order."""

    features: dict[str, list[Tensor]]  # by block, what it reads, (1, c, h, w)
    seconds: list[dict[str, list[Tensor]]]  # the codes (n, N) of each other checkpoint
    pooled: np.ndarray | None  # (P, d), of another network
    crops: list[np.ndarray]  # (S, S, 3), a few
    labels: np.ndarray  # (P,)


class Measured(NamedTuple):
    """The measures by block and name, and what each primitive got, by block and name."""

    tables: dict[str, dict[str, Compared]]
    scores: dict[str, dict[str, list[Any]]]


@torch.no_grad()
def measure_classes(
    model: Model,
    randoms: Sequence[Model],
    seconds: Sequence[Model],
    labelled: Labelled,
    size: Size,
    skipped: Skipped,
    enlarged: Enlarged,
) -> Measured:
    """All measures of every double attention block; `randoms` are two networks with random blocks.

    Raises:
        TrainingError: no double attention, too few photos, or another checkpoint with other blocks.
    """
    blocks = double_attention(model)
    for second in seconds:
        theirs = {at for at, block in second.blocks.items() if isinstance(block, DoubleAttention)}
        lacking = sorted(set(blocks) - theirs)
        if lacking:
            raise TrainingError(
                f"--second {second.name} has no double attention at {', '.join(lacking)}, "
                f"where {model.name} has. Give the same network, trained with another seed."
            )
    seen = _look(model, seconds, labelled, size, skipped, enlarged)
    found = Measured({}, {})
    for name, block in blocks.items():
        codes, again = (
            codes_of(block, random.blocks[name], seen.features[name], seed)
            for seed, random in enumerate(randoms)
        )
        again[BLOCK] = []  # of other checkpoints, not of this one once more
        table, scores = _of_block(codes, again, [of[name] for of in seen.seconds], seen, labelled.classes)
        deleted = deletion(model, name, seen.crops)
        if deleted is not None:
            table["deletion"] = deleted
        found.tables[name], found.scores[name] = table, scores
    return found


def _look(
    model: Model,
    seconds: Sequence[Model],
    labelled: Labelled,
    size: Size,
    skipped: Skipped,
    enlarged: Enlarged,
) -> Seen:
    other = other_network(model)
    kept: list[int] = []
    features: dict[str, list[Tensor]] = {name: [] for name in double_attention(model)}
    codes: list[dict[str, list[Tensor]]] = [{name: [] for name in features} for _ in seconds]
    pooled: list[np.ndarray] = []
    deleted = np.linspace(0, len(labelled.photos) - 1, min(DELETION_PHOTOS, len(labelled.photos))).astype(int)
    pictures: list[np.ndarray] = []  # of all over the set
    with tqdm(total=len(labelled.photos), desc="photos with classes", leave=False) as bar:
        for indices, batch in crops(labelled.photos, size, model.input, skipped, enlarged):
            read, _ = run_watched(model, batch)
            for name in features:
                features[name] += list(read[name].split(1))
            for second, of in zip(seconds, codes, strict=True):
                read, _ = run_watched(second, batch)
                for name in of:
                    block: Any = second.blocks[name]
                    of[name] += list(block.attend(read[name]).distribute)
            if other is not None:
                pooled.append(pooled_features(*other, batch))
            pictures += [picture for index, picture in zip(indices, batch, strict=True) if index in deleted]
            kept += indices
            bar.update(len(indices))
    if len(kept) < TOP_PICTURES:
        raise TrainingError(
            f"{len(kept)} photos with classes could be read, and of each primitive {TOP_PICTURES} are looked "
            "at. Give more."
        )
    order = np.argsort(kept)
    return Seen(
        {name: [of[k] for k in order] for name, of in features.items()},
        [{name: [of[k] for k in order] for name, of in each.items()} for each in codes],
        np.concatenate(pooled)[order] if pooled else None,
        pictures,
        labelled.labels[np.sort(kept)],
    )


def _of_block(
    codes: Mapping[str, Sequence[Tensor]],
    again: Mapping[str, Sequence[Tensor]],
    seconds: Sequence[Sequence[Tensor]],
    seen: Seen,
    classes: Sequence[str],
) -> tuple[dict[str, Compared], dict[str, list[Any]]]:
    """Of one block: its measures, and what each primitive got."""
    joined = {method: torch.cat(list(of), dim=1).numpy() for method, of in codes.items()}
    partners = {method: [of] for method, of in again.items() if len(of)} | {BLOCK: list(seconds)}
    stable = {
        method: np.concatenate(
            [
                matched_correlations(joined[method], torch.cat(list(of), dim=1).numpy())
                for of in partners[method]
            ]
        )
        for method in joined
        if partners[method]
    }
    use = {method: np.stack([x.mean(dim=1).numpy() for x in of]) for method, of in codes.items()}
    pure = {method: purity(of, seen.labels, TOP_PICTURES) for method, of in use.items()}
    table = {
        "stability": compared(stable, "primitives", paired=False),
        "class purity": compared({m: shares for m, (shares, _) in pure.items()}, "primitives", paired=False),
    }
    shares, most = pure[BLOCK]
    scores: dict[str, list[Any]] = {
        "class purity": [round(float(share), 3) for share in shares],
        "top class": [classes[label] for label in most],
    }
    if seen.pooled is not None:
        mono = {method: mono_scores(of, seen.pooled) for method, of in use.items()}
        table["MonoScore"] = compared(mono, "primitives", paired=False)
        scores["MonoScore"] = [round(float(score), 3) for score in mono[BLOCK]]
    return table, scores


def other_network(model: Model) -> tuple[str, Backbone] | None:
    """A network that had no part in making the primitives, as far as one of ours can be had: by name."""
    own = model.card.get("architecture", {}).get("backbone")
    names = [name for name in teachers_of(DEFAULT_TRUNK) if name != own]
    try:
        return names[-1], load_backbone(names[-1])
    except NetworkError:  # its weights are not here
        return None


@torch.no_grad()
def pooled_features(name: str, backbone: Backbone, pictures: np.ndarray) -> np.ndarray:
    """What the classifier of one of our trunks reads of pictures (B, S, S, 3): (B, d)."""
    read: list[Tensor] = []
    classifier = module_at(backbone.network, BACKBONES[name].classifier)
    with hooked([classifier.register_forward_pre_hook(lambda _, args: read.append(args[0]))]):
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
        backbone.network(standardised(x, backbone.input))
    return read[0].flatten(1).numpy()


def deletion(model: Model, name: str, pictures: Sequence[np.ndarray]) -> Compared | None:
    """Areas under the deletion curves of each order, over pictures; lower is better. None without classes."""
    if model.answers_with:
        return None
    areas: dict[str, list[float]] = {BY_FIRST_ORDER: [], BY_USE: [], BY_CHANCE: []}
    for index, picture in enumerate(tqdm(pictures, desc=f"deletion at {name}", leave=False)):
        frame = np.ascontiguousarray(picture)[None]
        frame.flags.writeable = False
        clip = Clip(frame, np.zeros(1), "image", "", ())
        replay = Replay(model, clip, size=picture.shape[0])
        if name not in replay.blocks:  # it runs more than once
            return None
        for order, area in deletion_areas(replay, name, np.random.default_rng(index)).items():
            areas[order].append(area)
    found = {order: np.array(of) for order, of in areas.items()}
    return compared(found, "pictures", of=BY_FIRST_ORDER, rivals=(BY_USE, BY_CHANCE))


def deletion_areas(replay: Replay, name: str, rng: np.random.Generator) -> dict[str, float]:
    """The area of each order on one picture: the probability of the class that the network answers with."""
    use = replay.trace.blocks[name].distribute
    use = use.reshape(len(use), -1).mean(axis=1)
    orders = {
        BY_FIRST_ORDER: np.argsort(-replay.first_order(name), kind="stable"),
        BY_USE: np.argsort(-use, kind="stable"),
        BY_CHANCE: rng.permutation(len(use)),
    }
    counts = np.unique(np.round(np.linspace(0, len(use), DELETION_STEPS + 1)).astype(int))
    ends = {count: replay.run(name, off=range(count)) for count in (0, len(use))}  # whatever the order
    best = int(ends[0].before.argmax())
    areas = {}
    for order, first in orders.items():
        values = [
            (ends[count] if count in ends else replay.run(name, off=first[:count].tolist())).after[best]
            for count in counts
        ]
        areas[order] = area_under(np.array(values), counts / len(use))
    return areas


def photos_of_classes(found: Sequence[Labelled]) -> Labelled:
    """Labelled photos of several folders as one set."""
    classes = tuple(dict.fromkeys(name for of in found for name in of.classes))
    labels = [np.array([classes.index(of.classes[label]) for label in of.labels], dtype=int) for of in found]
    photos: list[Path] = [path for of in found for path in of.photos]
    return Labelled(photos, np.concatenate(labels), classes)
