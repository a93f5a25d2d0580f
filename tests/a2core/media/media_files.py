"""Makers of pictures and clips with known pixels and times, by hand, by Pillow, OpenCV or PyAV."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from a2core.errors import MediaError
from a2core.media import read_media

RED, GREEN, BLUE, YELLOW = (200, 30, 40), (20, 180, 60), (30, 50, 190), (220, 210, 30)
QUARTER = (0, 1, -1, 0)  # the matrix of a clip that is shown turned clockwise, as phones write it


def four_corners(width: int = 48, height: int = 32) -> np.ndarray:
    """(height, width, 3) uint8: red, green over blue, yellow, so that every turn and flip shows."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = RED
    picture[: height // 2, width // 2 :] = GREEN
    picture[height // 2 :, : width // 2] = BLUE
    picture[height // 2 :, width // 2 :] = YELLOW
    return picture


def noise(width: int = 48, height: int = 32, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8 noise: nothing in it compresses, so a cut hits pixel data."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def saved(picture: np.ndarray | Image.Image, format_name: str, **options: Any) -> bytes:
    """The file content that Pillow writes for a picture."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def exif_with_orientation(orientation: int) -> bytes:
    """An EXIF block, written by hand, that holds the orientation only."""
    directory = struct.pack("<H", 1) + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0" * 4
    return b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, bits: int, colour_type: int, rows: bytes, *between: tuple[bytes, bytes]
) -> bytes:
    """A PNG written by hand; ``rows`` are the raw samples, without filter bytes."""
    stride = len(rows) // height if height and rows else 0
    filtered = b"".join(b"\0" + rows[y * stride : (y + 1) * stride] for y in range(height if stride else 0))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *between, (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def interlaced_png(picture: np.ndarray) -> bytes:
    """An Adam7 PNG written by hand from (H, W, 3) uint8: seven passes, each a coarser picture."""
    height, width = picture.shape[:2]
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    rows = b"".join(
        b"\0" + row.tobytes()
        for top, left, down, right in passes
        for row in picture[top::down, left::right]
        if row.size
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def tiff(
    samples: np.ndarray,
    *,
    photometric: int = 1,
    tags: dict[int, int] | None = None,
    deflate: bool = False,
    directory_first: bool = False,
) -> bytes:
    """A little-endian TIFF of one strip, by hand; (H, W) or (H, W, C) of any integer or float type."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    data = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    data = zlib.compress(data) if deflate else data
    bits_at = 8
    entries: dict[int, tuple[int, int, int]] = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, channels, samples.itemsize * 8 if channels == 1 else bits_at),
        259: (3, 1, 8 if deflate else 1),
        262: (3, 1, photometric if channels == 1 else 2),
        273: (4, 1, 0),
        277: (3, 1, channels),
        278: (4, 1, height),
        279: (4, 1, len(data)),
        339: (3, 1, {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]),
        **{tag: (3, 1, value) for tag, value in (tags or {}).items()},
    }
    after_bits = bits_at + 2 * channels
    directory_length = 2 + 12 * len(entries) + 4
    if directory_first:
        directory_at, data_at = after_bits, after_bits + directory_length
    else:
        data += b"\0" * (len(data) % 2)
        directory_at, data_at = after_bits + len(data), after_bits
    entries[273] = (4, 1, data_at)
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, *entries[tag]) for tag in sorted(entries)) + b"\0" * 4
    begin = b"II*\0" + struct.pack("<I", directory_at)
    begin += struct.pack(f"<{channels}H", *[samples.itemsize * 8] * channels)
    return begin + (directory + data if directory_first else data + directory)


# ---------------------------------------------------------------------------------------------------
# Clips: every frame carries its number, as a pattern of black and white squares that survives a codec
# ---------------------------------------------------------------------------------------------------

_SQUARE_PX = 16
_BITS = 12


