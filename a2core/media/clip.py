"""The Clip, and read_media: opens what it is given, tells what it is, and has it decoded."""

from __future__ import annotations

import io
import operator
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from a2core.errors import MediaError
from a2core.extras import need_extra
from a2core.languages import sentence
from a2core.media.decoded import Decoded
from a2core.media.recognise import HEAD_BYTES, recognise
from a2core.media.timeline import check_range
from a2core.media.upload_limits import MAX_FRAMES, MAX_PICTURE_BYTES, MAX_VIDEO_BYTES, MOVING_SIDE_PX

THIS_FILE, THE_CLIP = "This file", "the clip"  # what messages call what has no name


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

    def first_frame(self) -> Clip:
        """The first frame as a picture, with a note that says so; a picture is returned as it is."""
        if self.kind == "image":
            return self
        frames = self.frames[:1].copy()
        frames.flags.writeable = False
        note = sentence("Only the first frame of {name} is shown.", name=self.name or THE_CLIP)
        return Clip(frames, self.times_s[:1], "image", self.name, (*self.notes, note))


def read_media(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str = "",
    max_frames: int = 16,
    max_side_px: int | None = None,
    max_moving_side_px: int | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
    progress: Callable[[int, int], bool | None] | None = None,
) -> Clip:
    """Read a picture or the frames of a clip as upright 8-bit RGB.

    Pictures are JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF, BMP, JPEG 2000, TGA, ICO and the Netpbm family (PBM,
    PGM, PPM, PAM, PFM); clips are MP4, WebM, MOV, AVI and MKV, and animated GIF, WebP, PNG and AVIF.

    Pictures come in sRGB: embedded colour profiles are converted, deeper samples scaled to 8 bits, and
    those of a sensor that leave most of their range unused stretched, with a note (depth.py has the rule).
    Transparent parts are filled with white: the backdrop such pictures and clips are nearly always drawn
    for, and black would swallow dark drawings.
    Clips of high dynamic range (PQ, HLG) and of wide gamut come in sRGB too.

    The frames of a clip are spread evenly over its time, its first and last among them (one alone
    is the middle one), and each comes with its true time, also where the rate varies.

    Args:
        source: A path, or the content of a file.
        name: What to call the file in messages and in ``Clip.name``; a path supplies its own file name.
        max_frames: At most this many frames of a clip, 1 to 64; all of them where it has fewer.
        max_side_px: Scale down so that the long side has exactly this many pixels, where it has more;
            the shape is kept. Saves most of the time that a large JPEG takes. None leaves pictures
            whole and brings clips to 1344 pixels.
        max_moving_side_px: The same for clips and animations, whose frames are many; None is as
            ``max_side_px``.
        start_s: Take frames of a clip from here on, in seconds from its start; None is its start.
        end_s: Take frames of a clip up to here; None is its end.
        progress: Called now and then with (frames done, frames in all), the latter 0 while unknown. Where
            it returns False the reading stops, and the frames done so far make the Clip.

    Raises:
        MediaError: The file cannot be read, is neither picture nor clip, is damaged or cut off before
            its first frame, or breaks a limit: 200 MB a picture, 2 GB a clip, 64 megapixels a frame,
            sides of 16 : 1. The message says which, and what to do.
    """
    max_frames = operator.index(max_frames)
    _check_asked(max_frames, max_side_px, max_moving_side_px)
    check_range(start_s, end_s)

    if not name and not isinstance(source, bytes | bytearray | memoryview):
        name = Path(source).name
    who = _called(name)
    with _opened(source, who) as (file, size_bytes):
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if not head:
            raise MediaError(
                "{who} is empty (0 bytes), so its upload or download failed. Copy or download it again.",
                who=who,
            )
        found = recognise(head)
        if found.kind == "other":
            raise MediaError(
                "{who} {what} Choose a JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF or BMP picture, or an "
                "MP4, WebM, MOV, AVI or MKV clip.",
                who=who,
                what=found.what,
            )
        _check_bytes(who, found.kind, size_bytes)
        moving_px = max_moving_side_px or max_side_px or MOVING_SIDE_PX
        sides_px: dict[str, int | None] = {"max_side_px": moving_px}
        if found.kind == "picture":
            sides_px = {"max_side_px": max_side_px, "max_moving_side_px": moving_px}
        decode = _pictures() if found.kind == "picture" else _video()
        place: Any = nullcontext(file) if found.kind == "picture" else _on_disk(source, file)
        with place as where:
            decoded = decode(
                where,
                found.what,
                who,
                max_frames=max_frames,
                **sides_px,
                start_s=start_s,
                end_s=end_s,
                progress=progress,
            )
    return Clip(
        _frozen(decoded.frames),
        _frozen(decoded.times_s),
        "video" if decoded.moving else "image",
        name,
        tuple(decoded.notes),
    )


