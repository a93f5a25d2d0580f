"""The words of step 5: softmax over primitives, and the trap of the wrong axis."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("R",)
NAME, TITLE = "What to take", "Softmax over primitives makes each cell’s shares"
FORMULA = (
    r"\rho_{ip} = \frac{\exp(\tilde\rho_{ip})}{\sum_{i'} \exp(\tilde\rho_{i'p})}, "
    r"\qquad \sum_i \rho_{ip} = 1"
)
SENTENCE = (
    "Each column of R̃ becomes shares that sum to one over the primitives: every cell orders its own mixture, "
    "whatever the other cells order."
)
LOGITS, LOGITS_AXIS = "ρ̃<sub>p</sub>, the logits of this cell", "logit"
LOGITS_ALT = "Logits of the chosen cell over the primitives"
SHARES, SHARES_AXIS = "ρ<sub>p</sub>, its shares", "share"
SHARES_ALT = "Shares of the chosen cell over the primitives"
RANK = "the primitive’s rank in this cell"
OF_PRIMITIVES = "of n primitives"
EFFECTIVE = "primitives that really count here"
SUM = "sum over all primitives"
TRAP_TITLE = "Trap: softmax of R̃ over positions"
TRAP = (
    "The commonest mistake in public code. Each primitive is then shared out among the cells, so that what a "
    "cell receives depends on how loudly all others ask: some drown, some starve."
)
TRAP_MAP, TRAP_MAP_ALT = "what each cell would receive in all", "Column sums, wrong axis"
RIGHT_SUM = "right: every column sums to"
WRONG_SUM = "wrong: this cell’s column sums to"
WRONG_LEAST = "wrong: the least column"
WRONG_LARGEST = "wrong: the largest column"


def overlay(primitive: str, subscript: str) -> str:
    """What lies over the picture: the row of shares of one primitive."""
    return f"who receives {primitive}: row ρ{subscript} laid out as the picture"


def share_of(primitive: str) -> str:
    """What the cell takes of one primitive."""
    return f"its share of {primitive}, ρ<sub>ip</sub>"


in_each_language(__name__)
