"""`python -m a2core study`: does double attention help a classifier more than its relatives do?

Six variants on the same frozen trunk, the default one, trained by the same recipe: at its deepest site
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
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from a2core.checkpoints import write_atomically
from a2core.errors import TrainingError
from a2core.training.finetune.study_photos import (
    FEWEST_PHOTOS,
    SITE,
    Features,
    Photos,
    fused_trunk,
    labelled_photos,
    some_of,
)
from a2core.training.finetune.study_report import markdown_table, plot, summarise
from a2core.training.finetune.study_variants import VARIANTS, Variant

RATES = (1e-3, 3e-3, 1e-2)


@dataclass(frozen=True)
class StudySettings:
    """How the variants are trained; a study is only resumed with the same."""

    size_px: int = 224
    epochs: int = 3
    seeds: int = 3
    batch_size: int = 32
    weight_decay: float = 1e-2


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


def study(args: argparse.Namespace) -> int:
    """Run what is missing of the study in `--out`; write and print its table, write its plot.

    Raises:
        TrainingError: folders that do not fit, a full disk, or a study of other settings in --out.
    """
    if args.size < 64 or args.size % SITE.stride_px:
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