def _check_asked(max_frames: int, *sides_px: int | None) -> None:
    """MediaError for numbers of frames and pixels that cannot be had of any file."""
    if not 1 <= max_frames <= MAX_FRAMES:
        raise MediaError(
            "{max_frames} frames were asked for: ask for 1 to {most}.", max_frames=max_frames, most=MAX_FRAMES
        )
    for side_px in sides_px:
        if side_px is not None and operator.index(side_px) < 1:
            raise MediaError(
                "A long side of {side_px} pixels was asked for: ask for at least 1.", side_px=side_px
            )


def _check_bytes(who: str, kind: str, size_bytes: int) -> None:
    """MediaError for a file that is too large to be read at all."""
    if kind == "picture" and size_bytes > MAX_PICTURE_BYTES:
        raise MediaError(
            "{who} has {megabytes:,.0f} MB, and pictures may have at most {most} MB. Save it smaller, or as "
            "JPEG.",
            who=who,
            megabytes=size_bytes / 1e6,
            most=MAX_PICTURE_BYTES // 10**6,
        )
    if kind == "video" and size_bytes > MAX_VIDEO_BYTES:
        raise MediaError(
            "{who} has {gigabytes:,.1f} GB, and clips may have at most {most} GB. Cut out the part of "
            "interest, or save it smaller.",
            who=who,
            gigabytes=size_bytes / 1e9,
            most=MAX_VIDEO_BYTES // 10**9,
        )


@contextmanager
def _on_disk(source: str | os.PathLike[str] | bytes, file: BinaryIO) -> Iterator[Path]:
    """Where the file is on disk: in place, or for bytes in a temporary file that is always deleted."""
    if not isinstance(source, bytes | bytearray | memoryview):
        yield Path(source).absolute()  # absolute, so that no name is taken for a protocol ("concat:…")
        return
    # Closed before it is read, since Windows lets a file be opened once only.
    with tempfile.NamedTemporaryFile(prefix="a2-clip-", delete=False) as spool:
        path = Path(spool.name)
        try:
            shutil.copyfileobj(file, spool)
            spool.close()
            yield path
        finally:
            spool.close()
            path.unlink(missing_ok=True)


def _called(name: str) -> str:
    """The file's name as messages begin with it: without control characters, and not endlessly long."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    if len(shown) > 80:
        shown = f"{shown[:50]}…{shown[-25:]}"
    return f"“{shown}”" if shown else THIS_FILE


@contextmanager
def _opened(source: str | os.PathLike[str] | bytes, who: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file, at its start, with its size in bytes; MediaError where it cannot be opened."""
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        with _disk_faults_told(who):
            yield io.BytesIO(content), len(content)
        return
    path = Path(source)
    try:
        # Asked before opening, since opening a named pipe or a device may never return.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise MediaError("{who} is a folder. Choose a picture or clip inside it.", who=who)
        if not stat.S_ISREG(mode):
            raise MediaError(
                "{who} is a device or pipe, not a file. Save its content as a file first.", who=who
            )
        file = path.open("rb")
    except FileNotFoundError as error:
        raise MediaError(
            "{who} was not found: nothing is at {path}. Check the path.", who=who, path=_shown_path(path)
        ) from error
    except PermissionError as error:
        raise MediaError(
            "{who} may not be read by you. Change its permissions, or copy it.", who=who
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(
            "{who} cannot be opened ({reason}). Check the path and the disk.", who=who, reason=reason
        ) from error
    with file, _disk_faults_told(who):
        yield file, os.fstat(file.fileno()).st_size


@contextmanager
def _disk_faults_told(who: str) -> Iterator[None]:
    """Turns what a failing or full disk raises into a MediaError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise MediaError(
            "{who} could not be read ({reason}). Check the disk and try again.", who=who, reason=reason
        ) from error


def _pictures() -> Callable[..., Decoded]:
    """The decoders of pictures: libraries that take half a second to import, needed from now on."""
    from a2core.media import pictures

    return pictures.read


def _video() -> Callable[..., Decoded]:
    """The decoder of clips, as `_pictures`.

    Raises:
        MediaError: PyAV is not installed.
    """
    need_extra("video", "A clip", MediaError, instead=", or choose a picture")
    from a2core.media import video

    return video.read


def _frozen(array: np.ndarray) -> np.ndarray:
    """The array C-contiguous and write-protected."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _shown_path(path: Path) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in str(path))
    return shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-99:]}"
