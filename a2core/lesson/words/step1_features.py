"""The words of step 1: the table of features that the block is given."""

from __future__ import annotations

from a2core.spoken import in_each_language

MEETS = ("X", "c", "T h w", "N", "p", "k")
NAME, TITLE = "Features", "The block is given a table of features"
FORMULA = r"X \in \mathbb{R}^{c \times N}, \quad N = T\,h\,w"
SENTENCE = (
    "Each cell of the grid is one column of numbers; to the block, the picture is this table and nothing "
    "else."
)
CHANNELS_DOWN = "c channels ↓"
TABLE = "The table of features, the chosen cell’s column marked"
COLUMN, COLUMN_ALT = "x<sub>p</sub>, the marked column", "The features of the chosen cell"
LENGTH = "its length, |x<sub>p</sub>|"


def in_channel(channel: object) -> str:
    """What the chosen cell has in one channel."""
    return f"its value in channel {channel}, x<sub>kp</sub>"


def overlay(channel: object) -> str:
    """What lies over the picture."""
    return f"row {channel} of X laid out as the picture: violet below zero, orange above"


in_each_language(__name__)
