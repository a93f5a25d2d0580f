"""Finds the page of a TIFF that is the picture, and decodes the samples that Pillow has no mode for.

A TIFF may begin with a reduced copy of what it holds, and raw camera files (DNG, NEF, CR2, ARW, PEF) are
TIFFs that do. Its bands may be more than colours: near infrared in aerial photos, channels of a microscope.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np
from PIL import TiffImagePlugin

from a2core.errors import MediaError
from a2core.languages import sentence
from a2core.media import depth
from a2core.media.upload_limits import MAX_SAMPLE_BYTES, check_size

_MOST_PAGES = 256  # that are looked at
_MOST_VALUES = 64  # of a tag
_SUBFILE, _OLD_SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
_MAKE, _ORIENTATION, _BANDS, _PLANAR, _TILE_WIDTH, _TILE_LENGTH = 271, 274, 277, 284, 322, 323
_WHITE, _SUB_DIRECTORIES, _EXTRA, _FORMAT = 281, 330, 338, 339
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # by their type in the file
# Photometric interpretations of pages that have still to be developed: a colour filter array, linear samples.
_SENSOR = (32803, 34892)
_ASSOCIATED, _UNASSOCIATED, _COREL = 1, 2, 999  # kinds of alpha; 0 is "unspecified"


class Page(NamedTuple):
    """The page of a TIFF that is the picture."""

    file: BinaryIO
    """A TIFF whose first page it is."""
    size: tuple[int, int]
    """Width and height as stored, before it is turned upright."""
    bits: int
    """Of the deepest sample."""
    bands: int
    photometric: int
    alpha: int
    """0, or 1 and 2 where the first band after the colours is associated and unassociated alpha."""
    orientation: int
    white: int
    """The brightest sample, as the file states it; 0 where it does not."""
    layered: bool
    """Whether its bands are stored one after the other, uncompressed."""
    signed: bool

    @property
    def colours(self) -> int:
        """How many bands are shown as colours."""
        if self.photometric == 5:
            return 4
        if self.photometric == 3 or self.bands - bool(self.alpha) < 3:
            return 1
        return 3  # also where several bands claim to be grey, as geographic programs write them


def page(file: BinaryIO, who: str, notes: list[str]) -> Page:
    """The page to show: the first or, where that is a reduced copy, the largest that is none.

    Raises:
        MediaError: It is a raw camera file, whose picture has still to be developed, or it is too large.
    """
    pages = _pages(file)
    if not pages:
        raise ValueError("a TIFF without a page")
    at, tags = pages[0]
    full = [(full_at, full_tags) for full_at, full_tags in pages if not _reduced(full_tags)]
    file.seek(8)
    raw = file.read(2) == b"CR" or any(_first(tags, _PHOTOMETRIC) in _SENSOR for _, tags in pages)
    if _reduced(tags):
        if full:
            at, tags = max(full, key=lambda page: _first(page[1], _WIDTH) * _first(page[1], _LENGTH))
            raw = raw or _first(tags, _COMPRESSION, 1) not in TiffImagePlugin.COMPRESSION_INFO
            notes.append("This TIFF begins with a reduced copy: its full picture is shown.")
        else:
            raw = raw or _MAKE in tags
            notes.append("This TIFF says that it is a reduced copy of another picture.")
    elif len(full) > 1:
        notes.append("This is a TIFF of several pages: the first is shown.")
    if raw:
        raise MediaError("{who} is a raw camera file: develop it and save it as JPEG.", who=who)
    found = _page(file if at == pages[0][0] else _beginning_at(file, at), tags)
    check_size(who, *found.size)
    # Tiles may be larger than the picture: each is decoded whole.
    check_size(who, max(1, _first(tags, _TILE_WIDTH, 1)), max(1, _first(tags, _TILE_LENGTH, 1)))
    if found.bands > found.colours + bool(found.alpha):
        notes.append(_bands_note(found))
    found.file.seek(0)
    return found


def _page(file: BinaryIO, tags: dict[int, tuple[int, ...]]) -> Page:
    if any(tags.get(tag) == () for tag in (_WIDTH, _LENGTH, _BITS, _BANDS, _EXTRA, _FORMAT)):
        raise EOFError("truncated: what its samples are lies beyond its end")
    bits = max(tags.get(_BITS, (1,)), default=1)
    photometric = _first(tags, _PHOTOMETRIC)
    alpha = {_ASSOCIATED: 1, _UNASSOCIATED: 2, _COREL: 2}.get(_first(tags, _EXTRA), 0)
    return Page(
        file,
        (_first(tags, _WIDTH), _first(tags, _LENGTH)),
        bits,
        max(1, _first(tags, _BANDS, 1)),
        photometric,
        alpha,
        _first(tags, _ORIENTATION, 1),
        _first(tags, _WHITE),
        _first(tags, _PLANAR, 1) == 2 and _first(tags, _COMPRESSION, 1) == 1 and _first(tags, _BANDS, 1) > 1,
        _first(tags, _FORMAT, 1) != 1,
    )


def _bands_note(found: Page) -> str:
    if found.colours == 1:
        return sentence("Of {bands} bands the first band is shown; further bands are not.", bands=found.bands)
    return sentence(
        "Of {bands} bands the first {colours} bands are shown; further bands are not.",
        bands=found.bands,
        colours=found.colours,
    )


def decode_unusual(found: Page, who: str, notes: list[str]) -> np.ndarray:
    """(H, W) or (H, W, 3 or 4) uint8, as stored (not turned), of samples that Pillow has no mode for.

    Floating colours, five bands of 16 bits, bands one after the other: by tifffile, and what is compressed in
    ways that it leaves to others, by OpenCV.

    Raises:
        MediaError: All bands together would take more memory than the limits allow.
        ValueError: It cannot be decoded.
    """
    width, height = found.size
    if width * height * found.bands * max(1, found.bits // 8) > MAX_SAMPLE_BYTES:
        raise MediaError(
            "{who} has {bands} bands of {bits} bits and {millions:,.0f} million pixels, more than {most} "
            "MB of samples. Save it smaller, or with 8 bits.",
            who=who,
            bands=found.bands,
            bits=found.bits,
            millions=width * height / 1e6,
            most=MAX_SAMPLE_BYTES // 10**6,
        )
    samples = deep_samples(found)
    colours = samples if samples.ndim == 2 else samples[..., : found.colours]
    alpha = None
    if found.alpha and samples.ndim == 3 and samples.shape[2] > found.colours:
        alpha = samples[..., found.colours]
    shown = _eight_bits(np.ascontiguousarray(colours), notes)
    if found.photometric == 0:  # white is zero
        shown = 255 - shown
    if alpha is None:
        return shown[..., 0] if shown.ndim == 3 and shown.shape[2] == 1 else shown
    rgb = np.broadcast_to(np.atleast_3d(shown), (height, width, 3))
    return np.dstack([rgb, _eight_bits(np.ascontiguousarray(alpha), [])])


def _eight_bits(values: np.ndarray, notes: list[str]) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return depth.from_integers(values, 65535, notes)
    return depth.from_any(values, notes)


def deep_samples(found: Page) -> np.ndarray:
    """(H, W) or (H, W, C) of the page at its own depth, colours in the order of the file.

    Raises:
        ValueError: Neither reader can.
    """
    import tifffile  # here, since few files need it

    found.file.seek(0)
    try:
        with tifffile.TiffFile(found.file) as opened:
            first = opened.pages.first
            samples = first.asarray(maxworkers=1) if first.nbytes <= MAX_SAMPLE_BYTES else None
            if samples is not None and first.planarconfig == 2 and samples.ndim == 3:
                samples = samples.transpose(1, 2, 0)
    except Exception:  # noqa: BLE001 - hostile bytes; the other reader has the last word
        samples = None
    if samples is None or samples.shape[:2] != found.size[::-1] or samples.ndim > 3:
        found.file.seek(0)
        samples = cv2.imdecode(np.frombuffer(found.file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
        if samples is None:
            raise ValueError("neither tifffile nor OpenCV knows these samples")
        if samples.ndim == 3:
            samples = samples[..., [2, 1, 0, 3][: samples.shape[2]]]
    return samples


def _pages(file: BinaryIO) -> list[tuple[int, dict[int, tuple[int, ...]]]]:
    """(offset, tags) of every page, those inside pages too, in the file's order; damaged ones left out."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    waiting = [struct.unpack(order + "Q", head[8:16])[0] if big else struct.unpack(order + "I", head[4:8])[0]]
    found: dict[int, dict[int, tuple[int, ...]]] = {}
    while waiting and len(found) < _MOST_PAGES:
        at = waiting.pop(0)
        if at == 0 or at in found:
            continue
        try:
            tags, following = _directory(file, at, order, big=big)
        except (struct.error, OverflowError, OSError):
            continue
        found[at] = tags
        waiting += [following, *tags.get(_SUB_DIRECTORIES, ())]
    return list(found.items())


