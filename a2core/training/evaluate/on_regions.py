"""A checkpoint's maps on pictures with labelled regions, beside baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W). A block may stand behind
any module of a network that takes pictures: what is measured is what it reads and does there. The rows:

- **block**, **random block**: the second has random weights and reads the features as the first does.
- **cosine**: cosine similarity of exactly what the block reads; **cosine, not centred**: of the features
  standardised per channel over the pictures, the mean of each picture not taken away.
- **target**: the random walk over such similarities that blocks are taught to follow (`adapt.targets`), of
  the trunk's features alone.
- **k-means**, **NMF**: of each picture by itself; k is the best of those in `SWEPT` and the number of
  primitives, chosen on these very pictures, in its favour.
- **k-means, data set**, **NMF, data set**: found in the cells of all pictures, as many as primitives; **by
  nearness** has a map of each centre's distance to every cell, where the plain one has cells of its cluster.
- **Grad-CAM**: of the class that the network answers with, one map.
"""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.position_block import PositionBlock
from a2core.errors import TrainingError
from a2core.media.folders import is_hidden
from a2core.tracing.model import Model
from a2core.training.adapt.targets import CacheSettings, walked_affinity
from a2core.training.evaluate.codes import (
    BLOCK,
    K_MEANS,
    OF_NMF,
    RANDOM,
    block_reads,
    k_means_coder,
    nmf_coder,
    sampled,
    with_norm_of,
)
from a2core.training.evaluate.feature_maps import (
    cosine_similarity,
    grad_cam,
    k_means_maps,
    nmf_maps,
    run_watched,
)
from a2core.training.evaluate.intervals import interval
from a2core.training.evaluate.measures import (
    OF_ATTENTION,
    OF_PRIMITIVES,
    Attending,
    Regions,
    best_overlaps,
    click_aucs,
    regions_of,
)
from a2core.training.evaluate.pictures import Enlarged, Size, side_of
from a2core.training.photos.read import Skipped, moved, read_photo, square

Table = dict[str, dict[str, Any]]  # method to measure to value, or to an interval
COSINE, UNCENTRED, TARGET, GRAD_CAM = "cosine", "cosine, not centred", "target", "Grad-CAM"
OWN_K_MEANS, OWN_NMF = "k-means", "NMF"  # of each picture by itself
OF_CLIPS = (RANDOM, COSINE, UNCENTRED)
NEARNESS = f"{K_MEANS}, by nearness"
BASELINES = (*OF_CLIPS, TARGET, OWN_K_MEANS, K_MEANS, NEARNESS, OWN_NMF, OF_NMF, GRAD_CAM)
SWEPT = (4, 8, 16, 32, 64)
COMPONENTS = 64  # of k-means and NMF beside a block without primitives
AUC, OVERLAP = "click-AUC", "overlap gather"


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
    pictures: dict[str, list[int]] = field(default_factory=dict)  # whose each value is
    use: list[Tensor] = field(default_factory=list)  # mean ρ of each primitive, a picture each

    def add(self, measure: str, values: Iterable[float], picture: int) -> None:
        """More values of a measure."""
        more = list(map(float, values))
        self.values.setdefault(measure, []).extend(more)
        self.pictures.setdefault(measure, []).extend([picture] * len(more))

    def means(self) -> dict[str, Any]:
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
    size: Size,
    skipped: Skipped,
    *,
    baselines: bool = True,
    frames: int = 1,
    enlarged: Enlarged | None = None,
) -> dict[str, Table]:
    """Click-AUC, overlaps, reach, dead and redundancy of every block and, unless left out, its baselines.

    With `frames` > 1, of clips made from the pictures. Of a network without classes there is no Grad-CAM.
    How far the block is over the cosine and over k-means of the data set is told with intervals, of a paired
    bootstrap over pictures.

    Raises:
        TrainingError: no picture can be read, or a block that cannot be measured (`run_watched`).
    """
    beside: tuple[str, ...] = BASELINES if frames == 1 else OF_CLIPS
    beside = tuple(name for name in beside if name != GRAD_CAM or not model.answers_with)
    methods = (BLOCK, *(beside if baselines else ()))
    with attending_over(frames, model, random):
        pictures = _look_at(
            model,
            pairs,
            size,
            skipped,
            frames,
            Enlarged() if enlarged is None else enlarged,
            GRAD_CAM in methods,
        )
        return {name: _table(name, model, random, pictures, skipped, methods) for name in model.blocks}


