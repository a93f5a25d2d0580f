"""What the decoders hand over, and how they report how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from a2core.errors import MediaError
from a2core.languages import sentence

Progress = Callable[[int, int], bool | None]
"""Called with (frames done, frames in all); returning False stops the reading."""


class Decoded(NamedTuple):
    """Frames out of a decoder."""

    frames: np.ndarray
    """(T, H, W, 3) uint8 RGB, upright."""
    times_s: np.ndarray
    """(T,) float64, rising."""
    moving: bool
    """Whether it is a clip or an animation, even one of a single frame."""
    notes: list[str]


def stopped_note(done: int, wanted: int) -> str:
    """The note on a clip whose reading was stopped after some frames."""
    return sentence("Stopped after {done} of {wanted} frames.", done=done, wanted=wanted)


def stopped_early(who: str) -> MediaError:
    """The error when the reading was stopped before there was any frame."""
    return MediaError(
        "{who} was not read: it was stopped before its first frame. Start again when ready.", who=who
    )
