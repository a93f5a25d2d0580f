"""Decodes pictures with Pillow: any kind of samples in, upright 8-bit sRGB out.

Uploads are hostile until decoded: the readers meet arbitrary bytes and may raise nearly anything, so
whatever they raise becomes a MediaError that names the file's own fault.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
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
from a2core.media.decoded import Decoded, Progress, stopped_early, stopped_note
from a2core.media.limits import (
    MAX_ANIMATION_PIXELS,
    MAX_JPEG_SCANS,
    MOVING_SIDE_PX,
    check_size,
    cut_off,
    reduced_note,
    scaled_size,
    too_many_pixels,
)
from a2core.media.timeline import pick

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


def read(
    file: BinaryIO,
    format_name: str,
    who: str,
    *,
    max_frames: int,
    max_side_px: int | None,
    start_s: float | None,
    end_s: float | None,
    progress: Progress | None,
) -> Decoded:
    """The frames of a picture file: one, or several where it is animated.

    Args:
        file: The file, at its start.
        format_name: One of PNG, JPEG, WebP, BMP, TIFF and GIF.
        who: What to call the file in messages.
        max_frames: At most this many frames of an animation.
        max_side_px: Long side to scale down to; None leaves pictures whole, animations at MOVING_SIDE_PX.
        start_s: Where to begin in an animation.
        end_s: Where to end in an animation.
        progress: Called as in read_media, for animations.

    Raises:
        MediaError: It cannot be decoded, or is larger than the limits allow.
    """
    notes: list[str] = []
    head = file.read(32)
    file.seek(0)
    picture = _open(file, format_name, who, notes)
    check_size(who, *picture.size)
    if format_name == "JPEG":
        # A copy that broke off may have its full length, the rest being zeros. JPEG decoders draw those grey.
        if _ends_in_zeros_only(file):
            raise MediaError(cut_off(who, format_name))
        if picture.info.get("progressive"):
            _check_scans(file, who)
    try:
        animated = bool(getattr(picture, "is_animated", False))

        def reopened() -> Image.Image:
            file.seek(0)
            return _open(file, format_name, who, notes)

        if animated and format_name != "TIFF":
            moving = MOVING_SIDE_PX if max_side_px is None else max_side_px
            return _read_animation(reopened, head, who, max_frames, moving, start_s, end_s, progress)
        if animated:
            notes.append("This is a TIFF of several pages: the first is shown.")
        return Decoded(_read_still(picture, head, max_side_px, notes)[np.newaxis], np.zeros(1), False, notes)
    except MediaError:
        raise
    except Exception as error:  # the readers meet hostile bytes and may raise nearly anything
        raise _undecodable(file, format_name, who, error) from error


def _read_still(picture: Image.Image, head: bytes, max_side_px: int | None, notes: list[str]) -> np.ndarray:
    """(H, W, 3) uint8 sRGB, upright and at most ``max_side_px`` long."""
    full_size = picture.size
    target_size = scaled_size(*full_size, max_side_px)
    box = (0.0, 0.0, float(full_size[0]), float(full_size[1]))
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and target_size != full_size:
        # libjpeg can decode at a half, quarter or eighth: take the smallest that is not below the target.
        drafted = picture.draft(None, target_size)
        if drafted is not None:
            box = drafted[1]
    picture.load()
    turn = _exif_turn(picture)
    eight_bit = _to_eight_bits(picture, head, notes)
    if target_size != full_size:
        eight_bit = eight_bit.resize(target_size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
        notes.append(reduced_note(full_size, target_size, turned=turn in _SWAPS_SIDES))
    rgb = _on_white(_to_srgb(eight_bit, picture.info.get("icc_profile")), notes)
    return np.asarray(rgb if turn is None else rgb.transpose(turn))


def _read_animation(
    reopened: Callable[[], Image.Image],
    head: bytes,
    who: str,
    max_frames: int,
    max_side_px: int,
    start_s: float | None,
    end_s: float | None,
    progress: Progress | None,
) -> Decoded:
    """Evenly picked frames of an animated GIF, WebP or PNG, each with the moment at which it appears.

    Two passes, since how long the frames last is known only when they have been decoded, and keeping
    them all could take any amount of memory. How often the animation repeats is ignored.
    """
    notes: list[str] = []
    begins = _frame_times(reopened(), notes, progress)
    if begins is None:
        raise stopped_early(who)
    chosen = pick(who, begins, max_frames, start_s, end_s)

    picture = reopened()
    size = picture.size
    first = _first_frame(picture)
    frames: list[np.ndarray] = []
    for index in chosen:
        of_frame: list[str] = []
        picture.seek(first + int(index))
        picture.load()
        # A GIF frame may reach beyond the picture; what is outside is not shown.
        frame = picture if picture.size == size else _cropped(picture, size)
        frames.append(_read_still(frame, head, max_side_px, of_frame))
        notes += [note for note in of_frame if note not in notes]
        if progress and progress(len(frames), len(chosen)) is False and len(frames) < len(chosen):
            notes.append(stopped_note(len(frames), len(chosen)))
            break
    return Decoded(np.stack(frames), begins[chosen[: len(frames)]], True, notes)


def _first_frame(picture: Image.Image) -> int:
    """An APNG may begin with a stand-in for programs that cannot animate, which is no part of it."""
    return 1 if picture.info.get("default_image") else 0


def _cropped(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    cropped = picture.crop((0, 0, *size))
    cropped.info = dict(picture.info)
    return cropped


def _frame_times(picture: Image.Image, notes: list[str], progress: Progress | None) -> np.ndarray | None:
    """(N,) seconds at which the frames of an animation appear; None when stopped."""
    first = _first_frame(picture)
    most = max(2, MAX_ANIMATION_PIXELS // (picture.size[0] * picture.size[1]))
    begins: list[float] = []
    now_s = 0.0
    for index in range(first, first + most):
        try:
            picture.seek(index)
            picture.load()
        except EOFError:
            break
        except Exception:
            if not begins:
                raise
            notes.append(f"Cut off or damaged: only the first {len(begins)} frames could be read.")
            break
        begins.append(now_s)
        # Browsers show frames that claim 10 ms or less for 100 ms, and authors rely on it.
        duration_ms = float(picture.info.get("duration") or 0)
        now_s += (duration_ms if duration_ms > 10 else 100) / 1000
        if progress and progress(0, 0) is False:
            return None
    else:
        notes.append(f"A very long animation: only its first {len(begins)} frames were looked at.")
    if not begins:
        raise EOFError("an animation without frames")
    return np.array(begins)


def _open(file: BinaryIO, format_name: str, who: str, notes: list[str]) -> Image.Image:
    """The picture with its header read and, but for unusual TIFFs, nothing decoded."""
    try:
        return _PICTURE_READERS[format_name](file)
    except Image.DecompressionBombError as error:
        raise MediaError(too_many_pixels(who)) from error
    except Exception as error:  # the readers meet hostile bytes and may raise nearly anything
        if "unknown pixel mode" not in str(error):
            raise _undecodable(file, format_name, who, error) from error
    try:
        return _decode_unusual_tiff(file, who, notes)
    except MediaError:
        raise
    except Exception as error:  # as above
        raise _undecodable(file, format_name, who, error) from error


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
        return MediaError(too_many_pixels(who))
    if _ends_early(file, format_name) or "truncated" in str(error).lower():
        return MediaError(cut_off(who, format_name))
    return MediaError(
        f"{who} is damaged or of an unusual kind: its {format_name} data cannot be decoded. "
        "Open it in an image editor and save it again as PNG."
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
