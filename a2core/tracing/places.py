"""Which cell of the picture each element of a tensor belongs to, and how those of two tensors go together.

A network cuts its picture into windows, rolls it, puts tokens before it. Where each position went is read off
by doing the same to the numbers of the cells (`tracing.follow`); here is what such numbers can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

NOTHING = -1  # of padding; tokens before the picture's are -2, -3, …


@dataclass(frozen=True, eq=False)
class Places:
    """Where the elements of a tensor belong.

    Attributes:
        grid: rows and columns of cells over the picture.
        at: int32, of the tensor's shape: the cell, counted row by row; `NOTHING`, or less for other tokens.
            Along axes on which it does not change, channels above all, it takes no memory (stride 0).
        across: of what compares positions with positions, the others; once `softmax` was taken `at` is who
            asks, and these are who is asked.
        softmax: over those of `across`: which, counted from 1; 0: none.
        straight: (batch, c, rows, columns), cell by cell.
    """

    grid: tuple[int, int]
    at: Tensor
    across: Places | None = None
    softmax: int = 0
    straight: bool = False

    @property
    def shape(self) -> torch.Size:
        """Of the tensor."""
        return self.at.shape

    @cached_property
    def varying(self) -> frozenset[int]:
        """The axes along which the place is another."""
        seen = once(self.at)
        longer = (axis for axis in range(seen.dim()) if seen.shape[axis] > 1)
        return frozenset(axis for axis in longer if bool((seen != seen.narrow(axis, 0, 1)).any()))


def over_picture(rows: int, columns: int, shape: Sequence[int], like: Tensor) -> Places:
    """Of features (batch, c, rows, columns), each map of which is the picture."""
    cells = torch.arange(rows * columns, dtype=torch.int32, device=like.device).view(1, 1, rows, columns)
    return Places((rows, columns), cells.expand(*shape), straight=True)


def once(at: Tensor) -> Tensor:
    """Once of what takes no memory along an axis, which is of length 1 then."""
    for axis in range(at.dim()):
        if at.stride(axis) == 0 and at.shape[axis] > 1:
            at = at.narrow(axis, 0, 1)
    return at


def kept_small(at: Tensor) -> Tensor:
    """The same without memory for axes along which it does not change."""
    for axis in range(at.dim()):
        if at.shape[axis] > 1 and at.stride(axis):
            first, line = (
                at.narrow(axis, 0, 1),
                at[tuple(slice(None) if of == axis else 0 for of in range(at.dim()))],
            )
            if bool((line == line[0]).all()) and bool((once(at) == once(first)).all()):
                at = first.expand(at.shape)
    return at


def fit(places: Sequence[Places], shape: torch.Size) -> Places | None:
    """Places of what was worked out from tensors element by element; None where those are of other cells.

    What is shorter than the result (a gate, one token for all) says nothing of its places.
    """
    of_pairs = [of for of in places if of.across is not None] or list(places)
    whole = [of for of in of_pairs if of.shape == shape]
    telling = [of for of in whole if of.varying] or whole
    if not telling or (not telling[0].varying and any(of.varying for of in of_pairs)):
        return None
    chosen: Places | None = telling[0]
    for other in telling[1:]:
        chosen = None if chosen is None else same(chosen, other)
    return chosen


def same(one: Places, other: Places) -> Places | None:
    """Places of which both are, in `one`'s shape; None where they differ.

    Every second cell of a grid of 14 × 14 is every cell of one of 7 × 7.
    """
    if (one.across is None) != (other.across is None):
        return None
    if one.grid != other.grid or not _equal(one.at, other.at):
        coarse = [coarsest(of) for of in (one, other)]
        if coarse[0] is None or coarse[1] is None or coarse[0].grid != coarse[1].grid:
            return None
        if not _equal(coarse[0].at, coarse[1].at):
            return None
        one = coarse[0]
    if one.across is None or other.across is None:
        return one
    across = same(one.across, other.across)
    return None if across is None else replace(one, across=across)


def coarsest(places: Places) -> Places | None:
    """The same on the grid of the cells that occur: of every second row and column a grid of half as many.

    None where they are no such grid over the whole picture.
    """
    rows, columns = places.grid
    seen = torch.unique(once(places.at))
    seen = seen[seen >= 0]
    if len(seen) == rows * columns:
        return places
    if not len(seen):
        return None
    down, right = torch.unique(seen // columns), torch.unique(seen % columns)
    if len(seen) != len(down) * len(right) or not (_regular(down, rows) and _regular(right, columns)):
        return None
    table = torch.zeros(rows * columns, dtype=torch.int32, device=seen.device)
    table[seen.long()] = torch.arange(len(seen), dtype=torch.int32, device=seen.device)
    small = once(places.at)
    at = torch.where(small >= 0, table[small.clamp(min=0).long()], small).expand(places.shape)
    return replace(places, grid=(len(down), len(right)), at=at, straight=False)


def mixed(places: Places, axis: int) -> Places | None:
    """Places of what mixes all along an axis, of length 1 there; None where they are no cells of a grid.

    Channels stay where they are. Cells side by side, as in patches, become one of a coarser grid.
    """
    if axis not in places.varying:
        across = places.across
        if across is not None:
            if axis in across.varying:
                return None
            across = replace(across, at=across.at.narrow(axis, 0, 1))
        return replace(places, at=places.at.narrow(axis, 0, 1), across=across, softmax=0)
    if places.across is not None:
        return None
    small = once(places.at)
    holds, columns = small >= 0, places.grid[1]
    if bool((small < NOTHING).any()) or not bool(holds.any(axis).all()):
        return None
    coarse, grid = [], []
    for along, size in ((small // columns, places.grid[0]), (small % columns, columns)):
        least = torch.where(holds, along, size).amin(axis, keepdim=True)
        most = torch.where(holds, along, -1).amax(axis, keepdim=True)
        step = int((most - least).max()) + 1
        if bool((holds & (along // step != least // step)).any()):
            return None
        coarse.append(least // step)
        grid.append(-(-size // step))
    at = (coarse[0] * grid[1] + coarse[1]).to(torch.int32)
    if len(torch.unique(at)) != grid[0] * grid[1]:
        return None
    shape = [1 if at_axis == axis else size for at_axis, size in enumerate(places.shape)]
    return Places((grid[0], grid[1]), at.expand(shape))


def straight_part(places: Places) -> tuple[int, int] | None:
    """How many rows and columns of (batch, c, rows, columns) are the picture; the others are around it.

    None where the picture does not lie there as it is.
    """
    if places.straight:
        return places.shape[2], places.shape[3]
    if places.across is not None or places.at.dim() != 4 or places.varying & {0, 1}:
        return None
    seen = coarsest(places)
    if seen is None:
        return None
    holds = seen.at[0, 0] >= 0
    within = seen.at[0, 0][holds.any(1)][:, holds.any(0)]
    cells = torch.arange(within.numel(), dtype=torch.int32, device=within.device)
    found = tuple(within.shape) == seen.grid and bool((within.flatten() == cells).all())
    return seen.grid if found else None


def _equal(one: Tensor, other: Tensor) -> bool:
    return bool((once(one) == once(other)).all())


def _regular(chosen: Tensor, size: int) -> bool:
    """Whether sorted numbers are every s-th of `size`, from the first s to the last s."""
    if len(chosen) == 1:
        return size == 1
    step = int(chosen[1] - chosen[0])
    even = bool((chosen.diff() == step).all())
    return even and int(chosen[0]) < step and int(chosen[-1]) + step >= size
