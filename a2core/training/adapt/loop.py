"""Adapting blocks to a frozen trunk: losses, the loop, resuming, divergence.

Two phases, both on cached features (`cache.py`), so the trunk's lower stages never run:

1. **Attention.** Each block alone learns θ, ρ and φ. Its effective attention E(p, ·) = Σ_i ρ_i(p) θ_i
   is drawn towards the target affinity T(p, ·) (`SHALLOW` and `DEEP` say how), its Z rebuilds the
   standardised features through a linear read-out (so that primitives carry content), and the mean ρ
   over the batch is kept from leaving primitives unused.
2. **Prediction.** With the expansion, which starts at zero, the whole tail of the network is run and
   drawn towards the teacher's soft predictions, the attention losses going on beside it.

The rivals of `baselines.py` go through the same two phases as far as each has what a loss speaks of: where
a block hands every position the same there is no attention to draw anywhere, and only double attention
has primitives to keep in use. What is rebuilt from is always what the block's last layer reads.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from a2core.blocks.position_block import PositionBlock, position_normalised
from a2core.checkpoints import save_checkpoint
from a2core.errors import TrainingError
from a2core.networks.backbones import build_network
from a2core.networks.chain import chain
from a2core.networks.fold import fold_norms
from a2core.networks.insert import inserted_blocks
from a2core.training.adapt.cache import Cache
from a2core.training.state import read_state, start_from, write_state

ROWS = 8  # positions p whose attention is looked at in one step, of each picture
RANK_PAIRS = 48  # cells compared with one another, for each row
RANK_WIDTH = 0.25  # of the ranking loss, in nats of log E
# So many of the primitives are kept from gathering from a larger share of any picture's cells than this;
# the others are free. All of them narrow would cost order among far cells, none of them narrow would leave
# nothing to look at.
NARROW, NARROW_REACH = 0.52, 0.31

# How E(p, ·) is taught: weights of the losses in `attention_losses`. Shallow features know little of objects
# by themselves, so how much and in which order comes from the target. Deep ones rank cells well as they are:
# their order is kept to, and the target's followed where it knows better. Whose features these are makes no
# difference: a cell of so many pixels of the picture counts as deep.
DEEP_FROM_PX = 32
SHALLOW: Mapping[str, float] = {"target": 1.0, "rank": 1.0, "reach": 3.0, "balance": 0.1}
DEEP: Mapping[str, float] = {"correlation": 6.0, "similarity": 3.0, "reach": 6.0, "balance": 0.01}


@dataclass(frozen=True)
class AdaptSettings:
    """How to adapt. A run can only be resumed with the same settings."""

    architecture: Mapping[str, Any]
    shallow: Mapping[str, float] = field(default_factory=lambda: SHALLOW)  # weights of the losses
    deep: Mapping[str, float] = field(default_factory=lambda: DEEP)  # where a cell has DEEP_FROM_PX or more
    attention_steps: int = 7000
    prediction_steps: int = 300
    batch_size: int = 16
    learning_rate: float = 3.5e-3
    prediction_learning_rate: float = 1e-3
    weight_rebuild: float = 0.3
    weight_predict: float = 1.0
    weight_decay: float = 1e-3
    seed: int = 0

    def attention_weights(self, stride_px: int) -> Mapping[str, float]:
        """Weights of the losses of a block on features of which a cell is so many pixels of the picture."""
        return self.deep if stride_px >= DEEP_FROM_PX else self.shallow


class Trainee(nn.Module):
    """The blocks of a network, each with its linear read-out, and the tail that predicts."""

    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = fold_norms(build_network(architecture).network.requires_grad_(False))
        self.blocks: dict[str, Any] = dict(inserted_blocks(self.network))
        for block in self.blocks.values():
            block.requires_grad_(True)
            block.start_as_identity()
        self.read_outs = nn.ModuleDict(
            {name.replace(".", "_"): self._read_out(block) for name, block in self.blocks.items()}
        )

    @staticmethod
    def _read_out(block: Any) -> nn.Linear:
        last: Any = block.last_layer
        return nn.Linear(last.weight.shape[1], block.in_channels)

    def set_statistics(self, name: str, features: Tensor) -> None:
        """Fix the input norm of a block to the statistics of `features` (B, c, h, w)."""
        norm: Any = self.blocks[name].input_norm
        if norm is not None:
            norm.running_mean.copy_(features.mean(dim=(0, 2, 3)))
            norm.running_var.copy_(features.var(dim=(0, 2, 3)))
            norm.eval()

    def trained_tensors(self) -> dict[str, Tensor]:
        """State of everything that is trained, for resuming."""
        state = {f"read_outs.{k}": v for k, v in self.read_outs.state_dict().items()}
        for name, block in self.blocks.items():
            state |= {f"{name}/{k}": v for k, v in block.state_dict().items()}
        return state

    def load_trained_tensors(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `trained_tensors`."""
        self.read_outs.load_state_dict(
            {k.removeprefix("read_outs."): v for k, v in state.items() if k.startswith("read_outs.")}
        )
        for name, block in self.blocks.items():
            prefix = f"{name}/"
            block.load_state_dict(
                {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            )

    def tail(self, first: str, features: Tensor) -> Tensor:
        """Logits from the features that `first`'s host module returned, all blocks from there on applied."""
        x, modules = features, chain(self.network) or []
        for module in modules[modules.index(self.blocks[first]) :]:
            x = module(x)
        return x


def attention_losses(
    block: PositionBlock,
    read_out: nn.Module,
    features: Tensor,
    rows: Tensor,
    targets: Tensor,
    wanted: Collection[str],
) -> dict[str, Tensor]:
    """The losses of one block on one batch, those of its attention that are wanted and that it has.

    `rows` (B, R) are flat positions p and `targets` (B, R, N) the distributions T(p, ·). Of the attention:

    - target: cross-entropy of E(p, ·) to T(p, ·), how much;
    - rank: pairs of cells, which of two is more;
    - correlation: 1 − correlation of log E(p, ·) with log T(p, ·);
    - similarity: 1 − correlation of log E(p, ·) with the cosine similarities of what the block reads;
    - reach: squared excess of log reach over log NARROW_REACH, for the first NARROW of the primitives.

    And always: rebuild, and balance where there are primitives.
    """
    # Drawn on the processor: a run goes on alike wherever it is resumed.
    few = torch.randperm(rows.shape[1])[:ROWS].to(rows.device)
    rows, targets = rows[:, few], targets[:, few]
    inside = block.inside(features, rows)
    norm: Any = getattr(block, "input_norm", None)
    flat = block.flatten(features)
    standardised = norm(flat) if norm is not None else flat
    losses: dict[str, Tensor] = {}
    if inside.rows is not None:
        log_e = inside.rows.clamp_min(1e-9).log()
        log_t = targets.clamp_min(1e-6).log()
        if "correlation" in wanted:
            losses["correlation"] = 1 - _correlation(log_e, log_t)
        if "similarity" in wanted:
            read: Any = position_normalised(standardised, getattr(block, "position_norm", False))
            unit = F.normalize(read, dim=1)
            at_rows = unit.gather(2, rows[:, None].expand(-1, unit.shape[1], -1))
            losses["similarity"] = 1 - _correlation(log_e, at_rows.transpose(1, 2) @ unit)
    if inside.rows is not None and "target" in wanted:
        losses["target"] = -(targets * log_e).sum(dim=2).mean()
    if inside.rows is not None and "rank" in wanted:
        cells = torch.randperm(targets.shape[2])[:RANK_PAIRS].to(targets.device)
        ours, theirs = log_e[:, :, cells], log_t[:, :, cells]
        gap_ours = ours[..., :, None] - ours[..., None, :]
        weight = (theirs[..., :, None] - theirs[..., None, :]).clamp(0, 1)
        losses["rank"] = (F.softplus(-gap_ours / RANK_WIDTH) * weight).sum() / weight.sum().clamp_min(1e-6)

    rebuilt = read_out(inside.output.transpose(1, 2)).transpose(1, 2)
    losses["rebuild"] = F.mse_loss(rebuilt.expand_as(standardised), standardised)
    if inside.distribute is not None and inside.gather is not None:
        use = inside.distribute.mean(dim=(0, 2))
        losses["balance"] = (use * use.clamp_min(1e-9).log()).sum() + math.log(len(use))
        if "reach" in wanted:
            gather = inside.gather[:, : math.ceil(NARROW * len(use))]
            entropy = -(gather * gather.clamp_min(1e-20).log()).sum(dim=2)
            log_reach = entropy - math.log(gather.shape[2])
            losses["reach"] = (log_reach - math.log(NARROW_REACH)).clamp_min(0).square().mean()
    return losses


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Mean Pearson correlation along the last axis."""
    a, b = (F.normalize(x - x.mean(dim=-1, keepdim=True), dim=-1) for x in (a, b))
    return (a * b).sum(dim=-1).mean()


class Adaptation:
    """One run of `adapt`; its state, `folder`/state.pt, is written atomically every `save_every` steps.

    Raises:
        TrainingError: a block where the cache holds no features.
    """

    def __init__(
        self,
        cache: Cache,
        settings: AdaptSettings,
        folder: Path,
        *,
        save_every: int = 50,
        init: str | None = None,
    ) -> None:
        self.cache, self.settings, self.folder, self.save_every = cache, settings, folder, save_every
        torch.manual_seed(settings.seed)
        self.trainee = Trainee(settings.architecture)
        for block in self.trainee.blocks.values():
            cast(PositionBlock, block).frames_per_clip = cache.settings.frames
        self.init = init
        if init is not None:
            start_from(init, self.trainee.blocks, self.trainee.network, settings.architecture)
        self.trainee.to(cache.device)
        self.weights = {
            name: settings.attention_weights(cache.stride_px(name)) for name in self.trainee.blocks
        }
        self.optimizer: torch.optim.Optimizer
        self.scheduler: torch.optim.lr_scheduler.LRScheduler
        self.step = 0
        self.elapsed_s = 0.0
        self.last: dict[str, float] = {}
        self.best_loss = math.inf

    # ---------------------------------------------------------------- state on disk

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        ours = {**asdict(self.settings), "cache": self.cache.folder.name, "init": self.init}
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
        """Whether the second phase has begun."""
        return self.step >= self.settings.attention_steps

    def _start_phase(self) -> None:
        settings = self.settings
        for block in self.trainee.blocks.values():
            block.last_layer.requires_grad_(self.predicting)
            block.eval()
        parameters = [
            p
            for module in (*self.trainee.blocks.values(), self.trainee.read_outs)
            for p in module.parameters()
            if p.requires_grad
        ]
        rate = settings.prediction_learning_rate if self.predicting else settings.learning_rate
        steps = settings.prediction_steps if self.predicting else settings.attention_steps
        self.optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=settings.weight_decay)
        steps = max(2, steps)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rate, total_steps=steps, pct_start=max(0.1, 1.5 / steps)
        )  # torch divides by zero where the rise is exactly one step

    def run(self, *, progress: bool = True) -> None:
        """Train to the end, from the start or from where a killed run had got to.

        Raises:
            TrainingError: diverged, or state of other settings.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.resume():
            self._statistics()
            self._start_phase()
        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step)
        bar = tqdm(total=self.total_steps, initial=self.step, desc="adapt", disable=not progress, unit="step")
        start = time.monotonic() - self.elapsed_s
        with bar:
            for size_px, indices in self._batches(self.step):
                losses = self._one_step(self.cache.batch(size_px, indices))
                self.step += 1
                self.elapsed_s = time.monotonic() - start
                self._watch(losses)
                if self.step == self.settings.attention_steps < self.total_steps:
                    self._start_phase()  # before the state is saved: it is the next step's optimizer
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

    def _statistics(self) -> None:
        for name in self.trainee.blocks:
            size_px = self.cache.settings.sizes_px[0]
            members = self.cache.valid_members(size_px)
            if len(members) == 0:
                raise TrainingError(
                    "None of the photos could be read. Give folders holding JPEG or PNG files."
                )
            features = self.cache.batch(size_px, members[:512])[f"features@{name}"]
            self.trainee.set_statistics(name, features)

    def _batches(self, first: int) -> Iterator[tuple[int, np.ndarray]]:
        """(size, indices) of every step from `first` on; step k is the same however often one resumes.

        Larger pictures come in smaller batches, and so do clips: as many positions a step.
        """
        sizes = self.cache.settings.sizes_px
        members = {size: self.cache.valid_members(size) for size in sizes}
        for step in range(first, self.total_steps):
            size = sizes[step % len(sizes)]
            rng = np.random.default_rng((self.settings.seed, step))
            share = (min(sizes) / size) ** 2 / self.cache.settings.frames
            count = max(1, round(self.settings.batch_size * share))
            count = min(count, len(members[size]))
            yield size, rng.choice(members[size], count, replace=False)

    def _one_step(self, batch: Mapping[str, Tensor]) -> dict[str, float]:
        settings = self.settings
        logged: dict[str, Tensor] = {}
        total = torch.zeros((), device=self.cache.device)
        for name, block in self.trainee.blocks.items():
            weights = {**self.weights[name], "rebuild": settings.weight_rebuild}
            losses = attention_losses(
                block,
                self.trainee.read_outs[name.replace(".", "_")],
                batch[f"features@{name}"],
                batch[f"rows@{name}"],
                batch[f"targets@{name}"],
                weights,
            )
            for key, value in losses.items():
                total = total + weights[key] * value
                logged[f"{name}/{key}"] = value.detach()
        if self.predicting:
            first = next(iter(self.trainee.blocks))
            logits = self.trainee.tail(first, batch[f"features@{first}"])
            teacher = batch["logits"].softmax(dim=1)
            predict = F.cross_entropy(logits, teacher)
            total = total + settings.weight_predict * predict
            logged["predict"] = predict.detach()
        self.optimizer.zero_grad()
        total.backward()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        self.optimizer.step()
        self.scheduler.step()
        logged["loss"] = total.detach()
        # Asked for together: a GPU is waited for once.
        return dict(zip(logged, torch.stack(list(logged.values())).tolist(), strict=True))

    def _watch(self, losses: Mapping[str, float]) -> None:
        loss = losses["loss"]
        self.last = dict(losses)
        if not self.predicting:
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
