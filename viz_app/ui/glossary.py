"""Every symbol and every word that the app uses, defined once, for all pages and the lesson's steps; pure.

Shapes are rows × columns, as everywhere. Symbols are HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN, TITLE, CLOSE = "Symbols", "Symbols and words", "Close"
KEY = "g"  # which opens and closes it, on every page
COLUMNS = ("symbol", "said", "what it is", "shape", "in the paper")
NOTE = (
    "A letter with a tilde is a logit, before softmax; without it, what softmax made of it. What is "
    "counted is counted from zero, as NumPy does. Shapes are rows × columns. The paper is <i>A²-Nets: "
    "Double Attention Networks</i>, Chen et al., 2018."
)
WORDS_TITLE = "Words"


@dataclass(frozen=True)
class Symbol:
    """A symbol as it is written and said; what it is; its shape; how the paper writes it."""

    sign: str
    said: str
    what: str
    shape: str = ""
    paper: str = ""


SIZES = {
    "c": Symbol("c", "c", "channels of what the block is given", paper="c"),
    "m": Symbol("m", "m", "channels of A: the length of a primitive", paper="m"),
    "n": Symbol("n", "n", "how many primitives there are", paper="n"),
    "T h w": Symbol(
        "T, h, w", "T, h, w", "frames, rows and columns of cells; T is one for a picture", "", "d, h, w"
    ),
    "N": Symbol("N", "N", "positions: all cells of all frames, T · h · w", paper="dhw"),
    "k": Symbol("k", "k", "a channel"),
    "i": Symbol("i", "i", "a primitive"),
    "p": Symbol("p", "p", "the position that receives: the chosen cell"),
    "j": Symbol("j", "j", "a position that is gathered from"),
}
GOING_IN = {
    "X": Symbol("X, x<sub>p</sub>", "X", "what the block is given, a column for each cell", "c × N", "X"),
    "X̂": Symbol("X̂", "X hat", "X as the projections read it, standardised where the block does so", "c × N"),
    "W": Symbol(
        "W<sub>φ</sub>, W<sub>θ</sub>, W<sub>ρ</sub>",
        "W phi, W theta, W rho",
        "learned weights of the three projections; b are their biases",
        "m × c, n × c, n × c",
        "φ, θ, ρ",
    ),
    "A": Symbol("A, a<sub>kp</sub>", "A", "what each cell has to give, a row for each channel", "m × N", "A"),
    "Θ̃": Symbol(
        "Θ̃, θ̃<sub>ip</sub>",
        "theta tilde",
        "logits of the gather maps, a row for each primitive",
        "n × N",
        "θ(X)",
    ),
    "R̃": Symbol(
        "R̃, ρ̃<sub>ip</sub>",
        "rho tilde",
        "logits of the distribution weights, a row for each primitive",
        "n × N",
        "ρ(X)",
    ),
}
GATHER = {
    "Θ": Symbol(
        "Θ, θ<sub>ij</sub>",
        "theta",
        "gather maps: softmax of Θ̃ over positions; each row sums to one",
        "n × N",
        "B",
    ),
    "τ": Symbol("τ", "tau", "temperature of the softmax; the network uses one"),
    "a": Symbol("a<sub>j</sub>", "a j", "column j of A: what cell j has to give", "m × 1", "a<sub>j</sub>"),
    "G": Symbol("G, g<sub>i</sub>", "G", "the bag of primitives, a column for each", "m × n", "G"),
}
DISTRIBUTE = {
    "R": Symbol(
        "R, ρ<sub>ip</sub>",
        "rho",
        "distribution weights: softmax of R̃ over primitives; each column sums to one",
        "n × N",
        "V",
    ),
    "Z": Symbol(
        "Z, z<sub>p</sub>", "Z", "what each cell receives: its mixture of the primitives", "m × N", "Z"
    ),
    "E": Symbol(
        "E(p, j)",
        "E",
        "effective attention, RᵀΘ: how much of what p receives was gathered at j; each row sums to one",
        "N × N",
        "VᵀB",
    ),
}
GOING_OUT = {
    "W<sub>e</sub>": Symbol(
        "W<sub>e</sub>, b<sub>e</sub>",
        "W e, b e",
        "learned weights and biases of the expansion",
        "c × m, c × 1",
    ),
    "Δ": Symbol("Δ, Δ<sub>p</sub>", "delta", "what the block adds", "c × N"),
    "Y": Symbol("Y, y<sub>p</sub>", "Y", "what the block hands on", "c × N", "Y"),
}
GROUPS = {
    "Sizes and places": SIZES,
    "What goes in": GOING_IN,
    "Gather": GATHER,
    "Distribute": DISTRIBUTE,
    "What comes out": GOING_OUT,
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
    "reach": (
        "How much of the picture a map covers, as if its weight were spread evenly: exp of its entropy."
    ),
    "effect": "How much the network’s answer changes when a primitive is switched off.",
    "change": (
        "The size of what the block adds to a cell, divided by the size of what the cell had: "
        "|Δ<sub>p</sub>| / |x<sub>p</sub>|."
    ),
}


def definitions(names: tuple[str, ...]) -> str:
    """The symbols of these names with what they are, their shape and how the paper writes them."""
    lines = "".join(f"<dt>{SYMBOLS[name].sign}</dt><dd>{_defined(SYMBOLS[name])}</dd>" for name in names)
    return f'<dl class="a2-where">{lines}</dl>'


def _defined(symbol: Symbol) -> str:
    shape = f" <span>{symbol.shape}</span>" if symbol.shape else ""
    other = symbol.paper and symbol.paper not in symbol.sign
    return f"{symbol.what}{shape}" + (f"; the paper’s {symbol.paper}" if other else "")


def page() -> str:
    """All of it as HTML: a table of the symbols in groups, then the words."""
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    symbols = "".join(
        f'<tbody><tr><th colspan="{len(COLUMNS)}" scope="rowgroup">{title}</th></tr>'
        f"{''.join(map(_row, group.values()))}</tbody>"
        for title, group in GROUPS.items()
    )
    words = "".join(f"<dt>{word}</dt><dd>{what}</dd>" for word, what in WORDS.items())
    return (
        f"<table><thead><tr>{head}</tr></thead>{symbols}</table><p>{NOTE}</p>"
        f"<h3>{WORDS_TITLE}</h3><dl>{words}</dl>"
    )


def _row(symbol: Symbol) -> str:
    rest = (symbol.said, symbol.what, symbol.shape, symbol.paper)
    return f'<tr><th scope="row">{symbol.sign}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
