"""Turns a path or some bytes into a Clip: upright RGB frames with times, or a MediaError saying why not.

Every limit and check on what people upload lives here, so nothing behind this module needs to doubt
its pictures. A file is judged by its content, never by its suffix, and refused from its header where
that is possible, before anything is decoded. This module knows nothing of networks: it neither
crops nor normalises, and it scales only when asked to (``max_side_px``).
"""

from __future__ import annotations

import io
import operator
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import cv2
import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from a2core.errors import MediaError

__all__ = ["Clip", "read_media"]

MAX_PICTURE_BYTES = 200 * 1000 * 1000
MAX_PICTURE_PIXELS = 64 * 1000 * 1000
MAX_ASPECT = 16
MAX_FRAMES = 64
# Ordinary progressive JPEGs have about ten scans. Each scan costs a pass over the whole picture and may
# take a few bytes only, so thousands of them are a small file that keeps the decoder busy for an hour.
MAX_JPEG_SCANS = 200

_HEAD_BYTES = 4096


@dataclass(frozen=True, eq=False)  # eq=False: arrays have no single truth value to compare by
class Clip:
    """A picture or a few frames of a video, as everything behind this module sees it.

    Invariants: ``frames`` and ``times_s`` are C-contiguous, read-only and of equal length T ≥ 1;
    ``times_s`` rises strictly; a picture has T = 1 and the time 0.
    """

    frames: np.ndarray
    """(T, H, W, 3) uint8 RGB, upright."""
    times_s: np.ndarray
    """(T,) float64, seconds from the start of the clip."""
    kind: Literal["image", "video"]
    name: str
    """File name, or "" when unknown."""
    notes: tuple[str, ...]
    """What a person should know of how the frames were made, one sentence each."""


def read_media(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str = "",
    max_frames: int = 16,
    max_side_px: int | None = None,
) -> Clip:
    """Read a picture (PNG, JPEG, WebP, BMP, TIFF, GIF) as upright 8-bit sRGB.

    Transparent parts are filled with white: the backdrop such pictures are nearly always drawn for,
    and black would swallow dark drawings. Deeper samples are scaled to 8 bits, embedded colour
    profiles are converted to sRGB, and EXIF orientation is applied.

    Args:
        source: A path, or the content of a file.
        name: What to call the file in messages and in ``Clip.name``; a path supplies its own file name.
        max_frames: At most this many frames of a video, 1 to 64; a picture has one.
        max_side_px: Scale down so that the long side has exactly this many pixels, where it has more;
            the shape is kept. Saves most of the time that a large JPEG takes.

    Raises:
        MediaError: The file cannot be read, is no picture, is damaged or cut off, or breaks a limit:
            200 MB, 64 megapixels, sides of 16 : 1. The message says which, and what to do.
    """
    max_frames = operator.index(max_frames)
    if not 1 <= max_frames <= MAX_FRAMES:
        raise MediaError(f"{max_frames} frames were asked for: ask for 1 to {MAX_FRAMES}.")
    if max_side_px is not None and operator.index(max_side_px) < 1:
        raise MediaError(f"A long side of {max_side_px} pixels was asked for: ask for at least 1.")

    if not name and not isinstance(source, bytes | bytearray | memoryview):
        name = Path(source).name
    who = _called(name)
    with _opened(source, who) as (file, size_bytes):
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        if not head:
            raise MediaError(
                f"{who} is empty (0 bytes), so its upload or download failed. Copy or download it again."
            )
        format_name = _picture_format(head)
        if format_name is None:
            raise MediaError(
                f"{who} {_what_it_is_instead(head)} Choose a PNG, JPEG, WebP, BMP, TIFF or GIF picture."
            )
        if size_bytes > MAX_PICTURE_BYTES:
            raise MediaError(
                f"{who} has {size_bytes / 1e6:,.0f} MB, and pictures may have at most "
                f"{MAX_PICTURE_BYTES // 10**6} MB. Save it smaller, or as JPEG."
            )
        frame, notes = _read_picture(file, format_name, who, max_side_px)
    return Clip(_frozen(frame[np.newaxis]), _frozen(np.zeros(1)), "image", name, tuple(notes))


