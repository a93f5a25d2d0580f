"""Step 2: three linear maps read the same column; where row and column cross is one value of each."""

from __future__ import annotations

from dataclasses import dataclass

from a2core.lesson.figures import SIGNED, tensor
from a2core.lesson.numbers import Number, number, whole
from a2core.lesson.steps.board import Board
from a2core.lesson.steps.screen import Screen, printed
from a2core.lesson.words import common
from a2core.lesson.words import step2_projections as words


@dataclass(frozen=True)
class _Projection:
    """One of the three: its table and the letter of a value, its names in the lesson, and its marked row.

    A row of A is a channel, k of m; a row of Θ̃ or R̃ is a primitive, i of n.
    """

    symbol: str
    letter: str
    array: str  # the table's name in the lesson
    weights: str  # that of its weight and bias, which have endings
    index: str  # of a row, "k" or "i"
    row: Number

    @property
    def of_channels(self) -> bool:
        """Whether its rows are channels."""
        return self.index == "k"

    @property
    def row_is(self) -> str:
        """What a row is, in words."""
        return words.CHANNEL if self.of_channels else words.PRIMITIVE

    def value(self, board: Board) -> Number:
        """What stands where the marked row and the chosen cell's column cross, from its weights."""
        x, row = board.column("normed"), int(self.row.value)
        weight, bias = board.array(f"{self.weights}_weight"), board.array(f"{self.weights}_bias")
        return number(f"{self.array}_{self.index}p", float(weight[row] @ x + bias[row]))

    def table(self, board: Board) -> str:
        """All of it, row and column marked."""
        lesson = board.lesson
        count, rows = ("m", lesson.m) if self.of_channels else ("n", lesson.n)
        return tensor(
            self.symbol,
            board.tables[self.array],
            shape=(whole(count, rows), whole("N", lesson.positions)),
            axes=(words.rows_down(count, self.row_is), common.N_POSITIONS),
            alt=words.table(self.symbol),
            column=board.column_middle,
            row=(self.row.value + 0.5) / rows,
        )

    def map(self, board: Board) -> str:
        """Its marked row, laid out as the picture."""
        flat = board.row(self.array, int(self.row.value))
        said = words.row(self.row, self.symbol, self.row_is)
        return board.map(said, flat, SIGNED, words.row_alt(self.symbol))


def screen(board: Board) -> Screen:
    """The three tables over their marked rows as maps, and the three values of the chosen cell."""
    lesson, i, k = board.lesson, board.i, board.choice.a_channel
    primitive = whole("primitive", i)
    three = (
        _Projection("A", "a", "phi", "phi", "k", whole("a_channel", k)),
        _Projection("Θ̃", "θ̃", "theta_logits", "theta", "i", primitive),
        _Projection("R̃", "ρ̃", "rho_logits", "rho", "i", primitive),
    )
    values = [projection.value(board) for projection in three]
    drawn = [projection.table(board) for projection in three] + [
        projection.map(board) for projection in three
    ]
    crossings = [
        words.crossing(projection.letter, projection.index, projection.symbol) for projection in three
    ]
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.maps(board.row("theta_logits", i)),
        shows=SIGNED,
        overlay_says=words.overlay(primitive),
        figures=f'<div class="a2-three">{"".join(drawn)}</div>',
        numbers=printed(
            (common.CHOSEN_CELL, board.place()),
            *zip(crossings, values, strict=True),
        ),
        code=board.load(
            f"x = {board.key('normed')}[:, {board.at}]",
            f'for name, row in (("phi", {k}), ("theta", {i}), ("rho", {i})):',
            f'    weight = d[f"{lesson.name}/{{name}}_weight"].astype(float)',
            f'    bias = d[f"{lesson.name}/{{name}}_bias"].astype(float)',
            '    print(f"{weight[row] @ x + bias[row]:#.4g}")',
        ),
        prints="\n".join(f"{value.value:#.4g}" for value in values),
    )
