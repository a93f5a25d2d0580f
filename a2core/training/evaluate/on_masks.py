"""What primitives mean on pictures with masks: parts of things, and objects carried through clips.

A picture is `ID.jpg` with `ID.png` beside it, an index mask: 0 is background, what the others are is named in
`labels.json` where there is one. Frames of a scene are called `SCENE_K`. Pictures are made squares as those
with regions are (`on_regions`). Codes and baselines are those of `codes.py`, found in these very pictures;
each measure is defined at the head of `meaning.py`. Of a clip all frames are attended to jointly; what a
cell of a later frame scores the first frame's cells by is effective attention for a block, cosine similarity
of what it reads, and for codes how much two cells share.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from a2core.blocks.double_attention import DoubleAttention
from a2core.errors import TrainingError
from a2core.media.folders import is_hidden
from a2core.tracing.model import Model
from a2core.training.evaluate.codes import (
    BLOCK,
    CHANCE,
    K_MEANS,
    RANDOM,
    block_reads,
    chance_coder,
    codes_of,
    double_attention,
    k_means_coder,
    sampled,
    with_norm_of,
)
from a2core.training.evaluate.compared import Compared, compared
from a2core.training.evaluate.feature_maps import run_watched
from a2core.training.evaluate.meaning import (
    TOP_CELLS,
    carried,
    cell_labels,
    cells_inside,
    grown,
    hungarian_ious,
    j_and_f,
    mass_jaccard,
    purity,
)
from a2core.training.evaluate.measures import LARGEST_SHARE, SMALLEST_SHARE, Regions
from a2core.training.evaluate.on_classes import Measured
from a2core.training.evaluate.on_regions import COSINE, attending_over
from a2core.training.evaluate.pictures import Enlarged, Size, whole
from a2core.training.photos.read import Skipped, square

BACKGROUND = 0


class Masked(NamedTuple):
    """A picture and its index mask, squares of one size."""

    picture: np.ndarray  # (S, S, 3)
    mask: np.ndarray  # (S, S) integers


def masked_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(photo, mask) of the pictures in `folder` that have both, by name.

    Raises:
        TrainingError: there is none.
    """
    masks = [path for path in sorted(folder.glob("*.png")) if not is_hidden(path.name)]
    pairs = [(path.with_suffix(".jpg"), path) for path in masks if path.with_suffix(".jpg").exists()]
    if not pairs:
        raise TrainingError(
            f"{folder} holds no ID.jpg with ID.png beside it. Give a folder of pictures with index masks."
        )
    return pairs


def some_pairs(pairs: Sequence[tuple[Path, Path]], limit: int | None) -> list[tuple[Path, Path]]:
    """So many of the pairs, chosen by seed 0; all without a limit."""
    if limit is None or limit >= len(pairs):
        return list(pairs)
    return [pairs[k] for k in np.sort(np.random.default_rng(0).permutation(len(pairs))[:limit])]


def label_names(folder: Path) -> list[str]:
    """What the numbers of the masks in a folder stand for; empty where nobody says.

    Raises:
        TrainingError: a list that is none.
    """
    path = folder / "labels.json"
    if not path.is_file():
        return []
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}). Give a list of names, or leave it out."
        ) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TrainingError(f"{path} is no list of names. Give one, or leave it out.")
    return names


def read_masked(
    photo: Path, mask: Path, size: Size, model: Model, skipped: Skipped, enlarged: Enlarged
) -> Masked | None:
    """The picture with its mask, or None, noted in `skipped`, when one cannot be read."""
    picture = whole(photo, size, model.input, skipped, enlarged)
    if picture is None:
        return None
    try:
        with Image.open(mask) as image:
            labels = np.asarray(image)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        skipped.reasons.append(f"{mask.name} ({error})")
        return None
    if labels.ndim != 2:
        skipped.reasons.append(f"{mask.name} (it has colours: an index mask has one number a pixel)")
        return None
    return Masked(picture, square(labels.astype(np.int32), len(picture)))


