"""Decodes pictures: any kind of samples in, upright 8-bit sRGB out.

Uploads are hostile until decoded: the readers meet arbitrary bytes and may raise nearly anything, so
whatever they raise becomes a MediaError that names the file's own fault.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO, Literal

import numpy as np
from PIL import AvifImagePlugin, Image, Jpeg2KImagePlugin, JpegImagePlugin

from a2core.errors import MediaError
from a2core.languages import sentence
from a2core.media import colour
from a2core.media.animation import read_animation
from a2core.media.decoded import Decoded, Progress
from a2core.media.eight_bits import in_eight_bits
from a2core.media.opened import Opened, exif_orientation, open_picture
from a2core.media.outline import outline
from a2core.media.upload_limits import (
    MAX_MOVING_PIXELS,
    cut_off,
    reduced_note,
    scaled_size,
    too_many_pixels,
)

_MOST_JPEG2000_PIXELS = 16 * 1000 * 1000
"""Decoded of a JPEG 2000: its decoder takes three seconds for so many, ten times what others take."""


def read(
    file: BinaryIO,
    format_name: str,
    who: str,
    *,
    max_frames: int,
    max_side_px: int | None,
    max_moving_side_px: int,
    start_s: float | None,
    end_s: float | None,
    progress: Progress | None,
) -> Decoded:
    """The frames of a picture file: one, or several where it is animated.

    Args:
        file: The file, at its start.
        format_name: As recognise.py names it.
        who: What to call the file in messages.
        max_frames: At most this many frames of an animation.
        max_side_px: Long side to scale down to; None leaves pictures whole.
        max_moving_side_px: Of the frames of animations.
        start_s: Where to begin in an animation.
        end_s: Where to end in an animation.
        progress: Called as in read_media, for animations.

    Raises:
        MediaError: It cannot be decoded, or is larger than the limits allow.
    """
    try:
        frames = outline(file, format_name, who)
        notes: list[str] = []
        moves = frames is not None and len(frames.durations_ms) > 1
        if frames is not None and moves and frames.size[0] * frames.size[1] > MAX_MOVING_PIXELS:
            notes.append(
                sentence(
                    "Its frames have more than {millions} million pixels each: only the first is shown.",
                    millions=MAX_MOVING_PIXELS // 10**6,
                )
            )
        elif frames is not None and moves:

            def opened() -> Opened:
                file.seek(0)
                return open_picture(file, format_name, who, [])

            def still(one: Opened, of_frame: list[str]) -> np.ndarray:
                return _read_still(one, max_moving_side_px, of_frame)

            return read_animation(
                opened, still, frames, who, max_frames, start_s=start_s, end_s=end_s, progress=progress
            )
        picture = _read_still(open_picture(file, format_name, who, notes), max_side_px, notes)
        return Decoded(picture[np.newaxis], np.zeros(1), False, notes)
    except MediaError:
        raise
    except Exception as error:  # the readers meet hostile bytes and may raise nearly anything
        raise _undecodable(file, format_name, who, error) from error


def _read_still(opened: Opened, max_side_px: int | None, notes: list[str]) -> np.ndarray:
    """(H, W, 3) uint8 sRGB, upright and at most ``max_side_px`` long."""
    picture = opened.picture
    full_size = picture.size
    target_size = scaled_size(*full_size, max_side_px)
    box = _draft(opened, target_size)
    picture.load()
    if isinstance(picture, AvifImagePlugin.AvifImageFile):
        picture.fp = None  # a copy of the frame
    if box is None:
        box = (0.0, 0.0, float(picture.size[0]), float(picture.size[1]))
        if picture.size[0] < target_size[0]:  # halved more often than it was asked for
            target_size = picture.size
    orientation = opened.orientation or exif_orientation(picture)
    profile = opened.profile or picture.info.get("icc_profile")
    samples = in_eight_bits(opened, notes)
    if target_size != full_size:
        if target_size != samples.picture.size:
            samples = samples.resized(target_size, box)
        notes.append(reduced_note(full_size, target_size, turned=orientation in _SWAPS_SIDES))
    pixels = colour.srgb_on_white(samples.picture, samples.plain, profile, notes)
    turn = _TURNS.get(orientation)
    return pixels if turn is None else turn(pixels)


def _draft(opened: Opened, target_size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """Have a picture decoded at a fraction of its size where its format can; the part of it that remains.

    None where the whole of what is decoded is the picture.
    """
    picture = opened.picture
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and target_size != picture.size:
        # libjpeg can decode at a half, quarter or eighth: take the smallest that is not below the target.
        drafted = picture.draft(None, target_size)
        return None if drafted is None else drafted[1]
    if isinstance(picture, Jpeg2KImagePlugin.Jpeg2KImageFile):
        width, height = picture.size
        halvings = 0
        while halvings < opened.levels and (
            width * height > _MOST_JPEG2000_PIXELS << 2 * halvings
            or (width >> halvings + 1 >= target_size[0] and height >> halvings + 1 >= target_size[1])
        ):
            halvings += 1
        picture.reduce = halvings
    return None


def _undecodable(file: BinaryIO, format_name: str, who: str, error: Exception) -> MediaError:
    """What to tell a person whose picture broke its decoder: cut off, too large, or damaged."""
    if isinstance(error, MemoryError):
        return MediaError("{who} is too large for the memory of this computer. Save it smaller.", who=who)
    if isinstance(error, Image.DecompressionBombError):
        return MediaError(too_many_pixels(who))
    if (
        isinstance(error, EOFError)
        or _ends_early(file, format_name)
        or any(word in str(error).lower() for word in ("truncated", "end of file"))
    ):
        return MediaError(cut_off(who, format_name))
    return MediaError(
        "{who} is damaged or of an unusual kind: its {format_name} data cannot be decoded. "
        "Open it in an image editor and save it again as PNG.",
        who=who,
        format_name=format_name,
    )


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
        case "TIFF":  # its directory lies beyond its end
            order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
            return size < int.from_bytes(head[4:8], order) + 2
        case "AVIF" | "HEIC" | "JPEG 2000":
            return _boxes_end_early(file, size)
        case _:
            return False


def _boxes_end_early(file: BinaryIO, size: int) -> bool:
    """Whether the outermost boxes of a file reach beyond its end."""
    at = 0
    for _ in range(100):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8 or header.startswith(b"\xff\x4f"):  # a bare code stream has no boxes
            return len(header) > 0
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:
            return False
        at += length
        if at >= size:
            break
    return at > size


# How to set a picture upright, by its EXIF orientation.
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
    7: lambda pixels: pixels.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}
_SWAPS_SIDES = (5, 6, 7, 8)