def counter_frame(number: int) -> np.ndarray:
    """(64, 128, 3) uint8 with the number in twelve squares, on a ground that is brighter to the right."""
    frame = np.repeat(np.repeat(np.linspace(60, 180, 128)[None, :, None], 64, 0), 3, 2).astype(np.uint8)
    for bit in range(_BITS):
        top, left = 16 + _SQUARE_PX * (bit // 6), 16 + _SQUARE_PX * (bit % 6)
        frame[top : top + _SQUARE_PX, left : left + _SQUARE_PX] = 255 * (number >> bit & 1)
    return frame


def counter_of(frame: np.ndarray) -> int:
    """The number that a frame carries; fails where a square is neither black nor white."""
    number = 0
    for bit in range(_BITS):
        top, left = 16 + _SQUARE_PX * (bit // 6), 16 + _SQUARE_PX * (bit % 6)
        level = frame[top + 4 : top + 12, left + 4 : left + 12].mean()
        assert level < 70 or level > 185, f"square {bit} is grey ({level:.0f})"
        number |= int(level > 128) << bit
    return number


def counter_clip(path: Path, fourcc: str, frames: int, rate: float = 30.0) -> Path:
    """A clip of counter frames at a steady rate, written by OpenCV."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), rate, (128, 64))
    assert writer.isOpened(), f"OpenCV cannot write {fourcc} here"
    for number in range(frames):
        writer.write(counter_frame(number))
    writer.release()
    return path


def encoded_clip(
    path: Path,
    codec: str,
    times_ms: Iterable[int],
    *,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    side: tuple[int, int] = (128, 64),
) -> Path:
    """A clip of counter frames at these times in a codec that OpenCV does not write, encoded by PyAV.

    In a thread of its own: the AV1 encoder gives the thread that starts it, and all that thread starts
    later, priority over the whole machine where it may (as root), and never takes it back.
    """

    def encode() -> None:
        with av.open(str(path), "w") as file:
            track = file.add_stream(codec, rate=30, options=options or {})
            track.width, track.height, track.pix_fmt = *side, pixels
            track.codec_context.time_base = Fraction(1, 1000)
            track.codec_context.thread_count = 1
            for number, time_ms in enumerate(times_ms):
                picture = cv2.resize(counter_frame(number), side, interpolation=cv2.INTER_NEAREST)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
                file.mux(track.encode(frame))
            file.mux(track.encode())

    with ThreadPoolExecutor(1) as pool:
        pool.submit(encode).result()
    return path


def packets_of(path: Path) -> list[tuple[bool, bytes]]:
    """(stands alone, content) of every packet of a clip, undecoded."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    packets = []
    while capture.grab():
        content = capture.retrieve()[1].tobytes()
        packets.append((bool(capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME)), content))
    capture.release()
    return packets


def jpeg_packets(frames: Iterable[np.ndarray]) -> list[tuple[bool, bytes]]:
    """Every frame as a JPEG, as Motion JPEG stores them."""
    return [(True, cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes()) for frame in frames]


def _element(identifier: str, content: bytes, *, length: int | None = None) -> bytes:
    length = len(content) if length is None else length
    return bytes.fromhex(identifier) + (length | 1 << 56).to_bytes(8, "big") + content


_UNKNOWN = (1 << 56) - 1  # the length of an element that was sent on before its end was known


def _number(value: int, width: int = 4) -> bytes:
    return value.to_bytes(width, "big")


def matroska(
    packets: list[tuple[bool, bytes]],
    times_ms: Iterable[int],
    *,
    codec: str = "V_MJPEG",
    size: tuple[int, int] = (128, 64),
    shown_size: tuple[int, int] | None = None,
    duration_ms: float | None = None,
    index: bool = True,
    lengths: bool = True,
    track_type: int = 1,
) -> bytes:
    """A Matroska file by hand, so that frames can come at any time; WebM where the codec is VP8.

    A cluster begins at every packet that stands alone. Without a duration, an index and the lengths of
    its parts it is what browsers record that write it as they go.
    """
    kind = b"webm" if codec.startswith("V_VP") else b"matroska"
    begin = _element("1a45dfa3", _element("4282", kind) + _element("4287", b"\4") + _element("4285", b"\2"))
    info = _element("2ad7b1", _number(1_000_000))
    if duration_ms is not None:
        info += _element("4489", struct.pack(">d", duration_ms))
    pixels = _element("b0", _number(size[0])) + _element("ba", _number(size[1]))
    if shown_size:
        pixels += _element("54b0", _number(shown_size[0])) + _element("54ba", _number(shown_size[1]))
    track = _element("d7", b"\1") + _element("73c5", b"\1") + _element("83", bytes([track_type]))
    track += _element("86", codec.encode()) + (_element("e0", pixels) if track_type == 1 else b"")
    before = _element("1549a966", info) + _element("1654ae6b", _element("ae", track))

    clusters: list[tuple[int, list[bytes]]] = []
    for (alone, content), time_ms in zip(packets, times_ms, strict=True):
        if not clusters or alone or time_ms - clusters[-1][0] > 30000:
            clusters.append((time_ms, []))
        since = struct.pack(">hB", time_ms - clusters[-1][0], 0x80 if alone else 0)
        clusters[-1][1].append(_element("a3", b"\x81" + since + content))
    written = [
        _element(
            "1f43b675", _element("e7", _number(t)) + b"".join(blocks), length=None if lengths else _UNKNOWN
        )
        for t, blocks in clusters
    ]

    def cues(at: int) -> bytes:
        points = []
        for (time_ms, _), cluster in zip(clusters, written, strict=True):
            where = _element("b7", _element("f7", b"\1") + _element("f1", _number(at, 8)))
            points.append(_element("bb", _element("b3", _number(time_ms)) + where))
            at += len(cluster)
        return _element("1c53bb6b", b"".join(points))

    if index:
        before += cues(len(before) + len(cues(0)))
    return begin + _element("18538067", before + b"".join(written), length=None if lengths else _UNKNOWN)


_BOXES_OF_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}


