"""Reads the Netpbm family: PBM, PGM, PPM in text and binary, PAM, and PFM of floats.

By NumPy rather than by Pillow, which walks over text and unusual maxima sample by sample in Python (minutes
for a large picture) and knows neither PAM nor coloured PFM. The format is a line of numbers and then samples.
"""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np

from a2core.media.upload_limits import MAX_SAMPLE_BYTES, check_size

_HEADER_BYTES = 64 * 1024
_TOKEN = re.compile(rb"(?:[ \t\r\n\f\v]|#[^\r\n]*(?:[\r\n]|$))*([^ \t\r\n\f\v#]+)")


class Samples(NamedTuple):
    """What a Netpbm file holds."""

    values: np.ndarray
    """(H, W) or (H, W, C) uint8, uint16 or float32; C of 2 and 4 end with alpha."""
    white: int
    """The brightest value that is allowed, of integers."""


def colours(values: np.ndarray) -> int | None:
    """How many of the bands are colours, the rest being alpha; None of a grey picture without alpha."""
    return None if values.ndim == 2 else {2: 1, 3: 3, 4: 3}[values.shape[2]]


class _Header(NamedTuple):
    kind: bytes
    width: int
    height: int
    bands: int
    white: float
    data_at: int


def read(file: BinaryIO, who: str) -> Samples:
    """The samples of a file, at its start.

    Raises:
        MediaError: Its header announces more than the limits allow.
        EOFError: It ends before its last sample.
        ValueError: It is damaged.
    """
    header = _header(file.read(_HEADER_BYTES))
    check_size(who, header.width, header.height)
    count = header.width * header.height * header.bands
    if header.kind in (b"Pf", b"PF"):
        return Samples(_floats(file, header, count), 1)
    white = int(header.white)
    if not 0 < white < 65536:
        raise ValueError(f"a maximum of {white}")
    if header.kind in (b"P1", b"P4"):
        return Samples(_bits(file, header), 255)
    file.seek(header.data_at)
    if header.kind in (b"P2", b"P3"):
        values = _text(file.read(), count)
    else:
        kind = np.dtype(np.uint8 if white < 256 else ">u2")
        values = _binary(file, count, kind).astype(kind.newbyteorder("="), copy=False)
    if values.max() > white:
        raise ValueError("a sample beyond the maximum")
    values = values.reshape((header.height, header.width, header.bands)[: 3 if header.bands > 1 else 2])
    if white < 255:  # of 1 to 7 bits: nothing is lost by the full range
        steps = np.minimum(np.arange(256), white)
        return Samples(cv2.LUT(values.astype(np.uint8), np.rint(steps * 255 / white).astype(np.uint8)), 255)
    return Samples(values, white)


def _header(begin: bytes) -> _Header:
    if begin[:2] == b"P7":
        return _pam_header(begin)
    at = 2
    numbers: list[float] = []
    for _ in range(2 if begin[:2] in (b"P1", b"P4") else 3):
        found = _TOKEN.match(begin, at)
        if found is None or len(found.group(1)) > 20:
            raise ValueError("no number in the header")
        numbers.append(float(found.group(1)))
        at = found.end()
    kind = begin[:2]
    white = numbers[2] if len(numbers) > 2 else 1.0
    # Exactly one white space follows: the next byte may be a sample that looks like another.
    return _Header(
        kind, int(numbers[0]), int(numbers[1]), 3 if kind in (b"P3", b"P6", b"PF") else 1, white, at + 1
    )


def _pam_header(begin: bytes) -> _Header:
    end = begin.index(b"ENDHDR\n")
    lines = (line.split(None, 1) for line in begin[3:end].splitlines() if not line.startswith(b"#"))
    fields = {line[0]: line[1] for line in lines if len(line) == 2}
    width, height, bands, white = (int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    if not 1 <= bands <= 4:
        raise ValueError(f"a PAM of {bands} bands")
    return _Header(b"P7", width, height, bands, white, end + len(b"ENDHDR\n"))


def _floats(file: BinaryIO, header: _Header, count: int) -> np.ndarray:
    """PFM: its rows are stored from the last to the first; a negative scale means little endian."""
    if not (np.isfinite(header.white) and header.white != 0):
        raise ValueError("a scale of nought")
    if 4 * count > MAX_SAMPLE_BYTES:
        raise MemoryError
    file.seek(header.data_at)
    values = _binary(file, count, np.dtype("<f4" if header.white < 0 else ">f4"))
    shape = (header.height, header.width, header.bands)[: 3 if header.bands > 1 else 2]
    return values.reshape(shape)[::-1].astype(np.float32)


def _bits(file: BinaryIO, header: _Header) -> np.ndarray:
    """PBM, in which 1 is black."""
    if header.kind == b"P4":
        file.seek(header.data_at)
        row_bytes = (header.width + 7) // 8
        packed = _binary(file, row_bytes * header.height, np.dtype(np.uint8))
        bits = np.unpackbits(packed.reshape(header.height, row_bytes), axis=1, count=header.width)
    else:
        file.seek(header.data_at - 1)
        text = re.sub(rb"#[^\r\n]*", b"", file.read()).translate(None, b" \t\r\n\f\v")
        digits = np.frombuffer(text, np.uint8)[: header.width * header.height] - ord("0")
        if digits.size < header.width * header.height:
            raise EOFError("fewer samples than announced")
        if digits.max() > 1:
            raise ValueError("neither 0 nor 1")
        bits = digits.reshape(header.height, header.width)
    return (1 - bits) * np.uint8(255)


def _binary(file: BinaryIO, count: int, kind: np.dtype) -> np.ndarray:
    data = file.read(count * kind.itemsize)
    if len(data) < count * kind.itemsize:
        raise EOFError("fewer samples than announced")
    return np.frombuffer(data, kind)


def _text(data: bytes, count: int) -> np.ndarray:
    """Numbers in text, at most five digits each, worked out for all at once.

    Each digit is weighed by how many digits of its number follow it; the numbers are then sums of stretches.
    """
    if b"#" in data:
        data = re.sub(rb"#[^\r\n]*", b" ", data)
    values = np.empty(count, np.uint16)
    done = at = 0
    while done < count:
        # Some megabytes at a time, cut where a number ends.
        end = min(len(data), at + (4 << 20))
        while end < len(data) and data[end] not in b" \t\r\n\f\v":
            end += 1
        if at >= end:
            raise EOFError("fewer samples than announced")
        numbers = _numbers(np.frombuffer(data, np.uint8, end - at, at))[: count - done]
        values[done : done + len(numbers)] = numbers
        done += len(numbers)
        at = end
    return values


def _numbers(text: np.ndarray) -> np.ndarray:
    """(N,) uint16 of the decimal numbers in (B,) ASCII."""
    digit = (text >= ord("0")) & (text <= ord("9"))
    space = (text == 32) | ((text >= 9) & (text <= 13))
    if not (digit | space).all():
        raise ValueError("neither a digit nor white space")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], digit, [False]]).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    if len(begins) == 0:
        return np.zeros(0, np.uint16)
    if (ends - begins).max() > 5:
        raise ValueError("a number of more than five digits")
    values = np.zeros(len(begins), np.uint32)
    for place in range(5):  # from the last digit to the first
        has = ends - begins > place
        values[has] += (text[ends[has] - 1 - place] - np.uint32(ord("0"))) * np.uint32(10**place)
    if values.max() > 65535:
        raise ValueError("a sample beyond 65535")
    return values.astype(np.uint16)