def _directory(file: BinaryIO, at: int, order: str, *, big: bool) -> tuple[dict[int, tuple[int, ...]], int]:
    """The tags of one page with their whole numbers, if they have any, and the next page's offset."""
    entry, offset, inline = ("HHQ8s", "Q", 8) if big else ("HHI4s", "I", 4)
    file.seek(at)
    count_bytes = 8 if big else 2
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(count_bytes))
    if count > 4096:
        raise struct.error("too many tags")
    size = struct.calcsize(order + entry)
    entries = file.read(count * size)
    following_bytes = file.read(inline)
    following = struct.unpack(order + offset, following_bytes)[0] if len(following_bytes) == inline else 0
    tags: dict[int, tuple[int, ...]] = {}
    for start in range(0, len(entries) - size + 1, size):
        tag, kind, many, data = struct.unpack_from(order + entry, entries, start)
        letter = _NUMBERS.get(kind)
        tags[tag] = ()
        if letter is None or many < 1:
            continue
        many = min(many, _MOST_VALUES)
        length = struct.calcsize(order + letter * many)
        if length > inline:
            file.seek(struct.unpack(order + offset, data)[0])
            data = file.read(length)
        if len(data) >= length:
            tags[tag] = struct.unpack(order + letter * many, data[:length])
    return tags, following


def _first(tags: dict[int, tuple[int, ...]], tag: int, otherwise: int = 0) -> int:
    return tags[tag][0] if tags.get(tag) else otherwise


def _reduced(tags: dict[int, tuple[int, ...]]) -> bool:
    return bool(_first(tags, _SUBFILE) & 1) or _first(tags, _OLD_SUBFILE) == 2


def _beginning_at(file: BinaryIO, at: int) -> BinaryIO:
    """A copy of a TIFF that begins with the page at this offset: readers find inner pages in no other way."""
    file.seek(0)
    data = bytearray(file.read())
    order = "<" if data.startswith(b"II") else ">"
    if 43 in data[2:4]:
        data[8:16] = struct.pack(order + "Q", at)
    else:
        data[4:8] = struct.pack(order + "I", at)
    return io.BytesIO(data)
