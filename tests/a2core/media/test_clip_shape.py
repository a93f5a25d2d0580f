"""What read_media promises about the shape of clips: upright, square pixels, one size, one track."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from a2core.media import read_media
from tests.a2core.media.clip_files import (
    add_track,
    clip_of,
    encode,
    packets_in,
    rgb_frames,
    with_lying_header,
)
from tests.a2core.media.media_files import (
    BLUE,
    GREEN,
    QUARTER,
    RED,
    YELLOW,
    check_read_or_refused,
    exif_with_orientation,
    four_corners,
    jpeg_packets,
    matroska,
    saved,
    turned_mp4,
)
from tests.a2core.media.test_clip_colours import hdr_clip
from tests.a2core.media.test_media import assert_colours, corners

LOSSLESS = {"options": {"qp": "0", "preset": "ultrafast"}}

# ---------------------------------------------------------------------------------------------------
# The eight ways to lay a picture on itself
# ---------------------------------------------------------------------------------------------------

# The matrix, as `turned_mp4` takes it, and the corners that are then seen: top left, top right, bottom left,
# bottom right.
ORIENTATIONS = {
    "as stored": ((1, 0, 0, 1), (RED, GREEN, BLUE, YELLOW)),
    "mirrored left to right": ((-1, 0, 0, 1), (GREEN, RED, YELLOW, BLUE)),
    "turned by a half": ((-1, 0, 0, -1), (YELLOW, BLUE, GREEN, RED)),
    "mirrored top to bottom": ((1, 0, 0, -1), (BLUE, YELLOW, RED, GREEN)),
    "transposed": ((0, 1, 1, 0), (RED, BLUE, GREEN, YELLOW)),
    "turned by a quarter clockwise": (QUARTER, (BLUE, RED, YELLOW, GREEN)),
    "transposed on the other diagonal": ((0, -1, -1, 0), (YELLOW, GREEN, BLUE, RED)),
    "turned by a quarter counter-clockwise": ((0, -1, 1, 0), (GREEN, YELLOW, RED, BLUE)),
}


@pytest.fixture(scope="module")
def still_scene() -> dict[str, bytes]:
    """Twenty frames of four corners, 96 × 64, in containers that have a matrix."""
    frames = rgb_frames([four_corners(96, 64)] * 20)
    return {kind: clip_of(frames, "libx264", kind, **LOSSLESS) for kind in ("mp4", "mov")}


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_all_eight_orientations_are_set_upright_in_clips_and_in_their_stills(
    still_scene, orientation, container
):
    matrix, seen = ORIENTATIONS[orientation]
    data = turned_mp4(still_scene[container], matrix)
    clip = read_media(data, max_frames=4)
    assert clip.frames.shape == ((4, 96, 64, 3) if matrix[0] == 0 else (4, 64, 96, 3))
    for frame in clip.frames:
        assert_colours(corners(frame), list(seen), 12)
    assert_colours(corners(clip.first_frame().frames[0]), list(seen), 12)
    assert_colours(corners(read_media(data, max_frames=1, start_s=0.4).frames[0]), list(seen), 12)


def test_pixels_that_are_not_square_are_made_square_before_the_frame_is_turned():
    """PAL widescreen: 720 × 576 stored, 1024 × 576 shown, or 576 × 1024 when turned."""
    frames = rgb_frames([four_corners(720, 576)] * 2)
    data = clip_of(frames, "libx264", "mp4", sample_aspect_ratio=Fraction(64, 45), **LOSSLESS)
    assert read_media(data).frames.shape == (2, 576, 1024, 3)
    turned = read_media(turned_mp4(data, QUARTER))
    assert turned.frames.shape == (2, 1024, 576, 3)
    assert_colours(corners(turned.frames[0]), [BLUE, RED, YELLOW, GREEN], 12)


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "avi"])
@pytest.mark.parametrize(
    ("ratio", "width"), [(Fraction(2), 192), (Fraction(1, 2), 48), (Fraction(4, 3), 128)]
)
def test_circles_stay_circles_in_every_container(container: str, ratio: Fraction, width: int):
    frames = rgb_frames([four_corners(96, 64)] * 2)
    data = clip_of(frames, "mpeg4", container, sample_aspect_ratio=ratio)
    assert read_media(data).frames.shape == (2, 64, width, 3)


def test_a_jpeg_within_a_clip_that_says_it_lies_on_its_side_is_set_upright():
    lying = saved(four_corners(96, 64), "JPEG", exif=exif_with_orientation(6), quality=95)
    clip = read_media(matroska([(True, lying)] * 2, [0, 40], size=(96, 64)))
    assert_colours(corners(clip.frames[0]), [BLUE, RED, YELLOW, GREEN], 12)


# ---------------------------------------------------------------------------------------------------
# Frames whose size changes
# ---------------------------------------------------------------------------------------------------


def test_a_frame_of_another_shape_is_fitted_into_the_first_one_s_not_squeezed():
    tall = four_corners(64, 128)
    data = matroska(jpeg_packets([four_corners(128, 64), tall, four_corners(256, 128)]), [0, 40, 80])
    clip = read_media(data)
    assert clip.frames.shape == (3, 64, 128, 3)
    assert clip.notes == ("The size of its frames changes: all are shown at that of the first.",)
    fitted = clip.frames[1]
    assert fitted[:, :46].max() <= 2  # black beside it
    assert fitted[:, 82:].max() <= 2
    assert_colours(corners(fitted[:, 48:80]), [RED, GREEN, BLUE, YELLOW], 14)
    assert_colours(corners(clip.frames[2]), [RED, GREEN, BLUE, YELLOW], 14)


def test_frames_that_begin_to_lie_on_their_side_midway_are_fitted_too():
    upright = saved(four_corners(96, 64), "JPEG", quality=95)
    lying = saved(four_corners(96, 64), "JPEG", exif=exif_with_orientation(6), quality=95)
    clip = read_media(matroska([(True, upright), (True, lying)], [0, 40], size=(96, 64)))
    assert clip.frames.shape == (2, 64, 96, 3)
    left = (96 - 43) // 2
    assert_colours(corners(clip.frames[1][:, left + 1 : left + 42]), [BLUE, RED, YELLOW, GREEN], 14)


@pytest.mark.parametrize(
    ("encoder", "codec", "pixels"),
    [
        ("libvpx", "V_VP8", "yuv420p"),
        ("libvpx-vp9", "V_VP9", "yuv420p"),
        ("mjpeg", "V_MJPEG", "yuvj420p"),
        ("libx264", "V_MPEG4/ISO/AVC", "yuv420p"),
    ],
)
def test_the_size_shown_is_that_of_the_frames_not_of_a_header_that_lies(encoder, codec, pixels):
    options = {"bf": "0"} if encoder == "libx264" else {}
    container = "h264" if encoder == "libx264" else "matroska"
    packets = packets_in(
        clip_of(rgb_frames([four_corners(192, 96)] * 3, pixels), encoder, container, options=options)
    )
    clip = read_media(with_lying_header(packets, codec, (64, 64)))
    assert clip.frames.shape == (3, 96, 192, 3)
    assert_colours(corners(clip.frames[0]), [RED, GREEN, BLUE, YELLOW], 14)


# ---------------------------------------------------------------------------------------------------
# Interlaced
# ---------------------------------------------------------------------------------------------------


def interlaced_clip(pictures: list[np.ndarray], **options: str) -> bytes:
    """Each two pictures as the two fields of one frame."""
    woven = [even.copy() for even in pictures[::2]]
    for frame, odd in zip(woven, pictures[1::2], strict=True):
        frame[1::2] = odd[1::2]
    return clip_of(
        rgb_frames(woven, "yuv444p"), "libx264", options={"qp": "0", "x264-params": "tff=1", **options}
    )


def test_interlaced_frames_have_no_combs_and_a_note_says_what_was_done():
    pictures = []
    for number in range(12):  # a bar that moves by twelve pixels from field to field
        picture = np.full((96, 192, 3), 40, np.uint8)
        picture[:, 8 + 12 * number : 32 + 12 * number] = 220
        pictures.append(picture)
    clip = read_media(interlaced_clip(pictures))
    assert len(clip.frames) == 6
    for number, frame in enumerate(clip.frames):
        even, odd = frame[::2].astype(int), frame[1::2].astype(int)
        assert np.abs(even - odd).max() <= 8, "the rows of two moments stand side by side"
        assert frame[48, 20 + 24 * number].min() > 200
    assert clip.notes == ("It is interlaced: one field of each frame is shown.",)


def test_what_stands_still_in_an_interlaced_clip_keeps_its_colours_and_edges():
    clip = read_media(interlaced_clip([four_corners(96, 64)] * 4))
    assert np.abs(clip.frames[0].astype(int) - four_corners(96, 64))[:30].max() <= 6
    assert_colours(corners(clip.frames[1]), [RED, GREEN, BLUE, YELLOW], 8)


def test_frames_of_an_interlaced_clip_are_those_asked_for():
    pictures = [np.full((64, 96, 3), 20 + 3 * (number // 2), np.uint8) for number in range(120)]
    clip = read_media(interlaced_clip(pictures, g="12"), max_frames=7)
    found = clip.frames[:, 32, 48].mean(axis=1)
    assert np.abs(found - (20 + 3 * clip.times_s * 25)).max() <= 2


# ---------------------------------------------------------------------------------------------------
# Several video tracks
# ---------------------------------------------------------------------------------------------------


def level_frames(level: int, size: tuple[int, int], count: int) -> list[VideoFrame]:
    return rgb_frames([np.full((size[1], size[0], 3), level, np.uint8)] * count)


def clip_of_tracks(container: str, *tracks: tuple[int, tuple[int, int], int, int]) -> bytes:
    """(level, size, frames, disposition) of each track, in H.264."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        made = []
        for level, size, count, disposition in tracks:
            frames = level_frames(level, size, count)
            track = add_track(file, "libx264", frames[0], options={"preset": "ultrafast"})
            track.disposition = disposition
            made.append((track, frames))
        for number in range(max(len(frames) for _, frames in made)):
            for track, frames in made:
                if number < len(frames):
                    frames[number].pts, frames[number].time_base = number, Fraction(1, 25)
                    file.mux(track.encode(frames[number]))
        for track, _ in made:
            file.mux(track.encode())
    return buffer.getvalue()


