"""Makers of picture files with known pixels, by hand, by Pillow's writers or by OpenCV's."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

RED, GREEN, BLUE, YELLOW = (200, 30, 40), (20, 180, 60), (30, 50, 190), (220, 210, 30)


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
