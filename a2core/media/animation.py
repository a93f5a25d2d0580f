"""Reads the frames of animated pictures: evenly picked, each with the moment at which it appears.

How long frames last is told by their headers (outline.py), so frames are decoded once: up to the last one
that is wanted, since each is drawn upon those before it. How often an animation repeats is ignored.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from a2core.languages import sentence
from a2core.media.decoded import Decoded, Progress, stopped_early, stopped_note
from a2core.media.opened import Opened
from a2core.media.outline import Outline
from a2core.media.timeline import pick

_STEPS_BETWEEN_REPORTS = 8


def read_animation(
    reopened: Callable[[], Opened],
    still: Callable[[Opened, list[str]], np.ndarray],
    outline: Outline,
    who: str,
    max_frames: int,
    *,
    start_s: float | None,
    end_s: float | None,
    progress: Progress | None,
) -> Decoded:
    """Evenly picked frames of an animated GIF, WebP, PNG or AVIF.

    Args:
        reopened: Opens the file anew, at its first frame.
        still: (H, W, 3) uint8 of the frame that a picture stands at; its notes are added to a list.
        outline: What the headers say.
        who: What to call the file in messages.
        max_frames: At most this many frames.
        start_s: Where to begin.
        end_s: Where to end.
        progress: Called as in read_media.

    Raises:
        MediaError: It was stopped before its first frame.
        Exception: Anything that the readers raise over the first frame.
    """
    begins = _begins(outline.durations_ms)
    notes: list[str] = []
    if outline.more:
        notes.append(
            sentence(
                "A very long animation: only its first {frames} frames were looked at.", frames=len(begins)
            )
        )
    elif outline.promised > len(begins):
        notes.append(_cut_note(len(begins)))
    while True:
        chosen = pick(who, begins, max_frames, start_s, end_s)
        reader = _Reader(reopened(), outline.first, len(chosen), progress)
        try:
            return reader.frames(still, who, chosen, begins, notes)
        except Exception:
            # A frame is damaged: the rest is drawn upon it, so what came before is all there is. That
            # can be decoded, so this happens once.
            if not 0 < reader.done < len(begins):
                raise
            begins = begins[: reader.done]
            notes = [_cut_note(len(begins))]


def _cut_note(frames: int) -> str:
    return sentence("Cut off or damaged: only the first {frames} frames could be read.", frames=frames)


def _begins(durations_ms: list[float]) -> np.ndarray:
    """(N,) seconds at which the frames appear."""
    # Browsers show frames that claim 10 ms or less for 100 ms, and authors rely on it.
    lasting = np.array([duration if duration > 10 else 100 for duration in durations_ms]) / 1000
    return np.concatenate([[0.0], np.cumsum(lasting)[:-1]])


class _Reader:
    """One pass over an animation's frames."""

    def __init__(self, opened: Opened, first: int, wanted: int, progress: Progress | None) -> None:
        self._opened, self._first, self._wanted, self._progress = opened, first, wanted, progress
        self.done = 0
        """How many frames were decoded."""

    def frames(
        self,
        still: Callable[[Opened, list[str]], np.ndarray],
        who: str,
        chosen: np.ndarray,
        begins: np.ndarray,
        notes: list[str],
    ) -> Decoded:
        """The chosen frames."""
        size = self._opened.picture.size
        kept: np.ndarray | None = None
        for count, index in enumerate(chosen):
            if not self._go_to(int(index), count):
                if kept is None:
                    raise stopped_early(who)
                return self._stopped(kept[:count], begins[chosen[:count]], notes)
            of_frame: list[str] = []
            frame = still(self._upright_part(size), of_frame)
            notes += [note for note in of_frame if note not in notes]
            if kept is None:
                kept = np.empty((len(chosen), *frame.shape), np.uint8)
            kept[count] = frame
            if not self._report(count + 1) and count + 1 < len(chosen):
                return self._stopped(kept[: count + 1], begins[chosen[: count + 1]], notes)
        assert kept is not None  # one frame at least is chosen
        return Decoded(kept, begins[chosen], True, notes)

    def _go_to(self, index: int, count: int) -> bool:
        """Decode up to this frame; False when stopped."""
        picture = self._opened.picture
        while self.done <= index:
            if self.done % _STEPS_BETWEEN_REPORTS == 0 and not self._report(count):
                return False
            picture.seek(self._first + self.done)
            picture.load()
            self.done += 1
        return True

    def _report(self, count: int) -> bool:
        return self._progress is None or self._progress(count, self._wanted) is not False

    def _stopped(self, frames: np.ndarray, times_s: np.ndarray, notes: list[str]) -> Decoded:
        return Decoded(frames, times_s, True, [*notes, stopped_note(len(frames), self._wanted)])

    def _upright_part(self, size: tuple[int, int]) -> Opened:
        """The frame that was decoded last. Of a GIF's that reaches beyond the picture, what is inside."""
        picture = self._opened.picture
        if picture.size == size:
            return self._opened
        part = picture.crop((0, 0, *size))
        part.info = dict(picture.info)
        return Opened(picture=part, bits=self._opened.bits, opaque=self._opened.opaque)
