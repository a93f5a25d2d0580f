"""Double attention beside its relatives, on the same picture: who they are, and what one block did.

A rival is a network with the same trunk as an A² checkpoint and blocks of another kind at the same
places. Where nobody has trained one yet, it gets random blocks, as large as those, and says so. The kinds
of block that there are: `blocks/registry.py`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from a2core.blocks.pairwise import Pairwise
from a2core.blocks.registry import KINDS, settings_as_large
from a2core.card import Card
from a2core.checkpoints import list_checkpoints
from a2core.errors import BlockError, CheckpointError
from a2core.load import load_model
from a2core.media import Clip
from a2core.networks.devices import pick_device
from a2core.networks.fold import fold_norms
from a2core.networks.insert import inserted_blocks
from a2core.networks.sources import build_network
from a2core.tracing.arrays import frozen
from a2core.tracing.model import Model
from a2core.tracing.trace import BlockTrace


@dataclass(frozen=True)
class Rival:
    """One kind of block on the trunk of an A² checkpoint; `checkpoint` is "" when nobody saved one."""

    kind: str
    like: str  # the A² checkpoint whose trunk and places it shares
    checkpoint: str
    fingerprint: str  # of the checkpoint's file
    trained: bool  # whether its blocks were, by the checkpoint's card


def find_rivals(like: str) -> list[Rival]:
    """All `KINDS` on the trunk of checkpoint `like`, each with its checkpoint where there is one.

    Raises:
        CheckpointError: there is no checkpoint `like` that can be used.
    """
    cards = _usable_cards()
    base = cards.get(like)
    if base is None:
        raise CheckpointError(
            "There is no checkpoint {like!r} to compare with. Put it back, or choose another.", like=like
        )
    found = []
    for kind in KINDS:
        same = [name for name, card in cards.items() if card.kinds == {kind} and _match(card, base)]
        name = like if like in same else min(same, key=lambda each: not cards[each].trained, default="")
        card = cards.get(name)
        found.append(
            Rival(kind, like, name, "", False)
            if card is None
            else Rival(kind, like, name, card.sha256[:16], card.trained)
        )
    return found


def _usable_cards() -> dict[str, Card]:
    return {info.name: info.contents for info in list_checkpoints() if info.contents is not None}


def load_rival(rival: Rival, device: str = "auto", *, seed: int = 0) -> Model:
    """The rival's network, ready to trace; with random blocks when it has no checkpoint.

    Raises:
        CheckpointError, NetworkError: as `load_model`.
    """
    if rival.checkpoint:
        return load_model(rival.checkpoint, device)
    base = _usable_cards().get(rival.like)
    if base is None:
        raise CheckpointError("There is no checkpoint {name!r} any more. Reload the page.", name=rival.like)
    architecture = dict(base.architecture)
    architecture["blocks"] = {
        name: settings_as_large(rival.kind, settings) for name, settings in base.blocks.items()
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        backbone = build_network(architecture)
    return Model(
        fold_norms(backbone.network),
        inserted_blocks(backbone.network),
        name=f"{rival.kind} (random blocks)",
        labels=backbone.labels,
        input=backbone.input,
        device=pick_device(device),
    )


def rival_settings(rival: Rival, block: str) -> dict[str, Any]:
    """The settings of the rival's block `block`, as a card holds them.

    Raises:
        CheckpointError: the checkpoint, or the block on its card, is gone.
    """
    card = _usable_cards().get(rival.checkpoint or rival.like)
    if card is None or block not in card.blocks:
        raise CheckpointError(
            "There is no block {block!r} in {name} any more. Reload the page.", block=block, name=rival.like
        )
    settings = dict(card.blocks[block])
    return settings if rival.checkpoint else settings_as_large(rival.kind, settings)


def _match(one: Card, other: Card) -> bool:
    """Whether two networks can be compared: one trunk, the same classes, blocks at the same places."""
    return (one.backbone, one.trunk, one.labels, tuple(one.blocks)) == (
        other.backbone,
        other.trunk,
        other.labels,
        tuple(other.blocks),
    )


class Reading:
    """What one block, of any kind, did with one clip; asked position by position.

    Attributes:
        grid: (T, h, w), in cells.
        same_everywhere: the block hands the same to every position, by its construction.
        handed: what it hands out: "gates" that multiply the channels, or an "addition" to them.
        spread: the largest difference between any two positions in what they are handed, over all
            channels, as computed in float32: rounding alone where `same_everywhere`.
        scale: the largest magnitude of what is handed out, to compare `spread` with.
        trace: what double attention did; None of other kinds.
    """

    def __init__(self, block: nn.Module, x: Tensor, trace: BlockTrace | None = None) -> None:
        frames, _, rows, cols = x.shape
        self.grid = (frames, rows, cols)
        # A copy, over all frames as one tall picture: no other run of the network changes its settings.
        own: Any = copy.deepcopy(block).eval()
        own.frames_per_clip = 1
        if hasattr(own, "observer"):
            own.observer = None
        self._block = own
        self.trace = trace
        self._x = x.float().transpose(0, 1).flatten(1, 2)[None]  # (1, c, T·h, w)
        self.same_everywhere = getattr(block, "attends", None) == "same"
        self.handed = getattr(block, "hands", "addition")
        self.spread, self.scale = self._handed_out()

    @torch.inference_mode()
    def _handed_out(self) -> tuple[float, float]:
        x, y = self._x[0].flatten(1), self._block(self._x)[0].flatten(1)
        if self.handed == "addition":
            what = y - x
        else:
            # Where a feature is next to nothing, its gate cannot be read off the output.
            large = x.abs() > 1e-3 * x.abs().amax(dim=1, keepdim=True)
            what = torch.where(large, y / x, float("nan"))
        high = torch.nan_to_num(what, nan=-torch.inf).amax(dim=1)
        low = torch.nan_to_num(what, nan=torch.inf).amin(dim=1)
        seen = high >= low
        if not bool(seen.any()):
            return 0.0, 0.0
        return float((high - low)[seen].max()), float(torch.nan_to_num(what).abs().max())

    @torch.inference_mode()
    def row(self, position: tuple[int, int, int]) -> np.ndarray:
        """Where `position` (t, row, col) gets its information from: (T, h, w) float32.

        Raises:
            BlockError: the position lies outside the grid.
        """
        return self._maps(self._block.attention_row(self._x, self._flat(position)))[0]

    @torch.inference_mode()
    def heads(self, position: tuple[int, int, int]) -> np.ndarray | None:
        """The row of each head of self-attention, (heads, T, h, w); None for other kinds.

        Raises:
            BlockError: the position lies outside the grid.
        """
        rows = self._block.attention_rows(self._x, self._flat(position))
        return None if rows is None else self._maps(rows[0])

    @torch.inference_mode()
    def compared(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        """What positions are compared by before a softmax; None of kinds that do not.

        Returns:
            Queries and keys, (heads, d, T·h·w) float32, and what multiplies their product.
        """
        if not isinstance(self._block, Pairwise) or not self._block.row_sums_to_one:
            return None
        queries, keys, scale = self._block.compared(self._x)
        return frozen(queries[0]), frozen(keys[0]), scale

    def _flat(self, position: tuple[int, int, int]) -> tuple[int, int]:
        if not all(0 <= at < size for at, size in zip(position, self.grid, strict=True)):
            raise BlockError(
                "There is no position {position} on a grid of {grid}. Counting starts at 0.",
                position=position,
                grid=self.grid,
            )
        t, row, col = position
        return t * self.grid[1] + row, col

    def _maps(self, rows: Tensor) -> np.ndarray:
        array = rows.unflatten(1, self.grid[:2]).float().cpu().numpy()
        array.flags.writeable = False
        return array


def read_block(model: Model, clip: Clip, block: str, size: int = 448) -> Reading:
    """Run `clip` through `model` and keep what its block `block`, of any kind, was given.

    Raises:
        BlockError: the model has no such block.
        NetworkError: as `Model.trace`.
    """
    if block not in model.blocks:
        known = ", ".join(map(repr, model.blocks)) or "none"
        raise BlockError(
            "{network} has no block {block!r}. It has {known}.", network=model.name, block=block, known=known
        )
    found = model.blocks[block]
    trace, seen = model.trace_with_features(clip, size, [block])
    return Reading(found, seen[block], trace.blocks.get(block))
