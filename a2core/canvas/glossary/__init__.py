"""Every symbol and every word that the app uses, defined once, and the dialog that shows them over any page.

The app's pages, the lesson's steps and the page that works offline all have them from here. Shapes are
rows × columns, as everywhere. Symbols are HTML. In Chinese: zh.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from a2core.canvas.glossary import zh
from a2core.canvas.modules import join
from a2core.languages import ENGLISH

_ASSETS = Path(__file__).parent

OPEN, TITLE, CLOSE = "Symbols", "Symbols and words", "Close"
KEY = "g"  # which opens and closes it, on every page
COLUMNS = ("symbol", "said", "what it is", "shape", "paper")
NOTE = (
    "A letter with a tilde is a logit, before softmax; without it, what softmax made of it. What is "
    "counted is counted from zero, as NumPy does. Shapes are rows × columns. The paper is <i>A²-Nets: "
    "Double Attention Networks</i>, Chen et al., 2018."
)
WORDS_TITLE = "Words"


@dataclass(frozen=True)
class Symbol:
    """A symbol as it is written; what it is; its shape; how it is said, if not as written; the paper's."""

    sign: str
    what: str
    shape: str = ""
    said: str = ""
    paper: str = ""


SIZES = {
    "c": Symbol("c", "channels of what the block is given", paper="c"),
    "m": Symbol("m", "channels of A: the length of a primitive", paper="m"),
    "n": Symbol("n", "how many primitives there are", paper="n"),
    "T h w": Symbol("T, h, w", "frames, rows and columns of cells; T is one for a picture", paper="d, h, w"),
    "N": Symbol("N", "positions: all cells of all frames, T · h · w", paper="dhw"),
    "k": Symbol("k", "a channel"),
    "i": Symbol("i", "a primitive"),
    "p": Symbol("p", "the position that receives: the chosen cell"),
    "j": Symbol("j", "a position that is gathered from"),
}
GOING_IN = {
    "X": Symbol("X, x<sub>p</sub>", "what the block is given; a column is a cell", "c × N", paper="X"),
    "X̂": Symbol("X̂", "X as the projections read it, standardised where the block does so", "c × N", "X hat"),
    "W": Symbol(
        "W<sub>φ</sub>, W<sub>θ</sub>, W<sub>ρ</sub>",
        "learned weights of the three projections",
        "m × c, n × c, n × c",
        "W phi, theta, rho",
        "φ, θ, ρ",
    ),
    "b": Symbol(
        "b<sub>φ</sub>, b<sub>θ</sub>, b<sub>ρ</sub>",
        "their biases, learned too: the same in every column",
        "m × 1, n × 1, n × 1",
        "b phi, theta, rho",
    ),
    "A": Symbol("A, a<sub>kp</sub>", "what each cell has to give; a row is a channel", "m × N", paper="A"),
    "Θ̃": Symbol(
        "Θ̃, θ̃<sub>ip</sub>",
        "logits of the gather maps, before softmax; a row is a primitive",
        "n × N",
        "theta tilde",
        "θ(X)",
    ),
    "R̃": Symbol(
        "R̃, ρ̃<sub>ip</sub>",
        "logits of the distribution weights, before softmax; a row is a primitive",
        "n × N",
        "rho tilde",
        "ρ(X)",
    ),
}
GATHER = {
    "Θ": Symbol(
        "Θ, θ<sub>ij</sub>",
        "gather maps: softmax of Θ̃ over positions; each row sums to one",
        "n × N",
        "theta",
        "B",
    ),
    "τ": Symbol("τ", "temperature of the softmax; the network uses one", said="tau"),
    "a": Symbol("a<sub>j</sub>", "column j of A: what cell j has to give", "m × 1", paper="a<sub>j</sub>"),
    "G": Symbol("G, g<sub>i</sub>", "the bag of primitives; a column is a primitive", "m × n", paper="G"),
}
DISTRIBUTE = {
    "R": Symbol(
        "R, ρ<sub>ip</sub>",
        "distribution weights: softmax of R̃ over primitives; each column sums to one",
        "n × N",
        "rho",
        "V",
    ),
    "Z": Symbol(
        "Z, z<sub>p</sub>", "what each cell receives: its mixture of the primitives", "m × N", paper="Z"
    ),
    "E": Symbol(
        "E(p, j)",
        "effective attention, RᵀΘ: how much of what p receives was gathered at j; each row sums to one",
        "N × N",
        paper="VᵀB",
    ),
}
GOING_OUT = {
    "W<sub>e</sub>": Symbol(
        "W<sub>e</sub>, b<sub>e</sub>", "learned weights and biases of the expansion", "c × m, c × 1"
    ),
    "Δ": Symbol("Δ, Δ<sub>p</sub>", "what the block adds", "c × N", "delta"),
    "Y": Symbol("Y, y<sub>p</sub>", "what the block hands on", "c × N", paper="Y"),
}
SIGNS = {
    "ℝ": Symbol("ℝ", "the real numbers; with c × N, a table of them of c rows and N columns"),
    "Σ": Symbol("Σ", "the sum over the index that stands below it", said="sum"),
    "′": Symbol(
        "i′, j′",
        "the index that a sum runs over, beside one that stands still",
        said="i prime",
    ),
    "max": Symbol("max", "the largest, over the index that stands below it"),
    "exp": Symbol("exp", "e to the power of what stands behind it; softmax divides it by the sum of all"),
    "ᵀ": Symbol("ᵀ", "transposed: rows become columns"),
    "|": Symbol("|x<sub>p</sub>|", "the length of a column: the root of the sum of its squares"),
}
GROUPS = {
    "Sizes and places": SIZES,
    "What goes in": GOING_IN,
    "Gather": GATHER,
    "Distribute": DISTRIBUTE,
    "What comes out": GOING_OUT,
    "Signs": SIGNS,
}
SYMBOLS = {name: symbol for group in GROUPS.values() for name, symbol in group.items()}

