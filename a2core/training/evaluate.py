"""`python -m a2core evaluate`: the measures of a checkpoint, and of baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W), labelled photos as
one folder a class. Beside each block stand, in the same run: the same block with random weights;
cosine similarity of the features that the block reads, k-means and NMF of each picture's features
with as many components as the block has primitives (all three on features standardised per channel
over the pictures); Grad-CAM of the network's top class at the same place, whose one map is the score
for every click. A relative of double attention has no gather maps: it is measured by its attention
rows; one that hands the same to every position has none to measure.

With `--frames` T every labelled picture becomes a clip that a camera could have taken of it (`data.moved`),
its regions moving along: a click in one frame is to find its region in all of them. Beside the block stand
then its random twin and cosine similarity.
"""

from __future__ import annotations

import argparse
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from timm.data import ImageNetInfo
from torch import Tensor, nn
from tqdm import tqdm

from a2core.checkpoints import find_checkpoint, load_model, read_card, untrained_model
from a2core.double_attention import DoubleAttention, PositionBlock
from a2core.errors import TrainingError
from a2core.networks import WithBlock, imagenet_labels, stages
from a2core.trace import Model
from a2core.training.cards import amend_card
from a2core.training.data import Skipped, classes_of, find_photos, moved, read_photo, square
from a2core.training.feature_maps import cosine_similarity, grad_cam, k_means_maps, nmf_maps, tail_of
from a2core.training.measures import Regions, best_overlaps, click_aucs, reach_share, redundancy, regions_of

Table = dict[str, dict[str, float]]  # method to measure to value
BASELINES = ("random block", "cosine", "k-means", "NMF", "Grad-CAM")
COMPONENTS = 64  # of k-means and NMF beside a block without primitives
BATCH = 16


def evaluate(args: argparse.Namespace, *, command: str) -> dict[str, Any]:
    """Measure and print; the same as a dictionary, also into the card when `args.write`.

    Raises:
        TrainingError: neither regions nor photos were given, they hold none, or sizes that do not fit.
    """
    if args.regions is None and args.photos is None:
        raise TrainingError("Nothing to measure on. Give --regions, --photos or both.")
    wrong = [size for size in args.sizes if size < 64 or size % 32]
    if wrong:
        raise TrainingError(f"--sizes {wrong[0]} is no multiple of 32 from 64 on. Use for example 352 672.")
    if args.limit is not None and args.limit < 1:
        raise TrainingError(f"--limit {args.limit} leaves no picture to measure on. Give 1 or more.")
    if args.frames < 1:
        raise TrainingError(f"--frames {args.frames} leaves nothing to look at. Give 1 or more.")
    model = load_model(args.checkpoint, device="cpu")
    results: dict[str, Any] = {"checkpoint": model.name, "command": command}
    skipped = Skipped()
    if args.regions is not None:
        random = untrained_model(args.checkpoint, device="cpu")
        pairs = region_pairs(args.regions, without=read_ids(args.without), limit=args.limit)
        results["regions"] = {
            "pictures": len(pairs),
            "folder": args.regions.resolve().name,
            "left out": args.without.name if args.without else None,
            "frames": args.frames,
        }
        for size in args.sizes:
            tables = measure_regions(
                model, random, pairs, size, skipped, baselines=not args.no_baselines, frames=args.frames
            )
            results["regions"][str(size)] = tables
            for name, table in tables.items():
                clips = f" as clips of {args.frames} frames" if args.frames > 1 else ""
                print_table(f"{name} at {size} pixels, {len(pairs)} pictures{clips}", table)
    if args.photos is not None:
        results["photos"] = {"folder": args.photos.resolve().name, "classes": len(model.labels)}
        for size in args.sizes:
            measured = measure_photos(model, args.photos, size, args.limit, skipped)
            results["photos"][str(size)] = measured
            print(
                f"\nphotos of {results['photos']['folder']} at {size} pixels, all {len(model.labels)} classes"
            )
            for key, value in measured.items():
                print(f"{key}: {value}")
    if skipped.reasons:
        print(skipped.summary())
    if args.write:
        path = find_checkpoint(args.checkpoint)
        before = read_card(path).entries.get("metrics", {})
        amend_card(path, {"metrics": {**before, **card_metrics(results)}})
        print(f"wrote the measures into {path.with_suffix('.json').name}")
    return results


