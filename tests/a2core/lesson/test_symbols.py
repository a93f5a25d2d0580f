"""Whatever symbol a step of the lesson prints is defined in it or before it, as the glossary has it."""

from __future__ import annotations

import html
import re

import pytest

from a2core.canvas import glossary
from a2core.lesson import steps
from a2core.lesson.steps import STEPS, board
from tests.a2core.lesson.lessons import CHOICE, made_up_lesson

GREEK = {
    "theta": "θ", "Theta": "Θ", "rho": "ρ", "phi": "φ", "tau": "τ", "Delta": "Δ", "sum": "Σ", "top": "ᵀ",
}  # fmt: skip
OVER = {"tilde": "\u0303", "hat": "\u0302"}
INDICES = set("ijkp")
WORDS = {"a", "A", "I"}  # without an index, in prose; a step's formula has its A
SIGNS = ("ℝ", "Σ", "exp", "max", "ᵀ", "|", "′")  # of arithmetic: the glossary has them, no step meets them
SYMBOL = re.compile(r"(?<![\w’])([^\W\d_ᵀΣℝ][\u0300-\u036f]*)(?:<sub>(.*?)</sub>|(?!\w|-\w))", re.DOTALL)


def as_html(latex: str) -> str:
    """A formula as the words of the lesson write symbols."""
    text = re.sub(r"\\mathbb\{R\}", "ℝ ", latex)
    for name, mark in OVER.items():
        text = re.sub(rf"\\{name}\s*(\\?[A-Za-z]+?)(?![a-z])", rf"\1{mark}", text)
    for name, letter in GREEK.items():
        text = re.sub(rf"\\{name}(?![a-z])", letter if name not in ("sum", "top") else f" {letter} ", text)
    text = re.sub(r"_(?:\{([^}]*)\}|(.))", r"<sub>\1\2</sub>", text).replace("'", "′")
    text = re.sub(r"\\exp", " exp ", text)
    return re.sub(r"\\[a-z]+|\\,|[{}^]", " ", text)


def symbols(page: str) -> set[str]:
    """The letters that a page prints, with tilde or hat and with an index that is part of the name."""
    text = re.sub(r"<(?!/?sub>)[^>]*>", "\n", html.unescape(page)).replace("ᵀ", " ᵀ ").replace("Σ", " Σ ")
    found = {sign for sign in SIGNS if re.search(rf"\b{sign}\b" if sign.isalpha() else re.escape(sign), text)}
    for match in SYMBOL.finditer(text):
        letter, index = match[1], re.sub(r"[\s\d′]", "", match[2] or "")
        if match[2] is None and letter in WORDS:
            continue
        of_name = "".join(sorted(set(index) - INDICES))
        found |= {letter + of_name} | (set(index) & INDICES)
    return found


def defined(names: tuple[str, ...]) -> set[str]:
    """What the glossary's symbols of these names define; an index in a sign is defined by itself."""
    signs = " , ".join(glossary.SYMBOLS[name].sign for name in names)
    bases = symbols(re.sub(r"<sub>[ijkp]+</sub>", "<sub>1</sub>", signs))
    return bases | {"A"} if "A" in names else bases


def printed(step: int) -> set[str]:
    lesson = made_up_lesson()
    screen = steps.screen(step, lesson, CHOICE, board.tables_of(lesson), "lesson.npz")
    said = screen.sentence + screen.overlay_says + screen.figures + screen.numbers + screen.trap
    return symbols(said) | symbols(as_html(STEPS[step - 1].formula))


def test_formulas_and_words_are_read_for_their_symbols():
    assert symbols(as_html(r"\tilde R = W_\rho \hat X + b_\rho")) == {"R̃", "Wρ", "X̂", "bρ"}
    assert symbols(as_html(r"\frac{\exp(\tilde\theta_{ij}/\tau)}{\sum_{j'}}")) == {
        "θ̃",
        "i",
        "j",
        "τ",
        "exp",
        "Σ",
        "′",
    }
    assert symbols("A cell’s z<sub>p</sub> in a ΘᵀR, n × N") == {"z", "p", "Θ", "R", "ᵀ", "n", "N"}


@pytest.mark.parametrize("step", range(1, 8))
def test_a_step_prints_no_symbol_that_is_not_defined_in_it_or_before(step):
    met = tuple(name for about in STEPS[:step] for name in about.meets)
    signs = defined(tuple(glossary.SIGNS)) & set(SIGNS)
    assert printed(step) - defined(met) - signs == set()


@pytest.mark.parametrize("step", range(1, 8))
def test_a_step_defines_no_symbol_that_it_does_not_print(step):
    for name in STEPS[step - 1].meets:
        assert defined((name,)) & printed(step), name
