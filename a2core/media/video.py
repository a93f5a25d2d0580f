"""Decodes clips with OpenCV's FFmpeg: chosen frames only, reached by seeking, with their true times.

OpenCV seeks by frame number, at an average rate that variable frame rates, cut-off files and wrong
headers belie. So the times of the frames are first read from the packets, without decoding any, and
a frame counts as reached only when the decoder itself reports its time. Seeking saves work here, and
correctness never depends on where it lands.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from a2core.errors import MediaError
from a2core.media.decoded import Decoded, Progress, stopped_early, stopped_note
from a2core.media.limits import MOVING_SIDE_PX, check_size, reduced_note, scaled_size
from a2core.media.timeline import pick

# Below this size all packets of a file are looked at (about 0.1 s). Above it only so many, and if these
# agree with the header, the header is believed for the rest.
_SMALL_BYTES = 64 * 1000 * 1000
_FIRST_PACKETS = 2000
# About nine hours; a file of more is made of empty packets.
_MOST_PACKETS = 1_000_000
# A damaged stretch fails packet by packet, and the end of the file fails for ever.
_FAILURES_IN_A_ROW = 32
# OpenCV seeks to a key frame at least so many frames (at the average rate) before the frame that it is
# told, and then grabs that many, whatever their times are.
_SEEK_FRAMES = 16
_GRABS_BETWEEN_REPORTS = 30


class _Wanted(NamedTuple):
    """What read was asked for."""

    frames: int
    side_px: int
    start_s: float | None
    end_s: float | None


class _Packets(NamedTuple):
    """What a file holds, seen without decoding: when its frames are shown, and which stand alone."""

    times_s: np.ndarray
    """(N,) rising."""
    key_times_s: np.ndarray
    codec: str
    complete: bool
    """Whether the whole file was looked at."""
    ends_early: bool
    """Whether the file is shorter than its own sizes say."""


def read(
    path: Path,
    container: str,
    who: str,
    *,
    max_frames: int,
    max_side_px: int | None,
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
        max_side_px: Long side to scale down to; None for MOVING_SIDE_PX.
        start_s: Where to begin.
        end_s: Where to end.
        progress: Called as in read_media.

    Raises:
        MediaError: No frame can be decoded, or frames are larger than the limits allow.
    """
    wanted = _Wanted(max_frames, MOVING_SIDE_PX if max_side_px is None else max_side_px, start_s, end_s)
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise MediaError(f"{who} has a name that is not Unicode. Rename it.") from error
    most = _MOST_PACKETS if path.stat().st_size <= _SMALL_BYTES else _FIRST_PACKETS
    packets = _packets(path, container, who, most, progress)
    with contextlib.closing(_Decoder(path, container, packets.codec, who, wanted.side_px)) as decoder:
        decoded = None
        if not packets.complete:
            announced = decoder.announced_times_s(packets.times_s)
            if announced is not None:
                decoded = _decode(decoder, announced, None, who, wanted, progress)
            if decoded is None:  # the header promises what the file does not keep
                packets = _packets(path, container, who, _MOST_PACKETS, progress)
                decoder.restart()
        if decoded is None:
            decoded = _decode(decoder, packets.times_s, packets.key_times_s, who, wanted, progress)
            if decoded is None:
                decoded = _first_frame(decoder)
            if decoded is None:
                raise MediaError(
                    f"{who} uses the codec {packets.codec}, and none of its frames can be decoded here. "
                    "Convert it to MP4 (H.264) or WebM (VP9), or copy it again if it used to play."
                )
            decoded.notes.extend(decoder.shortfall_notes(packets.times_s, ends_early=packets.ends_early))
        return decoded