# ---------------------------------------------------------------------------------------------------
# Opening, and telling what a file is
# ---------------------------------------------------------------------------------------------------


def _called(name: str) -> str:
    """The file's name as messages begin with it: without control characters, and not endlessly long."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    if len(shown) > 80:
        shown = f"{shown[:50]}…{shown[-25:]}"
    return f"“{shown}”" if shown else "This file"


@contextmanager
def _opened(source: str | os.PathLike[str] | bytes, who: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file, at its start, with its size in bytes; MediaError where it cannot be opened."""
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        yield io.BytesIO(content), len(content)
        return
    path = Path(source)
    try:
        # Asked before opening, since opening a named pipe or a device may never return.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise MediaError(f"{who} is a folder. Choose a picture or clip inside it.")
        if not stat.S_ISREG(mode):
            raise MediaError(f"{who} is a device or pipe, not a file. Save its content as a file first.")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise MediaError(
            f"{who} was not found: nothing is at {_shown_path(path)}. Check the path."
        ) from error
    except PermissionError as error:
        raise MediaError(f"{who} may not be read by you. Change its permissions, or copy it.") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{who} cannot be opened ({reason}). Check the path and the disk.") from error
    with file:
        yield file, os.fstat(file.fileno()).st_size


def _frozen(array: np.ndarray) -> np.ndarray:
    """The array C-contiguous and write-protected."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _shown_path(path: Path) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in str(path))
    return shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-99:]}"


_PICTURE_READERS: dict[str, type[ImageFile.ImageFile]] = {
    # The reader classes themselves rather than PIL.Image.open: that looks at the process-wide pixel
    # limit (thirty people share this process, so it may not be changed) and would try forty more formats.
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}


def _picture_format(head: bytes) -> str | None:
    """The key in _PICTURE_READERS for a file that begins like this, or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    # "BM" alone also begins plain text, so the size of the header that follows is looked at too.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    return None