WORDS = {
    "cell, position": (
        "One square of the block’s grid, many pixels wide. “Row 3, column 5” counts from zero, from the "
        "top left. The block sees nothing smaller."
    ),
    "parts, objects": (
        "Two blocks of one network, by what their cells are the size of: <i>parts</i> has small cells, "
        "<i>objects</i>, deeper in the network, has large ones."
    ),
    "channel": "One of the numbers that a network keeps for every cell.",
    "primitive": (
        "One of n summaries of the whole picture, g. Each is an average over all cells, weighed by its "
        "own map of where to look. All of them are the <i>bag</i>."
    ),
    "gather": (
        "The first step: each primitive is put together from all cells, by its gather map θ. Over all "
        "cells a gather map adds up to 100 %."
    ),
    "distribute": (
        "The second step: each cell receives its own mixture of the primitives, by its distribution "
        "weights ρ. Over all primitives they add up to 100 %."
    ),
    "logit, softmax": (
        "A logit is a number of any size; softmax turns many of them into shares that add up to one, "
        "the largest logit having the largest share."
    ),
    "effective attention": (
        "Both steps together: how much of what a cell receives was gathered at each cell, the sum of ρ "
        "· θ over all primitives."
    ),
    "use": "How much of a primitive is handed out, on average over the picture: the mean of its ρ.",
    "half from": "The least part of the picture that holds half of a map.",
    "peel": "To take the map of a cell apart: a term for each primitive, switched off and on.",
    "effect": "How much the prediction changes when a primitive is switched off, in points of percent.",
    "change": (
        "The size of what the block adds to a cell, divided by the size of what the cell had: "
        "|Δ<sub>p</sub>| / |x<sub>p</sub>|."
    ),
}


def told(language: str = ENGLISH) -> dict[str, str]:
    """What the dialog is handed: the words of its buttons, its title and key, and all that it says."""
    of = zh if language == "zh" else None
    opener, title, close = (of.OPEN, of.TITLE, of.CLOSE) if of else (OPEN, TITLE, CLOSE)
    return {"opener": opener, "title": title, "close": close, "letter": KEY, "page": page(language)}


def symbols(language: str = ENGLISH) -> Mapping[str, Symbol]:
    """All symbols by their names, which are English; what they are in `language`."""
    if language != "zh":
        return SYMBOLS
    return {
        name: replace(symbol, what=zh.WHAT[name], said=zh.SAID.get(name, symbol.said))
        for name, symbol in SYMBOLS.items()
    }


def markup() -> str:
    """The HTML that the dialog is mounted in, with its button."""
    return (_ASSETS / "glossary.html").read_text(encoding="utf-8")


def style() -> str:
    """The dialog's style sheet. It is meant for a shadow tree: it styles whatever else is in the same one."""
    return (_ASSETS / "glossary.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    """The dialog's script: it defines `a2Glossary`, with a class `Glossary` made of its element."""
    return join(_ASSETS / "glossary.js", name="a2Glossary")


@cache
def page(language: str = ENGLISH) -> str:
    """All of it as HTML: a table of the symbols in groups, then the words."""
    of = zh if language == "zh" else None
    columns, known = of.COLUMNS if of else COLUMNS, symbols(language)
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    titles = of.GROUPS if of else {title: title for title in GROUPS}
    groups = "".join(
        f'<tbody><tr><th colspan="{len(columns)}" scope="rowgroup">{titles[title]}</th></tr>'
        f"{''.join(_row(known[name], columns) for name in group)}</tbody>"
        for title, group in GROUPS.items()
    )
    told = of.WORDS.values() if of else WORDS.items()
    words = "".join(f"<dt>{word}</dt><dd>{what}</dd>" for word, what in told)
    note, title = (of.NOTE, of.WORDS_TITLE) if of else (NOTE, WORDS_TITLE)
    return (
        f"<table><thead><tr>{head}</tr></thead>{groups}</table><p>{note}</p><h3>{title}</h3><dl>{words}</dl>"
    )


def _row(symbol: Symbol, columns: Sequence[str]) -> str:
    told = zip(columns[1:], (symbol.said, symbol.what, symbol.shape, symbol.paper), strict=True)
    cells = "".join(f'<td data-column="{column}">{cell}</td>' for column, cell in told)
    return f'<tr><th scope="row">{symbol.sign}</th>{cells}</tr>'