def _decode(
    decoder: _Decoder,
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
    frames: list[np.ndarray] = []
    shown_s: list[float] = []

    def keep_going() -> bool:
        return progress is None or progress(len(frames), len(chosen)) is not False

    for index in chosen:
        target_s = max(
            float(times_s[index]) - tolerance_s, math.nextafter(shown_s[-1], math.inf) if shown_s else -1
        )
        found = decoder.reach(target_s, times_s, key_times_s, keep_going)
        if found is None:
            if not frames:
                raise stopped_early(who)
            return decoder.decoded(frames, shown_s, [stopped_note(len(frames), len(chosen))])
        frame = decoder.frame() if found else None
        if frame is None:
            if expected_only:
                return None
            break  # the last packets of a file may give no frame
        frames.append(frame)
        shown_s.append(decoder.now_s)
        if not keep_going() and len(frames) < len(chosen):
            return decoder.decoded(frames, shown_s, [stopped_note(len(frames), len(chosen))])
    if not frames:
        return None
    missing = len(frames) < len(chosen)
    notes = [f"Only {len(frames)} of {len(chosen)} frames could be decoded."] if missing else []
    return decoder.decoded(frames, shown_s, notes)


def _first_frame(decoder: _Decoder) -> Decoded | None:
    """All that is left to show of a clip in which none of the chosen frames can be decoded."""
    decoder.restart()
    frame = decoder.frame() if decoder.grab() else None
    if frame is None:
        return None
    return decoder.decoded([frame], [decoder.now_s], ["Damaged: only its first frame could be decoded."])


class _Decoder:
    """One open clip: its frames in order, from wherever it was told to go."""

    def __init__(self, path: Path, container: str, codec: str, who: str, side_px: int) -> None:
        self._path = path
        self._capture = _open(path)
        if not self._capture.isOpened():
            self._capture.release()
            raise MediaError(
                f"{who} uses the codec {codec}, which cannot be decoded here. "
                "Convert it to MP4 (H.264) or WebM (VP9)."
            )
        get = self._capture.get
        self._rate = _positive(get(cv2.CAP_PROP_FPS))
        self._count = _positive(get(cv2.CAP_PROP_FRAME_COUNT))
        width, height = int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))
        # Some clips are stored narrower than they are shown.
        stretch = _positive(get(cv2.CAP_PROP_SAR_NUM)) / (_positive(get(cv2.CAP_PROP_SAR_DEN)) or 1)
        if not 1 / 4 <= stretch <= 4:
            stretch = 1.0
        self._full_size = round(width * stretch), height
        try:
            if width < 1 or height < 1:  # nothing of any frame was found
                raise _unopened(path, container, who)
            check_size(who, width, height)
            check_size(who, *self._full_size)
        except MediaError:
            self.close()
            raise
        self._size = scaled_size(*self._full_size, side_px)
        self._turn = _TURNS.get(round(get(cv2.CAP_PROP_ORIENTATION_META)) % 360)
        self.now_s = -1.0
        """When the frame that was grabbed last is shown; before the first, −1."""

    def close(self) -> None:
        """Give the file back."""
        self._capture.release()

    def announced_times_s(self, seen_s: np.ndarray) -> np.ndarray | None:
        """(N,) times by the header's count and rate, unless the first frames' times belie them."""
        if not (2 <= self._count <= 2 * _MOST_PACKETS and self._rate > 0 and len(seen_s) > 1):
            return None
        seen_rate = (len(seen_s) - 1) / max(float(seen_s[-1] - seen_s[0]), 1e-6)
        announced = np.arange(int(self._count)) / self._rate
        return announced if abs(seen_rate / self._rate - 1) < 0.02 and announced[-1] > seen_s[-1] else None

    def shortfall_notes(self, times_s: np.ndarray, *, ends_early: bool) -> list[str]:
        """A note on a file that is much shorter than its header says: cut off, or a wrong header."""
        if self._rate <= 0:
            return []
        announced_s = self._count / self._rate
        held_s = float(times_s[-1]) + 1 / self._rate
        if ends_early and held_s < 0.95 * announced_s:
            return [f"Cut off: only {held_s:.1f} of its {announced_s:.1f} seconds could be read."]
        # Matroska announces the length of the longest track, which may be the sound.
        if held_s < 0.8 * announced_s:
            return [f"Its header announces {announced_s:.1f} seconds, but its frames end at {held_s:.1f}."]
        return []

    def reach(
        self,
        target_s: float,
        times_s: np.ndarray,
        key_times_s: np.ndarray | None,
        keep_going: Callable[[], bool],
    ) -> bool | None:
        """Grab the first frame shown at ``target_s`` or later; False where none is left, None if stopped."""
        jumped = self._jump(target_s, times_s, key_times_s)
        grabs = 0
        while self.now_s < target_s:
            grabs += 1
            if grabs % _GRABS_BETWEEN_REPORTS == 0 and not keep_going():
                return None
            if self.grab():
                continue
            if not jumped or key_times_s is None:
                return False
            jumped = False  # the file cannot be sought in after all: walk
            self.restart()
        return True

    def grab(self) -> bool:
        """Decode the next frame that can be decoded; False at the end."""
        for _ in range(_FAILURES_IN_A_ROW):
            if self._capture.grab():
                self.now_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                return True
        return False

    def restart(self) -> None:
        """Go back to before the first frame."""
        self._capture.release()
        self._capture = _open(self._path)
        self.now_s = -1.0

    def _jump(self, target_s: float, times_s: np.ndarray, key_times_s: np.ndarray | None) -> bool:
        """Seek to before ``target_s`` where that saves decoding; whether it did."""
        target = int(np.searchsorted(times_s, target_s))
        now = int(np.searchsorted(times_s, self.now_s, side="right")) - 1
        if key_times_s is None:
            landing = target - 2
            ask_s = float(times_s[max(landing, 0)])
        else:
            # OpenCV will go _SEEK_FRAMES back in time and as many frames on again. Where the rate varies
            # these are not the same, so ask for so much after a key frame: it goes back to just that one.
            latest = target - _SEEK_FRAMES - 1
            keys = np.searchsorted(key_times_s, times_s[latest], side="right") if latest >= 0 else 0
            if keys == 0 or self._rate <= 0:
                return False
            key_s = float(key_times_s[keys - 1])
            landing = int(np.searchsorted(times_s, key_s)) + _SEEK_FRAMES
            ask_s = key_s + (_SEEK_FRAMES + 0.5) / self._rate
        # What lies beyond the length in the header cannot be sought.
        if landing <= now + 2 * _SEEK_FRAMES or ask_s * self._rate > self._count:
            return False
        self._capture.set(cv2.CAP_PROP_POS_MSEC, ask_s * 1000)
        self.now_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self.now_s >= target_s:
            self.restart()
        return True

    def frame(self) -> np.ndarray | None:
        """(H, W, 3) uint8 RGB of the frame grabbed last, upright and scaled; None where it has no picture."""
        given, frame = self._capture.retrieve()
        if not given or frame is None or frame.ndim != 3 or frame.shape[2] != 3:
            return None
        if (frame.shape[1], frame.shape[0]) != self._size:
            shrinks = self._size[0] <= frame.shape[1] and self._size[1] <= frame.shape[0]
            frame = cv2.resize(
                frame, self._size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            )
        if self._turn is not None:
            frame = cv2.rotate(frame, self._turn)
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)

    def decoded(self, frames: list[np.ndarray], shown_s: list[float], notes: list[str]) -> Decoded:
        """The frames as one array, with a note where they were scaled down."""
        if max(self._size) < max(self._full_size):
            turned = self._turn not in (None, cv2.ROTATE_180)
            notes = [reduced_note(self._full_size, self._size, turned=turned), *notes]
        return Decoded(np.stack(frames), np.array(shown_s), True, notes)