_OTHER_FILES: tuple[tuple[int, bytes, str], ...] = (
    # (offset, magic bytes, what such a file is)
    (0, b"%PDF", "is a PDF document: export the page as a picture."),
    (0, b"PK\x03\x04", "is a ZIP archive or an office document: unpack it, or export the picture from it."),
    (0, b"Rar!", "is a RAR archive: unpack it first."),
    (0, b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive: unpack it first."),
    (0, b"\x1f\x8b", "is a gzip archive: unpack it first."),
    (0, b"8BPS", "is a Photoshop document: export it as PNG or JPEG."),
    (0, b"%!PS", "is a PostScript drawing: export it as PNG."),
    (0, b"\x00\x00\x01\x00", "is a Windows icon: save it as PNG."),
    (0, b"icns", "is a macOS icon: save it as PNG."),
    (0, b"\x00\x00\x00\x0cJXL ", "is a JPEG XL picture, which is not read here: save it as PNG or JPEG."),
    (0, b"\xff\x0a", "is a JPEG XL picture, which is not read here: save it as PNG or JPEG."),
    (
        0,
        b"\x00\x00\x00\x0cjP  ",
        "is a JPEG 2000 picture, which is not read here: save it as PNG or JPEG.",
    ),
    (0, b"\xff\x4f\xff\x51", "is a JPEG 2000 picture, which is not read here: save it as PNG or JPEG."),
    (0, b"\x76\x2f\x31\x01", "is an OpenEXR picture, which is not read here: save it as PNG or JPEG."),
    (0, b"FUJIFILMCCD-RAW", "is a raw camera file: develop it and save it as JPEG."),
    (128, b"DICM", "is a DICOM medical image: export it as PNG."),
    (0, b"\x93NUMPY", "is a NumPy array: save it as a PNG picture."),
    (0, b"\x89HDF", "is an HDF5 data file: save its picture as PNG."),
    (0, b"\x80\x04\x95", "is a Python pickle, which is never opened here: save its picture as PNG."),
    (0, b"MZ", "is a Windows program."),
    (0, b"\x7fELF", "is a program."),
    (0, b"ID3", "holds sound only, no picture."),
    (0, b"fLaC", "holds sound only, no picture."),
    (8, b"WAVE", "holds sound only, no picture."),
    (0, b"\x1a\x45\xdf\xa3", "is a WebM or MKV video, and videos cannot be read yet."),
    (8, b"AVI ", "is an AVI video, and videos cannot be read yet."),
)

_FTYP_BRANDS: dict[bytes, str] = {
    **dict.fromkeys(
        (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"),
        "is a HEIC picture (as iPhones take them), which is not read here: save it as JPEG.",
    ),
    **dict.fromkeys(
        (b"avif", b"avis"), "is an AVIF picture, which is not read here: save it as PNG or JPEG."
    ),
    b"crx ": "is a raw camera file: develop it and save it as JPEG.",
    **dict.fromkeys((b"M4A ", b"M4B "), "holds sound only, no picture."),
}


def _what_it_is_instead(head: bytes) -> str:
    """The predicate for a file that is no picture: what it looks like and, where one exists, the way out."""
    if head[4:8] == b"ftyp":
        return _FTYP_BRANDS.get(head[8:12], "is an MP4 or MOV video, and videos cannot be read yet.")
    for offset, magic, answer in _OTHER_FILES:
        if head[offset : offset + len(magic)] == magic:
            return answer
    if not head.strip(b"\0"):
        return "holds nothing but zeros: its copy or download failed."
    text = _as_text(head)
    if text is not None:
        begin = text.lstrip("\ufeff \t\r\n").lower()
        if "<svg" in begin:
            return "is an SVG drawing: export it as PNG."
        if begin.startswith(("<!doctype html", "<html")):
            return "is a web page (HTML), not the picture on it: open the page and save the picture itself."
        return "is a text file."
    return "is not a picture that can be read here."


def _as_text(head: bytes) -> str | None:
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = head.decode(encoding, errors="strict")
    except UnicodeDecodeError as error:
        if len(head) < _HEAD_BYTES or error.start < len(head) - 4:  # not merely a letter cut in two
            return None
        text = head[: error.start].decode(encoding, errors="ignore")
    return text if all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text) else None


# ---------------------------------------------------------------------------------------------------
# Pictures
# ---------------------------------------------------------------------------------------------------


def _read_picture(
    file: BinaryIO, format_name: str, who: str, max_side_px: int | None
) -> tuple[np.ndarray, list[str]]:
    """(H, W, 3) uint8 sRGB, upright and at most ``max_side_px`` long, with notes."""
    notes: list[str] = []
    head = file.read(32)
    file.seek(0)
    picture = _open_picture(file, format_name, who, notes)
    check_size(who, *picture.size)
    if format_name == "JPEG":
        # A copy that broke off may have its full length, the rest being zeros. JPEG decoders draw those grey.
        if _ends_in_zeros_only(file):
            raise MediaError(_cut_off(who, format_name))
        if picture.info.get("progressive"):
            _check_scans(file, who)

    full_size = picture.size
    target_size = scaled_size(*full_size, max_side_px)
    box = (0.0, 0.0, float(full_size[0]), float(full_size[1]))
    try:
        if isinstance(picture, JpegImagePlugin.JpegImageFile) and target_size != full_size:
            # libjpeg can decode at a half, quarter or eighth: take the smallest that is not below the target.
            drafted = picture.draft(None, target_size)
            if drafted is not None:
                box = drafted[1]
        if getattr(picture, "is_animated", False):  # before loading: a GIF looks for its second frame now
            kind = "a TIFF of several pages" if format_name == "TIFF" else f"an animated {format_name}"
            notes.append(f"This is {kind}: the first is shown.")
        picture.load()
        turn = _exif_turn(picture)
        profile = picture.info.get("icc_profile")
        eight_bit = _to_eight_bits(picture, head, notes)
    except MediaError:
        raise
    except Exception as error:  # the readers meet hostile bytes and may raise nearly anything
        raise _undecodable(file, format_name, who, error) from error

    if target_size != full_size:
        eight_bit = eight_bit.resize(target_size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
        shown = target_size if turn not in _SWAPS_SIDES else target_size[::-1]
        was = full_size if turn not in _SWAPS_SIDES else full_size[::-1]
        notes.append(f"Reduced from {was[0]} × {was[1]} to {shown[0]} × {shown[1]} pixels.")
    eight_bit = _to_srgb(eight_bit, profile)
    rgb = _on_white(eight_bit, notes)
    if turn is not None:
        rgb = rgb.transpose(turn)
    return np.asarray(rgb), notes


def _open_picture(file: BinaryIO, format_name: str, who: str, notes: list[str]) -> Image.Image:
    """The picture with its header read and, but for unusual TIFFs, nothing decoded."""
    try:
        return _PICTURE_READERS[format_name](file)
    except Image.DecompressionBombError as error:
        raise MediaError(_too_many_pixels(who)) from error
    except Exception as error:  # the readers meet hostile bytes and may raise nearly anything
        if "unknown pixel mode" not in str(error):
            raise _undecodable(file, format_name, who, error) from error
    try:
        return _decode_unusual_tiff(file, who, notes)
    except MediaError:
        raise
    except Exception as error:  # as above
        raise _undecodable(file, format_name, who, error) from error


def check_size(who: str, width: int, height: int) -> None:
    """MediaError when a picture of this many pixels is refused; called before it is decoded."""
    if width < 1 or height < 1:
        raise MediaError(f"{who} says it is {width} × {height} pixels, so it is damaged. Save it again.")
    if width * height > MAX_PICTURE_PIXELS:
        raise MediaError(_too_many_pixels(who, f"{width} × {height} = {width * height / 1e6:,.0f} million"))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise MediaError(
            f"{who} is {width} × {height} pixels, and a side may be at most {MAX_ASPECT} times the other. "
            "Crop it."
        )


def _too_many_pixels(who: str, many: str = "too many") -> str:
    return (
        f"{who} has {many} pixels, and at most {MAX_PICTURE_PIXELS // 10**6} million are decoded. "
        "Save it smaller."
    )


def scaled_size(width: int, height: int, max_side_px: int | None) -> tuple[int, int]:
    """(width, height) with the long side brought down to ``max_side_px`` and the shape kept."""
    long_side = max(width, height)
    if max_side_px is None or long_side <= max_side_px:
        return width, height
    return (
        max(1, round(width * max_side_px / long_side)),
        max(1, round(height * max_side_px / long_side)),
    )


def _check_scans(file: BinaryIO, who: str) -> None:
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
        if scans > MAX_JPEG_SCANS:
            raise MediaError(
                f"{who} is a JPEG of more than {MAX_JPEG_SCANS} scans, which would take very long to decode. "
                "Save it again in an image editor."
            )
        segment = int.from_bytes(data[found.end() : found.end() + 2], "big")
        at = found.end() + max(segment, 2)
    file.seek(0)


def _undecodable(file: BinaryIO, format_name: str, who: str, error: Exception) -> MediaError:
    """What to tell a person whose picture broke its decoder: cut off, too large, or damaged."""
    if isinstance(error, MemoryError):
        return MediaError(f"{who} is too large for the memory of this computer. Save it smaller.")
    if isinstance(error, Image.DecompressionBombError):
        return MediaError(_too_many_pixels(who))
    if _ends_early(file, format_name) or "truncated" in str(error).lower():
        return MediaError(_cut_off(who, format_name))
    return MediaError(
        f"{who} is damaged or of an unusual kind: its {format_name} data cannot be decoded. "
        "Open it in an image editor and save it again as PNG."
    )


def _cut_off(who: str, format_name: str) -> str:
    return (
        f"{who} is cut off: the {format_name} file ends before its picture does. Copy or download it again."
    )


def _ends_in_zeros_only(file: BinaryIO) -> bool:
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
    file.seek(0)
    return size - end >= 512 and last != b"\xff\xd9"


def _ends_early(file: BinaryIO, format_name: str) -> bool:
    """Whether the end that this format prescribes is missing. Only words a refusal; decides none."""
    if file.closed:
        return False
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 64))
    tail = file.read().rstrip(b"\0")
    file.seek(0)
    head = file.read(16)
    match format_name:
        case "PNG":
            return b"IEND" not in tail
        case "JPEG":
            return not tail.endswith(b"\xff\xd9")
        case "GIF":
            return not tail.endswith(b";")
        case "WebP":
            return size < int.from_bytes(head[4:8], "little") + 8
        case "BMP":
            return size < int.from_bytes(head[2:6], "little")
        case _:  # a TIFF whose directory lies beyond its end
            order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
            return size < int.from_bytes(head[4:8], order) + 2


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = {_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8]}


