"""Softmax attention that was kept, asked for one row or one column at a time. NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from a2core.errors import BlockError

Position = Sequence[int]  # (t, row, col)
_ROWS_AT_ONCE = 256
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Compared:
    """Queries and keys, whose softmax is worked out where one asks; arrays are float32 and read-only.

    Attributes:
        queries, keys: (groups, heads, d, n) and (groups, heads, d, m).
        scale: what their product is multiplied with before the softmax.
        bias: (groups or 1, heads or 1, n, m), added after that: of relative positions, or of a mask (-inf).
    """

    queries: np.ndarray
    keys: np.ndarray
    scale: float
    bias: np.ndarray | None = None

    @property
    def heads(self) -> int:
        """How many attend side by side."""
        return self.queries.shape[1]

    @cached_property
    def lse(self) -> np.ndarray:
        """(groups, heads, n), the logarithm of what a query's softmax divides by; inf: it sees nothing.

        Worked out once, when a column is first asked for: most layers are never asked for one.
        """
        groups, heads, _, n = self.queries.shape
        found = np.empty((groups, heads, n), np.float32)
        for group in range(groups):
            for start in range(0, n, _ROWS_AT_ONCE):
                slots = np.arange(start, min(n, start + _ROWS_AT_ONCE))
                scores = self._scores(group, slots, slice(None))
                highest = _finite(scores.max(axis=2))
                sums = np.exp(scores - highest[..., None]).sum(axis=2)
                found[group][:, slots] = np.where(sums > 0, highest + np.log(np.maximum(sums, _TINY)), np.inf)
        found.flags.writeable = False
        return found

    def rows(self, group: int, slots: np.ndarray, heads: slice) -> np.ndarray:
        """Rows of the softmax, (heads, slots, m); of zeros where a mask leaves nothing to see."""
        scores = self._scores(group, slots, heads)
        weights = np.exp(scores - _finite(scores.max(axis=2, keepdims=True)))
        return weights / np.maximum(weights.sum(axis=2, keepdims=True), _TINY)

    def column(self, group: int, slot: int, heads: slice) -> np.ndarray:
        """A column of it, (heads, n)."""
        key = self.keys[group, heads, :, slot]
        scores = np.einsum("hdn,hd->hn", self.queries[group, heads], key) * self.scale
        if self.bias is not None:
            scores = scores + self._bias(group, heads)[:, :, slot]
        return np.exp(scores - self.lse[group, heads])

    def _scores(self, group: int, slots: np.ndarray, heads: slice) -> np.ndarray:
        queries = self.queries[group, heads][:, :, slots]
        scores = queries.transpose(0, 2, 1) @ self.keys[group, heads] * self.scale
        return scores if self.bias is None else scores + self._bias(group, heads)[:, slots]

    def _bias(self, group: int, heads: slice) -> np.ndarray:
        assert self.bias is not None
        of_group = self.bias[group if len(self.bias) > 1 else 0]
        return of_group[heads] if len(of_group) > 1 else of_group


def _finite(highest: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(highest), highest, 0)


@dataclass(frozen=True)
class Written:
    """The softmax itself, (groups, heads, n, m), where the network wrote it out and more was not seen."""

    weights: np.ndarray

    @property
    def heads(self) -> int:
        """How many attend side by side."""
        return self.weights.shape[1]

    def rows(self, group: int, slots: np.ndarray, heads: slice) -> np.ndarray:
        """As of `Compared`."""
        return self.weights[group, heads][:, slots]

    def column(self, group: int, slot: int, heads: slice) -> np.ndarray:
        """As of `Compared`."""
        return self.weights[group, heads, :, slot]


@dataclass(frozen=True)
class AttentionTrace:
    """One layer of softmax attention over a picture: who gathers from where.

    Tokens are those before the picture's (class, distillation, registers), then its cells row by row. They
    attend in groups: all in one, or each window by itself. Weights of a token outside of its group are 0.

    Attributes:
        name: of the module that attends.
        prefix: so many tokens come before the picture's.
        cells: rows and columns of those who ask.
        key_cells: rows and columns of those who are asked; others than `cells` where a network makes its keys
            or its queries coarser.
        members: (groups, n) int32, the token that asks from each slot of a group; -1: none, as of padding.
        key_members: (groups, m), the token that is asked in each slot.
        softmax: the weights of the slots.
        names: of the tokens before the picture's, where they are known.
    """

    name: str
    prefix: int
    cells: tuple[int, int]
    key_cells: tuple[int, int]
    members: np.ndarray
    key_members: np.ndarray
    softmax: Compared | Written
    names: tuple[str, ...] = ()

    @property
    def heads(self) -> int:
        """How many attend side by side."""
        return self.softmax.heads

    @property
    def tokens(self) -> tuple[str, ...]:
        """What the tokens before the picture's are called."""
        return self.names or tuple(f"token {k}" for k in range(self.prefix))

    @property
    def grid(self) -> tuple[int, int, int]:
        """(1, h, w), the cells that ask."""
        return 1, *self.cells

    @property
    def windowed(self) -> bool:
        """Whether each position sees only a part of the picture."""
        return int((self.key_members >= 0).sum(axis=1).min()) < self._tokens(self.key_cells)

    def token(self, position: int | Position) -> int:
        """The token at a position (0, row, col); a whole number means one of those before the picture's.

        Raises:
            BlockError: there is no such token.
        """
        return self._token(position, self.cells)

    def row(self, position: int | Position, head: int | None = None) -> np.ndarray:
        """From where a token gathers: its weights over all tokens that are asked, (tokens,).

        They sum to 1, less what goes to keys that are none of these: padding, where a network attends to it.

        Args:
            position: as of `token`.
            head: which; None is the mean over all heads.

        Raises:
            BlockError: no such token or head.
        """
        chosen, token = self._heads(head), self.token(position)
        asks = np.argwhere(self.members == token)
        if not len(asks):
            raise BlockError(f"In {self.name} token {position} is only asked, and gathers nothing itself.")
        group, slot = asks[0]
        return self._spread(group, self.softmax.rows(group, np.array([slot]), chosen).mean(axis=0)[0])

    def map(self, position: int | Position, head: int | None = None) -> np.ndarray:
        """The same over the picture alone, (1, *key_cells), which sums to 1: all else is left out.

        Of zeros where a mask hides all of the picture.

        Raises:
            BlockError: as `row`.
        """
        over = self.row(position, head)[self.prefix :]
        return (over / max(over.sum(), _TINY)).reshape(1, *self.key_cells)

    def received(self, position: int | Position, head: int | None = None) -> np.ndarray:
        """Who gathers from a position: the share of each cell's attention that goes there, (1, h, w).

        A column of the softmax, at the cost of a row once the layer's `Compared.lse` is known. Its sum says
        how much the position is used.

        Args:
            position: as of `token`, but on the grid of those who are asked.
            head: as of `row`.

        Raises:
            BlockError: as `row`.
        """
        chosen, token = self._heads(head), self._token(position, self.key_cells)
        given = np.zeros(self._tokens(self.cells), np.float32)
        for group, slot in np.argwhere(self.key_members == token):
            holds = self.members[group] >= 0
            column = self.softmax.column(group, slot, chosen).mean(axis=0)
            given[self.members[group, holds]] = column[holds]
        return given[self.prefix :].reshape(self.grid)

    def handed_on(self, share: np.ndarray) -> np.ndarray:
        """Σ_p share_p · row_p over all tokens p, some rows at a time, so that N×N is never written."""
        total = np.zeros(self._tokens(self.key_cells))
        for group, members in enumerate(self.members):
            wanted = np.flatnonzero((members >= 0) & (share[members] != 0))
            for start in range(0, len(wanted), _ROWS_AT_ONCE):
                slots = wanted[start : start + _ROWS_AT_ONCE]
                for head in range(self.heads):
                    weights = self.softmax.rows(group, slots, slice(head, head + 1))[0]
                    total += self._spread(group, share[members[slots]] @ weights / self.heads)
        return total

    def _heads(self, head: int | None) -> slice:
        if head is not None and not 0 <= head < self.heads:
            raise BlockError(f"{self.name} has no head {head}: they are counted from 0 to {self.heads - 1}.")
        return slice(None) if head is None else slice(head, head + 1)

    def _token(self, position: int | Position, cells: tuple[int, int]) -> int:
        rows, columns = cells
        if isinstance(position, int):
            if 0 <= position < self.prefix:
                return position
        elif len(position) == 3 and position[0] == 0:
            _, row, column = position
            if 0 <= row < rows and 0 <= column < columns:
                return self.prefix + row * columns + column
        raise BlockError(
            f"{self.name} has no position {position}: it has (0, row, col) on a grid of {rows} × {columns}, "
            f"and {self.prefix} tokens before the picture's, counted from 0."
        )

    def _tokens(self, cells: tuple[int, int]) -> int:
        return self.prefix + cells[0] * cells[1]

    def _spread(self, group: int, weights: np.ndarray) -> np.ndarray:
        """Weights of a group's slots, (m,), at their tokens."""
        over = np.zeros(self._tokens(self.key_cells), weights.dtype)
        holds = self.key_members[group] >= 0
        over[self.key_members[group, holds]] = weights[holds]
        return over


