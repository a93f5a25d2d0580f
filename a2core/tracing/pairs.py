"""Softmax attention that was kept: queries and keys, asked for one row at a time. NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from a2core.errors import BlockError

Position = Sequence[int]  # (t, row, col)


@dataclass(frozen=True)
class PairsTrace:
    """What one layer of softmax attention compared; arrays are float32 and read-only.

    Tokens are those before the picture's (class, distillation, registers), then its cells row by row.

    Attributes:
        name: of the module that attends.
        queries, keys: (heads, d, tokens).
        scale: what their product is multiplied with before the softmax.
        prefix: so many tokens come before the picture's.
        cells: rows and columns.
        names: of the tokens before the picture's, where they are known.
    """

    name: str
    queries: np.ndarray
    keys: np.ndarray
    scale: float
    prefix: int
    cells: tuple[int, int]
    names: tuple[str, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """What the tokens before the picture's are called."""
        return self.names or ("class token", *(f"token {k}" for k in range(1, self.prefix)))[: self.prefix]

    @property
    def heads(self) -> int:
        """How many attend side by side."""
        return len(self.queries)

    @property
    def grid(self) -> tuple[int, int, int]:
        """(1, h, w), in cells."""
        return 1, *self.cells

    def token(self, position: int | Position) -> int:
        """The token at a position (0, row, col); a whole number means one of those before the picture's.

        Raises:
            BlockError: there is no such token.
        """
        rows, columns = self.cells
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

    def row(self, position: int | Position, head: int | None = None) -> np.ndarray:
        """From where a token gathers: its weights over all tokens, (tokens,), which sum to 1.

        Args:
            position: as of `token`.
            head: which; None is the mean over all heads.

        Raises:
            BlockError: no such token or head.
        """
        token = self.token(position)
        if head is not None and not 0 <= head < self.heads:
            raise BlockError(f"{self.name} has no head {head}: they are counted from 0 to {self.heads - 1}.")
        chosen = slice(None) if head is None else slice(head, head + 1)
        scores = np.einsum("hd,hdn->hn", self.queries[chosen, :, token], self.keys[chosen]) * self.scale
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)

    def map(self, position: int | Position, head: int | None = None) -> np.ndarray:
        """The same over the picture alone, (1, h, w), which sums to 1: tokens before it are left out.

        Raises:
            BlockError: as `row`.
        """
        over = self.row(position, head)[self.prefix :]
        return (over / over.sum()).reshape(self.grid)

    def received(self, position: int | Position, head: int | None = None) -> np.ndarray:
        """Who gathers from a position: the share of each cell's attention that goes there, (1, h, w)."""
        token = self.token(position)
        chosen = slice(None) if head is None else slice(head, head + 1)
        scores = np.einsum("hd,hdn->hn", self.keys[chosen, :, token], self.queries[chosen]) * self.scale
        column = np.exp(scores - log_sums(self.queries, self.keys, self.scale)[chosen]).mean(axis=0)
        return column[self.prefix :].reshape(self.grid)


def rollout(layers: Mapping[str, PairsTrace] | Sequence[PairsTrace], position: int | Position) -> np.ndarray:
    """Attention rollout from a token of the last layer down to the picture, (1, h, w), which sums to 1.

    Abnar and Zuidema, 2020: each layer mixes its tokens half by themselves and half by the mean of its heads.
    It follows weights alone, not what values and other layers make of them: a rough picture of where
    information could have come from.

    Args:
        layers: in the order in which they ran; all of one grid.
        position: of the last one, as of `PairsTrace.token`.

    Raises:
        BlockError: no layers, of different grids, or no such token.
    """
    row_of = list(layers.values()) if isinstance(layers, Mapping) else list(layers)
    together(row_of)
    last = row_of[-1]
    share = np.zeros(last.queries.shape[2])
    share[last.token(position)] = 1.0
    for layer in reversed(row_of):
        share = 0.5 * share + 0.5 * _handed_on(layer, share)
    over = share[last.prefix :]
    return (over / over.sum()).reshape(last.grid)


def together(layers: Sequence[PairsTrace]) -> None:
    """Refuse layers that rollout cannot go through.

    Raises:
        BlockError: none, or of different grids.
    """
    if not layers or len({(layer.cells, layer.prefix) for layer in layers}) != 1:
        raise BlockError(
            "Rollout goes through layers of one grid. Give those, in the order that they ran in."
        )


def rollout_rows(layers: Sequence[PairsTrace]) -> np.ndarray:
    """Attention rollout of all tokens of the last layer, (tokens, tokens), each row summing to 1.

    Row p, over the picture and made to sum to 1 there, is `rollout(layers, p)`. N×N numbers: for few tokens.

    Raises:
        BlockError: as `rollout`.
    """
    together(layers)
    mixed = np.eye(layers[0].queries.shape[2], dtype=np.float32)
    for layer in layers:
        over = np.zeros_like(mixed)
        for queries, keys in zip(layer.queries, layer.keys, strict=True):
            over += _softmax(queries.T @ keys * layer.scale) @ mixed / layer.heads
        mixed = 0.5 * mixed + 0.5 * over
    return mixed


def log_sums(queries: np.ndarray, keys: np.ndarray, scale: float) -> np.ndarray:
    """The logarithm of what each row of each head's softmax is divided by, (heads, tokens) float32."""
    heads, _, tokens = queries.shape
    found = np.empty((heads, tokens), np.float32)
    for start in range(0, tokens, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        scores = np.einsum("hdp,hdj->hpj", queries[:, :, rows], keys, optimize=True) * scale
        top = scores.max(axis=2)
        found[:, rows] = top + np.log(np.exp(scores - top[:, :, None]).sum(axis=2))
    return found


def _softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


_ROWS_AT_ONCE = 256


def _handed_on(layer: PairsTrace, share: np.ndarray) -> np.ndarray:
    """Σ_p share_p · row_p, some rows at a time, so that N×N is never written."""
    total = np.zeros_like(share)
    wanted = np.flatnonzero(share)
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        tokens = wanted[start : start + _ROWS_AT_ONCE]
        for queries, keys in zip(layer.queries, layer.keys, strict=True):
            scores = queries[:, tokens].T @ keys * layer.scale
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            weights /= weights.sum(axis=1, keepdims=True)
            total += share[tokens] @ weights / layer.heads
    return total
