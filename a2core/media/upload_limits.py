"""Every limit on what people upload, and the checks that need no decoder.

In the app no file arrives that is larger than `maxUploadSize` in viz_app/.streamlit/config.toml.
"""

from __future__ import annotations

from a2core.errors import MediaError
from a2core.languages import sentence
from a2core.media.references import Held

MAX_PICTURE_BYTES = 200 * 1000 * 1000
MAX_VIDEO_BYTES = 2 * 1000 * 1000 * 1000
MAX_PIXELS = 64 * 1000 * 1000
"""Of one frame, as it is stored."""
MAX_ASPECT = 16
MAX_FRAMES = 64
MAX_ANIMATION_PIXELS = 200 * 1000 * 1000
"""Of all frames together: an animated picture has no index, so every frame before one has to be decoded."""
MAX_MOVING_PIXELS = 32 * 1000 * 1000
"""Of a frame of an animation, several copies of which are held: of larger ones only the first is shown."""
MAX_SAMPLE_BYTES = 512 * 1000 * 1000
"""Of one frame with all its bands at their own depth: five bands of floats take 20 bytes a pixel."""
MAX_PICTURE_PARTS = 1000 * 1000
"""Chunks or blocks of one picture: each costs a step in Python, and they may be as small as a byte."""
MAX_JPEG_SCANS = 200
"""Ordinary progressive JPEGs have about ten. Each scan costs a pass over the whole picture and may take
only a few bytes, so thousands of them are a small file that keeps the decoder busy for an hour."""
MAX_JPEG_SCAN_PIXELS = 2 * 1000 * 1000 * 1000
"""The pixels of a JPEG times its scans; twenty scans are allowed in any case."""
MAX_HELD_BYTES = 1000 * 1000 * 1000
"""Of all frames that the decoder of a clip has to hold: up to sixteen that others are made from."""
MOVING_SIDE_PX = 1344
"""Long side of the frames of clips and animations, unless another is asked for: there are many of them."""


def check_size(who: str, width: int, height: int) -> None:
    """MediaError when frames of this many pixels are refused; called before they are decoded."""
    if width < 1 or height < 1:
        raise MediaError(
            "{who} says it is {width} × {height} pixels, so it is damaged. Save it again.",
            who=who,
            width=width,
            height=height,
        )
    if width * height > MAX_PIXELS:
        raise MediaError(
            "{who} has {width} × {height} = {millions:,.0f} million pixels, and at most {most} million are "
            "decoded. Save it smaller.",
            who=who,
            width=width,
            height=height,
            millions=width * height / 1e6,
            most=MAX_PIXELS // 10**6,
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise MediaError(
            "{who} is {width} × {height} pixels, and a side may be at most {most} times the other. Crop it.",
            who=who,
            width=width,
            height=height,
            most=MAX_ASPECT,
        )


def too_many_pixels(who: str) -> str:
    """The message for frames refused for a size that nobody tells."""
    return sentence(
        "{who} has too many pixels, and at most {most} million are decoded. Save it smaller.",
        who=who,
        most=MAX_PIXELS // 10**6,
    )


def check_held(who: str, held: Held | None) -> None:
    """MediaError when a clip's decoder would hold more than there is room for; called before it is fed."""
    if held is not None and held.bytes > MAX_HELD_BYTES:
        raise MediaError(
            "{who} has frames of {megabytes:,.0f} MB, of which {count} may have to be held to make others "
            "from. That is too much at a time: save it smaller.",
            who=who,
            megabytes=held.frame_bytes / 1e6,
            count=held.references,
        )


def cut_off(who: str, format_name: str) -> str:
    """The message for a file that ends too early to show anything."""
    return sentence(
        "{who} is cut off: the {format_name} file ends before its picture does. Copy or download it again.",
        who=who,
        format_name=format_name,
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


def reduced_note(was: tuple[int, int], now: tuple[int, int], *, turned: bool) -> str:
    """The note on frames that were scaled down; sizes are (width, height), before a quarter turn if any."""
    if turned:
        was, now = was[::-1], now[::-1]
    return sentence(
        "Reduced from {was_width} × {was_height} to {now_width} × {now_height} pixels.",
        was_width=was[0],
        was_height=was[1],
        now_width=now[0],
        now_height=now[1],
    )