def _exif_turn(picture: Image.Image) -> Image.Transpose | None:
    """How to set the picture upright; Pillow's TIFF reader does so itself and drops the tag."""
    try:
        orientation = picture.getexif().get(_ORIENTATION)
        return _TURNS.get(orientation) if isinstance(orientation, int) else None
    except Exception:  # noqa: BLE001 - broken EXIF is common and costs no more than the orientation
        return None


def _to_eight_bits(picture: Image.Image, head: bytes, notes: list[str]) -> Image.Image:
    """The same picture in one of the modes L, RGB, RGBA, CMYK or LAB: 8 bits a sample, and no colour key."""
    tags = getattr(picture, "tag_v2", {})
    bits = head[24] if isinstance(picture, PngImagePlugin.PngImageFile) else _largest(tags.get(_BITS), 8)

    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        values = np.asarray(picture)
        if picture.mode.startswith("I;16"):
            # By 65535, not 65536, so that white stays white. A camera of 12 bits says so in the tags.
            white = _largest(tags.get(_MAX_SAMPLE_VALUE), 0) or 2**bits - 1
            grey = _rounded(values.astype(np.float32) * (255 / white))
            notes.append(f"{bits}-bit samples were reduced to 8 bits.")
        else:
            grey = _fitted(values, notes)
        if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:  # white is zero: Pillow leaves it so
            grey = 255 - grey
        return Image.fromarray(grey)

    if bits > 8:
        notes.append(f"{bits}-bit samples were reduced to 8 bits.")
        picture.info.pop("transparency", None)  # a colour key of 16 bits says nothing about 8-bit samples
    if picture.mode == "CMYK" and picture.format == "JPEG" and "adobe" not in picture.info:
        # Adobe writes CMYK JPEGs inverted and leaves its mark; Pillow inverts all, marked or not.
        return ImageChops.invert(picture)
    if picture.mode in ("L", "RGB", "RGBA", "CMYK", "LAB") and "transparency" not in picture.info:
        return picture
    if picture.has_transparency_data:
        return (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
    return picture.convert("L" if picture.mode == "1" else "RGB")


_BITS = TiffImagePlugin.BITSPERSAMPLE
_MAX_SAMPLE_VALUE = 281
_ORIENTATION = 274


def _largest(tag: object, otherwise: int) -> int:
    """The largest number in a TIFF tag that holds one or several, or ``otherwise`` where it holds none."""
    numbers = tag if isinstance(tag, tuple) else (tag,)
    return max((n for n in numbers if isinstance(n, int) and n > 0), default=otherwise)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def _fitted(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Signed, 32-bit or floating samples of any shape as uint8, by the range that they seem to be in.

    Floats in 0…1 and numbers in 0…255 mean what they mean everywhere; any other range has no agreed
    black and white, so the darkest sample becomes black and the brightest white.
    """
    finite = np.isfinite(values)
    if not finite.all():
        notes.append("Samples that are no finite number are shown black.")
        values = np.where(finite, values, values[finite].min() if finite.any() else 0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 and np.issubdtype(values.dtype, np.floating):
        notes.append("Samples from 0 to 1 were reduced to 8 bits.")
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    else:
        notes.append(f"Samples from {low:g} to {high:g} were stretched from black to white.")
    return _rounded((values.astype(np.float64) - low) / max(high - low, 1e-300) * 255)


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """L, RGB, RGBA, CMYK or LAB as L, RGB or RGBA in sRGB; a profile that is broken or unfit is ignored."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB") if alpha else picture
    if profile:
        try:
            converted = _through_profile(colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except Exception:  # noqa: BLE001 - hostile bytes, and a picture without its profile is still one
            converted = None
        colours = converted or colours
    if colours.mode == "LAB":
        colours = _through_profile(colours, ImageCms.createProfile("LAB")) or colours
    if alpha:
        colours = colours.convert("RGB")
        colours.putalpha(alpha)
    return colours.convert("RGB") if colours.mode == "CMYK" else colours


_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}


def _through_profile(
    picture: Image.Image, profile: ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile
) -> Image.Image | None:
    """The picture in sRGB, or None where the profile is for other colours or says no more than sRGB."""
    opened = profile if isinstance(profile, ImageCms.ImageCmsProfile) else ImageCms.ImageCmsProfile(profile)
    if opened.profile.xcolor_space != _PROFILE_SPACES[picture.mode]:
        return None
    transform = ImageCms.ImageCmsTransform(
        opened, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")), picture.mode, "RGB"
    )
    if picture.mode == "RGB":
        # Most profiles met are sRGB itself under many names: leave the samples exact, and save the time.
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
        there = np.asarray(transform.apply(Image.fromarray(cube)))
        if np.abs(there.astype(int) - cube).max() <= 2:
            return None
    return transform.apply(picture)


def _on_white(picture: Image.Image, notes: list[str]) -> Image.Image:
    """L, RGB or RGBA as RGB, laid on white where it is transparent."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    if picture.getchannel("A").getextrema()[0] == 255:
        return picture.convert("RGB")
    notes.append("Transparent parts were filled with white.")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _decode_unusual_tiff(file: BinaryIO, who: str, notes: list[str]) -> Image.Image:
    """A TIFF whose samples Pillow has no mode for (floating RGB, say), decoded by OpenCV instead.

    Its size is checked from the header first, as for every other picture.
    """
    file.seek(0)
    directory = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(directory.next)
    directory.load(file)
    check_size(who, directory[TiffImagePlugin.IMAGEWIDTH], directory[TiffImagePlugin.IMAGELENGTH])
    file.seek(0)
    samples = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise ValueError("neither Pillow nor OpenCV knows these samples")
    if samples.dtype == np.uint16:
        samples = _rounded(samples * np.float32(255 / 65535))
        notes.append("16-bit samples were reduced to 8 bits.")
    elif samples.dtype != np.uint8:
        samples = _fitted(samples, notes)
    if samples.ndim == 3:
        samples = np.ascontiguousarray(samples[..., [2, 1, 0, 3][: samples.shape[2]]])
    picture = Image.fromarray(samples)
    turn = _TURNS.get(_largest(directory.get(_ORIENTATION), 1))
    return picture if turn is None else picture.transpose(turn)
