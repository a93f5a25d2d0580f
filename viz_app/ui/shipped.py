"""Names of primitives in the atlas that comes with the checkpoints, which other languages know; pure.

They lie in that atlas's names.json, in English, with a note of how well each held. What a visitor or another
atlas's owner calls a primitive is theirs, and is in the language in which they said it.
"""

from __future__ import annotations

from viz_app.ui import language


def name(english: str) -> str:
    """What a primitive is called there."""
    return english


def note(english: str) -> str:
    """What is noted of that name."""
    return english


language.in_each_language(__name__)
