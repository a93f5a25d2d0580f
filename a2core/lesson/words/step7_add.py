"""The words of step 7: expanding the mixture to all channels, and adding it to what was there."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("W<sub>e</sub>", "Δ", "Y")
NAME, TITLE = "Add", "Expand, and add to what was there"
FORMULA = r"Y = X + \Delta, \qquad \Delta = W_e Z + b_e"
SENTENCE = (
    "A last linear map brings the mixture back to all channels and adds it; where the picture lights up, the "
    "features changed most. Where no cell was marked, this step opens on the one that changed most of all."
)
OVERLAY = "|Δ<sub>p</sub>| / |x<sub>p</sub>|: how much the block changed each cell"
BEFORE, BEFORE_ALT = "X, before", "The channel before"
ADDED, ADDED_ALT = "Δ, on its own scale", "What is added"
AFTER, AFTER_ALT = "Y, after", "The channel after"
GIVEN = "Δ<sub>p</sub>, what the chosen cell is given"
GIVEN_ALT = "What is added to the chosen cell, by channel"
PLUS_DELTA, EQUALS_Y = "+ Δ<sub>kp</sub>", "= y<sub>kp</sub>"
CHANGE = "this cell’s change, |Δ<sub>p</sub>| / |x<sub>p</sub>|"
MOST_CHANGE = "the largest change of all"
MOST_CHANGED = "in the cell at"


def before(channel: object) -> str:
    """What the cell had in one channel."""
    return f"in channel {channel}: x<sub>kp</sub>"


in_each_language(__name__)