def edited_mp4(data: bytes, edit: Callable[[bytes, bytearray], None], *, index_first: bool = False) -> bytes:
    """An MP4 with its boxes edited: ``edit(kind, payload)`` may change any payload, sizes follow.

    ``index_first`` puts the index before the frames, as files meant for the web have it.
    """

    def walked(boxes: bytes) -> list[tuple[bytes, bytes]]:
        found, at = [], 0
        while at < len(boxes):
            length, kind = int.from_bytes(boxes[at : at + 4], "big"), boxes[at + 4 : at + 8]
            payload = bytearray(boxes[at + 8 : at + length])
            if kind in _BOXES_OF_BOXES:
                payload = bytearray(b"".join(joined(box) for box in walked(bytes(payload))))
            else:
                edit(kind, payload)
            found.append((kind, bytes(payload)))
            at += length
        return found

    def joined(box: tuple[bytes, bytes]) -> bytes:
        return _number(8 + len(box[1])) + box[0] + box[1]

    boxes = walked(data)
    if not index_first:
        return b"".join(joined(box) for box in boxes)
    index = next(box for box in boxes if box[0] == b"moov")
    others = [box for box in boxes if box[0] != b"moov"]

    def shifted(kind: bytes, payload: bytearray) -> None:
        if kind == b"stco":
            for at in range(8, len(payload), 4):
                moved = int.from_bytes(payload[at : at + 4], "big") + len(joined(index))
                payload[at : at + 4] = _number(moved)

    moved_index = edited_mp4(joined(index), shifted)
    return joined(others[0]) + moved_index + b"".join(joined(box) for box in others[1:])


def mp4_with_times(data: bytes, deltas: list[int]) -> bytes:
    """An MP4 whose frames last so many ticks each, of a time scale of 1000 a second."""

    def edit(kind: bytes, payload: bytearray) -> None:
        total = sum(deltas)
        if kind == b"stts":
            payload[:] = bytes(4) + _number(len(deltas)) + b"".join(_number(1) + _number(d) for d in deltas)
        elif kind in (b"mdhd", b"mvhd"):
            assert payload[0] == 0
            payload[12:20] = _number(1000) + _number(total)
        elif kind == b"tkhd":
            payload[20:24] = _number(total)
        elif kind == b"elst":
            payload[8:12] = _number(total)

    return edited_mp4(data, edit)


def turned_mp4(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """An MP4 or MOV whose track header has another matrix (a, b, c, d).

    Of ISO 14496-12: what is stored at (x, y) is shown at (ax + cy, bx + dy).
    """
    a, b, c, d = (value << 16 for value in matrix)

    def edit(kind: bytes, payload: bytearray) -> None:
        if kind == b"tkhd":
            payload[40:76] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)

    return edited_mp4(data, edit)


def check_read_or_refused(data: bytes) -> None:
    """Whatever the bytes are: frames, or a refusal in words."""
    try:
        clip = read_media(data, max_frames=4)
    except MediaError as error:
        assert str(error).startswith("This file ")  # noqa: PT017 - either outcome is right
    else:
        assert clip.frames.dtype == np.uint8
