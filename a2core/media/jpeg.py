"""What makes a JPEG a fault or a trap although its decoder would not say so."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

from PIL import Image

from a2core.errors import MediaError
from a2core.media.upload_limits import MAX_JPEG_SCAN_PIXELS, MAX_JPEG_SCANS, cut_off


def check(file: BinaryIO, who: str, picture: Image.Image) -> None:
    """Hold an opened JPEG against what only its bytes tell; leaves the file where it was.

    Raises:
        MediaError: Its end is missing, or it would take very long to decode.
    """
    at = file.tell()
    # A copy that broke off may have its full length, the rest being zeros. JPEG decoders draw those grey.
    if ends_in_zeros_only(file):
        raise MediaError(cut_off(who, "JPEG"))
    if picture.info.get("progressive"):
        pixels = picture.size[0] * picture.size[1]
        _check_scans(file, who, min(MAX_JPEG_SCANS, max(20, MAX_JPEG_SCAN_PIXELS // pixels)))
    file.seek(at)


def _check_scans(file: BinaryIO, who: str, most: int) -> None:
    """MediaError for a progressive JPEG with so many scans that it was made to waste time."""
    file.seek(0)
    data = file.read()
    at, scans = 2, 0
    # A marker is FF and anything but a stuffed 00, a restart marker or more padding.
    marker = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
    while (found := marker.search(data, at)) is not None:
        kind = data[found.start() + 1]
        if kind == 0xD9:  # end of this picture; what follows (previews, films) is not decoded
            break
        scans += kind == 0xDA
        if scans > most:
            raise MediaError(
                "{who} is a JPEG of more than {most} scans, which would take very long to decode. "
                "Save it again in an image editor.",
                who=who,
                most=most,
            )
        segment = int.from_bytes(data[found.end() : found.end() + 2], "big")
        at = found.end() + max(segment, 2)


def ends_in_zeros_only(file: BinaryIO) -> bool:
    """Whether a JPEG ends in a long run of zeros that no end-of-image marker comes before."""
    size = end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - 65536)
        file.seek(begin)
        block = file.read(end - begin).rstrip(b"\0")
        end = begin + len(block)
        if block:
            break
    file.seek(max(0, end - 2))
    last = file.read(2)
    return size - end >= 512 and last != b"\xff\xd9"