FILM, OTHER = 200, 60
DEFAULT = int(av.stream.Disposition.default)


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize(
    "tracks",
    [
        [(OTHER, (64, 48), 25, 0), (FILM, (192, 96), 25, 0)],
        [(OTHER, (64, 48), 25, DEFAULT), (FILM, (192, 96), 25, 0)],
        [(FILM, (192, 96), 25, 0), (OTHER, (64, 48), 25, DEFAULT)],
        [(OTHER, (320, 240), 1, 0), (FILM, (192, 96), 25, DEFAULT)],
        [(OTHER, (320, 240), 1, DEFAULT), (FILM, (192, 96), 25, 0)],
        [(OTHER, (192, 96), 25, 0), (FILM, (192, 96), 25, DEFAULT)],
        [(FILM, (192, 96), 25, DEFAULT), (OTHER, (192, 128), 25, 0)],
    ],
    ids=[
        "thumbnails first",
        "thumbnails default",
        "thumbnails last",
        "poster first",
        "poster default",
        "second default",
        "first default",
    ],
)
def test_the_film_is_shown_whatever_other_video_tracks_there_are(container: str, tracks):
    clip = read_media(clip_of_tracks(container, *tracks), max_frames=5)
    assert clip.frames.shape == (5, 96, 192, 3)
    assert np.abs(clip.frames.astype(int) - FILM).max() <= 6
    assert clip.notes == ("Only one of its 2 video tracks is shown.",)


