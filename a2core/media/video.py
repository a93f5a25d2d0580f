"""Decodes clips with FFmpeg (PyAV): chosen frames only, reached by seeking, with their true times.

The times of the frames are first read from the packets, without decoding any, and a frame counts as
reached only when the decoder itself reports its time. Seeking saves work here, and correctness never
depends on where it lands.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from a2core.errors import MediaError
from a2core.media.decoded import Decoded, Progress, stopped_early, stopped_note
from a2core.media.limits import MAX_PIXELS, MOVING_SIDE_PX, check_size, reduced_note, scaled_size
from a2core.media.timeline import pick
from a2core.threads import threads_wanted

# Below this size all packets of a file are looked at (about 0.1 s). Above it only so many, and if these
# agree with the header, the header is believed for the rest.
_SMALL_BYTES = 64 * 1000 * 1000
_FIRST_PACKETS = 2000
# About nine hours; a file of more is made of empty packets.
_MOST_PACKETS = 1_000_000
# A damaged stretch fails packet by packet, and the end of the file fails for ever.
_FAILURES_IN_A_ROW = 32
# A seek throws away what the decoder's threads have begun: it must spare at least so many frames.
_WORTH_A_SEEK = 8
_STEPS_BETWEEN_REPORTS = 30
_MOST_THREADS = 4
_READERS = {"MP4": "mov", "MOV": "mov", "WebM": "matroska", "MKV": "matroska", "AVI": "avi"}
# Decoders that can be told packet by packet what to leave out; that of AV1 only before its first.
_SKIP_AT_ANY_TIME = ("h264", "hevc")
_COVER = Disposition.attached_pic  # the picture of an album, not a video


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
    with contextlib.closing(_Decoder(path, container, who)) as decoder:
        packets = decoder.packets(most, progress)
        decoder.rewind()
        decoded = None
        if not packets.complete:
            announced = decoder.announced_times_s(packets.times_s)
            if announced is not None:
                decoded = _decode(decoder, announced, None, who, wanted, progress)
            if decoded is None:  # the header promises what the file does not keep
                decoder.restart()
                packets = decoder.packets(_MOST_PACKETS, progress)
                decoder.rewind()
        if decoded is None:
            decoded = _decode(decoder, packets.times_s, packets.key_times_s, who, wanted, progress)
            if decoded is None:
                decoded = _first_frame(decoder, wanted)
            if decoded is None:
                raise MediaError(
                    f"{who} uses the codec {decoder.codec}, and none of its frames can be decoded here. "
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
        found = decoder.reach(target_s, 2 * tolerance_s, times_s, key_times_s, keep_going)
        if found is None:
            if not frames:
                raise stopped_early(who)
            return decoder.decoded(frames, shown_s, wanted.side_px, [stopped_note(len(frames), len(chosen))])
        frame = decoder.picture(wanted.side_px) if found else None
        if frame is None:
            if expected_only:
                return None
            break  # the last packets of a file may give no frame
        frames.append(frame)
        shown_s.append(decoder.now_s)
        if not keep_going() and len(frames) < len(chosen):
            return decoder.decoded(frames, shown_s, wanted.side_px, [stopped_note(len(frames), len(chosen))])
    if not frames:
        return None
    missing = len(frames) < len(chosen)
    notes = [f"Only {len(frames)} of {len(chosen)} frames could be decoded."] if missing else []
    return decoder.decoded(frames, shown_s, wanted.side_px, notes)


def _first_frame(decoder: _Decoder, wanted: _Wanted) -> Decoded | None:
    """All that is left to show of a clip in which none of the chosen frames can be decoded."""
    decoder.restart()
    frame = decoder.picture(wanted.side_px) if decoder.step() else None
    if frame is None:
        return None
    return decoder.decoded(
        [frame], [decoder.now_s], wanted.side_px, ["Damaged: only its first frame could be decoded."]
    )


class _Decoder:
    """One open clip: its frames in order, from wherever it was told to go."""

    def __init__(self, path: Path, container: str, who: str) -> None:
        self._path, self._kind, self._who = path, container, who
        self._open()

    def _open(self) -> None:
        """Open the file at its start; MediaError where it holds no video."""
        try:
            # With the kind of file told, what it says it is cannot choose another reader (a playlist, say).
            self._file = av.open(str(self._path), format=_READERS[self._kind], metadata_errors="replace")
        except (av.FFmpegError, ValueError, UnicodeError) as error:
            raise _unopened(self._path, self._kind, self._who) from error
        try:
            tracks = [track for track in self._file.streams.video if not track.disposition & _COVER]
            if not tracks:
                raise _unopened(self._path, self._kind, self._who)
            self._track = tracks[0]
            for other in self._file.streams:
                if other is not self._track:
                    other.discard = Discard.all
            self.codec = _codec_name(self._track, self._path)
            if self._track.codec_context is None:
                raise MediaError(
                    f"{self._who} uses the codec {self.codec}, which cannot be decoded here. "
                    "Convert it to MP4 (H.264) or WebM (VP9)."
                )
            self._measure()
        except BaseException:
            self.close()
            raise
        self._start = self._track.start_time or 0
        self._tick_s = float(self._track.time_base or 0)
        self._frames = self._decoded()
        self._sought = False
        self._wanted_s = -math.inf
        self._frame: av.VideoFrame | None = None
        self._scaler = VideoReformatter()  # one for all: a frame by itself sets up another one
        self.now_s = -1.0
        """When the frame that was decoded last is shown; before the first, −1."""

    def _measure(self) -> None:
        """Check the size of the frames, before any is decoded, and how many threads they allow."""
        codec = self._track.codec_context
        width, height = codec.width, codec.height
        # Some clips are stored narrower than they are shown.
        stretch = float(self._track.sample_aspect_ratio or 0)
        if not 1 / 4 <= stretch <= 4:
            stretch = 1.0
        self.full_size = round(width * stretch), height
        if width < 1 or height < 1:  # nothing of any frame was found
            raise _unopened(self._path, self._kind, self._who)
        check_size(self._who, width, height)
        check_size(self._who, *self.full_size)
        # Every thread holds frames of its own: few of them where these are large.
        codec.thread_count = max(1, min(_MOST_THREADS, threads_wanted(), MAX_PIXELS // (width * height)))
        codec.thread_type = "AUTO"

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def restart(self) -> None:
        """Go back to before the first frame."""
        self.close()
        self._open()

    def rewind(self) -> None:
        """The same without opening the file again, if it can be sought in."""
        try:
            self._file.seek(self._start, stream=self._track)
        except av.FFmpegError:
            self.restart()
        else:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """What follows a seek: nobody knows where it led, until the first frame says so."""
        self._frames = self._decoded()
        self._sought = True
        self.now_s = -1.0

    # ---- what the file holds

    def packets(self, most: int, progress: Progress | None) -> _Packets:
        """What the first `most` packets hold; MediaError where there are none. Ends up anywhere."""
        times: list[int] = []
        keys: list[int] = []
        complete = True
        for packet in self._demuxed():
            at = packet.dts if packet.pts is None else packet.pts
            if at is None or packet.is_discard:
                continue
            times.append(at)
            if packet.is_keyframe:
                keys.append(at)
            if len(times) % 1000 == 0 and progress and progress(0, 0) is False:
                raise stopped_early(self._who)
            if len(times) == most:
                complete = False
                break
        ends_early = _ends_early(self._path, self._kind)
        if complete and ends_early and len(times) > 1:
            times.pop()  # half a packet: decoders fill the rest of its frame with grey
        if not times:
            raise MediaError(
                f"{self._who} has a video track without a single frame. Record or export it again."
            )
        return _Packets(self._seconds(times), self._seconds(keys), complete, ends_early)

    def _seconds(self, times: list[int]) -> np.ndarray:
        return (np.unique(np.array(times, dtype=np.int64)) - self._start) * self._tick_s

    def _demuxed(self) -> Iterator[Packet]:
        """The packets from here on, the damaged ones left out; then an empty one."""
        failures = 0
        while failures < _FAILURES_IN_A_ROW:
            try:
                for packet in self._file.demux(self._track):
                    failures = 0
                    if packet.size == 0 and packet.dts is None:
                        return
                    yield packet
                return
            except av.FFmpegError:
                failures += 1

    def _rate_and_count(self) -> tuple[float, float]:
        """Frames a second and frames in all, as the header has them; 0 where it does not say."""
        rate = float(self._track.guessed_rate or self._track.average_rate or 0)
        if self._track.frames > 0:
            return rate, float(self._track.frames)
        lasts_s = (self._file.duration or 0) / av.time_base
        if lasts_s <= 0:
            lasts_s = (self._track.duration or 0) * self._tick_s
        return rate, float(math.floor(max(0.0, lasts_s) * rate + 0.5))

    def announced_times_s(self, seen_s: np.ndarray) -> np.ndarray | None:
        """(N,) times by the header's count and rate, unless the first frames' times belie them."""
        rate, count = self._rate_and_count()
        if not (2 <= count <= 2 * _MOST_PACKETS and rate > 0 and len(seen_s) > 1):
            return None
        seen_rate = (len(seen_s) - 1) / max(float(seen_s[-1] - seen_s[0]), 1e-6)
        announced = np.arange(int(count)) / rate
        return announced if abs(seen_rate / rate - 1) < 0.02 and announced[-1] > seen_s[-1] else None

    def shortfall_notes(self, times_s: np.ndarray, *, ends_early: bool) -> list[str]:
        """A note on a file that is much shorter than its header says: cut off, or a wrong header."""
        rate, count = self._rate_and_count()
        if rate <= 0:
            return []
        announced_s = count / rate
        held_s = float(times_s[-1]) + 1 / rate
        if ends_early and held_s < 0.95 * announced_s:
            return [f"Cut off: only {held_s:.1f} of its {announced_s:.1f} seconds could be read."]
        # Matroska announces the length of the longest track, which may be the sound.
        if held_s < 0.8 * announced_s:
            return [f"Its header announces {announced_s:.1f} seconds, but its frames end at {held_s:.1f}."]
        return []

    # ---- going to a frame

    def reach(
        self,
        target_s: float,
        slack_s: float,
        times_s: np.ndarray,
        key_times_s: np.ndarray | None,
        keep_going: Callable[[], bool],
    ) -> bool | None:
        """Decode the first frame shown at `target_s` or later; False where none is left, None if stopped.

        Seeking saves work here, and correctness never depends on where it lands: where the first frame
        after a jump is later than `slack_s` after the target, the frames are walked through from the first.
        """
        self._wanted_s = target_s
        self._jump(target_s, times_s, key_times_s)
        steps = 0
        while self.now_s < target_s:
            steps += 1
            if steps % _STEPS_BETWEEN_REPORTS == 0 and not keep_going():
                return None
            first, sought = self.now_s < 0, self._sought
            found = self.step()
            if found and not (first and sought and self.now_s > target_s + slack_s):
                continue
            if not sought:
                return False
            self.restart()  # the seek led too far, or nowhere: walk
            self._wanted_s = target_s
        return True

    def _jump(self, target_s: float, times_s: np.ndarray, key_times_s: np.ndarray | None) -> None:
        """Seek to before `target_s` where that saves decoding."""
        target = int(np.searchsorted(times_s, target_s))
        now = int(np.searchsorted(times_s, self.now_s, side="right")) - 1
        if key_times_s is None:
            ask_s, landing = target_s, target - _WORTH_A_SEEK
        else:
            keys = int(np.searchsorted(key_times_s, target_s + 1e-4, side="right"))
            if keys == 0:
                return
            ask_s = float(key_times_s[keys - 1])
            landing = int(np.searchsorted(times_s, ask_s - 1e-4))
        if landing <= now + _WORTH_A_SEEK:
            return
        with contextlib.suppress(av.FFmpegError):
            self._file.seek(round(ask_s / self._tick_s) + self._start, stream=self._track)
            self._begin_anew()

    def step(self) -> bool:
        """Decode the next frame that can be decoded; False at the end."""
        for frame in self._frames:
            at = frame.dts if frame.pts is None else frame.pts
            if at is None:
                continue
            self._frame, self.now_s = frame, (at - self._start) * self._tick_s
            return True
        return False

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """The frames from here on.

        Frames before the one that is wanted are only decoded where others are made from them.
        """
        codec = self._track.codec_context
        failures = 0
        for packet in self._demuxed():
            at = packet.dts if packet.pts is None else packet.pts
            if codec.name in _SKIP_AT_ANY_TIME:
                passed = at is not None and (at - self._start) * self._tick_s < self._wanted_s
                codec.skip_frame = "NONREF" if passed else "DEFAULT"
            try:
                frames = codec.decode(packet)
                failures = 0
            except av.FFmpegError:
                failures += 1
                if failures == _FAILURES_IN_A_ROW:
                    break
                continue
            yield from frames
        with contextlib.suppress(av.FFmpegError):
            yield from codec.decode(None)

    def picture(self, side_px: int) -> np.ndarray | None:
        """(H, W, 3) uint8 RGB of the frame decoded last, upright and scaled; None where it has none."""
        if self._frame is None:
            return None
        width, height = scaled_size(*self.full_size, side_px)
        shrinks = width <= self._frame.width and height <= self._frame.height
        try:
            shown = self._scaler.reformat(
                self._frame,
                width,
                height,
                "rgb24",
                interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
            ).to_ndarray()
        except (av.FFmpegError, ValueError):
            return None
        return np.rot90(shown, self._frame.rotation // 90 % 4)

    def decoded(
        self, frames: list[np.ndarray], shown_s: list[float], side_px: int, notes: list[str]
    ) -> Decoded:
        """The frames as one array, with a note where they were scaled down."""
        size = scaled_size(*self.full_size, side_px)
        if max(size) < max(self.full_size):
            turned = frames[0].shape[:2] != size[::-1]
            notes = [reduced_note(self.full_size, size, turned=turned), *notes]
        return Decoded(np.stack(frames), np.array(shown_s), True, notes)


def _codec_name(track: VideoStream, path: Path) -> str:
    """The codec's four letters, or the name that a Matroska file gives it."""
    with path.open("rb") as file:
        begin = file.read(1 << 16)
    for named in (rb"V_[A-Z0-9_/]{2,30}", rb"vids([ -~]{4})"):
        found = re.search(named, begin)
        if found:
            return found.group(found.re.groups).decode()
    codec = track.codec_context
    letters = codec.codec_tag if codec is not None else ""
    if letters.strip() and letters.isprintable():
        return letters.strip()
    return codec.name if codec is not None else "of an unknown kind"


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