class PairsTrace(AttentionTrace):
    """A layer that compares all tokens of a picture with one another.

    Args:
        name: as of `AttentionTrace`.
        prefix: likewise.
        cells: likewise.
        queries: (heads, d, tokens), float32.
        keys: likewise.
        scale: as of `Compared`.
        bias: (heads or 1, tokens, tokens) as of `Compared`.
        names: as of `AttentionTrace`.
    """

    def __init__(
        self,
        name: str,
        queries: np.ndarray,
        keys: np.ndarray,
        scale: float,
        prefix: int,
        cells: tuple[int, int],
        bias: np.ndarray | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        members = np.arange(queries.shape[2], dtype=np.int32)[None]
        compared = Compared(queries[None], keys[None], scale, None if bias is None else bias[None])
        super().__init__(name, prefix, cells, cells, members, members, compared, names)

    @property
    def compared(self) -> Compared:
        """The weights, as queries and keys of one group."""
        assert isinstance(self.softmax, Compared)
        return self.softmax

    @property
    def queries(self) -> np.ndarray:
        """(heads, d, tokens)."""
        return self.compared.queries[0]

    @property
    def keys(self) -> np.ndarray:
        """(heads, d, tokens)."""
        return self.compared.keys[0]

    @property
    def scale(self) -> float:
        """What their product is multiplied with before the softmax."""
        return self.compared.scale

    @property
    def bias(self) -> np.ndarray | None:
        """(heads or 1, tokens, tokens), added after that; None: none."""
        return None if self.compared.bias is None else self.compared.bias[0]

    @property
    def lse(self) -> np.ndarray:
        """(heads, tokens), of each query the logarithm of what its softmax divides by."""
        return self.compared.lse[0]


def rollout(
    layers: Mapping[str, AttentionTrace] | Sequence[AttentionTrace], position: int | Position
) -> np.ndarray:
    """Attention rollout from a token of the last layer down to the picture, (1, h, w), which sums to 1.

    Abnar and Zuidema, 2020: each layer mixes its tokens half by themselves and half by the mean of its heads.
    It follows weights alone, not what values and other layers make of them: a rough picture of where
    information could have come from. Layers in windows hand on inside their windows.

    Args:
        layers: in the order in which they ran; all of one grid.
        position: of the last one, as of `AttentionTrace.token`.

    Raises:
        BlockError: no layers, of different grids, or no such token.
    """
    row_of = list(layers.values()) if isinstance(layers, Mapping) else list(layers)
    if not of_one_grid(row_of):
        raise BlockError(_NOT_OF_ONE_GRID)
    last = row_of[-1]
    share = np.zeros(last.prefix + last.cells[0] * last.cells[1])
    share[last.token(position)] = 1.0
    for layer in reversed(row_of):
        share = 0.5 * share + 0.5 * layer.handed_on(share)
    over = share[last.prefix :]
    return (over / over.sum()).reshape(last.grid)


def rollout_rows(layers: Sequence[AttentionTrace]) -> np.ndarray:
    """Attention rollout of all tokens of the last layer, (tokens, tokens), each row summing to 1.

    Row p, over the picture and made to sum to 1 there, is `rollout(layers, p)`. N×N numbers: for few tokens.

    Raises:
        BlockError: as `rollout`.
    """
    if not of_one_grid(layers):
        raise BlockError(_NOT_OF_ONE_GRID)
    mixed = np.eye(layers[0].prefix + layers[0].cells[0] * layers[0].cells[1], dtype=np.float32)
    for layer in layers:
        over = np.zeros_like(mixed)
        for group, (members, keys) in enumerate(zip(layer.members, layer.key_members, strict=True)):
            slots, asked = np.flatnonzero(members >= 0), np.flatnonzero(keys >= 0)
            for head in range(layer.heads):
                weights = layer.softmax.rows(group, slots, slice(head, head + 1))[0][:, asked]
                over[members[slots]] += weights @ mixed[keys[asked]] / layer.heads
        mixed = 0.5 * mixed + 0.5 * over
    return mixed


def of_one_grid(layers: Sequence[AttentionTrace]) -> bool:
    """Whether rollout can go through them."""
    return len({(grid, layer.prefix) for layer in layers for grid in (layer.cells, layer.key_cells)}) == 1


_NOT_OF_ONE_GRID = "Rollout goes through layers of one grid. Give those, in the order that they ran in."
