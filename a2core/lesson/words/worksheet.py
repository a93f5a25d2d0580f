"""The words of the worksheet: ten questions with their answers, all HTML; numbers come printed.

Where each of them stands on the page is in ../worksheet.html.
"""

from __future__ import annotations

from dataclasses import dataclass

from a2core.spoken import in_each_language


@dataclass(frozen=True)
class Question:
    """A question and its answer, both HTML; `lines` is the room for writing."""

    asked: str
    answer: str
    lines: int = 2


HEAVIEST_COLUMNS = ("cell", "θ", "a")
HEADING, NAME, ANSWERED = "Double attention by hand", "Name", "Answers"
EQUATIONS = (
    "A = W<sub>φ</sub> X̂ + b<sub>φ</sub>, &ensp; Θ̃ = W<sub>θ</sub> X̂ + b<sub>θ</sub>, &ensp; "
    "R̃ = W<sub>ρ</sub> X̂ + b<sub>ρ</sub>, where X̂ is X as the block reads it. Θ is the softmax of Θ̃ over "
    "positions (the paper’s B), R that of R̃ over primitives (its V). &ensp; G = A Θᵀ, &ensp; Z = G R, &ensp; "
    "Y = X + W<sub>e</sub> Z + b<sub>e</sub>."
)


def about(*, title: str, block: str, where: str, primitive: int) -> str:
    """What the page is about, all of it HTML."""
    return (
        f"{title}, block {block}. The marked cell p is {where}; the primitive is i = {primitive}. All "
        "numbers are the network’s own."
    )


def positions(*, c: int, grid: str, count: int) -> Question:
    """How much there is in X; `grid` is such as 12 × 18."""
    return Question(
        f"The block is given c = {c} channels on a grid of {grid} cells. How many positions N are there, and "
        "how many numbers are in X?",
        f"N = {grid.replace('×', '·')} = {count:,}. X holds c · N = {c * count:,} numbers.",
    )


def projection(*, c: int, m: int) -> Question:
    """How many weights the first projection has."""
    return Question(
        f"A = W<sub>φ</sub> X̂ + b<sub>φ</sub> has m = {m} rows, one a channel, and reads all {c} channels of "
        "a cell. How many numbers are in W<sub>φ</sub> and b<sub>φ</sub>? Does that change with the size of "
        "the picture?",
        f"c · m + m = {c * m + m:,}. No: the same map reads every cell.",
    )


def two_logits(*, primitive: int, first: str, second: str, times: str, times_warmer: str) -> Question:
    """What softmax makes of a difference, and what the temperature does to it."""
    return Question(
        f"Two cells have the logits {first} and {second} in row {primitive} of Θ̃, a primitive’s. How many "
        "times more weight does softmax give the first? And at temperature 2?",
        f"exp({first} − {second}) = {times} times; at temperature 2 the square root of that, {times_warmer} "
        "times.",
    )


def heaviest_cell(*, primitive: int, weight: str, times: str, even: str) -> Question:
    """The peak of a gather map beside plain averaging."""
    return Question(
        f"The heaviest cell of the gather map θ<sub>{primitive}</sub> has the weight {weight}. How many "
        "times more is that than in a plain average? What would it be at temperature 0, and at a very large "
        "temperature?",
        f"θ · N = {times} times. At temperature 0 its weight is 1 (the arg-max); at a very large one 1/N = "
        f"{even}.",
    )


def gathered(*, primitive: int, channel: int, total: str, cells: str, sum_of_three: str) -> Question:
    """Three terms of a primitive; `cells` is a table of them."""
    return Question(
        f"These are the three heaviest cells of θ<sub>{primitive}</sub>, with their values in channel "
        f"{channel} of A. What do they add to g<sub>{primitive}</sub> in that channel, which is {total} in "
        f"all?{cells}",
        f"{sum_of_three}, of {total}.",
        3,
    )


def shares(*, logits: str, primitives: str, largest: str, rest: str, best: int, worked: str) -> Question:
    """What a cell takes of its best primitive."""
    return Question(
        f"The marked cell has the logits {logits} for primitives {primitives}; for all others together, "
        f"Σ exp(ρ̃ − {largest}) = {rest}. What share does it take of primitive {best}?",
        worked,
        3,
    )


def mixture_columns(channel: int) -> tuple[str, str, str]:
    """What the table of three primitives holds."""
    return "primitive", "share ρ", f"value in channel {channel}"


def mixed(*, channel: int, total: str, primitives: str, sum_of_three: str, missing: str) -> Question:
    """Three terms of a mixture; `primitives` is a table of them."""
    return Question(
        f"Put z<sub>p</sub> together in channel {channel} from the three largest shares. It is {total} in "
        f"all: how much is missing?{primitives}",
        f"{sum_of_three}; missing {missing}.",
        3,
    )


def wrong_axis(*, mean: str, marked: str, least: str, most: str) -> Question:
    """What goes wrong with the softmax over the other axis."""
    return Question(
        "Somebody takes the softmax of R̃ over positions. What do the shares of one cell then sum to, on "
        "average over cells? What is the trouble with that?",
        f"Each of the n rows sums to 1, so the mean column sums to n/N = {mean}; the marked cell’s to "
        f"{marked}, others to anything from {least} to {most}. What a cell receives then depends on what the "
        "other cells ask for.",
        3,
    )


def full_map(*, n: int, full: str, factors: str) -> Question:
    """What the N × N map would weigh."""
    return Question(
        "How many megabytes (10⁶ bytes) would the full N × N map take in float32, and how many the two "
        f"factors Θ and R? From which N on, with n = {n}, are the factors the smaller?",
        f"4 N² = {full} MB; 2 · 4 n N = {factors} MB. The factors are smaller when N > 2 n = {2 * n}.",
    )


def change(*, length: str, added: str, per_cent: str) -> Question:
    """How much the block changed a cell, and why it adds."""
    return Question(
        f"The marked cell’s features have the length {length}; the block adds a vector of length {added}. By "
        "how much has the cell changed, in per cent of its length? Why is the input added at all?",
        f"{per_cent} %. The block only has to learn what is to be changed, and can start as no change "
        "at all.",
    )


in_each_language(__name__)
