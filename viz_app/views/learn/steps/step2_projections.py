"""Step 2: three linear maps read the same column; where row and column cross is one value of each."""

from __future__ import annotations

from dataclasses import dataclass

from viz_app.ui.figures import SIGNED, tensor
from viz_app.ui.numbers import Number, number, whole
from viz_app.views.learn.steps.board import Board
from viz_app.views.learn.steps.screen import Screen, printed
from viz_app.views.learn.words import common
from viz_app.views.learn.words import step2_projections as words


@dataclass(frozen=True)
class _Projection:
    """One of the three: its table's symbol, its name in the lesson, a value's letter, the marked row."""

    symbol: str
    name: str
    letter: str
    row: int
    rows: int
    count: str  # what its number of rows is called

    def value(self, board: Board) -> Number:
        """What stands where the marked row and the chosen cell's column cross, from its weights."""
        x = board.table("normed")[:, board.p]
        weight, bias = board.array(f"{self.name}_weight"), board.array(f"{self.name}_bias")
        return number(f"{self.name}_ip", float(weight[self.row] @ x + bias[self.row]))

    def table(self, board: Board) -> str:
        """All of it, row and column marked."""
        return tensor(
            self.symbol,
            board.tables[self.name],
            shape=(whole(self.count, self.rows), whole("N", board.lesson.positions)),
            axes=(words.rows_down(self.count), common.N_POSITIONS),
            alt=words.table(self.symbol),
            column=board.column,
            row=(self.row + 0.5) / self.rows,
        )

    def map(self, board: Board) -> str:
        """Its marked row, laid out as the picture."""
        flat = board.table(self.name)[self.row]
        return board.map(words.row(self.symbol), flat, SIGNED, words.row_alt(self.symbol))


def screen(board: Board) -> Screen:
    """The three tables over their marked rows as maps, and the three values of the chosen cell."""
    lesson, i = board.lesson, board.i
    row = min(i, lesson.m - 1)
    three = (
        _Projection("A", "phi", "a", row, lesson.m, "m"),
        _Projection("Θ", "theta", "θ", i, lesson.n, "n"),
        _Projection("R", "rho", "ρ", i, lesson.n, "n"),
    )
    values = [projection.value(board) for projection in three]
    drawn = [projection.table(board) for projection in three] + [
        projection.map(board) for projection in three
    ]
    crossings = [words.crossing(projection.letter, projection.symbol) for projection in three]
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.maps(board.table("theta")[i]),
        shows=SIGNED,
        overlay_says=words.overlay(whole("primitive", i)),
        figures=f'<div class="a2-three">{"".join(drawn)}</div>',
        numbers=printed(
            (common.CHOSEN_CELL, board.place()),
            *zip(crossings, values, strict=True),
        ),
        code=board.load(
            f"x = {board.key('normed')}[:, {board.at}]",
            f'for name, row in (("phi", {row}), ("theta", {i}), ("rho", {i})):',
            f'    weight = d[f"{lesson.name}/{{name}}_weight"].astype(float)',
            f'    bias = d[f"{lesson.name}/{{name}}_bias"].astype(float)',
            '    print(f"{weight[row] @ x + bias[row]:#.4g}")',
        ),
        prints="\n".join(f"{value.value:#.4g}" for value in values),
    )
