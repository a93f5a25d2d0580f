"""The words of step 6: each cell's own mixture, and the trap of the map that nobody has to write out."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("Z",)
NAME, TITLE = "Distribute", "Distribute: each cell mixes its own"
FORMULA = r"z_p = \sum_{i} \rho_{ip}\, g_i, \qquad Z = G R"
SENTENCE = (
    "The cell’s new features are its own mixture of the primitives, put together here from the largest share "
    "down."
)
OVERLAY = "where the terms so far were gathered: effective attention of this cell"
LEADERS, LEADER_ALT = "the largest shares, and where each was gathered", "Gather map"
SUM, SUM_ALT = "sum so far, and z<sub>p</sub> as a line", "The mixture so far, with what it becomes"
ERROR, ERROR_ALT = "error left, as a share of |z<sub>p</sub>|", "Error left after so many terms"
ERROR_AXES = ("error", "terms, largest first →")
TERMS = "terms in the sum"
SHARES = "their shares together"
Z_P = "z<sub>p</sub>"
TRAP_TITLE = "Trap: writing out the full map"
TRAP = (
    "Z = A (ΘᵀR) gives the same Z, but ΘᵀR has a row and a column for every cell. Nobody has to compute it: "
    "(A Θᵀ) R never leaves the size of its two factors, Θ and R."
)
TRAP_COLUMNS = ("grid", "N", "ΘᵀR, N × N", "Θ and R, n × N each")
THIS_GRID, FINER_GRID = "what you look at", "the same with cells half as large"


def clip(frames: object, side: object) -> str:
    """The grid of a clip."""
    return f"a clip: {frames} frames of {side} × {side} cells"


def longer_clip(frames: object, side: object) -> str:
    """The grid of a longer one."""
    return f"a longer one: {frames} frames of {side} × {side} cells"


in_each_language(__name__)