def parts_of(mask: np.ndarray) -> Regions:
    """The labelled parts of a mask, background left out, that cover 2 % to 60 % of the picture."""
    masks = [mask == label for label in np.unique(mask) if label != BACKGROUND]
    kept = [m for m in masks if SMALLEST_SHARE <= m.mean() <= LARGEST_SHARE]
    return Regions(np.array(kept, dtype=bool).reshape(-1, *mask.shape))


@torch.no_grad()
def measure_parts(
    model: Model,
    random: Model,
    folder: Path,
    size: Size,
    limit: int | None,
    skipped: Skipped,
    enlarged: Enlarged,
) -> tuple[int, Measured]:
    """Part purity, mIoU and mass-Jaccard of every double attention block; of how many pictures.

    Raises:
        TrainingError: no double attention, or no pictures with masks that can be read.
    """
    blocks, names = double_attention(model), label_names(folder)
    kept: list[Masked] = []
    features: dict[str, list[Tensor]] = {name: [] for name in blocks}
    for photo, mask in tqdm(some_pairs(masked_pairs(folder), limit), desc="pictures with masks", leave=False):
        found = read_masked(photo, mask, size, model, skipped, enlarged)
        if found is not None:
            kept.append(found)
            read, _ = run_watched(model, found.picture[None])
            for name in blocks:
                features[name].append(read[name])
    if not kept:
        raise TrainingError(
            f"None of the pictures with masks in {folder} could be read. Give JPEG and PNG files."
        )
    measured = Measured({}, {})
    for name, block in blocks.items():
        codes = codes_of(block, random.blocks[name], features[name])
        grids = [(x.shape[2], x.shape[3]) for x in features[name]]
        measured.tables[name], measured.scores[name] = _of_parts(codes, grids, kept, names)
    return len(kept), measured


def _of_parts(
    codes: dict[str, list[Tensor]],
    grids: Sequence[tuple[int, int]],
    kept: Sequence[Masked],
    names: Sequence[str],
) -> tuple[dict[str, Compared], dict[str, list[Any]]]:
    labels = np.concatenate(
        [cell_labels(of.mask, *grid).flatten() for of, grid in zip(kept, grids, strict=True)]
    )
    part = labels != BACKGROUND
    regions = [parts_of(of.mask) for of in kept]
    table: dict[str, Compared] = {}
    scores: dict[str, list[Any]] = {}
    if part.sum() >= TOP_CELLS:
        pure = {
            method: purity(torch.cat(of, dim=1).numpy().T[part], labels[part], TOP_CELLS)
            for method, of in codes.items()
        }
        shares = {method: share for method, (share, _) in pure.items()}
        table["part purity"] = compared(shares, "primitives", paired=False)
        share, most = pure[BLOCK]
        scores["part purity"] = [round(float(value), 3) for value in share]
        scores["top part"] = [names[at] if 0 <= at < len(names) else str(at) for at in most]
    some = [k for k, of in enumerate(regions) if len(of.masks)]
    if some:
        segmented = {
            method: np.array([hungarian_ious(of[k].unflatten(1, grids[k]), regions[k]).mean() for k in some])
            for method, of in codes.items()
        }
        table["mIoU"] = compared(segmented, "pictures")
        inside = {k: cells_inside(regions[k], *grids[k]) for k in some}
        fit = [k for k in some if inside[k].any()]
        massed = {
            method: np.array([mass_jaccard(of[k].numpy(), inside[k]) for k in fit])
            for method, of in codes.items()
        }
        table["mass-Jaccard"] = compared(massed, "pictures") if fit else {}
    return {name: of for name, of in table.items() if of}, scores


# ---------------------------------------------------------------- clips


def scenes_of(pairs: Sequence[tuple[Path, Path]]) -> dict[str, list[tuple[Path, Path]]]:
    """The frames of each scene, two at least, in their order, by the names SCENE_K."""
    scenes: dict[str, list[tuple[int, tuple[Path, Path]]]] = {}
    for pair in pairs:
        named = re.fullmatch(r"(.+)_(\d+)", pair[0].stem)
        if named:
            scenes.setdefault(named[1], []).append((int(named[2]), pair))
    return {scene: [pair for _, pair in sorted(of)] for scene, of in scenes.items() if len(of) > 1}


