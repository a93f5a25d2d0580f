"""Opens one picture of any format: its header read, its size checked, as little as possible decoded.

The reader classes are used themselves rather than PIL.Image.open: that looks at the process-wide pixel limit
(many people share this process, so it may not be changed) and would try forty more formats. For the same
reason no format is registered with Pillow.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import cv2
import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from a2core.languages import sentence
from a2core.media import depth, jpeg, netpbm, tiff
from a2core.media.upload_limits import check_size

_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "JPEG 2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
    "TGA": TgaImagePlugin.TgaImageFile,
}
_HDR_CURVES = (16, 18)  # PQ and HLG, among the transfer characteristics of H.273
# What Pillow says of a TIFF whose samples it has no mode for.
_NO_MODE = (
    "unknown pixel mode",
    "unknown data organization",
    "samples per pixel",
    "string index out of range",
)
_LOOKED_AT = 1 << 16  # of a file, for a box of its header


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A picture before it is decoded, with what Pillow does not tell of it."""

    picture: Image.Image
    bits: int = 8
    """Of a sample as stored."""
    white: int = 0
    """The brightest sample, where the file states one."""
    opaque: bool = False
    """Whether what Pillow takes for alpha is none."""
    deep: Callable[[], np.ndarray | None] | None = None
    """(H, W, C) of the samples at their own depth, red first, where Pillow decodes fewer bits."""
    orientation: int = 0
    """As in EXIF, where the decoder neither obeys nor tells it; else 0."""
    profile: bytes | None = None
    """Colour profile, where it is not in the picture's info."""
    levels: int = 0
    """How often the picture can be halved while it is decoded, of JPEG 2000."""
    white_is_zero: bool = False
    wide: bool = False
    """Whether integers of 32 bits have no sign, which Pillow takes them to have."""


def open_picture(file: BinaryIO, format_name: str, who: str, notes: list[str]) -> Opened:
    """Open a picture whose file is at its start.

    Args:
        file: The file.
        format_name: As recognise.py names it.
        who: What to call the file in messages.
        notes: What is worth saying is added.

    Raises:
        MediaError: It is larger than the limits allow, or a raw camera file.
        Exception: Anything that the readers raise over hostile bytes.
    """
    opener = {
        "TIFF": _tiff,
        "Netpbm": _netpbm,
        "ICO": _icon,
        "HEIC": _heic,
        "AVIF": _avif,
        "JPEG 2000": _jpeg2000,
        "TGA": _tga,
        "PNG": _png,
        "WebP": _webp,
    }.get(format_name)
    if opener is not None:
        return opener(file, who, notes)
    picture = _READERS[format_name](file)
    check_size(who, *picture.size)
    if format_name == "JPEG":
        jpeg.check(file, who, picture)
    return Opened(picture=picture)


