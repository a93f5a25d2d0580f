"""The lesson on one block in seven steps, a file each: what its screen shows, prints and lets one check.

Pure: a `Lesson` (the block's tensors) and a `Choice` (what the visitor moved) go in, a `Screen` comes out,
ready to be laid out. What a step says is in the file of the same name in `words/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from a2core.lesson.steps import (
    step1_features,
    step2_projections,
    step3_where_to_look,
    step4_gather,
    step5_what_to_take,
    step6_distribute,
    step7_add,
)
from a2core.lesson.steps.board import Board, tables_of
from a2core.lesson.steps.screen import TEMPERATURES, Choice, Screen, fitted
from a2core.lesson.steps.step7_add import most_changed, plainest_channel
from a2core.tracing.lesson import Lesson

__all__ = [
    "STEPS",
    "TEMPERATURES",
    "Choice",
    "Screen",
    "Step",
    "most_changed",
    "opening",
    "plainest_channel",
    "screen",
    "tables_of",
]


@dataclass(frozen=True)
class Step:
    """What a step is about, in its words; how its screen is made."""

    words: Any  # its module in words/
    draw: Callable[[Board], Screen]

    @property
    def name(self) -> str:
        """Its short name."""
        return str(self.words.NAME)

    @property
    def title(self) -> str:
        """Its heading."""
        return str(self.words.TITLE)

    @property
    def formula(self) -> str:
        """Its formula, in LaTeX."""
        return str(self.words.FORMULA)

    @property
    def meets(self) -> tuple[str, ...]:
        """The names of the symbols that are met first in it, as the glossary has them."""
        return tuple(self.words.MEETS)


_ALL = (
    step1_features,
    step2_projections,
    step3_where_to_look,
    step4_gather,
    step5_what_to_take,
    step6_distribute,
    step7_add,
)
STEPS = tuple(Step(step.words, step.screen) for step in _ALL)


def screen(step: int, lesson: Lesson, choice: Choice, tables: Mapping[str, str], file_name: str) -> Screen:
    """Step `step` (1 to 7) for `choice`; `file_name` is what the code under it loads."""
    return STEPS[step - 1].draw(Board(lesson, fitted(choice, lesson), tables, file_name))


def opening(
    lesson: Lesson, position: tuple[int, int, int], changed: tuple[int, int, int], primitive: int
) -> Choice:
    """What a lesson opens on: the cell `position` (t, row, col), the channel of the cell `changed`.

    That is where step 7 opens, and the channel the one in which there is most to see there.
    """
    return Choice(
        position=position,
        primitive=primitive,
        channel=plainest_channel(lesson, changed),
        a_channel=int(abs(lesson.phi[(slice(None), *position)]).argmax()),
        temperature=1.0,
        reached=lesson.positions - 1,
        terms=3,
    )
