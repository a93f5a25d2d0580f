"""The formulas of the lesson as MathML: whole, in order, and nothing that is not known."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from a2core.lesson.mathml import FormulaError, mathml
from a2core.lesson.steps import STEPS

# What is read of each, in the order in which it stands there.
READ = (
    "X∈ℝc×N,N=Thw",
    "A=WφX^+bφ,Θ~=WθX^+bθ,R~=WρX^+bρ",
    "θij=exp(θ~ij/τ)∑j′exp(θ~ij′/τ),∑jθij=1",
    "gi=∑jθijaj,G=AΘ⊤",
    "ρip=exp(ρ~ip)∑i′exp(ρ~i′p),∑iρip=1",
    "zp=∑iρipgi,Z=GR",
    "Y=X+Δ,Δ=WeZ+be",
)


@pytest.mark.parametrize("number", range(1, 8))
def test_a_formula_has_all_its_signs_in_order(number):
    drawn = ElementTree.fromstring(mathml(STEPS[number - 1].formula))
    assert "".join(drawn.itertext()) == READ[number - 1]


def test_indices_stand_below_and_sums_have_theirs_under_them():
    drawn = ElementTree.fromstring(mathml(r"z_p = \sum_{i} \rho_{ip}\, g_i"))
    below = [["".join(part.itertext()) for part in each] for each in drawn.iter("msub")]
    assert below == [["z", "p"], ["ρ", "ip"], ["g", "i"]]
    assert [["".join(part.itertext()) for part in each] for each in drawn.iter("munder")] == [["∑", "i"]]
    fraction = ElementTree.fromstring(mathml(r"\frac{a}{b^2}")).find(".//mfrac")
    assert ["".join(part.itertext()) for part in fraction] == ["a", "b2"]


@pytest.mark.parametrize("latex", [r"\integral x", "a & b", "{a", r"\frac{a}"])
def test_what_is_not_known_is_refused(latex):
    with pytest.raises(FormulaError):
        mathml(latex)
