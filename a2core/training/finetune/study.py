"""`python -m a2core study`: does double attention help a classifier more than its relatives do?

Six variants on the same frozen EfficientNet-Lite0, trained by the same recipe: behind `blocks.5`
stands no block, squeeze-excitation, covariance pooling, a non-local block, self-attention or double
attention, each of about 37,000 parameters (but none); the frozen rest of the network follows; a new
linear head ends it. Only block and head are trained.

What is the same for all: the trunk's features at the block's place, computed once and kept as
float16; their standardisation per channel, X + s·f((X − μ) / s), so that no block meets numbers that
another need not; a start at (nearly) the identity; photos, their order, epochs, optimiser and
schedule. Learning rates are chosen, from the same three for each variant, on a part of the training
photos by the accuracy on another part of them; the validation photos are looked at once a run, at
its end.

Every finished run is one line of `runs.jsonl` in the study's folder: killed at any moment, the study
goes on behind the last of them.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from tqdm import tqdm

from a2core.bench.counts import count
from a2core.blocks.registry import make_block
from a2core.checkpoints import write_atomically
from a2core.errors import TrainingError
from a2core.networks.backbones import load_backbone
from a2core.networks.chain import stages
from a2core.training.adapt.cache import standardise
from a2core.training.data import Skipped, identity_of, photos_of, read_photo, square

TRUNK, PLACE, CHANNELS, STRIDE_PX, POOLED = "tf_efficientnet_lite0", "blocks.5", 192, 32, 1280
RATES = (1e-3, 3e-3, 1e-2)
CHUNK = 64
FEWEST_PHOTOS = 10

# About 37,000 parameters each, so that what is compared is how they attend.
VARIANTS: Mapping[str, dict[str, Any] | None] = {
    "no block": None,
    "squeeze-excitation": {"kind": "squeeze_excitation", "reduction": 2},
    "covariance pooling": {"kind": "covariance_pooling", "c_m": 13},
    "non-local": {"kind": "non_local", "inner": 48},
    "self-attention": {"kind": "self_attention", "inner": 48, "heads": 4},
    "A²": {"kind": "double_attention", "c_m": 48, "c_n": 48, "input_norm": False},
}


@dataclass(frozen=True)
class StudySettings:
    """How the variants are trained; a study is only resumed with the same."""

    size_px: int = 224
    epochs: int = 3
    seeds: int = 3
    batch_size: int = 32
    weight_decay: float = 1e-2


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
    network = load_backbone(TRUNK).network.requires_grad_(False)
    _fuse(network)
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


def _fuse(parent: nn.Module) -> None:
    children = list(parent.named_children())
    for (name, module), (next_name, following) in itertools.pairwise(children):
        if isinstance(module, nn.Conv2d) and isinstance(following, BatchNormAct2d):
            setattr(parent, name, fuse_conv_bn_eval(module, following))
            setattr(parent, next_name, following.act)
    for _, module in children:
        _fuse(module)


def _run(network: nn.Module, x: Tensor, *, after: str | None, until: str) -> Tensor:
    """From behind stage `after` (the input, when None) up to and with stage `until`."""
    running = after is None
    for name, stage in stages(network):
        x = stage(x) if running else x
        running = running or name == after
        if name == until:
            break
    return x


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
        total, grid = len(self.photos.paths), self.size_px // STRIDE_PX
        state: dict[str, Any] = {"done": 0, "unreadable": []}
        if self.marker.exists():
            state = json.loads(self.marker.read_text(encoding="utf-8"))
        try:
            if state["done"]:
                array = np.lib.format.open_memmap(self.path, mode="r+")
            else:
                shape = (total, CHANNELS, grid, grid)
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
                    features = _run(network, x, after=None, until=PLACE)
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


class Variant(nn.Module):
    """One variant: block (or none), the frozen rest of the trunk, a linear head that starts at zero."""

    def __init__(self, name: str, classes: int, mean: Tensor, std: Tensor, rest: nn.Module) -> None:
        super().__init__()
        self.block = identity_block(name)
        self.head = nn.Linear(POOLED, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.mean, self.std = mean, std
        self.rest = rest

    def forward(self, x: Tensor) -> Tensor:
        """Logits of features (batch, c, h, w)."""
        if self.block is not None:
            x = self.block((x - self.mean) / self.std) * self.std + self.mean
        return self.head(_run(self.rest, x, after=PLACE, until="global_pool"))


def identity_block(name: str) -> nn.Module | None:
    """The block of a variant, started at the identity; squeeze-excitation with gates of 0.95."""
    settings = VARIANTS[name]
    if settings is None:
        return None
    block: Any = make_block({"in_channels": CHANNELS, **settings})
    nn.init.zeros_(block.last_layer.weight)
    nn.init.constant_(block.last_layer.bias, 3.0 if block.hands == "gates" else 0.0)
    return block


class Study:
    """The runs of one study, kept in `folder`/runs.jsonl."""

    def __init__(self, folder: Path, settings: StudySettings, train: Photos, val: Photos) -> None:
        self.folder, self.settings = folder, settings
        self.classes = int(val.labels.max()) + 1
        self.parts = {
            part: Features(folder, part, photos, settings.size_px)
            for part, photos in (("train", train), ("val", val))
        }
        self.identity = {**asdict(settings), "train": train.identity(), "val": val.identity()}
        self.log = folder / "runs.jsonl"
        self.runs = self._resume()

    def _resume(self) -> list[dict[str, Any]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.log.exists():
            write_atomically(self.log, (json.dumps(self.identity) + "\n").encode())
        first, *rest = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
        if json.loads(first) != self.identity:
            raise TrainingError(
                f"The study in {self.folder} was begun with other settings or photos. Use the same, or give "
                "another --out."
            )
        whole = [line for line in rest if line.endswith("\n")]
        if len(whole) < len(rest):  # killed while writing: that run is made again
            write_atomically(self.log, "".join([first, *whole]).encode())
        return [json.loads(line) for line in whole]

    def _known(self, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        return next((run for run in self.runs if wanted.items() <= run.items()), None)

    def run(self) -> None:
        """Features, learning rates, final runs: whatever is not there yet."""
        for features in self.parts.values():
            features.build()
        self.x, self.y, _ = self.parts["train"].load()
        self.val = self.parts["val"].load()
        sample = self.x[:: max(1, len(self.x) // 2048)].float()
        self.mean = sample.mean(dim=(0, 2, 3), keepdim=True)
        self.std = sample.std(dim=(0, 2, 3), keepdim=True)
        self.rest = fused_trunk()
        judge, fit = np.split(np.random.default_rng(0).permutation(len(self.x)), [len(self.x) // 5])
        head_rate = self._best_rate("no block", None, fit, judge)
        rates = {
            name: None if settings is None else self._best_rate(name, head_rate, fit, judge)
            for name, settings in VARIANTS.items()
        }
        everything = np.arange(len(self.x))
        for seed in range(self.settings.seeds):
            for name, rate in rates.items():
                wanted = {"phase": "final", "variant": name, "seed": seed}
                if self._known(wanted) is None:
                    start = time.monotonic()
                    model = self._train(name, head_rate, rate, everything, self.settings.epochs, seed)
                    right = self._right(model, self.val[0], self.val[1])
                    by_source = [float(right[self.val[2] == s].mean()) for s in np.unique(self.val[2])]
                    self._finish(
                        wanted
                        | {
                            "head rate": head_rate,
                            "block rate": rate,
                            "accuracy": float(right.mean()),
                            "accuracy by folder": by_source,
                            "wall_s": round(time.monotonic() - start),
                        }
                    )

    def _finish(self, run: dict[str, Any]) -> None:
        self.runs.append(run)
        with self.log.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(run, ensure_ascii=False) + "\n")
        print(", ".join(f"{key} {value}" for key, value in run.items()), flush=True)

    def _best_rate(self, name: str, head_rate: float | None, fit: np.ndarray, judge: np.ndarray) -> float:
        """The rate of the block, or of the head when `head_rate` is None, of the best accuracy on `judge`."""
        accuracies: list[float] = []
        for rate in RATES:
            wanted = {"phase": "rate", "variant": name, "rate": rate}
            run = self._known(wanted)
            if run is None:
                model = self._train(name, head_rate or rate, rate, fit, 1, 0)
                accuracy = float(self._right(model, self.x[judge], self.y[judge]).mean())
                run = {**wanted, "accuracy": accuracy}
                self._finish(run)
            accuracies.append(run["accuracy"])
        return RATES[int(np.argmax(accuracies))]

    def _train(
        self, name: str, head_rate: float, rate: float | None, members: np.ndarray, epochs: int, seed: int
    ) -> Variant:
        torch.manual_seed(seed)
        model = Variant(name, self.classes, self.mean, self.std, self.rest).train()
        model.rest.eval()
        groups: list[dict[str, Any]] = [{"params": list(model.head.parameters()), "lr": head_rate}]
        if model.block is not None:
            groups.append({"params": list(model.block.parameters()), "lr": rate})
        optimizer = torch.optim.AdamW(groups, weight_decay=self.settings.weight_decay)
        size = self.settings.batch_size
        steps = epochs * -(-len(members) // size)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, [group["lr"] for group in groups], total_steps=max(2, steps), pct_start=0.1
        )
        rng = np.random.default_rng(seed)
        with tqdm(total=steps, desc=f"{name}, seed {seed}", leave=False) as bar:
            for _ in range(epochs):
                for batch in np.array_split(rng.permutation(members), steps // epochs):
                    loss = F.cross_entropy(model(_batch(self.x, batch)), self.y[batch])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    scheduler.step()
                    bar.update(1)
        return model.eval()

    @torch.inference_mode()
    def _right(self, model: Variant, x: Tensor, y: Tensor) -> np.ndarray:
        """Which photos are classified rightly: (P,) bool."""
        parts = [
            model(_batch(x, places)).argmax(dim=1)
            for places in np.array_split(np.arange(len(x)), len(x) // 256 + 1)
        ]
        return (torch.cat(parts) == y).numpy()


def _batch(x: Tensor, places: np.ndarray) -> Tensor:
    return x[torch.from_numpy(places)].float().contiguous(memory_format=torch.channels_last)


# ---------------------------------------------------------------- report


def costs(size_px: int, *, rounds: int = 40) -> dict[str, dict[str, float]]:
    """Parameters and multiply-adds of each variant's block, and the milliseconds that it takes.

    One picture of `size_px`; the best of `rounds` passes, the variants taking turns.
    """
    grid = size_px // STRIDE_PX
    x = torch.randn(1, CHANNELS, grid, grid, generator=torch.Generator().manual_seed(0))
    x = x.contiguous(memory_format=torch.channels_last)
    table: dict[str, dict[str, float]] = {"no block": {"params": 0, "madds": 0, "ms": 0.0}}
    blocks = {}
    for name, settings in VARIANTS.items():
        if settings is not None:
            params, madds = count(make_block({"in_channels": CHANNELS, **settings}), tuple(x.shape))
            table[name] = {"params": params, "madds": madds, "ms": float("inf")}
            blocks[name] = make_block({"in_channels": CHANNELS, **settings}).eval()
    with torch.inference_mode():
        for _ in range(rounds):
            for name, block in blocks.items():
                block(x)
                start = time.perf_counter()
                for _ in range(10):
                    block(x)
                table[name]["ms"] = min(table[name]["ms"], (time.perf_counter() - start) * 100)
    return table


def summarise(runs: Sequence[Mapping[str, Any]], size_px: int) -> list[dict[str, Any]]:
    """One row a variant: accuracies of its seeds, their mean and standard deviation, gain, costs.

    The gain is the mean over seeds of the difference from "no block" with the same seed.
    """
    cost, rows = costs(size_px), []
    final = [run for run in runs if run["phase"] == "final"]
    plain = {run["seed"]: run["accuracy"] for run in final if run["variant"] == "no block"}
    for name in VARIANTS:
        own = sorted((run for run in final if run["variant"] == name), key=lambda run: run["seed"])
        accuracies = np.array([run["accuracy"] for run in own])
        gains = accuracies - [plain[run["seed"]] for run in own]
        spread = 1 if len(own) > 1 else 0
        rows.append(
            {
                "variant": name,
                "accuracies": accuracies.tolist(),
                "mean": float(accuracies.mean()),
                "std": float(accuracies.std(ddof=spread)),
                "gain": float(gains.mean()),
                "gain std": float(gains.std(ddof=spread)),
                "by folder": np.mean([run["accuracy by folder"] for run in own], axis=0).tolist(),
                "block rate": own[0]["block rate"],
                **cost[name],
            }
        )
    return rows


def markdown_table(rows: Sequence[Mapping[str, Any]], folders: Sequence[str]) -> str:
    """The rows as the table of docs/results.md."""
    head = ["block", "accuracy", "gain", *folders, "parameters", "multiply-adds", "milliseconds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [
            row["variant"],
            f"{100 * row['mean']:.2f} ± {100 * row['std']:.2f} %",
            f"{100 * row['gain']:+.2f} ± {100 * row['gain std']:.2f}" if row["params"] else "–",
            *(f"{100 * value:.2f} %" for value in row["by folder"]),
            f"{row['params']:,}",
            f"{row['madds'] / 1e6:.2f} M",
            f"{row['ms']:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """The accuracies as an SVG: a dot for every seed, a bar at their mean."""
    width, left, right, top, step = 720, 170, 40, 24, 38
    values = [100 * value for row in rows for value in row["accuracies"]]
    low, high = np.floor(2 * min(values)) / 2, np.ceil(2 * max(values)) / 2 + 0.001
    height = top + step * len(rows) + 48

    def x_of(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - right)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="14" '
        'font-family="system-ui, sans-serif" role="img" aria-label="Accuracy of the six variants">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for tick in np.arange(low, high, 0.5):
        x = x_of(float(tick))
        parts.append(f'<path d="M{x:.1f} {top - 8}V{height - 44}" stroke="#dde1e6"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 26}" text-anchor="middle" fill="#444">{tick:g}</text>')
    parts.append(
        f'<text x="{(left + width - right) / 2:.0f}" y="{height - 7}" text-anchor="middle" fill="#444">'
        "accuracy on the validation photos, %: dots are seeds, bars their mean</text>"
    )
    for index, row in enumerate(rows):
        y = top + step * index + step / 2
        colour = "#b5441f" if row["variant"] == "A²" else "#3b5b92"
        weight = ' font-weight="600"' if row["variant"] == "A²" else ""
        parts.append(
            f'<text x="{left - 14}" y="{y + 5:.0f}" text-anchor="end" fill="#111"{weight}>'
            f"{row['variant']}</text>"
        )
        x = x_of(100 * row["mean"])
        parts.append(f'<path d="M{x:.1f} {y - 12}V{y + 12}" stroke="{colour}" stroke-width="3"/>')
        parts += [
            f'<circle cx="{x_of(100 * value):.1f}" cy="{y}" r="5" fill="{colour}" fill-opacity="0.55"/>'
            for value in row["accuracies"]
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def study(args: argparse.Namespace) -> int:
    """Run what is missing of the study in `--out`; write and print its table, write its plot.

    Raises:
        TrainingError: folders that do not fit, a full disk, or a study of other settings in --out.
    """
    if args.size < 64 or args.size % STRIDE_PX:
        raise TrainingError(f"--size {args.size} is no multiple of 32 from 64 on. Use for example 224.")
    if min(args.epochs, args.seeds) < 1:
        raise TrainingError("--epochs and --seeds count from 1.")
    train, val, classes = labelled_photos(args.photos)
    train = some_of(train, args.limit)
    if len(train.paths) < FEWEST_PHOTOS:
        raise TrainingError(
            f"{len(train.paths)} photos are too few to train on. Give {FEWEST_PHOTOS} or more."
        )
    print(f"{len(train.paths)} photos to train, {len(val.paths)} to validate, {len(classes)} classes")
    settings = StudySettings(size_px=args.size, epochs=args.epochs, seeds=args.seeds)
    work = Study(args.out, settings, train, val)
    work.run()
    rows = summarise(work.runs, args.size)
    table = markdown_table(rows, [Path(folder).name for folder in args.photos])
    write_atomically(
        args.out / "study.json", (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode()
    )
    write_atomically(args.out / "study.svg", plot(rows).encode())
    print(f"\n{table}\n\nwrote {args.out / 'study.json'} and {args.out / 'study.svg'}")
    return 0