@pytest.mark.parametrize("size", [(64, 48), (640, 480)])
def test_the_picture_of_an_album_is_no_track(size: tuple[int, int]):
    cover, film = level_frames(OTHER, size, 1), level_frames(FILM, (192, 96), 25)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        tracks = [
            add_track(file, "mjpeg", cover[0], pixels="yuvj420p"),
            add_track(file, "libx264", film[0]),
        ]
        tracks[0].disposition = av.stream.Disposition.attached_pic
        encode(file, tracks[0], [cover[0].reformat(format="yuvj420p")])
        encode(file, tracks[1], film)
    clip = read_media(buffer.getvalue(), max_frames=3)
    assert np.abs(clip.frames.astype(int) - FILM).max() <= 6
    assert clip.notes == ()


def test_two_tracks_keep_frames_exact():
    frames = [np.full((96, 192, 3), 20 + 4 * number, np.uint8) for number in range(50)]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as file:
        small = level_frames(90, (64, 48), 50)
        film = rgb_frames(frames)
        tracks = [add_track(file, "libx264", frames[0], **LOSSLESS) for frames in (small, film)]
        for number in range(50):
            for track, of_track in zip(tracks, (small, film), strict=True):
                of_track[number].pts, of_track[number].time_base = number, Fraction(1, 25)
                file.mux(track.encode(of_track[number]))
        for track in tracks:
            file.mux(track.encode())
    clip = read_media(buffer.getvalue(), max_frames=7)
    found = clip.frames[:, 48, 96].mean(axis=1)
    assert np.abs(found - (20 + 4 * clip.times_s * 25)).max() <= 2


# ---------------------------------------------------------------------------------------------------
# Damage
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["two tracks", "interlaced", "mirrored", "transparent", "HDR"])
def test_damaged_clips_of_unusual_kinds_raise_nothing_but_media_error(still_scene, kind: str):
    grey = np.full((64, 96, 4), 90, np.uint8)
    made = {
        "two tracks": lambda: clip_of_tracks("matroska", (OTHER, (64, 48), 8, 0), (FILM, (96, 64), 8, 0)),
        "interlaced": lambda: interlaced_clip([four_corners(96, 64)] * 8),
        "mirrored": lambda: turned_mp4(still_scene["mp4"], (0, 1, 1, 0)),
        "transparent": lambda: clip_of(
            rgb_frames([grey] * 8, "yuva420p"), "libvpx", "webm", options={"auto-alt-ref": "0"}
        ),
        "HDR": lambda: hdr_clip("PQ", [[100.0] * 3] * 6),
    }
    whole = made[kind]()
    random = np.random.default_rng(7)
    for _ in range(25):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 12)):
            damaged[at] = random.integers(0, 256)
        check_read_or_refused(bytes(damaged))
