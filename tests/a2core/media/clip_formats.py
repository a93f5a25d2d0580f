"""The clips of docs/formats.md that are about colours, transparency, shape and tracks: each with a check."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from av.video.frame import VideoFrame

from a2core.media import Clip
from tests.a2core.media import test_clip_colours as colours
from tests.a2core.media import test_clip_limits as limits
from tests.a2core.media import test_clip_shape as shape
from tests.a2core.media import test_clip_transparency as transparency
from tests.a2core.media.clip_files import PATCHES, clip_of, patches_of, rgb_frames, with_lying_header
from tests.a2core.media.media_files import four_corners, jpeg_packets, matroska, turned_mp4
from tests.a2core.media.test_media import corners

Tried = tuple[str, bytes, Callable[[Clip], bool]]
"""What the file is, its content, and whether the clip read from it looks as it should."""


def near(wanted: object) -> Callable[[Clip], bool]:
    """Whether six patches are those wanted, within 5 of 255."""
    return lambda clip: bool(np.abs(patches_of(clip.frames[0]) - np.array(wanted)).max() <= 5)


def colours_tried() -> list[Tried]:
    """Matrices, ranges, depths, high dynamic range."""
    tried = [
        (
            f"{container}, H.264, {matrix}, {'full' if full else 'limited'} range, {bits} bits",
            colours.clip_of_patches(matrix, said=said, full=full, bits=bits, container=muxer),
            near(PATCHES),
        )
        for container, muxer in (("MP4", "mp4"), ("MKV", "matroska"))
        for matrix, said in colours.SAID.items()
        for full in (False, True)
        for bits in (8, 10)
    ]
    for size, matrix in (((1280, 720), "BT.709"), ((720, 576), "BT.601")):
        data = colours.clip_of_patches(matrix, said=colours.UNSPECIFIED, size=size, color_range=0)
        tried.append((f"MKV, {size[0]} × {size[1]}, nothing said of its colours", data, near(PATCHES)))
    ordinary = [(150, 30, 40), (20, 150, 60), (30, 50, 150), (150, 140, 30), (128, 128, 128), (60, 55, 50)]
    light = [[203 * colours.light_of(code / 255) for code in colour] for colour in ordinary]
    for transfer in ("PQ", "HLG"):
        data = colours.hdr_clip(transfer, [list(colours.TO_2020 @ nits) for nits in light])
        tried.append((f"MKV, HDR ({transfer}), 10 bits", data, near(ordinary)))
    return tried


def transparency_tried() -> list[Tried]:
    """Every way in which clips keep transparency."""
    return [
        (
            f"{layout}, transparent",
            clip_of(
                rgb_frames([transparency.see_through()] * 4, pixels), encoder, container, options=options
            ),
            near(transparency.on_white()),
        )
        for layout, (encoder, container, pixels, options) in transparency.LAYOUTS.items()
    ]


def shapes_tried() -> list[Tried]:
    """Orientations, pixels that are not square, interlacing, changes of size, tracks."""
    still = clip_of(rgb_frames([four_corners(96, 64)] * 4), "libx264", "mp4", **shape.LOSSLESS)

    def seen(wanted: tuple[tuple[int, int, int], ...]) -> Callable[[Clip], bool]:
        return lambda clip: bool(
            np.abs(np.array(corners(clip.frames[0]), int) - np.array(wanted)).max() <= 12
        )

    def of_film(clip: Clip) -> bool:
        return bool(np.abs(clip.frames.astype(int) - shape.FILM).max() <= 6)

    bars = [np.full((96, 192, 3), 40, np.uint8) for _ in range(8)]
    for number, bar in enumerate(bars):
        bar[:, 8 + 12 * number : 32 + 12 * number] = 220
    fitted = jpeg_packets([four_corners(128, 64), four_corners(64, 128)])
    small = jpeg_packets([four_corners(192, 96)] * 4)
    film, thumbnails = (shape.FILM, (192, 96), 25, 0), (shape.OTHER, (64, 48), 25, shape.DEFAULT)
    poster = (shape.OTHER, (320, 240), 1, shape.DEFAULT)
    giant = limits.encoded("V_MJPEG", [VideoFrame(9000, 8000, "yuv420p")])
    straight = seen(shape.ORIENTATIONS["as stored"][1])
    return [
        *(
            (f"MP4, {orientation}", turned_mp4(still, matrix), seen(wanted))
            for orientation, (matrix, wanted) in shape.ORIENTATIONS.items()
        ),
        (
            "MKV, interlaced",
            shape.interlaced_clip(bars),
            lambda clip: bool(
                np.abs(clip.frames[:, ::2].astype(int) - clip.frames[:, 1::2].astype(int)).max() <= 8
            ),
        ),
        ("MKV, frames of another shape midway", matroska(fitted, [0, 40]), straight),
        (
            "MKV, header of 64 × 64, frames of 192 × 96",
            with_lying_header(small, "V_MJPEG", (64, 64)),
            straight,
        ),
        (
            "MKV, header of 64 × 64, a frame of 9000 × 8000",
            with_lying_header(giant, "V_MJPEG", (64, 64)),
            straight,
        ),
        (
            "MP4, thumbnails first and called the default",
            shape.clip_of_tracks("mp4", thumbnails, film),
            of_film,
        ),
        ("MKV, thumbnails last", shape.clip_of_tracks("matroska", film, thumbnails), of_film),
        ("MKV, a poster first", shape.clip_of_tracks("matroska", poster, film), of_film),
    ]


def clips_tried() -> list[Tried]:
    """All of them."""
    return [*colours_tried(), *transparency_tried(), *shapes_tried()]
