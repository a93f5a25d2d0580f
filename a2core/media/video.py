"""Decodes clips with FFmpeg (PyAV): chosen frames only, reached by seeking, with their true times.

The times of the frames are first read from the packets, without decoding any, and a frame counts as
reached only when the decoder itself reports its time. Seeking saves work here, and correctness never
depends on where it lands.
"""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from a2core.errors import MediaError
from a2core.languages import sentence
from a2core.media.clip_decoder import MOST_PACKETS, ClipDecoder, FramesTooLargeError
from a2core.media.clip_frames import Reel
from a2core.media.decoded import Decoded, Progress, stopped_early, stopped_note
from a2core.media.timeline import pick
from a2core.media.upload_limits import MAX_PIXELS, too_many_pixels

# Below this size all packets of a file are looked at (about 0.1 s). Above it only so many, and if these
# agree with the header, the header is believed for the rest.
_SMALL_BYTES = 64 * 1000 * 1000
_FIRST_PACKETS = 2000


class _Wanted(NamedTuple):
    """What read was asked for."""

    frames: int
    side_px: int
    start_s: float | None
    end_s: float | None


def read(
    path: Path,
    container: str,
    who: str,
    *,
    max_frames: int,
    max_side_px: int,
    start_s: float | None,
    end_s: float | None,
    progress: Progress | None,
) -> Decoded:
    """Evenly picked frames of a clip on disk; a stretch of it where a start or an end is given.

    Args:
        path: An absolute path.
        container: What the file is: MP4, MOV, WebM, MKV or AVI.
        who: What to call the file in messages.
        max_frames: At most this many frames.
        max_side_px: Long side to scale down to.
        start_s: Where to begin.
        end_s: Where to end.
        progress: Called as in read_media.

    Raises:
        MediaError: No frame can be decoded, or frames are larger than the limits allow.
    """
    wanted = _Wanted(max_frames, max_side_px, start_s, end_s)
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise MediaError("{who} has a name that is not Unicode. Rename it.", who=who) from error
    with contextlib.closing(ClipDecoder(path, container, who)) as decoder:
        try:
            return _read(decoder, path, who, wanted, progress)
        except FramesTooLargeError:
            decoder.use_one_thread()
            return _read(decoder, path, who, wanted, progress)


def _read(decoder: ClipDecoder, path: Path, who: str, wanted: _Wanted, progress: Progress | None) -> Decoded:
    """The frames wanted, by whatever the file tells of their times; see read."""
    most = MOST_PACKETS if path.stat().st_size <= _SMALL_BYTES else _FIRST_PACKETS
    packets = decoder.packets(most, progress)
    decoder.rewind()
    if not packets.complete:
        announced = decoder.announced_times_s(packets.times_s)
        decoded = None if announced is None else _decode(decoder, announced, None, who, wanted, progress)
        if decoded is not None:
            return decoded
        decoder.restart()  # the header promises what the file does not keep
        packets = decoder.packets(MOST_PACKETS, progress)
        decoder.rewind()
    decoded = _decode(decoder, packets.times_s, packets.key_times_s, who, wanted, progress)
    if decoded is None:
        decoded = _first_frame(decoder, who, wanted)
    if decoded is None:
        if decoder.too_large:
            raise MediaError(too_many_pixels(who))
        raise MediaError(
            "{who} uses the codec {codec}, and none of its frames can be decoded here. Convert "
            "it to MP4 (H.264) or WebM (VP9), or copy it again if it used to play.",
            who=who,
            codec=decoder.codec,
        )
    decoded.notes.extend(decoder.shortfall_notes(packets.times_s, ends_early=packets.ends_early))
    return decoded


def _decode(
    decoder: ClipDecoder,
    times_s: np.ndarray,
    key_times_s: np.ndarray | None,
    who: str,
    wanted: _Wanted,
    progress: Progress | None,
) -> Decoded | None:
    """The frames picked from these times; None where the decoder does not bear them out.

    Args:
        decoder: Anywhere in the clip.
        times_s: (N,) when its frames are shown: exactly, or as its header makes one expect.
        key_times_s: Which of them can be decoded without others; None where times are only expected.
        who: What to call the file.
        wanted: What was asked for.
        progress: Called as in read_media.
    """
    chosen = pick(who, times_s, wanted.frames, wanted.start_s, wanted.end_s)
    expected_only = key_times_s is None
    tolerance_s = float(times_s[1] - times_s[0]) / 2 if expected_only else 1e-4
    reel = Reel(who, wanted.side_px, decoder.stretch)

    def keep_going() -> bool:
        return progress is None or progress(len(reel), len(chosen)) is not False

    for index in chosen:
        target_s = max(float(times_s[index]) - tolerance_s, math.nextafter(reel.last_s, math.inf))
        found = decoder.reach(target_s, 2 * tolerance_s, times_s, key_times_s, keep_going)
        if found is None and not len(reel):
            raise stopped_early(who)
        if found is None:
            return reel.decoded(*decoder.notes, stopped_note(len(reel), len(chosen)))
        if not (found and decoder.frame and reel.add(decoder.frame, decoder.opacity, decoder.now_s)):
            if expected_only:
                return None
            break  # the last packets of a file may give no frame
        if not keep_going() and len(reel) < len(chosen):
            return reel.decoded(*decoder.notes, stopped_note(len(reel), len(chosen)))
    if not len(reel):
        return None
    notes = list(decoder.notes)
    if len(reel) < len(chosen):
        notes.append(
            sentence("Only {done} of {wanted} frames could be decoded.", done=len(reel), wanted=len(chosen))
        )
        if decoder.too_large:
            notes.append(
                sentence(
                    "Frames of more than {millions} million pixels are left out.",
                    millions=MAX_PIXELS // 10**6,
                )
            )
    return reel.decoded(*notes)


def _first_frame(decoder: ClipDecoder, who: str, wanted: _Wanted) -> Decoded | None:
    """All that is left to show of a clip in which none of the chosen frames can be decoded."""
    decoder.restart()
    reel = Reel(who, wanted.side_px, decoder.stretch)
    if decoder.step() and decoder.frame and reel.add(decoder.frame, decoder.opacity, decoder.now_s):
        return reel.decoded(*decoder.notes, "Damaged: only its first frame could be decoded.")
    return None
