"""What the glossary holds: every symbol that a step of the lesson meets first, and no symbol twice."""

from __future__ import annotations

import pytest

from a2core.canvas import glossary
from a2core.lesson.steps import STEPS
from a2core.lesson.words import around


def test_every_symbol_is_met_first_in_one_step_of_the_lesson_or_is_of_no_step():
    met = [name for step in STEPS for name in step.meets]
    assert len(met) == len(set(met)), "defined where it is first met"
    known = [name for group in glossary.GROUPS.values() for name in group]
    assert len(known) == len(set(known))
    assert set(met) <= set(known)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_defines_what_it_meets_as_the_glossary_does(step):
    said = around.definitions(step.meets)
    for name in step.meets:
        symbol = next(group[name] for group in glossary.GROUPS.values() if name in group)
        assert symbol.sign in said
        assert symbol.what in said
