"""What the blocks are taught by."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.blocks.position_block import PositionBlock, position_normalised
from a2core.training.adapt.clusters import Clusters

ROWS = 8  # positions p whose attention is looked at in one step, of each picture
RANK_PAIRS = 48  # cells compared with one another, for each row
RANK_WIDTH = 0.25  # of the ranking loss, in nats of log E
# So many of the primitives are kept from gathering from a larger share of any picture's cells than this;
# the others are free. All of them narrow would cost order among far cells, none of them narrow would leave
# nothing to look at.
NARROW, NARROW_REACH = 0.52, 0.31


def attention_losses(
    block: PositionBlock,
    read_out: nn.Module,
    features: Tensor,
    rows: Tensor,
    targets: Tensor,
    wanted: Collection[str],
    clusters: Clusters | None = None,
) -> dict[str, Tensor]:
    """The losses of one block on one batch, those of its attention that are wanted and that it has.

    `rows` (B, R) are flat positions p and `targets` (B, R, N) the distributions T(p, ·). Of the attention:

    - target: cross-entropy of E(p, ·) to T(p, ·), how much;
    - rank: pairs of cells, which of two is more;
    - correlation: 1 − correlation of log E(p, ·) with log T(p, ·);
    - similarity: 1 − correlation of log E(p, ·) with the cosine similarities of what the block reads;
    - reach: squared excess of log reach over log NARROW_REACH, for the first NARROW of the primitives;
    - meaning: KL divergence of ρ of every cell from its nearness to `clusters`, one of each primitive.

    And always: rebuild, and balance where there are primitives.
    """
    # Drawn on the processor: a run goes on alike wherever it is resumed.
    few = torch.randperm(rows.shape[1])[:ROWS].to(rows.device)
    rows, targets = rows[:, few], targets[:, few]
    inside = block.inside(features, rows)
    standardised, read = as_read(block, features)
    losses: dict[str, Tensor] = {}
    if inside.rows is not None:
        log_e = inside.rows.clamp_min(1e-9).log()
        log_t = targets.clamp_min(1e-6).log()
        if "correlation" in wanted:
            losses["correlation"] = 1 - _correlation(log_e, log_t)
        if "similarity" in wanted:
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
        if "meaning" in wanted and clusters is not None:
            near = clusters.near(read)
            apart = near.clamp_min(1e-9).log() - inside.distribute.clamp_min(1e-9).log()
            losses["meaning"] = (near * apart).sum(dim=1).mean()
        if "reach" in wanted:
            gather = inside.gather[:, : math.ceil(NARROW * len(use))]
            entropy = -(gather * gather.clamp_min(1e-20).log()).sum(dim=2)
            log_reach = entropy - math.log(gather.shape[2])
            losses["reach"] = (log_reach - math.log(NARROW_REACH)).clamp_min(0).square().mean()
    return losses


def as_read(block: PositionBlock, features: Tensor) -> tuple[Tensor, Tensor]:
    """Features as a block standardises them, and what its projections read of that, (B, c, N) each."""
    norm: Any = getattr(block, "input_norm", None)
    flat = block.flatten(features)
    standardised = norm(flat) if norm is not None else flat
    return standardised, position_normalised(standardised, getattr(block, "position_norm", False))


def answer_losses(logits: Tensor, own: Tensor, teacher: Tensor, *, share: float) -> dict[str, Tensor]:
    """How far the answers (B, classes) are from what they shall be.

    - predict: cross-entropy to a mixture, `share` of the teacher's answers and the rest the plain trunk's (of
      their logarithms: where both have the same two classes in mind, what one rules out is out);
    - bound: where trunk and teacher name the same class there is nothing to be put right, and it counts by
      how much the logarithm of that class's probability has fallen.
    """
    log_p, log_own = logits.log_softmax(dim=1), own.log_softmax(dim=1)
    wanted = (share * teacher.log_softmax(dim=1) + (1 - share) * log_own).softmax(dim=1)
    named = own.argmax(dim=1)
    fallen = (log_own - log_p).gather(1, named[:, None])[:, 0].clamp_min(0)
    return {
        "predict": -(wanted * log_p).sum(dim=1).mean(),
        "bound": (fallen * (named == teacher.argmax(dim=1))).mean(),
    }


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Mean Pearson correlation along the last axis."""
    a, b = (F.normalize(x - x.mean(dim=-1, keepdim=True), dim=-1) for x in (a, b))
    return (a * b).sum(dim=-1).mean()
