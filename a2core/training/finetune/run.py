"""`python -m a2core train --mode fine-tune`: a network with blocks, end to end, on labelled photos.

    python -m a2core train TRAIN --mode fine-tune --val VAL --network NETWORK
    torchrun --nproc-per-node 4 -m a2core train TRAIN --mode fine-tune --val VAL --network NETWORK

Everything is a function of the settings, the seed and the number of the step: which photos a step
sees, how each is cropped, the learning rate, what dropout drops. So a run that was killed goes on as
if it had not been, and how the work of a step is split (processes, `--accumulate`) changes its result
by rounding only. That holds as long as no statistics are taken over the part of a batch that one
process has at a time: batch norms keep their published statistics unless training starts from
scratch; then they use those of the batch, of all processes together on CUDA.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timm.layers import convert_sync_batchnorm
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from a2core.checkpoints import save_checkpoint
from a2core.errors import TrainingError
from a2core.networks.insert import inserted_blocks
from a2core.tracing.model_input import standardised
from a2core.training.finetune.reader import Reader
from a2core.training.finetune.settings import SGD_FALLS, SGD_MOMENTUM, FineTuneSettings
from a2core.training.finetune.team import Team
from a2core.training.finetune.trainee import logits_of, trainee
from a2core.training.photos.labelled import Labelled
from a2core.training.state import read_state, write_state


class FineTuning:
    """One run; its state, `folder`/state.pt, is written atomically at each epoch's end and every minute."""

    def __init__(
        self,
        train: Labelled,
        val: Labelled,
        settings: FineTuneSettings,
        folder: Path,
        *,
        team: Team,
        accumulate: int = 1,
        workers: int = 4,
        save_every_s: float = 60.0,
        init: str | None = None,
    ) -> None:
        self.settings, self.folder, self.team, self.accumulate = settings, folder, team, accumulate
        self.save_every_s = save_every_s
        self.train = Reader(train, settings.size_px, settings.seed, workers)
        self.val = Reader(val, settings.size_px, settings.seed, workers)
        self.batch_size = min(settings.batch_size, len(train.photos))
        if self.batch_size < team.size * accumulate:
            raise TrainingError(
                f"{self.batch_size} photos a step cannot be split over {team.size} processes in {accumulate} "
                "parts each. Raise --batch-size, or lower --accumulate."
            )
        if settings.from_scratch and team.size > 1 and team.device.type != "cuda":
            raise TrainingError(
                "From scratch, batch norms need the statistics of all processes, which torch only brings "
                "together on CUDA. Use one process, CUDA, or start from weights."
            )
        self.steps_per_epoch = len(train.photos) // self.batch_size
        self.total_steps = settings.epochs * self.steps_per_epoch
        self.init = init
        self.step, self.elapsed_s, self.best_loss = 0, 0.0, math.inf
        self.history: list[dict[str, float]] = []
        self.loss = math.nan
        self._build()
        self._orders: tuple[int, np.ndarray] = (-1, np.empty(0))

    # ---------------------------------------------------------------- the network

    def _build(self) -> None:
        settings, team = self.settings, self.team
        torch.manual_seed(settings.seed)
        self.network, self.input = trainee(settings, self.init)
        self.blocks: dict[str, Any] = dict(inserted_blocks(self.network))
        if settings.from_scratch and team.size > 1:
            self.network = convert_sync_batchnorm(self.network)
            self.blocks = inserted_blocks(self.network)
        self.network.to(team.device).to(memory_format=torch.channels_last)
        self.model: nn.Module = self.network
        if team.size > 1:
            self.model = DistributedDataParallel(
                self.network,
                device_ids=[team.device] if team.device.type == "cuda" else None,
                broadcast_buffers=False,
            )
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        rate, decay = settings.learning_rate, settings.weight_decay
        self.optimizer: torch.optim.Optimizer = (
            torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=SGD_MOMENTUM, nesterov=True)
            if settings.recipe == "sgd"
            else torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
        )
        self.precision = torch.float32
        if team.device.type == "cuda":
            self.precision = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        self.scaler = torch.amp.GradScaler(team.device.type, enabled=self.precision == torch.float16)

    def _set_modes(self) -> None:
        """Training mode, in which batch norms keep their statistics unless training is from scratch."""
        self.network.train(not self.settings.freeze_trunk)
        if not self.settings.from_scratch:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.precision == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.team.device.type, self.precision)

    def _prepare(self, pictures: Tensor) -> Tensor:
        x = pictures.to(self.team.device, non_blocking=True).float()
        return standardised(x, self.input).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def _measure_inputs(self) -> None:
        """Fix the input norms of the blocks to the statistics of the first photos, the same everywhere."""
        norms: list[Any] = [getattr(block, "input_norm", None) for block in self.blocks.values()]
        norms = [norm for norm in norms if norm is not None]
        if self.settings.from_scratch or not norms:
            return
        self.network.eval()
        momentum = [norm.momentum for norm in norms]
        for norm in norms:
            norm.train()
            norm.momentum = None  # the plain mean over what it sees
        order = self._order(0)[:256]
        parts = np.array_split(order, math.ceil(len(order) / 32))
        for pictures, _, _ in self.train.batches((part, 0) for part in parts):
            self.network(self._prepare(pictures))
        for norm, value in zip(norms, momentum, strict=True):
            norm.momentum = value

    # ---------------------------------------------------------------- state on disk

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        told = {
            key: value
            for key, value in asdict(self.settings).items()
            if (key, value) not in (("weights", ""), ("recipe", "adamw"))
        }  # as runs of before have it
        photos = {"photos": self.train.identity, "validation photos": self.val.identity}
        return json.loads(json.dumps({**told, **photos, "init": self.init}))

    def save(self) -> None:
        """Write everything needed to go on as if never stopped.

        Raises:
            TrainingError: the disk is full.
        """
        write_state(
            self.folder,
            {
                "settings": self.fingerprint(),
                "step": self.step,
                "elapsed_s": self.elapsed_s,
                "best_loss": self.best_loss,
                "loss": self.loss,
                "history": self.history,
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
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
        self.loss, self.history = state["loss"], state["history"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        return True

    # ---------------------------------------------------------------- training

    def _order(self, epoch: int) -> np.ndarray:
        if self._orders[0] != epoch:
            rng = np.random.default_rng((self.settings.seed, epoch))
            self._orders = (epoch, rng.permutation(len(self.train.labelled.photos)))
        return self._orders[1]

    def _parts(self, first: int) -> Iterator[tuple[np.ndarray, int]]:
        """What this process looks at, part by part of each step, from step `first` on."""
        for step in range(first, self.total_steps):
            epoch, place = divmod(step, self.steps_per_epoch)
            batch = self._order(epoch)[place * self.batch_size : (place + 1) * self.batch_size]
            share = np.array_split(batch, self.team.size)[self.team.rank]
            for part in np.array_split(share, self.accumulate):
                yield part, epoch

    def learning_rate(self, step: int) -> float:
        """Of one step: a linear warm-up, then half a cosine down to zero; with SGD, falls to a tenth."""
        warm = max(1, round(self.settings.warm_up * self.total_steps))
        if step < warm:
            return self.settings.learning_rate * (step + 1) / warm
        if self.settings.recipe == "sgd":
            falls = sum(step >= share * self.total_steps for share in SGD_FALLS)
            return self.settings.learning_rate * 0.1**falls
        done = (step - warm) / max(1, self.total_steps - warm)
        return self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def run(self, *, progress: bool = True) -> None:
        """Train to the end, from the start or from where a killed run had got to.

        Raises:
            TrainingError: diverged, nothing readable, a full disk, or state of other settings.
        """
        leads = self.team.rank == 0
        self.train.check("photos")
        self.val.check("validation photos")
        if not self.resume():
            self._measure_inputs()
        writer = SummaryWriter(str(self.folder / "tensorboard"), purge_step=self.step) if leads else None
        bar = tqdm(
            total=self.total_steps,
            initial=self.step,
            desc="fine-tune",
            disable=not (progress and leads),
            unit="step",
        )
        start = saved = time.monotonic()
        start -= self.elapsed_s
        parts = self.train.batches(self._parts(self.step))
        with bar, contextlib.closing(parts):  # type: ignore[type-var]
            while self.step < self.total_steps:
                self.loss = self._one_step(parts)
                self.step += 1
                self.elapsed_s = time.monotonic() - start
                self._watch()
                epoch, place = divmod(self.step, self.steps_per_epoch)
                if place == 0:
                    self.history.append({"epoch": epoch, "loss": self.loss, **self.validate()})
                bar.update(1)
                bar.set_postfix_str(self._postfix(), refresh=False)
                if writer is not None:
                    writer.add_scalar("loss", self.loss, self.step)
                    writer.add_scalar("learning rate", self.learning_rate(self.step - 1), self.step)
                    if place == 0:
                        writer.add_scalar("validation top-1", self.history[-1]["top-1"], self.step)
                if leads and (place == 0 or time.monotonic() - saved >= self.save_every_s):
                    self.save()
                    saved = time.monotonic()
        if writer is not None:
            writer.close()

    def _postfix(self) -> str:
        top = f", validation top-1 {self.history[-1]['top-1']:.1%}" if self.history else ""
        return f"epoch {1 + (self.step - 1) // self.steps_per_epoch}, loss {self.loss:.3f}{top}"

    def _one_step(self, parts: Iterator[tuple[Tensor, Tensor, Tensor]]) -> float:
        # Dropout draws from here: the same whether or not the run was ever stopped.
        rng = np.random.default_rng((self.settings.seed, self.step, self.team.rank))
        torch.manual_seed(int(rng.integers(2**62)))
        self._set_modes()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        seen = 0.0
        for index in range(self.accumulate):
            pictures, labels, weights = next(parts)
            last = index == self.accumulate - 1
            waits = last or not isinstance(self.model, DistributedDataParallel)
            with contextlib.nullcontext() if waits else self.model.no_sync():  # type: ignore[operator]
                with self._autocast():
                    logits = logits_of(self.model(self._prepare(pictures)))
                losses = F.cross_entropy(logits.float(), labels.to(self.team.device), reduction="none")
                loss = (losses * weights.to(self.team.device)).sum() / self.batch_size
                # Gradients are averaged over processes; the loss is a sum over them.
                self.scaler.scale(loss * self.team.size).backward()
            seen += loss.item()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], 5.0)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return self.team.total(seen)[0]

    def _watch(self) -> None:
        self.best_loss = min(self.best_loss, self.loss)
        if not math.isfinite(self.loss) or self.loss > 5 * self.best_loss + 10:
            raise TrainingError(
                f"Training diverged at step {self.step} (loss {self.loss:.3g}). Give another --out and a "
                f"lower --learning-rate, for example {self.settings.learning_rate / 3:.1g}."
            )

    def write_checkpoint(self, path: Path, card: Mapping[str, Any]) -> Path:
        """What was trained, as a checkpoint with its card."""
        return save_checkpoint(
            path, self.blocks, architecture=self.settings.architecture, card=card, network=self.network
        )

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Top-1 and loss on the validation photos, over all processes."""
        self.network.eval()
        share = np.arange(len(self.val.labelled.photos))[self.team.rank :: self.team.size]
        size = max(1, self.batch_size // self.team.size)
        batches = [(share[i : i + size], None) for i in range(0, len(share), size)]
        right = seen = loss = 0.0
        for pictures, labels, weights in self.val.batches(batches):
            with self._autocast():
                logits = logits_of(self.network(self._prepare(pictures))).float().cpu()
            right += float(((logits.argmax(dim=1) == labels).float() * weights).sum())
            loss += float((F.cross_entropy(logits, labels, reduction="none") * weights).sum())
            seen += float(weights.sum())
        right, loss, seen = self.team.total(right, loss, seen)
        return {"top-1": right / seen, "validation loss": loss / seen}