class _Looked(NamedTuple):
    """What is kept of one picture: what each block read, Grad-CAM there, and where its regions are."""

    features: dict[str, Tensor]  # (T, c, h, w)
    cams: dict[str, Tensor]  # (h, w)
    labels: Path
    side_px: int


def _look_at(
    model: Model,
    pairs: Sequence[tuple[Path, Path]],
    size: Size,
    skipped: Skipped,
    frames: int,
    enlarged: Enlarged,
    cams: bool,
) -> list[_Looked]:
    found = []
    for photo, labels in tqdm(pairs, desc=f"features at {size}", leave=False):
        picture = read_photo(photo, skipped)
        if picture is None:
            continue
        side = side_of(picture, size, model.input)
        enlarged.note(photo, picture, side)
        shown = _frames_of(picture, side, frames, photo.stem)
        features, _ = run_watched(model, shown)
        wanted = model.blocks.items() if cams else ()
        x = model.preprocess(shown)
        seen = {name: grad_cam(model.network, block, x) for name, block in wanted}
        found.append(_Looked(features, seen, labels, side))
    if not found:
        raise TrainingError(f"None of the {len(pairs)} pictures could be read. Give JPEG files.")
    return found


@dataclass(frozen=True)
class Beside:
    """What stands beside one block: found in all pictures before any is measured.

    Attributes:
        random: a block of its shape with random weights, which reads what it reads.
        mean, std: of each channel over the pictures, (c, 1, 1).
        clusters, components: codes of the data set; None where these are not asked for.
    """

    random: nn.Module
    mean: Tensor
    std: Tensor
    clusters: Callable[[Tensor], Tensor] | None = None
    components: Callable[[Tensor], Tensor] | None = None


def _found_beside(block: nn.Module, random: nn.Module, features: Sequence[Tensor], codes: bool) -> Beside:
    channels = torch.cat([x.transpose(0, 1).flatten(1) for x in features], dim=1)
    mean, std = channels.mean(dim=1), channels.std(dim=1).clamp_min(1e-5)
    of = Beside(with_norm_of(random, block), mean[:, None, None], std[:, None, None])
    if not codes:
        return of
    cells = sampled([block_reads(block, x) for x in features])
    return Beside(
        of.random,
        of.mean,
        of.std,
        k_means_coder(cells, components_of(block)),
        nmf_coder(cells, components_of(block)),
    )


def components_of(block: nn.Module) -> int:
    """How many clusters and components stand beside a block: as many as it has primitives."""
    return block.c_n if isinstance(block, DoubleAttention) else COMPONENTS


def _table(
    name: str,
    model: Model,
    random: Model,
    looked: Sequence[_Looked],
    skipped: Skipped,
    methods: Sequence[str],
) -> Table:
    block = model.blocks[name]
    features = [of.features[name] for of in looked]
    beside = _found_beside(block, random.blocks[name], features, codes=K_MEANS in methods)
    rows = {method: Row() for method in methods}
    for picture, of in enumerate(tqdm(looked, desc=f"maps of {name}", leave=False)):
        segmentations = read_segmentations(of.labels, skipped)
        if segmentations is None:
            continue
        frames = len(of.features[name])
        if frames > 1:
            moving = [_frames_of(labels, of.side_px, frames, of.labels.stem) for labels in segmentations]
            segmentations = np.stack(moving).reshape(len(moving), frames * of.side_px, of.side_px)
        regions = regions_of(segmentations, of.side_px, frames)
        measure_picture(rows, picture, block, beside, of.features[name], of.cams.get(name), regions)
    return _told(rows)


