"""Adapting blocks to a frozen trunk: losses, the loop, resuming, divergence.

Two phases, each on what is kept (`cache.py`, `answers.py`), so the trunk's lower stages never run:

1. **Attention.** Each block alone learns θ, ρ and φ. Its effective attention E(p, ·) = Σ_i ρ_i(p) θ_i
   is drawn towards the target affinity T(p, ·) (`settings.SHALLOW` and `DEEP` say how), its Z rebuilds the
   standardised features through a linear read-out (so that primitives carry content), and the mean ρ
   over the batch is kept from leaving primitives unused. Blocks that go on from a checkpoint know where to
   look: each primitive's ρ is tied to one cluster of the cells of all photos (`clusters.py`), the one most
   like it, so that it comes to stand for one kind of thing in all of them. With `keep` their weights end
   as a mean of what they were and what they have become: part of the way much of what is new is had, and
   hardly anything lost of what they could do (as Wortsman et al. found of fine-tuned networks,
   arXiv:2109.01903).
2. **Prediction.** With the expansion, which starts at zero, the whole tail of the network is run on crops
   that were never enlarged, and drawn towards answers between the plain trunk's and the teacher's. Where
   these name the same class it may not lose: blocks are put in to be looked at, and shall cost nothing.
   Nothing else learns here, so that attention stays what the first phase made it.

The relatives go through the same two phases as far as each has what a loss speaks of: where a block
hands every position the same there is no attention to draw anywhere, and only double attention has
primitives to keep in use. What is rebuilt from is always what the block's last layer reads.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.position_block import PositionBlock, project
from a2core.checkpoints import save_checkpoint
from a2core.errors import TrainingError
from a2core.training.adapt.answers import Answers
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.clusters import Clusters, found_clusters, in_order_of, some_cells
from a2core.training.adapt.kept import Kept
from a2core.training.adapt.losses import answer_losses, as_read, attention_losses
from a2core.training.adapt.settings import AdaptSettings
from a2core.training.adapt.targets import ANSWERS, as_pixels
from a2core.training.adapt.trainee import Trainee
from a2core.training.state import read_state, start_from, write_state

LOOKED_AT = 64  # photos at a time


def _readable(cache: Cache) -> np.ndarray:
    """Places of the photos of the first size that could be read.

    Raises:
        TrainingError: there is none.
    """
    members = cache.valid_members(cache.sizes_px[0])
    if len(members) == 0:
        raise TrainingError("None of the photos could be read. Give folders holding JPEG or PNG files.")
    return members


def _check_keep(settings: AdaptSettings, *, begun: bool) -> None:
    if not settings.keep:
        return
    if not begun or not settings.attention_steps:
        raise TrainingError(
            "--keep is of blocks that go on learning where to look. Give their checkpoint with --init and "
            "leave steps for it, or leave it out."
        )
    if not 0 < settings.keep < 1:
        raise TrainingError(f"--keep {settings.keep:g} is not between 0 and 1. Lower it, or leave it out.")


class Adaptation:
    """One run of `adapt`; its state, `folder`/state.pt, is written atomically every `save_every` steps.

    A phase without steps needs nothing kept. Without the first, blocks attend as those of `init` do.

    Raises:
        TrainingError: a block where the cache holds no features, or neither a first phase nor `init`.
    """

    def __init__(
        self,
        cache: Cache | None,
        answers: Answers | None,
        settings: AdaptSettings,
        folder: Path,
        *,
        save_every: int = 50,
        init: str | None = None,
    ) -> None:
        self.cache, self.answers, self.settings = cache, answers, settings
        self.folder, self.save_every = folder, save_every
        torch.manual_seed(settings.seed)
        self.trainee = Trainee(settings.architecture)
        kept = self._kept
        for block in self.trainee.blocks.values():
            cast(PositionBlock, block).frames_per_clip = kept[0].frames
        self.init = init
        if cache is None and init is None:
            raise TrainingError(
                "With --attention-steps 0 the blocks never learn where to look. Give a checkpoint whose "
                "blocks have, with --init, or leave it out."
            )
        if init is not None:
            start_from(init, self.trainee.blocks, self.trainee.network, settings.architecture)
        _check_keep(settings, begun=init is not None)
        self.device, self.photos = kept[0].device, len(kept[0].photos)
        self.trainee.to(self.device)
        self.begun = [p.detach().clone() for p in self._of_blocks()]
        self.weights: dict[str, Mapping[str, float]] = {}
        if cache is not None:
            self.weights = {
                name: settings.attention_weights(cache.stride_px(name)) for name in self.trainee.blocks
            }
        self.optimizer: torch.optim.Optimizer
        self.scheduler: torch.optim.lr_scheduler.LRScheduler
        self.clusters: dict[str, Clusters] = {}
        self.step = 0
        self.elapsed_s = 0.0
        self.last: dict[str, float] = {}
        self.best_loss = math.inf

    # ---------------------------------------------------------------- state on disk

    @property
    def _kept(self) -> list[Kept]:
        return [part for part in (self.cache, self.answers) if part is not None]

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        kept = [part.folder.name for part in self._kept]
        ours = {**asdict(self.settings), "cache": kept, "init": self.init}
        return json.loads(json.dumps(ours))

    def save(self) -> None:
        """Write everything needed to go on as if never stopped."""
        write_state(
            self.folder,
            {
                "settings": self.fingerprint(),
                "step": self.step,
                "elapsed_s": self.elapsed_s,
                "tensors": self.trainee.trained_tensors(),
                "clusters": {name: list(found) for name, found in self.clusters.items()},
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "torch_rng": torch.get_rng_state(),
                "best_loss": self.best_loss,
                "last": self.last,
            },
        )

    def resume(self) -> bool:
        """Go on from `folder`, if a run with the same settings was there.

        Raises:
            TrainingError: a state of other settings, naming them, or one that cannot be read.
        """
        state = read_state(self.folder, self.fingerprint())
        if state is None:
            return False
        self.step, self.elapsed_s, self.best_loss = state["step"], state["elapsed_s"], state["best_loss"]
        self.last = state["last"]
        self.trainee.load_trained_tensors(state["tensors"])
        kept = state.get("clusters", {})
        self.clusters = {
            name: Clusters(*(part.to(self.device) for part in found)) for name, found in kept.items()
        }
        self._start_phase()
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        torch.set_rng_state(state["torch_rng"])
        return True

    # ---------------------------------------------------------------- training

    @property
    def total_steps(self) -> int:
        """Steps of both phases."""
        return self.settings.attention_steps + self.settings.prediction_steps

    @property
    def predicting(self) -> bool:
        """Whether the second phase has begun, where there is one."""
        return self.step >= self.settings.attention_steps and self.settings.prediction_steps > 0

    def _start_phase(self) -> None:
        settings = self.settings
        for block in self.trainee.blocks.values():
            block.requires_grad_(not self.predicting)
            block.last_layer.requires_grad_(self.predicting)
            block.eval()
        learning = [*self.trainee.blocks.values(), *([] if self.predicting else [self.trainee.read_outs])]
        parameters = [p for module in learning for p in module.parameters() if p.requires_grad]
        rate = settings.prediction_learning_rate if self.predicting else settings.learning_rate
        steps = settings.prediction_steps if self.predicting else settings.attention_steps
        self.optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=settings.weight_decay)
        steps = max(2, steps)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rate, total_steps=steps, pct_start=max(0.1, 1.5 / steps)
        )  # torch divides by zero where the rise is exactly one step

    def _begin_phase(self) -> None:
        if self.predicting:
            for block in self.trainee.blocks.values():
                cast(PositionBlock, block).hand_out_nothing()
        self._start_phase()

    def run(self, *, progress: bool = True) -> None:
        """Train to the end, from the start or from where a killed run had got to.

        Raises:
            TrainingError: diverged, or state of other settings.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.resume():
            if self.cache is not None:
                if self.init is None:
                    self._statistics(self.cache)
                else:
                    self._find_clusters(self.cache)
            self._begin_phase()
        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step)
        bar = tqdm(total=self.total_steps, initial=self.step, desc="adapt", disable=not progress, unit="step")
        start = time.monotonic() - self.elapsed_s
        with bar:
            while self.step < self.total_steps:
                losses = self._one_step()
                self.step += 1
                self.elapsed_s = time.monotonic() - start
                self._watch(losses)
                if self.step == self.settings.attention_steps:
                    self._go_back()  # before the state is saved, and so once
                    if self.step < self.total_steps:
                        self._begin_phase()  # likewise: it is the next step's optimizer
                bar.update(1)
                if self.step % 10 == 0:
                    bar.set_postfix(
                        {key.split("/")[-1][:7]: f"{value:.3f}" for key, value in losses.items()},
                        refresh=False,
                    )
                    for key, value in losses.items():
                        writer.add_scalar(key, value, self.step)
                if self.step % self.save_every == 0 or self.step == self.total_steps:
                    self.save()
        writer.close()

    def _of_blocks(self) -> list[torch.nn.Parameter]:
        return [p for block in self.trainee.blocks.values() for p in block.parameters()]

    @torch.no_grad()
    def _go_back(self) -> None:
        """Towards the blocks that were gone on from, as far as the settings ask for."""
        for now, begun in zip(self._of_blocks(), self.begun, strict=True):
            now.lerp_(begun, self.settings.keep)

    def _statistics(self, cache: Cache) -> None:
        for name in self.trainee.blocks:
            size_px, members = cache.sizes_px[0], _readable(cache)
            features = cache.batch(size_px, members[:512])[f"features@{name}"]
            self.trainee.set_statistics(name, features)

    @torch.no_grad()
    def _find_clusters(self, cache: Cache) -> None:
        """Give every primitive of a block that is to be taught meaning the cluster most like it."""
        _readable(cache)
        for name, block in self.trainee.blocks.items():
            if not isinstance(block, DoubleAttention) or "meaning" not in self.weights[name]:
                continue
            rng, cells, logits = np.random.default_rng(0), [], []
            for size_px in cache.sizes_px:
                members = cache.valid_members(size_px)
                for some in np.array_split(members, -(-len(members) // LOOKED_AT) or 1):
                    if len(some) == 0:
                        continue
                    batch = cache.batch(size_px, some)
                    cells.append(some_cells(as_read(block, batch[f"features@{name}"])[1], rng))
                    if ANSWERS in batch:  # of a clip its frames' mean
                        logits.append(batch[ANSWERS].unflatten(0, (len(some), -1)).mean(dim=1))
            each = min(of.shape[1] for of in cells)
            joined = torch.cat([of[:, :each] for of in cells])
            found = found_clusters(joined, torch.cat(logits) if logits else None, block.c_n)
            few = joined[:, : max(1, each // 4)].flatten(0, 1)
            self.clusters[name] = in_order_of(project(block.rho, few.T[None]).softmax(dim=1)[0], found, few)

    def _drawn(self, kept: Kept) -> tuple[int, np.ndarray]:
        """(size, indices) of what is looked at in this step; the same however often one resumes.

        Larger pictures come in smaller batches, and so do clips: as many positions a step.
        """
        size = kept.sizes_px[self.step % len(kept.sizes_px)]
        members = kept.valid_members(size)
        rng = np.random.default_rng((self.settings.seed, self.step))
        share = (min(kept.sizes_px) / size) ** 2 / kept.frames
        count = min(max(1, round(self.settings.batch_size * share)), len(members))
        return size, rng.choice(members, count, replace=False)

    def _one_step(self) -> dict[str, float]:
        total, logged = self._answer() if self.predicting else self._attention()
        self.optimizer.zero_grad()
        total.backward()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        self.optimizer.step()
        self.scheduler.step()
        logged["loss"] = total.detach()
        # Asked for together: a GPU is waited for once.
        return dict(zip(logged, torch.stack(list(logged.values())).tolist(), strict=True))

    def _attention(self) -> tuple[Tensor, dict[str, Tensor]]:
        """What the blocks' attention costs in this step: in all, and piece by piece."""
        assert self.cache is not None, "there are steps in which it learns to attend"
        batch = self.cache.batch(*self._drawn(self.cache))
        logged: dict[str, Tensor] = {}
        total = torch.zeros((), device=self.device)
        for name, block in self.trainee.blocks.items():
            weights = {**self.weights[name], "rebuild": self.settings.weight_rebuild}
            losses = attention_losses(
                block,
                self.trainee.read_outs[name.replace(".", "_")],
                batch[f"features@{name}"],
                batch[f"rows@{name}"],
                batch[f"targets@{name}"],
                weights,
                self.clusters.get(name),
            )
            for key, value in losses.items():
                total = total + weights[key] * value
                logged[f"{name}/{key}"] = value.detach()
        return total, logged

    def _answer(self) -> tuple[Tensor, dict[str, Tensor]]:
        """What the network's answers cost in this step, likewise."""
        settings, answers = self.settings, self.answers
        assert answers is not None, "there are steps in which it learns to answer"
        size_px, indices = self._drawn(answers)
        batch = answers.batch(size_px, indices)
        logits = self.trainee.predict(
            batch["features"], lambda: as_pixels(answers.pictures(size_px, indices)).to(answers.device)
        )
        own, teacher = batch["logits own"], batch["logits teacher"]
        losses = answer_losses(logits, own, teacher, share=settings.teacher_share)
        weights = {"predict": settings.weight_predict, "bound": settings.weight_bound}
        total = torch.stack([weights[key] * value for key, value in losses.items()]).sum()
        return total, {key: value.detach() for key, value in losses.items()}

    def _watch(self, losses: Mapping[str, float]) -> None:
        loss = losses["loss"]
        self.last |= losses  # those of a phase that is over stay
        if self.step in (1, self.settings.attention_steps + 1):  # another phase, other losses
            self.best_loss = loss
        self.best_loss = min(self.best_loss, loss)
        if not math.isfinite(loss) or (self.step > 100 and loss > 5 * abs(self.best_loss) + 10):
            raise TrainingError(
                f"Training diverged at step {self.step} (loss {loss:.3g}). Give another --out and a lower "
                f"--learning-rate, for example {self.settings.learning_rate / 3:.1g}."
            )

    # ---------------------------------------------------------------- result

    def write_checkpoint(self, path: Path, card: Mapping[str, Any]) -> Path:
        """The blocks as a checkpoint with its card; the read-outs were scaffolding and are left out."""
        return save_checkpoint(path, self.trainee.blocks, architecture=self.settings.architecture, card=card)