def print_table(title: str, table: Table) -> None:
    """One row a method, one column a measure, as Markdown has it."""
    columns = [column for column in _COLUMNS if any(column in row for row in table.values())]
    print(f"\n{title}\n\n| {'':12} | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for method, row in table.items():
        cells = [f"{row[c]:.3f}" if c in row else "–" for c in columns]
        padded = [cell.rjust(len(column)) for cell, column in zip(cells, columns, strict=True)]
        print(f"| {method:12} | {' | '.join(padded)} |")


_COLUMNS = ("click-AUC", "overlap gather", "overlap rho", "median reach", "dead", "redundancy")


def card_metrics(results: Mapping[str, Any]) -> dict[str, Any]:
    """The measures as a checkpoint's card holds them and the About page shows them: few, and in words."""
    metrics: dict[str, Any] = {}
    by: dict[str, Any] = {"command": results["command"]}
    regions = dict(results.get("regions", {}))
    count, folder, left_out = (regions.pop(key, None) for key in ("pictures", "folder", "left out"))
    frames = regions.pop("frames", 1)
    clips = f" as clips of {frames} frames" if frames > 1 else ""
    for size, tables in regions.items():
        on = f"{count} pictures of {folder}{clips}" + (f", those of {left_out} left out" if left_out else "")
        metrics[f"regions at {size} pixels{clips}"] = {"measured on": on, **by} | {
            name: {
                label: round(table[method][measure], 3)
                for label, method, measure in _CARD_LINES
                if measure in table.get(method, {})
            }
            for name, table in tables.items()
        }
    photos = dict(results.get("photos", {}))
    folder, classes = (photos.pop(key, None) for key in ("folder", "classes"))
    for size, measured in photos.items():
        on = f"{measured['photos']} photos of {folder}, all {classes} classes"
        rest = {key: value for key, value in measured.items() if key != "photos"}
        metrics[f"photos at {size} pixels"] = {"measured on": on, **by} | rest
    return metrics


_CARD_LINES = (
    ("click-AUC", "block", "click-AUC"),
    ("click-AUC, cosine", "cosine", "click-AUC"),
    ("click-AUC, random", "random block", "click-AUC"),
    ("overlap", "block", "overlap gather"),
    ("overlap, k-means", "k-means", "overlap gather"),
    ("overlap, NMF", "NMF", "overlap gather"),
    ("overlap, random", "random block", "overlap gather"),
    ("overlap of ρ", "block", "overlap rho"),
    ("median reach", "block", "median reach"),
    ("dead", "block", "dead"),
    ("redundancy", "block", "redundancy"),
)


# ---------------------------------------------------------------- maps, on labelled regions


def read_ids(path: Path | None) -> set[str]:
    """The ids in a text file, one a line, `#` starting a comment; none without a file.

    Raises:
        TrainingError: the file cannot be read.
    """
    if path is None:
        return set()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"--without {path} cannot be read ({error}). Give a text file, one id a line."
        ) from error
    return {line.split("#")[0].strip() for line in lines} - {""}


def region_pairs(folder: Path, *, without: set[str], limit: int | None) -> list[tuple[Path, Path]]:
    """(photo, label maps) of the pictures in `folder` that have both, by id.

    Those whose id is in `without` are left out; with `limit`, so many are chosen at random by seed 0.

    Raises:
        TrainingError: there is none.
    """
    labels = [path for path in sorted(folder.glob("*.npz")) if path.stem not in without]
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


@torch.no_grad()
def features_before(model: Model, pictures: np.ndarray) -> dict[str, Tensor]:
    """(B, c, h, w) input of every block, the blocks before it applied, for (B, S, S, 3) uint8."""
    x, found = model.preprocess(pictures), {}
    for name, module in stages(model.network):
        if isinstance(module, WithBlock):
            x = found[name] = module.host(x)
            if len(found) == len(model.blocks):
                break
            x = module.block(x)
        else:
            x = module(x)
    return found


