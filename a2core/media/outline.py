"""What the headers of a picture say of all its frames, read without decoding any.

An animation's true size may be that of a later frame, and decoders reach the later frames only through the
pixels of the earlier ones. Limits that are to hold before pixels exist need the block structure itself.
"""

from __future__ import annotations

import os
from typing import BinaryIO, NamedTuple

from a2core.errors import MediaError
from a2core.media.upload_limits import MAX_ANIMATION_PIXELS, MAX_PICTURE_PARTS, check_size

_SLOWER = {"AVIF": 4}  # than the others, a pixel of an animation


class Outline(NamedTuple):
    """The frames of a picture that may have several."""

    size: tuple[int, int]
    """Width and height that decoding needs: the canvas, enlarged by what frames reach beyond it."""
    durations_ms: list[float]
    """How long each frame stays, as far as the frames may be decoded."""
    first: int
    """Index of the first frame that is shown."""
    more: bool
    """Whether there are more frames than may be decoded."""
    promised: int
    """How many frames the file says it has; 0 where it does not."""


def outline(file: BinaryIO, format_name: str, who: str) -> Outline | None:
    """The outline of a GIF, PNG, WebP or AVIF; None for other formats. Leaves the file at its start.

    Raises:
        MediaError: A frame is larger than the limits allow, or the file is made of absurdly many parts.
    """
    reader = {"GIF": _gif, "PNG": _png, "WebP": _webp, "AVIF": _avif}.get(format_name)
    if reader is None:
        return None
    file.seek(0)
    try:
        return reader(_Frames(who, _SLOWER.get(format_name, 1)), file)
    finally:
        file.seek(0)


class _Frames:
    """Collects frames and holds each against the limits; full once no more may be decoded."""

    def __init__(self, who: str, slower: int) -> None:
        self._who, self._most_pixels = who, MAX_ANIMATION_PIXELS // slower
        self._parts = 0
        self._size = (0, 0)
        self.durations_ms: list[float] = []
        self.first = self.promised = 0
        self.full = False

    def grow(self, width: int, height: int) -> None:
        """The canvas is at least this large."""
        size = max(self._size[0], width), max(self._size[1], height)
        if size != self._size:
            check_size(self._who, *size)
            self._size = size

    def add(self, duration_ms: float) -> None:
        """One frame more, unless that is more than may be decoded; two are always allowed."""
        pixels = self._size[0] * self._size[1] * (self.first + len(self.durations_ms) + 1)
        if len(self.durations_ms) >= 2 and pixels > self._most_pixels:
            self.full = True
        else:
            self.durations_ms.append(duration_ms)

    def part(self) -> None:
        """A chunk or block was passed."""
        self._parts += 1
        if self._parts > MAX_PICTURE_PARTS:
            raise MediaError(
                "{who} is made of more than {most:,} tiny parts, which would take very "
                "long to decode. Save it again in an image editor.",
                who=self._who,
                most=MAX_PICTURE_PARTS,
            )

    def outline(self) -> Outline:
        return Outline(self._size, self.durations_ms, self.first, self.full, self.promised)


def _gif(frames: _Frames, file: BinaryIO) -> Outline:
    head = file.read(13)
    if len(head) < 13:
        return frames.outline()
    frames.grow(_little(head[6:8]), _little(head[8:10]))
    if head[10] & 0x80:
        file.seek(3 << (head[10] & 7) + 1, os.SEEK_CUR)
    duration_ms = 0.0
    while not frames.full:
        introducer = file.read(1)
        if introducer in (b"", b";"):
            break
        frames.part()
        if introducer == b"!":
            label = file.read(1)
            block = _gif_block(file)
            if label == b"\xf9" and len(block) >= 3:
                duration_ms = 10.0 * _little(block[1:3])
            while block:
                frames.part()
                block = _gif_block(file)
        elif introducer == b",":
            place = file.read(9)
            if len(place) < 9:
                break
            left, top, width, height = (_little(place[at : at + 2]) for at in (0, 2, 4, 6))
            frames.grow(left + width, top + height)
            if place[8] & 0x80:
                file.seek(3 << (place[8] & 7) + 1, os.SEEK_CUR)
            file.seek(1, os.SEEK_CUR)
            frames.add(duration_ms)
            duration_ms = 0.0
            while (length := file.read(1)) not in (b"", b"\0"):
                frames.part()
                file.seek(length[0], os.SEEK_CUR)
    return frames.outline()


