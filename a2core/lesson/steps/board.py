"""A lesson laid out for the steps: its arrays with one axis of positions, in float64, what is marked; pure.

In float64, so that a few lines of NumPy give every printed digit again from the lesson's NPZ file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from a2core.lesson.figures import SIGNED, cells, map_url, table_url
from a2core.lesson.numbers import whole
from a2core.lesson.steps.screen import Choice, subscripted
from a2core.lesson.words import common
from a2core.tracing.lesson import Lesson

TABLES = ("features", "phi", "theta_logits", "rho_logits")


def softmax(logits: np.ndarray, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Softmax along `axis` at a temperature; at 0 its limit: the largest share everything equally."""
    below = logits - logits.max(axis=axis, keepdims=True)
    powers = (below == 0).astype(float) if temperature == 0 else np.exp(below / temperature)
    return powers / powers.sum(axis=axis, keepdims=True)


def tables_of(lesson: Lesson) -> dict[str, str]:
    """The block's largest tensors as pictures, by name: made once for each lesson."""
    return {
        name: table_url(getattr(lesson, name).reshape(len(getattr(lesson, name)), -1), SIGNED)
        for name in TABLES
    }


class Board:
    """A lesson with its positions flattened to N, and what the visitor chose of it.

    Attributes:
        lesson, choice: the two; every index of the choice is inside.
        tables: `tables_of` the lesson.
        file_name: what the lines of a check load.
        i, p: the chosen primitive; the chosen position, flat.
        grid: (T, h, w), also as `frames`, `rows`, `cols`.
    """

    def __init__(self, lesson: Lesson, choice: Choice, tables: Mapping[str, str], file_name: str) -> None:
        self.lesson, self.choice, self.tables, self.file_name = lesson, choice, tables, file_name
        self.frames, self.rows, self.cols = self.grid = lesson.grid
        self.i = choice.primitive
        self.p = int(np.ravel_multi_index(choice.position, self.grid))

    # Arrays.

    def table(self, name: str) -> np.ndarray:
        """An array of the lesson as (channels, N), float64."""
        array = getattr(self.lesson, name)
        return array.reshape(len(array), -1).astype(np.float64)

    def row(self, name: str, index: int) -> np.ndarray:
        """One row of a `table`, (N,), without a copy of all the others."""
        return getattr(self.lesson, name)[index].ravel().astype(np.float64)

    def column(self, name: str) -> np.ndarray:
        """What a `table` has in the chosen cell, (channels,)."""
        return getattr(self.lesson, name)[(slice(None), *self.choice.position)].astype(np.float64)

    def array(self, name: str) -> np.ndarray:
        """An array of the lesson as it is, float64."""
        return getattr(self.lesson, name).astype(np.float64)

    def maps(self, flat: np.ndarray) -> np.ndarray:
        """(N,) as (T, h, w)."""
        return flat.reshape(self.grid)

    def frame(self, flat: np.ndarray) -> np.ndarray:
        """(N,) as the (h, w) of the chosen position's frame."""
        return self.maps(flat)[self.choice.position[0]]

    def unflat(self, index: int) -> tuple[int, int, int]:
        """A flat position as (t, row, col)."""
        t, row, col = np.unravel_index(index, self.grid)
        return int(t), int(row), int(col)

    # Figures.

    @property
    def aspect(self) -> float:
        """Width / height of a map."""
        return self.cols / self.rows

    @property
    def column_middle(self) -> float:
        """The middle of the chosen cell's column in a table, as a fraction of its width."""
        return (self.p + 0.5) / self.lesson.positions

    def cell(self) -> tuple[float, float, float, float]:
        """Where the chosen cell is in a map: (left, top, width, height), fractions."""
        _, row, col = self.choice.position
        return col / self.cols, row / self.rows, 1 / self.cols, 1 / self.rows

    def map(self, symbol: str, flat: np.ndarray, what: str, alt: str, *, high: float | None = None) -> str:
        """A map (N,) as a figure, the chosen cell marked; `high` is drawn brightest, or else its peak."""
        # One scale for all frames: else a frame that holds nothing would look full.
        peak = float(np.abs(flat).max()) if high is None else high
        url = map_url(self.frame(flat), what, high=peak)
        return cells(symbol, url, aspect=self.aspect, alt=alt, cell=self.cell())

    # Words.

    def place(self, position: tuple[int, int, int] | None = None, prefix: str = "") -> str:
        """A cell in words: the chosen one, or another, whose numbers have names with `prefix`."""
        t, row, col = position or self.choice.position
        frame = whole(f"{prefix}frame", t) if self.frames > 1 else None
        return common.place(whole(f"{prefix}row", row), whole(f"{prefix}column", col), frame)

    def positions_axis(self) -> str:
        """What stands along a table whose columns are positions."""
        sizes = zip(("frames", "rows", "columns"), self.grid, strict=True)
        grid = " × ".join(
            str(whole(what, size)) for what, size in sizes if what != "frames" or self.frames > 1
        )
        return common.positions(grid)

    def of_primitive(self, letter: str = "") -> str:
        """A letter with the chosen primitive as its index."""
        return subscripted(letter, whole("primitive", self.i))

    # Lines of a check.

    @property
    def at(self) -> str:
        """The chosen position as NumPy indexes it."""
        return ", ".join(map(str, self.choice.position))

    def load(self, *lines: str) -> str:
        """The lines of a check, with those that load the file in front."""
        head = ["import numpy as np", "", f'd = np.load("{self.file_name}")']
        return "\n".join([*head, *lines])

    def key(self, name: str) -> str:
        """An array of the file, as a line of a check has it."""
        return f'd["{self.lesson.name}/{name}"].astype(float)'