@dataclass
class Row:
    """The measures of one method, gathered picture by picture."""

    values: dict[str, list[float]] = field(default_factory=dict)
    use: list[Tensor] = field(default_factory=list)  # mean ρ of each primitive, a picture each

    def add(self, measure: str, values: Sequence[float] | np.ndarray) -> None:
        """More values of a measure."""
        self.values.setdefault(measure, []).extend(map(float, values))

    def means(self) -> dict[str, float]:
        """Every measure's mean, and the share of dead primitives."""
        means = {measure: float(np.mean(values)) for measure, values in self.values.items() if values}
        if self.use:
            use = torch.stack(self.use).mean(dim=0)
            means["dead"] = float((use < 0.1 / len(use)).float().mean())
        return means


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

    With `frames` > 1, of clips made from the pictures.
    """
    for block in (*model.blocks.values(), *random.blocks.values()):
        cast(PositionBlock, block).frames_per_clip = frames
    features, labels = [], []
    for photo, segmentations in tqdm(pairs, desc=f"features at {size_px} px", leave=False):
        picture = read_photo(photo, skipped)
        if picture is not None:
            features.append(features_before(model, _frames_of(picture, size_px, frames, photo.stem)))
            labels.append(segmentations)
    if not features:
        raise TrainingError(f"None of the {len(pairs)} pictures could be read. Give JPEG files.")
    statistics = {}
    for name in features[0]:
        channels = torch.cat([of[name].transpose(0, 1).flatten(1) for of in features], dim=1)
        statistics[name] = channels.mean(dim=1), channels.std(dim=1).clamp_min(1e-5)
    tails = {name: tail_of(model.network, name) for name in features[0]}
    beside = BASELINES if frames == 1 else ("random block", "cosine")
    methods = ("block", *(beside if baselines else ()))
    rows = {name: {method: Row() for method in methods} for name in features[0]}
    for of, path in tqdm(list(zip(features, labels, strict=True)), desc=f"maps at {size_px} px", leave=False):
        segmentations = read_segmentations(path, skipped)
        if segmentations is None:
            continue
        if frames > 1:
            moving = [_frames_of(labels, size_px, frames, path.stem) for labels in segmentations]
            segmentations = np.stack(moving).reshape(len(moving), frames * size_px, size_px)
        regions = regions_of(segmentations, size_px, frames)
        for name, x in of.items():
            mean, std = statistics[name]
            strip = x.transpose(0, 1).flatten(1, 2)  # frames one above the other, as their regions are
            standardised = (strip - mean[:, None, None]) / std[:, None, None]
            measure_picture(
                rows[name], model.blocks[name], random.blocks[name], tails[name], x, standardised, regions
            )
    return {
        name: {method: row.means() for method, row in table.items() if row.values}
        for name, table in rows.items()
    }


def measure_picture(
    rows: Mapping[str, Row],
    block: nn.Module,
    random: nn.Module,
    tail: nn.Sequential,
    features: Tensor,
    standardised: Tensor,
    regions: Regions,
) -> None:
    """Add what one picture, or clip of T frames, says of a block and of the baselines in `rows`.

    The block reads `features` (T, c, h, w); `standardised` are (c, T·h, w).
    """
    grid = _strip(features)
    _measure_block(rows["block"], block, features, regions)
    if "cosine" not in rows:
        return
    _measure_block(rows["random block"], random, features, regions)
    cosine = click_aucs(lambda cells: cosine_similarity(standardised, cells), regions, grid)
    rows["cosine"].add("click-AUC", cosine)
    if "Grad-CAM" not in rows:
        return
    count = block.c_n if isinstance(block, DoubleAttention) else COMPONENTS
    rows["k-means"].add("overlap gather", best_overlaps(k_means_maps(standardised, count), regions))
    rows["NMF"].add("overlap gather", best_overlaps(nmf_maps(standardised, count), regions))
    cam = grad_cam(tail, features[0])
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


def _measure_block(row: Row, block: nn.Module, features: Tensor, regions: Regions) -> None:
    grid = _strip(features)
    if not isinstance(block, DoubleAttention):
        if not getattr(block, "same_everywhere", True):
            row.add("click-AUC", click_aucs(_rows_of(block, features), regions, grid))
        return
    attended = block.attend(features)
    gather, distribute = attended.gather[0], attended.distribute[0]

    def effective_attention(cells: np.ndarray) -> np.ndarray:
        return (distribute[:, torch.from_numpy(cells)].T @ gather).numpy()

    row.add("click-AUC", click_aucs(effective_attention, regions, grid))
    row.add("overlap gather", best_overlaps(gather.unflatten(1, grid), regions))
    row.add("overlap rho", best_overlaps(distribute.unflatten(1, grid), regions))
    row.add("median reach", [float(reach_share(gather).median())])
    row.add("redundancy", [float(redundancy(gather))])
    row.use.append(distribute.mean(dim=1))


def _rows_of(block: Any, features: Tensor) -> Callable[[np.ndarray], np.ndarray]:
    return lambda cells: np.stack([block.attention_row(features, int(p)).flatten().numpy() for p in cells])


# ---------------------------------------------------------------- predictions, on labelled photos


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


@torch.inference_mode()
def logits_without(model: Model, x: Tensor) -> dict[frozenset[str], Tensor]:
    """Logits with no block left out, each alone and all of them, by the names of those left out.

    What two of them share of the network is run once.
    """
    everything = frozenset(model.blocks)
    wanted = {frozenset[str](), everything, *(frozenset({name}) for name in model.blocks)}
    running, seen = {frozenset[str](): x}, frozenset[str]()
    for name, module in stages(model.network):
        if isinstance(module, WithBlock):
            seen |= {name}
            hosted = {left_out: module.host(value) for left_out, value in running.items()}
            starts = {some & seen for some in wanted}
            running = {left: module.block(value) for left, value in hosted.items() if left in starts}
            running |= {left | {name}: hosted[left] for left in hosted if left | {name} in starts}
        else:
            running = {left_out: module(value) for left_out, value in running.items()}
    return running


def measure_photos(
    model: Model, folder: Path, size_px: int, limit: int | None, skipped: Skipped
) -> dict[str, Any]:
    """Top-1 and top-5 under all classes beside the plain trunk, their agreement, and each block's use.

    Use is the mean KL divergence, in nats, of the prediction when one block is left out. The
    intervals are paired bootstraps over photos, 95 %.

    Raises:
        TrainingError: a folder that is named for no class, or no photo that can be read.
    """
    photos = find_photos([str(folder)], limit=limit)
    names, classes = classes_of(photos)
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
