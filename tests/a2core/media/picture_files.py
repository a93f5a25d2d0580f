"""Makers of the pictures that people have: hostile animations, raw camera files, bands, depths, HEIC."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from tests.a2core.media.media_files import four_corners, saved

CORNERS = four_corners(64, 48)
Tag = tuple[int, int, int, int]
"""Of a TIFF made by hand: tag, type (3 short, 4 long), count, value or offset."""


def gif_of_large_frames(side: int, count: int = 3, screen: int = 16) -> bytes:
    """A GIF of a small screen and a first frame like it, whose other frames are `side` × `side`."""
    frame, large = (_gif_frame(each) for each in (screen, side))
    head = saved(Image.new("P", (screen, screen)), "GIF")
    return head[: head.index(frame)] + frame + large * (count - 1) + b";"


def _gif_frame(side: int) -> bytes:
    made = saved(Image.new("P", (side, side)), "GIF")
    return made[made.index(struct.pack("<BHHHH", 0x2C, 0, 0, side, side)) : -1]


def apng_of_large_frames(side: int) -> bytes:
    """An APNG of three frames whose header says `side`."""
    frames = [Image.new("L", (16, 16), shade) for shade in (0, 9, 18)]
    data = bytearray(saved(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    data[16:24] = struct.pack(">II", side, side)
    return bytes(data)


def webp_of_large_frames(side: int, screen: int = 16) -> bytes:
    """An animated WebP whose canvas is small and whose frames say that they reach far beyond it."""
    frames = [Image.new("RGB", (screen, screen), (k, 0, 0)) for k in (0, 99)]
    data = bytearray(saved(frames[0], "WebP", save_all=True, append_images=frames[1:]))
    at = data.rindex(b"ANMF") + 8
    data[at + 6 : at + 12] = (side - 1).to_bytes(3, "little") * 2
    return bytes(data)


def tiff(*pages: tuple[list[Tag], bytes], inner: tuple[int, ...] = ()) -> bytes:
    """A little-endian TIFF by hand: each page its tags, and its only strip.

    Pages whose index is in `inner` hang below the first (SubIFDs) in place of behind it.
    """
    places, data = [], bytearray(b"II*\0" + bytes(4))
    for tags, strip in pages:
        at = len(data)
        data += strip + bytes(len(strip) % 2)
        places.append(([*tags, (273, 4, 1, at), (279, 4, 1, len(strip))], at))
    offsets: list[int] = []
    sizes = [2 + 12 * (len(tags) + (k == 0 and bool(inner))) + 4 for k, (tags, _) in enumerate(places)]
    at = len(data) + 4 * len(inner)
    for size in sizes:
        offsets.append(at)
        at += size
    below = len(data)
    data += b"".join(struct.pack("<I", offsets[k]) for k in inner)
    outer = [k for k in range(len(places)) if k not in inner]
    for k, (tags, _) in enumerate(places):
        if k == 0 and inner:
            where = offsets[inner[0]] if len(inner) == 1 else below
            tags = [*tags, (330, 4, len(inner), where)]
        data += struct.pack("<H", len(tags))
        for tag, kind, count, value in sorted(tags):
            data += struct.pack("<HHII", tag, kind, count, value)  # a short stands first in its four bytes
        follows = outer[outer.index(k) + 1] if k in outer and outer.index(k) + 1 < len(outer) else None
        data += struct.pack("<I", 0 if follows is None else offsets[follows])
    data[4:8] = struct.pack("<I", offsets[0])
    return bytes(data)


def page(
    width: int,
    height: int,
    *,
    reduced: bool = False,
    photometric: int = 1,
    compression: int = 1,
    bands: int = 1,
) -> list[Tag]:
    """The tags of a page of 8 bits a sample."""
    return [
        (254, 4, 1, int(reduced)),
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, photometric),
        (277, 3, 1, bands),
        (278, 4, 1, height),
    ]


def thumbnail_first(*, full: list[Tag], strip: bytes, inner: bool) -> bytes:
    """A TIFF whose first page is a reduced copy of 16 × 12, and whose other page is `full`."""
    pages = [(page(16, 12, reduced=True), bytes(16 * 12)), (full, strip)]
    return tiff(*pages, inner=(1,) if inner else ())


def raw_camera_file(kind: str) -> bytes:
    """What the raw files of cameras begin like: a reduced copy, and a page of a sensor's colour filters."""
    sensor = bytes(64 * 48)
    if kind == "DNG":
        return thumbnail_first(full=page(64, 48, photometric=32803), strip=sensor, inner=True)
    if kind == "NEF":
        return thumbnail_first(
            full=page(64, 48, photometric=32803, compression=34713), strip=sensor, inner=True
        )
    if kind == "ARW":
        return thumbnail_first(
            full=page(64, 48, photometric=32803, compression=32767), strip=sensor, inner=True
        )
    made = bytearray(tiff((page(16, 12), bytes(16 * 12)), (page(64, 48, compression=6), sensor)))
    made = bytearray(made[:8] + b"CR\x02\x00" + bytes(4) + made[8:])  # CR2 says so behind the header
    return _shifted(made, 8)


def _shifted(data: bytearray, by: int) -> bytes:
    """A TIFF of `tiff` with `by` bytes put in behind its header: every offset moves."""
    (at,) = struct.unpack_from("<I", data, 4)
    struct.pack_into("<I", data, 4, at + by)
    at += by
    while at:
        (count,) = struct.unpack_from("<H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from("<HHII", data, entry)
            if tag == 273:
                struct.pack_into("<I", data, entry + 8, value + by)
        end = at + 2 + 12 * count
        (at,) = struct.unpack_from("<I", data, end)
        if at:
            at += by
            struct.pack_into("<I", data, end, at)
    return bytes(data)


def bands_tiff(samples: np.ndarray, *, planar: str = "contig", extra: tuple[int, ...] | None = None) -> bytes:
    """A TIFF by tifffile of (H, W, C) samples, red, green and blue first."""
    out = io.BytesIO()
    stored = samples if planar == "contig" else samples.transpose(2, 0, 1)
    tifffile.imwrite(out, stored, photometric="rgb", planarconfig=planar, extrasamples=extra, metadata=None)
    return out.getvalue()


def counts(bits: int, *, seed: int = 0) -> np.ndarray:
    """(48, 64) uint16 of a sensor of so many bits: a ramp from a twentieth of its range to all of it."""
    top = 2**bits - 1
    return np.linspace(top / 20, top, 64 * 48).reshape(48, 64).astype(np.uint16)


def heic(picture: np.ndarray, **options: Any) -> bytes:
    """A HEIC by pillow-heif, lossless enough to be compared."""
    import pillow_heif

    out = io.BytesIO()
    made = pillow_heif.from_pillow(Image.fromarray(picture))
    made.save(out, quality=95, chroma=444, **options)
    return out.getvalue()


def deep_heic(samples: np.ndarray) -> bytes:
    """A HEIC of ten bits, of (H, W, 3) uint16 samples that use all of 16."""
    import pillow_heif

    out = io.BytesIO()
    height, width, _ = samples.shape
    made = pillow_heif.from_bytes("RGB;16", (width, height), samples.astype("<u2").tobytes())
    made.save(out, quality=95, chroma=444)
    return out.getvalue()