def _gif_block(file: BinaryIO) -> bytes:
    length = file.read(1)
    return file.read(length[0]) if length else b""


def _png(frames: _Frames, file: BinaryIO) -> Outline:
    file.seek(8)
    animated = False
    while not frames.full:
        header = file.read(8)
        if len(header) < 8:
            break
        frames.part()
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        data = file.read(min(length, 26)) if kind in (b"IHDR", b"acTL", b"fcTL") else b""
        if kind == b"IHDR":
            frames.grow(int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big"))
        elif kind == b"acTL":
            animated = True
            frames.promised = int.from_bytes(data[:4], "big")
        elif kind == b"IDAT" and animated and not frames.durations_ms:
            # A stand-in for programs that cannot animate, which is no part of the animation.
            frames.first = 1
        elif kind == b"fcTL" and animated and len(data) == 26:
            per_second = int.from_bytes(data[22:24], "big") or 100
            frames.add(1000.0 * int.from_bytes(data[20:22], "big") / per_second)
        elif kind == b"IEND":
            break
        file.seek(length - len(data) + 4, os.SEEK_CUR)
    return frames.outline()


def _webp(frames: _Frames, file: BinaryIO) -> Outline:
    file.seek(12)
    while not frames.full:
        header = file.read(8)
        if len(header) < 8:
            break
        frames.part()
        kind, length = header[:4], _little(header[4:])
        data = file.read(min(length, 16))
        if kind == b"VP8X":
            frames.grow(_little(data[4:7]) + 1, _little(data[7:10]) + 1)
        elif kind == b"VP8 ":
            frames.grow(_little(data[6:8]) & 0x3FFF, _little(data[8:10]) & 0x3FFF)
        elif kind == b"VP8L":
            bits = _little(data[1:5])
            frames.grow((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif kind == b"ANMF" and len(data) == 16:
            left, top, width, height = (_little(data[at : at + 3]) for at in (0, 3, 6, 9))
            frames.grow(2 * left + width + 1, 2 * top + height + 1)
            frames.add(float(_little(data[12:15])))
        file.seek(length + length % 2 - len(data), os.SEEK_CUR)
    return frames.outline()


def _avif(frames: _Frames, file: BinaryIO) -> Outline:
    """By FFmpeg's parser of AV1, which decodes nothing.

    The container says how large a picture is shown, and the AV1 data how large it is decoded.
    """
    import av  # here, since most pictures need it not

    try:
        # An allowed decoder that does not exist: else FFmpeg would decode frames to look at them.
        with av.open(file, "r", format="mov", options={"codec_whitelist": "none"}) as container:
            tracks = list(container.streams.video)
            shown = max(tracks, key=lambda track: track.frames, default=None)
            parsers = {track.index: av.CodecContext.create("av1", "r") for track in tracks}
            for packet in container.demux(tracks):
                if packet.size == 0:
                    continue
                frames.part()
                parser = parsers[packet.stream_index]
                parser.width = parser.height = 0
                parser.parse(bytes(packet))
                if parser.width and parser.height:
                    frames.grow(parser.width, parser.height)
                if shown is not None and packet.stream_index == shown.index:
                    frames.add(1000.0 * float((packet.duration or 0) * (packet.time_base or 0)))
                if frames.full:
                    break
    except (av.FFmpegError, ValueError) as error:
        raise EOFError(f"no AV1 data: {error}") from error
    return frames.outline()


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