@torch.no_grad()
def measure_tracks(
    model: Model,
    random: Model,
    folder: Path,
    size: Size,
    limit: int | None,
    skipped: Skipped,
    enlarged: Enlarged,
) -> tuple[int, dict[str, dict[str, Compared]]]:
    """J&F of every double attention block, over scenes; of how many of them.

    Raises:
        TrainingError: no double attention, or no scenes that can be read.
    """
    blocks = double_attention(model)
    scenes = scenes_of(masked_pairs(folder))
    if not scenes:
        raise TrainingError(
            f"{folder} holds no two frames of one scene. Call them SCENE_0.jpg, SCENE_1.jpg and so on."
        )
    chosen = np.sort(np.random.default_rng(0).permutation(len(scenes))[:limit])
    masks: list[np.ndarray] = []
    features: dict[str, list[Tensor]] = {name: [] for name in blocks}
    for scene in tqdm([list(scenes)[k] for k in chosen], desc="scenes", leave=False):
        read = [read_masked(*pair, size, model, skipped, enlarged) for pair in scenes[scene]]
        frames = [frame for frame in read if frame is not None]
        if len({frame.picture.shape for frame in frames}) != 1 or len(frames) < 2:
            continue
        with attending_over(len(frames), model):
            seen, _ = run_watched(model, np.stack([frame.picture for frame in frames]))
        masks.append(np.stack([frame.mask != BACKGROUND for frame in frames]))
        for name in blocks:
            features[name].append(seen[name])
    if not masks:
        raise TrainingError(f"No scene in {folder} could be read. Give frames of one size, JPEG with PNG.")
    return len(masks), {
        name: {"J&F": _of_tracks(model, random, name, block, features[name], masks)}
        for name, block in blocks.items()
    }


def _of_tracks(
    model: Model,
    random: Model,
    name: str,
    block: DoubleAttention,
    features: Sequence[Tensor],
    masks: Sequence[np.ndarray],
) -> Compared:
    reads = []
    for x in features:
        with attending_over(len(x), model):
            reads.append(block_reads(block, x))
    clusters = k_means_coder(sampled(reads), block.c_n)
    noise = chance_coder(block.c_n)
    twin: Any = with_norm_of(random.blocks[name], block)
    found: dict[str, list[float]] = {method: [] for method in (BLOCK, RANDOM, COSINE, K_MEANS, CHANCE)}
    for x, read, mask in zip(features, reads, masks, strict=True):
        unit, code, drawn = F.normalize(read, dim=0), clusters(read), noise(read)
        twin.frames_per_clip = len(x)
        with attending_over(len(x), model):
            scored = {BLOCK: _attention(block, x), RANDOM: _attention(twin, x)}
        scored |= {COSINE: _alike(unit), K_MEANS: _alike(code), CHANCE: _alike(drawn)}
        grid = (x.shape[2], x.shape[3])
        for method, scores in scored.items():
            found[method].append(tracked(scores, mask, grid))
    values = {method: np.array(of) for method, of in found.items()}
    return compared(values, "scenes", rivals=(COSINE, K_MEANS, RANDOM, CHANCE))


Scores = Callable[[slice, slice], np.ndarray]  # cells of a later frame, of the first: how high each scores


def _attention(block: nn.Module, x: Tensor) -> Scores:
    attended = block.attend(x)  # type: ignore[operator]
    return lambda of, first: (attended.distribute[0][:, of].T @ attended.gather[0][:, first]).numpy()


def _alike(codes: Tensor) -> Scores:
    return lambda of, first: (codes[:, of].T @ codes[:, first]).numpy()


def tracked(scores: Scores, masks: np.ndarray, grid: tuple[int, int]) -> float:
    """J&F of one scene, masks (T, S, S) bool: the first carried to all others on a grid of cells."""
    count = grid[0] * grid[1]
    share = Regions(masks[:1]).cells(*grid).reshape(count)
    values = []
    for frame in range(1, len(masks)):
        cells = carried(scores(slice(frame * count, (frame + 1) * count), slice(0, count)), share)
        values.append(np.mean(j_and_f(grown(cells.reshape(grid), masks.shape[1]), masks[frame])))
    return float(np.mean(values))
