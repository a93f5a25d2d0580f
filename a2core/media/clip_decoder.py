"""One open clip: its packets and its frames in order, from wherever it was told to go.

Seeking saves work here, and correctness never depends on where it lands. The limit on the size of a frame
is kept by the decoders themselves, whatever the header says: no frame that breaks it is ever made.
"""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from a2core.errors import MediaError
from a2core.languages import sentence
from a2core.media.clip_faults import cut_short, ends_early, promised_more, unopened
from a2core.media.clip_opacity import OpacityDecoder, has_opacity
from a2core.media.clip_tracks import codec_name, film_among, film_tracks
from a2core.media.decoded import Progress, stopped_early
from a2core.media.references import BESIDE, SLOTS, Held, ParameterSets
from a2core.media.upload_limits import (
    MAX_HELD_BYTES,
    MAX_PIXELS,
    check_held,
    check_size,
    too_many_pixels,
)
from a2core.threads import threads_wanted

# About nine hours; a file of more is made of empty packets.
MOST_PACKETS = 1_000_000
# A damaged stretch fails packet by packet, and the end of the file fails for ever.
_FAILURES_IN_A_ROW = 32
# A seek throws away what the decoder's threads have begun: it must spare at least so many frames.
_WORTH_A_SEEK = 8
_STEPS_BETWEEN_REPORTS = 30
_MOST_THREADS = 4
_READERS = {"MP4": "mov", "MOV": "mov", "WebM": "matroska", "MKV": "matroska", "AVI": "avi"}
# Decoders that can be told packet by packet what to leave out; that of AV1 only before its first.
_SKIP_AT_ANY_TIME = ("h264", "hevc")
# What decoders say of a frame that breaks the limit on pixels, but of other faults too.
_MAYBE_TOO_LARGE = (errno.EINVAL, errno.ERANGE, errno.ENOMEM)


class FramesTooLargeError(Exception):
    """Some frames are larger than several threads may hold at once, though one might: begin again."""


class Packets(NamedTuple):
    """What a file holds, seen without decoding: when its frames are shown, and which stand alone."""

    times_s: np.ndarray
    """(N,) rising."""
    key_times_s: np.ndarray
    complete: bool
    """Whether the whole file was looked at."""
    ends_early: bool
    """Whether the file is shorter than its own sizes say."""


