"""A checkpoint's maps on pictures with labelled regions, beside baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W). A block may stand behind any
module of a network that takes pictures: what is measured is what it reads and does there.
"""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.position_block import PositionBlock
from a2core.errors import TrainingError
from a2core.media.folders import is_hidden
from a2core.tracing.model import Model
from a2core.training.evaluate.feature_maps import (
    cosine_similarity,
    grad_cam,
    k_means_maps,
    nmf_maps,
    run_watched,
)
from a2core.training.evaluate.measures import (
    OF_ATTENTION,
    OF_PRIMITIVES,
    Attending,
    Regions,
    best_overlaps,
    click_aucs,
    regions_of,
)
from a2core.training.photos.read import Skipped, moved, read_photo, square

Table = dict[str, dict[str, float]]  # method to measure to value
BASELINES = ("random block", "cosine", "k-means", "NMF", "Grad-CAM")
COMPONENTS = 64  # of k-means and NMF beside a block without primitives


def region_pairs(folder: Path, *, without: set[str], limit: int | None) -> list[tuple[Path, Path]]:
    """(photo, label maps) of the pictures in `folder` that have both, by id.

    Those whose id is in `without` are left out; with `limit`, so many are chosen at random by seed 0.

    Raises:
        TrainingError: there is none.
    """
    found = [path for path in sorted(folder.glob("*.npz")) if not is_hidden(path.name)]
    labels = [path for path in found if path.stem not in without]
    pairs = [(path.with_suffix(".jpg"), path) for path in labels if path.with_suffix(".jpg").exists()]
    if not pairs:
        left = " that is not left out" if without else ""
        raise TrainingError(
            f"{folder} holds no ID.jpg with ID.npz beside it{left}. Give a folder of labelled pictures."
        )
    if limit is not None and limit < len(pairs):
        pairs = [pairs[k] for k in np.sort(np.random.default_rng(0).permutation(len(pairs))[:limit])]
    return pairs


def read_segmentations(path: Path, skipped: Skipped) -> np.ndarray | None:
    """(annotators, H, W) region labels, or None, noted in `skipped`, when they cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            labels = np.asarray(arrays["segmentations"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        skipped.reasons.append(f"{path.name} ({error})")
        return None
    if labels.ndim != 3:
        skipped.reasons.append(f"{path.name} (segmentations have shape {labels.shape}, not annotators, H, W)")
        return None
    return labels


@dataclass
class Row:
    """The measures of one method, gathered picture by picture."""

    values: dict[str, list[float]] = field(default_factory=dict)
    use: list[Tensor] = field(default_factory=list)  # mean ρ of each primitive, a picture each

    def add(self, measure: str, values: Iterable[float]) -> None:
        """More values of a measure."""
        self.values.setdefault(measure, []).extend(map(float, values))

    def means(self) -> dict[str, float]:
        """Every measure's mean, and the share of dead primitives."""
        means = {measure: float(np.mean(values)) for measure, values in self.values.items() if values}
        if self.use:
            use = torch.stack(self.use).mean(dim=0)
            means["dead"] = float((use < 0.1 / len(use)).float().mean())
        return means


@contextlib.contextmanager
def attending_over(frames: int, *models: Model) -> Iterator[None]:
    """While open, the models' blocks take so many pictures for the frames of one clip."""
    blocks = [cast(PositionBlock, block) for model in models for block in model.blocks.values()]
    before = [block.frames_per_clip for block in blocks]
    try:
        for block in blocks:
            block.frames_per_clip = frames
        yield
    finally:
        for block, value in zip(blocks, before, strict=True):
            block.frames_per_clip = value


@torch.no_grad()
def measure_regions(
    model: Model,
    random: Model,
    pairs: Sequence[tuple[Path, Path]],
    size_px: int,
    skipped: Skipped,
    *,
    baselines: bool = True,
    frames: int = 1,
) -> dict[str, Table]:
    """Click-AUC, overlaps, reach, dead and redundancy of every block and, unless left out, its baselines.

    With `frames` > 1, of clips made from the pictures. Of a network without classes there is no Grad-CAM.

    Raises:
        TrainingError: no picture can be read, or a block that cannot be measured (`run_watched`).
    """
    beside: tuple[str, ...] = BASELINES if frames == 1 else ("random block", "cosine")
    beside = tuple(name for name in beside if name != "Grad-CAM" or not model.answers_with)
    methods = ("block", *(beside if baselines else ()))
    with attending_over(frames, model, random):
        pictures = _look_at(model, pairs, size_px, skipped, frames, cams="Grad-CAM" in methods)
        return _tables(model, random, pictures, size_px, skipped, methods)


class _Looked(NamedTuple):
    """What is kept of one picture: what each block read, Grad-CAM there, and where its regions are."""

    features: dict[str, Tensor]  # (T, c, h, w)
    cams: dict[str, Tensor]  # (h, w)
    labels: Path