def _png(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    bits = file.read(25)[-1:]
    file.seek(0)
    picture = PngImagePlugin.PngImageFile(file)
    check_size(who, *picture.size)
    return Opened(picture=picture, bits=bits[0] if bits else 8, deep=lambda: _by_opencv(file))


def _by_opencv(file: BinaryIO) -> np.ndarray | None:
    """(H, W, C) of a picture at its own depth, red first; None where OpenCV cannot read it."""
    file.seek(0)
    samples = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.ndim == 2:
        return samples
    return cv2.cvtColor(samples, cv2.COLOR_BGR2RGB if samples.shape[2] == 3 else cv2.COLOR_BGRA2RGBA, samples)


def _webp(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    """An animation by Pillow; a still by OpenCV, since Pillow makes four copies of it on the way."""
    picture = WebPImagePlugin.WebPImageFile(file)
    check_size(who, *picture.size)
    if picture.is_animated:
        return Opened(picture=picture)
    profile, orientation = picture.info.get("icc_profile"), exif_orientation(picture)
    samples = _by_opencv(file)
    if samples is None:
        raise EOFError("truncated or damaged")
    return Opened(picture=Image.fromarray(samples), orientation=orientation, profile=profile)


def _tiff(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    found = tiff.page(file, who, notes)
    picture: Image.Image | None = None
    if not found.layered:
        try:
            picture = TiffImagePlugin.TiffImageFile(found.file)
        except Exception as error:
            if not any(reason in str(error) for reason in _NO_MODE):
                raise
    if picture is None:
        shown = tiff.decode_unusual(found, who, notes)
        return Opened(picture=Image.fromarray(shown), orientation=found.orientation)
    return Opened(
        picture=picture,
        bits=found.bits,
        white=found.white,
        opaque=picture.mode == "RGBA" and not found.alpha,
        deep=lambda: tiff.deep_samples(found),
        white_is_zero=found.photometric == 0,
        wide=found.bits == 32 and not found.signed,
    )


def _netpbm(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    samples = netpbm.read(file, who)
    values = samples.values
    if values.dtype == np.float32:
        values = depth.from_any(values, notes)
    elif values.dtype == np.uint16:
        values = depth.from_integers(values, samples.white, notes, colours=netpbm.colours(values))
    return Opened(picture=Image.fromarray(np.ascontiguousarray(values)))


def _icon(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    """The largest picture of an icon, and of equally large ones that with the most colours."""
    icons = IcoImagePlugin.IcoFile(file)
    # The directory's sizes are bytes that may lie: each picture has a header of its own.
    sizes = [_icon_size(file, entry.offset) for entry in icons.entry]
    best = max(
        range(len(sizes)), key=lambda index: (sizes[index][0] * sizes[index][1], icons.entry[index].bpp)
    )
    check_size(who, *sizes[best])
    if len(sizes) > 1:
        notes.append(sentence("This icon holds {count} pictures: the largest is shown.", count=len(sizes)))
    return Opened(picture=icons.frame(best))


def _icon_size(file: BinaryIO, at: int) -> tuple[int, int]:
    file.seek(at)
    head = file.read(24)
    if head.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    width, height = struct.unpack("<ii", head[4:12])
    return abs(width), abs(height) // 2  # colours above, their mask below


def _heic(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    """HEIC, whose decoder turns the picture upright by itself and drops the orientation in its EXIF.

    It decodes no picture that is larger than the size in the header.
    """
    from pillow_heif.as_plugin import HeifImageFile  # here, since few pictures need it

    picture = HeifImageFile(file)
    check_size(who, *picture.size)
    if picture.n_frames > 1:
        notes.append(
            sentence("This file holds {count} pictures: its main one is shown.", count=picture.n_frames)
        )
    _note_hdr(file, notes)
    return Opened(picture=picture, bits=picture.info.get("bit_depth") or 8)


def _avif(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    picture = AvifImagePlugin.AvifImageFile(file)
    check_size(who, *picture.size)
    _note_hdr(file, notes)
    file.seek(0)
    begin = file.read(_LOOKED_AT)
    at = begin.find(b"av1C")
    flags = begin[at + 6] if 0 <= at < len(begin) - 6 else 0
    return Opened(picture=picture, bits=(12 if flags & 0x20 else 10) if flags & 0x40 else 8)


def _note_hdr(file: BinaryIO, notes: list[str]) -> None:
    """A note where the colours are those of high dynamic range, which are shown as if they were not."""
    file.seek(0)
    begin = file.read(_LOOKED_AT)
    at = begin.find(b"nclx")
    if at >= 0 and int.from_bytes(begin[at + 6 : at + 8], "big") in _HDR_CURVES:
        notes.append("Its colours are of high dynamic range (HDR) and look pale here.")


def _jpeg2000(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    begin = file.read(_LOOKED_AT)
    file.seek(0)
    # Container and code stream both state a size; what is decoded is that of the stream.
    at = begin.index(b"\xff\x4f\xff\x51")
    right, bottom, left, top = struct.unpack_from(">IIII", begin, at + 8)
    check_size(who, right - left, bottom - top)
    (components,) = struct.unpack_from(">H", begin, at + 40)
    if components > 4:
        raise ValueError(f"a JPEG 2000 of {components} components")
    bits = (begin[at + 42] & 0x7F) + 1
    style = begin.find(b"\xff\x52", at)
    levels = begin[style + 9] if 0 <= style < len(begin) - 9 else 0
    picture = Jpeg2KImagePlugin.Jpeg2KImageFile(file)
    check_size(who, *picture.size)
    return Opened(picture=picture, bits=bits, deep=lambda: _by_opencv(file), levels=levels)


def _tga(file: BinaryIO, who: str, notes: list[str]) -> Opened:
    head = file.read(18)
    file.seek(0)
    picture = TgaImagePlugin.TgaImageFile(file)
    check_size(who, *picture.size)
    if not picture.tile:
        raise ValueError("samples that Pillow does not know")
    # The header says how many bits of a sample are alpha; with none, the fourth byte means nothing.
    return Opened(picture=picture, opaque=picture.mode == "RGBA" and not head[17] & 0x0F)


def exif_orientation(picture: Image.Image) -> int:
    """EXIF's orientation; Pillow's TIFF reader obeys it itself and drops the tag."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - broken EXIF is common and costs no more than the orientation
        return 1
    return orientation if isinstance(orientation, int) else 1
