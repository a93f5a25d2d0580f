"""Clips encoded frame by frame with PyAV, whose samples, tags and tracks are known to the last bit."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.a2core.media.media_files import matroska

# Six patches that differ in every channel, none at an end of its range.
PATCHES = [(200, 30, 40), (20, 180, 60), (30, 50, 190), (220, 210, 30), (128, 128, 128), (240, 236, 230)]
LUMINANCE = {"BT.601": (0.299, 0.114), "BT.709": (0.2126, 0.0722), "BT.2020": (0.2627, 0.0593)}
"""The weights of red and blue in the luma of each matrix: ITU-R BT.601, BT.709, BT.2020."""


def yuv_frame(
    colours: Sequence[Sequence[float]],
    matrix: str,
    *,
    full: bool,
    bits: int = 8,
    size: tuple[int, int] = (192, 64),
    opacity: Sequence[float] = (),
) -> VideoFrame:
    """Flat columns of R'G'B' in 0…1, coded by hand: 4:4:4 at 8 or 10 bits, with opacity where it is given."""
    red, blue = LUMINANCE[matrix]
    rgb = np.array(colours, float)
    luma = rgb @ [red, 1 - red - blue, blue]
    chroma = (rgb[:, 2] - luma) / (2 * (1 - blue)), (rgb[:, 0] - luma) / (2 * (1 - red))
    step, top = 2 ** (bits - 8), 2**bits - 1
    planes = [luma * top if full else (16 + 219 * luma) * step]
    planes += [128 * step + part * (top if full else 224 * step) for part in chroma]
    planes += [np.array(opacity) * top] if opacity else []
    name = f"yuv{'a' if opacity else ''}444p{'10le' if bits == 10 else ''}"
    frame = VideoFrame(*size, name)
    of_column = np.arange(size[0]) * len(rgb) // size[0]
    for plane, values in zip(frame.planes, planes, strict=True):
        samples = np.rint(values).astype("<u2" if bits == 10 else np.uint8)
        rows = np.zeros((size[1], plane.line_size // samples.itemsize), samples.dtype)
        rows[:, : size[0]] = samples[of_column]
        plane.update(rows.tobytes())
    return frame


def patches_of(picture: np.ndarray, count: int = len(PATCHES)) -> np.ndarray:
    """(count, 3) the colours in the middle of each column, as numbers that can be subtracted."""
    height, width = picture.shape[:2]
    return np.array([picture[height // 2, (2 * i + 1) * width // (2 * count)] for i in range(count)], int)


def add_track(
    file: av.container.OutputContainer, codec: str, frame: VideoFrame, **settings: Any
) -> VideoStream:
    """A track for frames like this one; settings of its codec, ``options`` among them."""
    track = file.add_stream(codec, rate=25, options=settings.pop("options", {}))
    assert isinstance(track, VideoStream)
    track.width, track.height, track.pix_fmt = (
        frame.width,
        frame.height,
        settings.pop("pixels", frame.format.name),
    )
    track.codec_context.time_base = Fraction(1, 25)
    track.codec_context.thread_count = 1
    for name, value in settings.items():
        setattr(track.codec_context, name, value)
    return track


def encode(file: av.container.OutputContainer, track: VideoStream, frames: Iterable[VideoFrame]) -> None:
    """All of one track, 25 frames a second."""
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, 25)
        file.mux(track.encode(frame))
    file.mux(track.encode())


def clip_of(frames: Sequence[VideoFrame], codec: str, container: str = "matroska", **settings: Any) -> bytes:
    """The file content of a clip with one track; container: matroska, webm, mp4, mov or avi."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        encode(file, add_track(file, codec, frames[0], **settings), frames)
    return buffer.getvalue()


def rgb_frames(pictures: Iterable[np.ndarray], pixels: str = "yuv420p") -> list[VideoFrame]:
    """Frames of (H, W, 3) or (H, W, 4) uint8 pictures."""
    return [
        VideoFrame.from_ndarray(picture, format="rgba" if picture.shape[2] == 4 else "rgb24").reformat(
            format=pixels
        )
        for picture in pictures
    ]


def packets_in(data: bytes) -> list[tuple[bool, bytes]]:
    """(stands alone, content) of every packet of a clip, undecoded."""
    with av.open(io.BytesIO(data)) as file:
        return [(packet.is_keyframe, bytes(packet)) for packet in file.demux(video=0) if packet.size]


def with_lying_header(packets: Sequence[tuple[bool, bytes]], codec: str, size: tuple[int, int]) -> bytes:
    """A Matroska file of these packets, 25 a second, whose header claims another size."""
    return matroska(list(packets), range(0, 40 * len(packets), 40), codec=codec, size=size)
