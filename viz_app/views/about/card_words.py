"""What cards of checkpoints say, for people; pure.

A card is a file in English, written by training and evaluation. Each function here is given what one says and
returns it as it is; in another language what our own commands write is said there, and what somebody else
wrote stays as it is.
"""

from __future__ import annotations

from viz_app.ui import language

_TERMS = {"wall_s": "time, s"}


def title(said: str) -> str:
    """What was measured, such as "regions at 352 pixels"."""
    return said


def measured_on(said: str) -> str:
    """On which pictures."""
    return said


def measure(said: str) -> str:
    """The name of a number."""
    return said


def baseline(said: str) -> str:
    """What stands beside ours."""
    return said


def term(said: str) -> str:
    """A part of the name of a fact."""
    return _TERMS.get(said, said.replace("_", " "))


def fact(said: str) -> str:
    """A fact in words."""
    return said


language.in_each_language(__name__)
