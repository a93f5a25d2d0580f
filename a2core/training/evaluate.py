"""`python -m a2core evaluate`: the measures of a checkpoint, and of baselines on the same features.

Regions come as `ID.jpg` beside `ID.npz` with `segmentations` (annotators, H, W), labelled photos as
one folder a class. Baselines, in the same run: the same blocks with random weights, the cosine
similarity of the block's own input features (standardised per channel over the pictures), and
k-means of each picture with as many clusters as there are primitives.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from timm.data import ImageNetInfo
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from a2core.checkpoints import load_model, untrained_model
from a2core.double_attention import DoubleAttention
from a2core.errors import TrainingError
from a2core.media import read_media
from a2core.networks import WithBlock, load_backbone, stages
from a2core.trace import Model
from a2core.training.data import Skipped, classes_of, find_photos, read_photo, square
from a2core.training.measures import best_overlaps, click_aucs, reach_share, redundancy, regions_of

Table = dict[str, dict[str, float]]  # method to measure to value


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """Measure and print; the same as a dictionary.

    Raises:
        TrainingError: neither regions nor photos were given, or they hold none.
    """
    if args.regions is None and args.photos is None:
        raise TrainingError("Nothing to measure on. Give --regions, --photos or both.")
    model = load_model(args.checkpoint)
    random = untrained_model(args.checkpoint)
    results: dict[str, Any] = {"checkpoint": model.name}
    if args.regions is not None:
        pairs = region_pairs(args.regions, args.limit)
        results["regions"] = {"pictures": len(pairs)}
        for size in args.sizes:
            for name in model.blocks:
                table = measure_regions(model, random, name, pairs, size)
                results["regions"][f"{name} {size}"] = table
                print_table(f"{name} at {size} pixels, {len(pairs)} pictures", table)
    if args.photos is not None:
        results["photos"] = measure_photos(model, args.photos, args.sizes[0], args.limit)
        for key, value in results["photos"].items():
            print(f"{key}: {value}")
    return results


def print_table(title: str, table: Table) -> None:
    """One row a method, one column a measure."""
    columns = sorted({key for row in table.values() for key in row})
    print(f"\n{title}")
    print(f"{'':18}" + "".join(f"{column:>18}" for column in columns))
    for method, row in table.items():
        cells = "".join(f"{row[c]:18.3f}" if c in row else f"{'–':>18}" for c in columns)
        print(f"{method:18}{cells}")


def region_pairs(folder: Path, limit: int | None) -> list[tuple[Path, np.ndarray]]:
    """(photo, label maps) of every picture in `folder` that has both.

    Raises:
        TrainingError: there is none.
    """
    pairs = []
    for path in sorted(folder.glob("*.npz"))[:limit]:
        photo = path.with_suffix(".jpg")
        if photo.exists():
            pairs.append((photo, np.load(path, allow_pickle=False)["segmentations"]))
    if not pairs:
        raise TrainingError(
            f"{folder} holds no ID.jpg with ID.npz beside it. Give a folder of labelled pictures."
        )
    return pairs


@torch.inference_mode()
def features_before(model: Model, name: str, picture: np.ndarray) -> Tensor:
    """(1, c, h, w) input of block `name`, the blocks before it applied."""
    x = model.preprocess(picture[None])
    for stage, module in stages(model.network):
        if stage == name:
            return module.host(x) if isinstance(module, WithBlock) else module(x)
        x = module(x)
    raise TrainingError(f"The network has no stage {name!r}.")


@torch.inference_mode()
def measure_regions(
    model: Model, random: Model, name: str, pairs: Sequence[tuple[Path, np.ndarray]], size_px: int
) -> Table:
    """Click-AUC, overlaps, reach, dead and redundancy of one block and its baselines."""
    prepared = []
    for photo, segmentations in tqdm(pairs, desc=f"{name} {size_px}", leave=False):
        picture = square(read_media(photo).frames[0], size_px)
        prepared.append((features_before(model, name, picture), segmentations))
    channels = torch.cat([features.flatten(2) for features, _ in prepared], dim=2)
    mean, std = channels.mean(dim=2, keepdim=True), channels.std(dim=2, keepdim=True).clamp_min(1e-5)

    rows: dict[str, dict[str, list[Any]]] = {m: {} for m in ("block", "random block", "cosine", "k-means")}
    uses: dict[str, list[Tensor]] = {"block": [], "random block": []}
    for features, segmentations in tqdm(prepared, desc=f"{name} {size_px}", leave=False):
        grid = (features.shape[2], features.shape[3])
        regions = regions_of(segmentations, size_px)
        for method, owner in (("block", model), ("random block", random)):
            block = owner.blocks[name]
            assert isinstance(block, DoubleAttention)
            attended = block.attend(features)
            gather, distribute = attended.gather[0], attended.distribute[0]
            attention = (distribute.T @ gather).numpy()
            _add(rows[method], "click-AUC", click_aucs(attention.__getitem__, regions, grid))
            _add(rows[method], "overlap gather", best_overlaps(gather.unflatten(1, grid), regions))
            _add(rows[method], "overlap rho", best_overlaps(distribute.unflatten(1, grid), regions))
            _add(rows[method], "reach", [float(reach_share(gather).median())])
            _add(rows[method], "redundancy", [float(redundancy(gather))])
            uses[method].append(distribute.mean(dim=1))
        standardised = ((features.flatten(2) - mean) / std)[0]
        unit = F.normalize(standardised, dim=0)
        similarity = (unit.T @ unit).numpy()
        _add(rows["cosine"], "click-AUC", click_aucs(similarity.__getitem__, regions, grid))
        clusters = min(len(uses["block"][-1]), standardised.shape[1])
        labels = KMeans(clusters, n_init=1, random_state=0).fit_predict(standardised.T.numpy())
        maps = F.one_hot(torch.from_numpy(labels).long(), clusters).T.float().unflatten(1, grid)
        _add(rows["k-means"], "overlap gather", best_overlaps(maps, regions))
    table = {m: {key: float(np.mean(values)) for key, values in row.items()} for m, row in rows.items()}
    for method, parts in uses.items():
        use = torch.stack(parts).mean(dim=0)
        table[method]["dead"] = float((use < 0.1 / len(use)).float().mean())
    return table


def _add(row: dict[str, list[Any]], key: str, values: Any) -> None:
    row.setdefault(key, []).extend(values)


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


def _batches(
    photos: Sequence[Path], size_px: int, skipped: Skipped
) -> Iterator[tuple[list[int], np.ndarray]]:
    for start in range(0, len(photos), 16):
        kept, pictures = [], []
        for index in range(start, min(start + 16, len(photos))):
            photo = read_photo(photos[index], skipped)
            if photo is not None:
                kept.append(index)
                pictures.append(square(photo, size_px))
        if pictures:
            yield kept, np.stack(pictures)


@torch.inference_mode()
def measure_photos(model: Model, folder: Path, size_px: int, limit: int | None) -> dict[str, Any]:
    """Top-1 and top-5 under all classes beside the plain trunk, their agreement, and each block's use.

    Use is the mean KL divergence, in nats, of the prediction when one block is left out. The
    intervals are paired bootstraps over photos, 95 %.

    Raises:
        TrainingError: a folder that is named for no ImageNet class.
    """
    photos = find_photos([str(folder)], limit=limit)
    names, classes = classes_of(photos)
    index_of = {name: imagenet_index(name) for name in names}
    unknown = [name for name, index in index_of.items() if index is None]
    if unknown:
        raise TrainingError(
            f"Folder {unknown[0]!r} is named for no ImageNet class. Use its WordNet id or name."
        )
    truth = np.array([index_of[names[c]] for c in classes])
    plain = load_backbone(model.card["architecture"]["backbone"]).network
    skipped = Skipped()
    ours, theirs, kept = [], [], []
    use: dict[str, list[float]] = {name: [] for name in model.blocks}
    for indices, pictures in tqdm(list(_batches(photos, size_px, skipped)), desc="photos", leave=False):
        x = model.preprocess(pictures)
        logits = model.network(x)
        ours.append(logits)
        theirs.append(plain(x))
        kept += indices
        log_p = logits.log_softmax(dim=1)
        for name in model.blocks:
            without = _without(model, name, x).log_softmax(dim=1)
            use[name] += (log_p.exp() * (log_p - without)).sum(dim=1).tolist()
    a, b, y = torch.cat(ours), torch.cat(theirs), torch.from_numpy(truth[kept])
    hit_a, hit_b = (logits.argmax(dim=1) == y for logits in (a, b))
    difference = hit_a.float().numpy() - hit_b.float().numpy()
    rng = np.random.default_rng(0)
    means = [difference[rng.integers(len(difference), size=len(difference))].mean() for _ in range(2000)]
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "photos": len(kept),
        "top-1": round(float(hit_a.float().mean()), 4),
        "top-1 plain trunk": round(float(hit_b.float().mean()), 4),
        "top-1 difference, 95 % interval": [round(float(low), 4), round(float(high), 4)],
        "top-5": round(float((a.topk(5).indices == y[:, None]).any(dim=1).float().mean()), 4),
        "top-5 plain trunk": round(float((b.topk(5).indices == y[:, None]).any(dim=1).float().mean()), 4),
        "agreement with the plain trunk": round(float((a.argmax(1) == b.argmax(1)).float().mean()), 4),
        "use (KL, nats)": {name: round(float(np.mean(values)), 4) for name, values in use.items()},
        "skipped": skipped.summary(),
    }


def _without(model: Model, name: str, x: Tensor) -> Tensor:
    for stage, module in stages(model.network):
        x = module.host(x) if stage == name and isinstance(module, WithBlock) else module(x)
    return x