_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def _open(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)  # turned here, after scaling down, which is cheaper
    return capture


def _positive(value: float) -> float:
    """A property as OpenCV gives it, or 0 where it is unknown: negative, zero or not a number."""
    return value if math.isfinite(value) and value > 0 else 0.0


def _packets(path: Path, container: str, who: str, most: int, progress: Progress | None) -> _Packets:
    """What the first ``most`` packets of a file hold; MediaError where it holds no video."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    try:
        if not capture.isOpened():
            raise _unopened(path, container, who)
        codec = _codec_name(capture, path)
        times_ms: list[float] = []
        key_times_ms: list[float] = []
        failures = 0
        while len(times_ms) < most and failures < _FAILURES_IN_A_ROW:
            if not capture.grab():
                failures += 1
                continue
            failures = 0
            times_ms.append(capture.get(cv2.CAP_PROP_POS_MSEC))
            if capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME):
                key_times_ms.append(times_ms[-1])
            if len(times_ms) % 1000 == 0 and progress and progress(0, 0) is False:
                raise stopped_early(who)
    finally:
        capture.release()
    complete = failures > 0
    ends_early = _ends_early(path, container)
    if complete and ends_early and len(times_ms) > 1:
        times_ms.pop()  # half a packet: decoders fill the rest of its frame with grey
    if not times_ms:
        raise MediaError(f"{who} has a video track without a single frame. Record or export it again.")
    return _Packets(np.unique(times_ms) / 1000, np.unique(key_times_ms) / 1000, codec, complete, ends_early)


def _codec_name(capture: cv2.VideoCapture, path: Path) -> str:
    """The codec's four letters, or the name that a Matroska file gives it."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    letters = code.to_bytes(4, "little").decode("latin-1")
    if all(" " <= letter <= "~" for letter in letters) and letters.strip():
        return letters.strip()
    with path.open("rb") as file:
        named = re.search(rb"V_[A-Z0-9_/]{2,30}", file.read(1 << 16))
    return named.group().decode() if named else f"0x{code:08X}"


def _unopened(path: Path, container: str, who: str) -> MediaError:
    """Why FFmpeg finds no video in a file."""
    with path.open("rb") as file:
        begin = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        both = begin + file.read()
    sound = re.search(rb"soun|auds|\x86.{1,8}?A_[A-Z]", both, re.DOTALL)
    if sound and not re.search(rb"vide|vids|\x86.{1,8}?V_[A-Z]", both, re.DOTALL):
        return MediaError(f"{who} holds sound only, no picture. Choose a clip with a video track.")
    if _ends_early(path, container) or (container in ("MP4", "MOV") and b"moov" not in both):
        return MediaError(
            f"{who} is cut off: the {container} file ends before the index that its frames need. "
            "Copy or download it again."
        )
    return MediaError(
        f"{who} is damaged or of an unusual kind: no video can be found in this {container} file. "
        "Copy it again, or convert it to MP4 (H.264)."
    )


def _ends_early(path: Path, container: str) -> bool:
    """Whether a file is shorter than its own outermost sizes say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if container == "AVI":
            return size < int.from_bytes(head[4:8], "little") + 8
        if container in ("WebM", "MKV"):
            segment = head.find(b"\x18\x53\x80\x67")
            if segment < 0 or segment + 5 > len(head):
                return False
            first = head[segment + 4]
            width = 9 - first.bit_length()
            length = int.from_bytes(head[segment + 4 : segment + 4 + width], "big") & ((1 << 7 * width) - 1)
            # All ones: a live recording, which does not know its length.
            return length != (1 << 7 * width) - 1 and segment + 4 + width + length > size
        at = 0
        for _ in range(100_000):
            file.seek(at)
            header = file.read(16)
            if len(header) < 8:
                return len(header) > 0
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length == 0:  # up to the end of the file
                return False
            if length < 8:
                return True
            at += length
            if at > size:
                return True
        return False
