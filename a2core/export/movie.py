"""A clip with its maps painted over it, as a video that browsers play.

OpenCV's FFmpeg writes it: VP8 in WebM where it has that encoder, else VP9, else H.264 in MP4. Which one
it became is part of the answer. VP8 comes first since OpenCV offers no way to hurry the VP9 encoder: 16
frames took it fifty times as long. Colours are those of the canvas: perceptually uniform, and the more
opaque the higher the value.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from a2core.errors import A2Error
from a2core.export.paint import Colours, overlay
from a2core.tracing.trace import Trace

_ENCODERS = (  # FourCC, name, suffix, MIME type: the first that opens is taken
    ("VP80", "VP8", ".webm", "video/webm"),
    ("VP90", "VP9", ".webm", "video/webm"),
    ("avc1", "H.264", ".mp4", "video/mp4"),
)
_LONG_SIDE_PX = 704  # at least: small frames are enlarged a whole number of times


@dataclass(frozen=True)
class Movie:
    """A video file in memory."""

    data: bytes
    codec: str  # "VP8", "VP9" or "H.264"
    suffix: str  # ".webm" or ".mp4"
    mime: str


def overlay_movie(
    trace: Trace,
    maps: np.ndarray,
    *,
    colours: Colours = "magma",
    opacity: float = 0.75,
    frames_per_s: float = 8.0,
) -> Movie:
    """The frames of `trace` with `maps` over them.

    Args:
        trace: of a clip.
        maps: (T, h, w), not negative, one a frame: a primitive's `block.gather[i]` or
            `block.distribute[i]`, or `effective_attention(block, position)`. All frames share one scale,
            from 0 to the peak of all.
        colours: magma for what is gathered, viridis for what is handed out, as in the app.
        opacity: of the overlay at its peak, 0 to 1.
        frames_per_s: how fast it plays, 1 to 60.

    Raises:
        A2Error: a picture, maps of another number of frames, settings out of range, or an OpenCV
            without any of the encoders.
    """
    frames = trace.model_input
    if len(frames) < 2:
        raise A2Error("A picture has one frame, so there is no movie of it. Trace a clip.")
    if maps.ndim != 3 or len(maps) != len(frames):
        raise A2Error(f"Got maps of shape {maps.shape} for {len(frames)} frames. Give one (h, w) a frame.")
    if not (0 <= opacity <= 1 and 1 <= frames_per_s <= 60):
        raise A2Error(
            f"opacity {opacity} and frames_per_s {frames_per_s} are out of range. "
            "Choose 0 to 1, and 1 to 60 frames a second."
        )
    top = float(maps.max())
    painted = [
        overlay(_backdrop(frame, opacity), values, top=top, colours=colours, opacity=opacity)
        for frame, values in zip(frames, maps, strict=True)
    ]
    return _encoded(painted, frames_per_s)


def _backdrop(frame: np.ndarray, opacity: float) -> np.ndarray:
    """A frame enlarged, and paler the stronger the overlay, so that colour means attention."""
    import cv2

    factor = max(1, -(-_LONG_SIDE_PX // max(frame.shape[:2])))
    size = (frame.shape[1] * factor, frame.shape[0] * factor)
    picture = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return np.rint((picture + (grey - picture) * (0.6 * opacity)) * (1 - 0.32 * opacity)).astype(np.uint8)


def _encoded(frames: list[np.ndarray], frames_per_s: float) -> Movie:
    """The frames (H, W, 3) uint8 RGB as a file; nothing stays on the disk."""
    import cv2

    height, width, _ = frames[0].shape
    for fourcc, codec, suffix, mime in _ENCODERS:
        # OpenCV writes to paths only. The folder goes away with whatever is in it, also on an error.
        with tempfile.TemporaryDirectory(prefix="a2-movie-") as folder:
            path = Path(folder) / f"movie{suffix}"
            writer = cv2.VideoWriter(
                str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*fourcc), frames_per_s, (width, height)
            )
            try:
                if not writer.isOpened():
                    continue
                for frame in frames:
                    writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            finally:
                writer.release()
            data = path.read_bytes() if path.exists() else b""
            if data:
                return Movie(data, codec, suffix, mime)
    raise A2Error(
        "This OpenCV has no encoder for VP8, VP9 or H.264, so no movie can be written. Install "
        "opencv-python-headless from PyPI, which has one."
    )
