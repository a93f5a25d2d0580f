"""The formulas of the lesson as MathML, which browsers draw by themselves; pure.

It knows the LaTeX that `words` are written in and refuses any other: letters and Greek, tilde and hat,
indices and powers, fractions, sums, roman names, a row of formulas.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_GREEK = {
    "theta": "θ", "Theta": "Θ", "rho": "ρ", "phi": "φ", "tau": "τ", "Delta": "Δ",
}  # fmt: skip
_OPERATORS = {"times": "×", "in": "∈"}
_OVER = {"tilde": "~", "hat": "^"}
_SPACES = {",": "0.17em"}
_APART = re.compile(r"\\q?quad\s*")
_PRIME = '<mo lspace="0" rspace="0">′</mo>'
_TOKEN = re.compile(r"\\([A-Za-z]+|,)|([A-Za-z])|(\d+)|([{}_^'=+/(),])|(\s+)")


class FormulaError(ValueError):
    """LaTeX that is not among what is known here: a fault of the program, not of its user."""


def mathml(latex: str) -> str:
    """A formula in a line of its own, a `<math>` element for each of its equations.

    Equations stand apart by quads. Where a page is narrow the next takes another line: no browser breaks one.

    Raises:
        FormulaError: something in it is not known here.
    """
    rows = ("".join(_row(list(_tokens(part)), None)) for part in _APART.split(latex))
    drawn = "".join(f'<math display="block"><mrow>{row}</mrow></math>' for row in rows)
    return f'<div class="a2-formula">{drawn}</div>'


def _tokens(latex: str) -> Iterator[str]:
    """Commands with their backslash, and signs."""
    at = 0
    while at < len(latex):
        found = _TOKEN.match(latex, at)
        if found is None:
            raise FormulaError(f"{latex[at:]!r} is not known.")
        at = found.end()
        if not found[5]:
            yield found[0]


def _row(tokens: list[str], until: str | None) -> list[str]:
    """What stands until that sign, with indices and powers at what they belong to."""
    row: list[str] = []
    while tokens and tokens[0] != until:
        base = _one(tokens)
        scripts: dict[str, str] = {}
        while tokens and tokens[0] in ("_", "^", "'"):
            mark = tokens.pop(0)
            scripts["^" if mark == "'" else mark] = (
                '<mo lspace="0" rspace="0">′</mo>' if mark == "'" else _one(tokens)
            )
        row.append(_scripted(base, scripts))
    if until is not None:
        if not tokens:
            raise FormulaError(f"There is no {until} in it.")
        tokens.pop(0)
    return row


def _scripted(base: str, scripts: dict[str, str]) -> str:
    below, above = scripts.get("_"), scripts.get("^")
    under = base == "<mo>∑</mo>"
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    if below:
        return f"<munder>{base}{below}</munder>" if under else f"<msub>{base}{below}</msub>"
    return f"<msup>{base}{above}</msup>" if above else base


def _one(tokens: list[str]) -> str:
    """One letter, number, sign, command with what it takes, or group."""
    if not tokens:
        raise FormulaError("It ends too early.")
    token = tokens.pop(0)
    if token == "{":
        return f"<mrow>{''.join(_row(tokens, '}'))}</mrow>"
    if not token.startswith("\\"):
        return _sign(token)
    name = token[1:]
    if name in _GREEK:
        return f"<mi>{_GREEK[name]}</mi>"
    if name in _OPERATORS:
        return f"<mo>{_OPERATORS[name]}</mo>"
    if name in _SPACES:
        return f'<mspace width="{_SPACES[name]}"/>'
    if name in _OVER:
        return f'<mover accent="true">{_one(tokens)}<mo stretchy="false">{_OVER[name]}</mo></mover>'
    if name == "frac":
        return f"<mfrac>{_one(tokens)}{_one(tokens)}</mfrac>"
    if name == "mathbb" and tokens[:3] == ["{", "R", "}"]:
        del tokens[:3]
        return "<mi>ℝ</mi>"
    known = {"sum": "<mo>∑</mo>", "exp": "<mi>exp</mi>", "top": "<mi mathvariant='normal'>⊤</mi>"}
    if name not in known:
        raise FormulaError(f"{token} is not known.")
    return known[name]


def _sign(token: str) -> str:
    if token.isalpha():
        return f"<mi>{token}</mi>"
    if token.isdigit():
        return f"<mn>{token}</mn>"
    stretchy = ' stretchy="false"' if token in "()" else ""
    return f"<mo{stretchy}>{html.escape(token)}</mo>"