def _look_at(
    model: Model,
    pairs: Sequence[tuple[Path, Path]],
    size_px: int,
    skipped: Skipped,
    frames: int,
    *,
    cams: bool,
) -> list[_Looked]:
    found = []
    for photo, labels in tqdm(pairs, desc=f"features at {size_px} px", leave=False):
        picture = read_photo(photo, skipped)
        if picture is None:
            continue
        shown = _frames_of(picture, size_px, frames, photo.stem)
        features, _ = run_watched(model, shown)
        wanted = model.blocks.items() if cams else ()
        x = model.preprocess(shown)
        found.append(
            _Looked(features, {name: grad_cam(model.network, block, x) for name, block in wanted}, labels)
        )
    if not found:
        raise TrainingError(f"None of the {len(pairs)} pictures could be read. Give JPEG files.")
    return found


def _tables(
    model: Model,
    random: Model,
    looked: Sequence[_Looked],
    size_px: int,
    skipped: Skipped,
    methods: Sequence[str],
) -> dict[str, Table]:
    statistics = {}
    for name in model.blocks:
        channels = torch.cat([of.features[name].transpose(0, 1).flatten(1) for of in looked], dim=1)
        statistics[name] = channels.mean(dim=1), channels.std(dim=1).clamp_min(1e-5)
    rows = {name: {method: Row() for method in methods} for name in model.blocks}
    for of in tqdm(looked, desc=f"maps at {size_px} px", leave=False):
        segmentations = read_segmentations(of.labels, skipped)
        if segmentations is None:
            continue
        frames = len(next(iter(of.features.values())))
        if frames > 1:
            moving = [_frames_of(labels, size_px, frames, of.labels.stem) for labels in segmentations]
            segmentations = np.stack(moving).reshape(len(moving), frames * size_px, size_px)
        regions = regions_of(segmentations, size_px, frames)
        for name, x in of.features.items():
            mean, std = statistics[name]
            strip = x.transpose(0, 1).flatten(1, 2)  # frames one above the other, as their regions are
            standardised = (strip - mean[:, None, None]) / std[:, None, None]
            blocks = model.blocks[name], random.blocks[name]
            measure_picture(rows[name], *blocks, x, standardised, of.cams.get(name), regions)
    return {
        name: {method: row.means() for method, row in table.items() if row.values}
        for name, table in rows.items()
    }


def measure_picture(
    rows: Mapping[str, Row],
    block: nn.Module,
    random: nn.Module,
    features: Tensor,
    standardised: Tensor,
    cam: Tensor | None,
    regions: Regions,
) -> None:
    """Add what one picture, or clip of T frames, says of a block and of the baselines in `rows`.

    The block reads `features` (T, c, h, w); `standardised` are (c, T·h, w), `cam` (h, w).
    """
    grid = _strip(features)
    _measure_block(rows["block"], block, features, regions)
    if "cosine" not in rows:
        return
    _measure_block(rows["random block"], random, features, regions)
    cosine = click_aucs(lambda cells: cosine_similarity(standardised, cells), regions, grid)
    rows["cosine"].add("click-AUC", cosine)
    if "k-means" not in rows:
        return
    count = block.c_n if isinstance(block, DoubleAttention) else COMPONENTS
    rows["k-means"].add("overlap gather", best_overlaps(k_means_maps(standardised, count), regions))
    rows["NMF"].add("overlap gather", best_overlaps(nmf_maps(standardised, count), regions))
    if cam is None:
        return
    same = cam.flatten().numpy()
    rows["Grad-CAM"].add("overlap gather", best_overlaps(cam[None], regions))
    rows["Grad-CAM"].add("click-AUC", click_aucs(lambda cells: np.tile(same, (len(cells), 1)), regions, grid))


def _strip(features: Tensor) -> tuple[int, int]:
    """The grid of (T, c, h, w), frames one above the other."""
    return features.shape[0] * features.shape[2], features.shape[3]


def _frames_of(picture: np.ndarray, size_px: int, frames: int, name: str) -> np.ndarray:
    """(T, S, S, ...): the picture whole, or as a clip that is the same for the same name."""
    if frames == 1:
        return square(picture, size_px)[None]
    return moved(picture, size_px, frames, np.random.default_rng(zlib.crc32(name.encode())))


def _measure_block(row: Row, block: Any, features: Tensor, regions: Regions) -> None:
    grid, attends = _strip(features), getattr(block, "attends", "same")
    if attends == "same":
        return
    attended = block.attend(features) if attends == "bag" else None
    none = torch.zeros(0, grid[0] * grid[1])
    gather, distribute = (none, none) if attended is None else (attended.gather[0], attended.distribute[0])

    def by_primitives(cells: np.ndarray) -> np.ndarray:
        return (distribute[:, torch.from_numpy(cells)].T @ gather).numpy()

    def by_itself(cells: np.ndarray) -> np.ndarray:
        return np.stack([block.attention_row(features, int(p)).flatten().numpy() for p in cells])

    of = Attending(by_itself if attended is None else by_primitives, gather, distribute, regions, grid)
    for name, measure in (OF_ATTENTION if attended is None else {**OF_ATTENTION, **OF_PRIMITIVES}).items():
        row.add(name, measure(of))
    if attended is not None:
        row.use.append(distribute.mean(dim=1))