def _told(rows: Mapping[str, Row]) -> Table:
    """The table: means, how far the block is over what it is held against, of k-means the best k."""
    table: Table = {method: row.means() for method, row in rows.items() if row.values}
    for method, measure in ((COSINE, AUC), (TARGET, AUC), (K_MEANS, OVERLAP), (NEARNESS, OVERLAP)):
        ours, theirs = (rows[name].values.get(measure) if name in rows else None for name in (BLOCK, method))
        if ours and theirs:
            pictures = rows[BLOCK].pictures[measure]
            table[method][f"block over it, {measure}"] = interval(np.subtract(ours, theirs), pictures)
    if OWN_K_MEANS in table:
        by_k = {int(k): value for k, value in table[OWN_K_MEANS].items()}
        best = max(by_k, key=lambda k: by_k[k])
        table[OWN_K_MEANS] = {OVERLAP: by_k[best], "k": best}
    return table


def measure_picture(
    rows: Mapping[str, Row],
    picture: int,
    block: nn.Module,
    beside: Beside,
    features: Tensor,
    cam: Tensor | None,
    regions: Regions,
) -> None:
    """Add what one picture, or clip of T frames, says of a block and of the baselines in `rows`.

    The block reads `features` (T, c, h, w); `cam` is (h, w). `picture` tells its values from other pictures'.
    """
    grid = _strip(features)
    _measure_block(rows[BLOCK], picture, block, features, regions)
    if COSINE not in rows:
        return
    _measure_block(rows[RANDOM], picture, beside.random, features, regions)
    strip = features.transpose(0, 1).flatten(1, 2)  # frames one above the other, as their regions are
    standardised = (strip - beside.mean) / beside.std
    read = block_reads(block, features)
    by: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        COSINE: lambda cells: cosine_similarity(read, cells),
        UNCENTRED: lambda cells: cosine_similarity(standardised, cells),
        TARGET: lambda cells: target_rows(standardised, cells),
    }
    for name, scores in by.items():
        if name in rows:
            rows[name].add(AUC, click_aucs(scores, regions, grid), picture)
    if beside.clusters is None or beside.components is None:
        return
    own, count = read.unflatten(1, grid), components_of(block)
    for k in sorted({*SWEPT, count}):
        rows[OWN_K_MEANS].add(str(k), best_overlaps(k_means_maps(own, k), regions), picture)
    near = beside.clusters(read)
    maps = {
        OWN_NMF: nmf_maps(own, count),
        K_MEANS: F.one_hot(near.argmax(dim=0), len(near)).T.float().unflatten(1, grid),
        NEARNESS: near.unflatten(1, grid),
        OF_NMF: beside.components(read).unflatten(1, grid),
    }
    for name, found in maps.items():
        rows[name].add(OVERLAP, best_overlaps(found, regions), picture)
    if cam is None:
        return
    same = cam.flatten().numpy()
    rows[GRAD_CAM].add(OVERLAP, best_overlaps(cam[None], regions), picture)
    flat = click_aucs(lambda cells: np.tile(same, (len(cells), 1)), regions, grid)
    rows[GRAD_CAM].add(AUC, flat, picture)


def target_rows(standardised: Tensor, cells: np.ndarray) -> np.ndarray:
    """Rows (K, N) of what blocks are taught, at flat cells (K,): the walk over similarities of (c, h, w)."""
    usual = CacheSettings()
    units = F.normalize(standardised.flatten(1), dim=0)[None]
    rows = torch.from_numpy(cells)[None]
    return walked_affinity([units], usual.temperature, usual.steps, rows)[0].numpy()


def _strip(features: Tensor) -> tuple[int, int]:
    """The grid of (T, c, h, w), frames one above the other."""
    return features.shape[0] * features.shape[2], features.shape[3]


def _frames_of(picture: np.ndarray, size_px: int, frames: int, name: str) -> np.ndarray:
    """(T, S, S, ...): the picture whole, or as a clip that is the same for the same name."""
    if frames == 1:
        return square(picture, size_px)[None]
    return moved(picture, size_px, frames, np.random.default_rng(zlib.crc32(name.encode())))


def _measure_block(row: Row, picture: int, block: Any, features: Tensor, regions: Regions) -> None:
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
        row.add(name, measure(of), picture)
    if attended is not None:
        row.use.append(distribute.mean(dim=1))