class ClipDecoder:
    """One open clip. Close it.

    Raises:
        MediaError: It holds no video, or frames that are larger than the limits allow.
    """

    def __init__(self, path: Path, container: str, who: str) -> None:
        self._path, self._kind, self._who = path, container, who
        self._most_threads = _MOST_THREADS
        self._film: int | None = None  # index of its track, once that is known
        self.notes: list[str] = []
        self.too_large = False
        """Whether there were frames that were not decoded because of their size."""
        self._open()

    def _open(self) -> None:
        """Open the file at its start; MediaError where it holds no video."""
        self._file = self._opened_file()
        try:
            tracks = film_tracks(self._file)
            if not tracks:
                raise unopened(self._path, self._kind, self._who)
            if self._film is None and len(tracks) > 1:
                film = film_among(self._file, tracks)
                self._film = film.index
                self.notes.append(
                    sentence("Only one of its {tracks} video tracks is shown.", tracks=len(tracks))
                )
                self.close()
                self._file = self._opened_file()  # from its start again
                tracks = film_tracks(self._file)
            self._track = next((track for track in tracks if track.index == self._film), tracks[0])
            for other in self._file.streams:
                if other is not self._track:
                    other.discard = Discard.all
            self.codec = codec_name(self._track, self._path)
            if self._track.codec_context is None:
                raise MediaError(
                    "{who} uses the codec {codec}, which cannot be decoded here. Convert it to MP4 "
                    "(H.264) or WebM (VP9).",
                    who=self._who,
                    codec=self.codec,
                )
            self._measure(self._track.codec_context)
        except BaseException:
            self.close()
            raise
        self._start = self._track.start_time or 0
        self._tick_s = float(self._track.time_base or 0)
        self._frames = self._decoded()
        self._sought = False
        self._wanted_s = -math.inf
        self.frame: VideoFrame | None = None
        """The one that was decoded last."""
        self.opacity: np.ndarray | None = None
        """(H, W) uint8 of that frame, where the file keeps it apart."""
        self.now_s = -1.0
        """When that frame is shown; before the first, −1."""

    def _opened_file(self) -> InputContainer:
        try:
            # With the kind of file told, what it says it is cannot choose another reader (a playlist, say).
            return av.open(
                str(self._path),
                format=_READERS[self._kind],
                metadata_errors="replace",
                options={"max_pixels": str(MAX_PIXELS)},  # some frames are decoded to see what they are
            )
        except (av.FFmpegError, ValueError, UnicodeError) as error:
            raise unopened(self._path, self._kind, self._who) from error

    def _measure(self, codec: VideoCodecContext) -> None:
        """Check the size that the header tells, and how many threads it allows; hold the decoder to that."""
        width, height = codec.width, codec.height
        # Some clips are stored narrower than they are shown.
        stretch = float(self._track.sample_aspect_ratio or 0)
        self.stretch = stretch if 1 / 4 <= stretch <= 4 else 1.0
        if width < 1 or height < 1:  # nothing of any frame was found
            if self._begins_too_large(codec):
                raise MediaError(too_many_pixels(self._who))
            raise unopened(self._path, self._kind, self._who)
        check_size(self._who, width, height)
        check_size(self._who, round(width * self.stretch), height)
        beside = has_opacity(self._track)
        # Every thread holds frames of its own: few of them where these are large.
        self._limit = self._most_pixels(codec)
        threads = 1 if beside else min(self._most_threads, threads_wanted(), self._limit // (width * height))
        codec.thread_count = max(1, threads)
        codec.thread_type = "AUTO"
        self._max_pixels = self._limit // codec.thread_count
        codec.options = {"max_pixels": str(self._max_pixels)}
        self._opacity = OpacityDecoder(codec.name, MAX_PIXELS) if beside else None
        self._sets = ParameterSets(codec.name, codec.extradata or b"")
        check_held(self._who, self._sets.in_header())

    def _most_pixels(self, codec: VideoCodecContext) -> int:
        """Of a frame: of codecs that do not say how many they hold, so many that all they may fit."""
        slots = SLOTS.get(codec.name)
        if slots is None:
            return MAX_PIXELS
        a_pixel = codec.format.padded_bits_per_pixel / 8 if codec.format else 1.5
        check_held(self._who, Held(slots, round(codec.width * codec.height * a_pixel)))
        return min(MAX_PIXELS, int(MAX_HELD_BYTES / (slots + BESIDE) / a_pixel))

    def _begins_too_large(self, codec: VideoCodecContext) -> bool:
        """Whether the first frames are refused for their size."""
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        for packet, _ in zip(self._demuxed(), range(_FAILURES_IN_A_ROW), strict=False):
            try:
                codec.decode(packet)
            except av.FFmpegError as error:
                if error.errno in _MAYBE_TOO_LARGE:
                    return True
        return False

    def use_one_thread(self) -> None:
        """Begin again in a way that takes longer, and holds frames of up to MAX_PIXELS."""
        self._most_threads = 1
        self.restart()

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
        if self._opacity:
            self._opacity.restart()
        self._frames = self._decoded()
        self._sought = True
        self.now_s = -1.0

    # ---- what the file holds

    def packets(self, most: int, progress: Progress | None) -> Packets:
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
        short = ends_early(self._path, self._kind)
        if complete and short and len(times) > 1:
            times.pop()  # half a packet: decoders fill the rest of its frame with grey
        if not times:
            raise MediaError(
                "{who} has a video track without a single frame. Record or export it again.", who=self._who
            )
        return Packets(self._seconds(times), self._seconds(keys), complete, short)

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
        if not (2 <= count <= 2 * MOST_PACKETS and rate > 0 and len(seen_s) > 1):
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
            return [cut_short(held_s, announced_s)]
        # Matroska announces the length of the longest track, which may be the sound.
        if held_s < 0.8 * announced_s:
            return [promised_more(held_s, announced_s)]
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
            self.frame, self.now_s = frame, (at - self._start) * self._tick_s
            return True
        return False

    def _decoded(self) -> Iterator[VideoFrame]:
        """The frames from here on.

        Frames before the one that is wanted are only decoded where others are made from them.

        Raises:
            FramesTooLargeError: See there.
        """
        codec = self._track.codec_context
        failures = 0
        for packet in self._demuxed():
            at = packet.dts if packet.pts is None else packet.pts
            if codec.name in _SKIP_AT_ANY_TIME:
                passed = at is not None and (at - self._start) * self._tick_s < self._wanted_s
                codec.skip_frame = "NONREF" if passed else "DEFAULT"
            if self._opacity:
                self.opacity = self._opacity.of(packet)
            check_held(self._who, self._sets.in_packet(bytes(packet)))
            try:
                frames = codec.decode(packet)
                failures = 0
            except av.FFmpegError as error:
                self._judge(error, codec)
                failures += 1
                if failures == _FAILURES_IN_A_ROW:
                    break
                continue
            yield from frames
        try:
            yield from codec.decode(None)
        except av.FFmpegError as error:
            self._judge(error, codec)

    def _judge(self, error: av.FFmpegError, codec: VideoCodecContext) -> None:
        """Take note where a frame was refused for its size; raises where one thread might hold it."""
        # Decoders forget their size with such a frame, or know by then that it is too large.
        if error.errno in _MAYBE_TOO_LARGE and not 0 < codec.width * codec.height <= self._max_pixels:
            if self._max_pixels < self._limit:
                raise FramesTooLargeError from error
            self.too_large = True
