"""What read_media promises about pictures: right pixels, upright, or a MediaError naming the fault."""

from __future__ import annotations

import io
import os
import struct
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from a2core.errors import MediaError
from a2core.media import Clip, read_media
from a2core.media.upload_limits import MAX_PIXELS
from tests.a2core.media.media_files import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    exif_with_orientation,
    four_corners,
    interlaced_png,
    noise,
    png,
    saved,
    tiff,
)

FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"]
LOSSY = {"JPEG", "WEBP"}


def only_frame(clip: Clip) -> np.ndarray:
    assert clip.kind == "image"
    assert clip.frames.shape[0] == 1
    return clip.frames[0]


def corners(frame: np.ndarray) -> list[tuple[int, int, int]]:
    """Colours well inside the four quarters: top left, top right, bottom left, bottom right."""
    h, w = frame.shape[:2]
    places = [(h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, w // 4), (3 * h // 4, 3 * w // 4)]
    return [tuple(int(v) for v in frame[place]) for place in places]


def assert_colours(found: list[tuple[int, int, int]], expected: list[tuple[int, int, int]], within: int):
    assert np.abs(np.array(found) - np.array(expected)).max() <= within, (found, expected)


def fault(source: str | os.PathLike[str] | bytes, **options) -> str:
    with pytest.raises(MediaError) as caught:
        read_media(source, **options)
    message = str(caught.value)
    assert message.endswith("."), message
    assert len(message) < 400, message
    return message


def reads_or_is_refused(content: bytes) -> bool:
    """True when the content gives frames or a MediaError; any other exception passes through."""
    try:
        clip = read_media(content)
    except MediaError as error:
        return str(error).startswith("This file ")
    return clip.frames.dtype == np.uint8


# ---------------------------------------------------------------------------------------------------
# Right pixels
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", FORMATS)
def test_each_format_gives_its_pixels_as_rgb(format_name: str):
    clip = read_media(saved(four_corners(), format_name))
    assert clip.frames.shape == (1, 32, 48, 3)
    assert_colours(corners(only_frame(clip)), [RED, GREEN, BLUE, YELLOW], 6 if format_name in LOSSY else 0)
    assert clip.notes == ()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff", ".webp"])
def test_files_written_by_another_library_give_the_same_pixels(suffix: str):
    written = cv2.imencode(suffix, four_corners()[..., ::-1])[1].tobytes()
    assert_colours(corners(only_frame(read_media(written))), [RED, GREEN, BLUE, YELLOW], 6)


def test_a_clip_is_read_only_contiguous_and_begins_at_zero():
    clip = read_media(saved(four_corners(), "PNG"))
    assert clip.frames.dtype == np.uint8
    assert clip.frames.flags.c_contiguous
    assert not clip.frames.flags.writeable
    assert clip.times_s.dtype == np.float64
    assert clip.times_s.tolist() == [0.0]
    assert not clip.times_s.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        clip.frames[0, 0, 0, 0] = 1


def test_a_path_names_the_clip_and_a_given_name_wins(tmp_path: Path):
    path = tmp_path / "astronaut.png"
    path.write_bytes(saved(four_corners(), "PNG"))
    assert read_media(path).name == "astronaut.png"
    assert read_media(str(path)).name == "astronaut.png"
    assert read_media(path, name="mine").name == "mine"
    assert read_media(path.read_bytes()).name == ""


@pytest.mark.parametrize("wrapped", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_taken(wrapped: type):
    assert only_frame(read_media(wrapped(saved(four_corners(), "PNG")))).shape == (32, 48, 3)


def test_the_content_decides_and_not_the_suffix(tmp_path: Path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(saved(four_corners(), "PNG"))
    assert np.array_equal(only_frame(read_media(path)), four_corners())


def test_one_pixel_is_a_picture():
    assert only_frame(read_media(saved(four_corners()[:1, :1], "PNG"))).tolist() == [[list(RED)]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("max_side_px", [None, 24])
def test_every_exif_orientation_comes_out_upright(
    format_name: str, orientation: int, max_side_px: int | None
):
    upright = four_corners()
    # How a camera stores the upright picture under each tag: the EXIF standard's row 0 and column 0.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    options = (
        {"tiffinfo": {274: orientation}}
        if format_name == "TIFF"
        else {"exif": exif_with_orientation(orientation)}
    )
    clip = read_media(saved(np.ascontiguousarray(stored), format_name, **options), max_side_px=max_side_px)
    assert clip.frames.shape == ((1, 32, 48, 3) if max_side_px is None else (1, 16, 24, 3))
    assert_colours(corners(only_frame(clip)), [RED, GREEN, BLUE, YELLOW], 8)


def test_broken_exif_costs_no_more_than_the_orientation():
    data = saved(four_corners(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert_colours(corners(only_frame(read_media(data))), [RED, GREEN, BLUE, YELLOW], 6)


# ---------------------------------------------------------------------------------------------------
# Every kind of sample
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("marked", [True, False], ids=["adobe-inverted", "plain"])
def test_a_cmyk_jpeg_has_its_colours_right_whether_adobe_inverted_it_or_not(marked: bool):
    inks = Image.fromarray(four_corners()).convert("CMYK")
    if not marked:
        inks = Image.fromarray(255 - np.asarray(inks), "CMYK")
    data = saved(inks, "JPEG", quality=98)
    at = data.index(b"\xff\xee")
    assert data[at + 4 : at + 9] == b"Adobe"
    if not marked:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert_colours(corners(only_frame(read_media(data))), [RED, GREEN, BLUE, YELLOW], 8)


def test_a_cmyk_tiff_has_its_colours_right():
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[:, :4] = (255, 0, 0, 0)
    inks[:, 4:] = (0, 255, 255, 0)
    frame = only_frame(read_media(saved(Image.fromarray(inks, "CMYK"), "TIFF")))
    assert frame[0, 0].tolist() == [0, 255, 255]
    assert frame[0, 7].tolist() == [255, 0, 0]


GREY_16 = np.array([[0, 257, 1000, 32768], [65535, 65534, 12345, 40000]], np.uint16)
GREY_8 = np.rint(GREY_16 / 65535 * 255)


@pytest.mark.parametrize(
    "data",
    [
        png(4, 2, 16, 0, GREY_16.astype(">u2").tobytes()),
        tiff(GREY_16),
        tiff(65535 - GREY_16, photometric=0),
        cv2.imencode(".png", GREY_16)[1].tobytes(),
        cv2.imencode(".tiff", GREY_16)[1].tobytes(),
    ],
    ids=["png", "tiff", "tiff-white-is-zero", "png-opencv", "tiff-lzw-opencv"],
)
def test_sixteen_bit_grey_is_scaled_and_not_clipped(data: bytes):
    clip = read_media(data)
    assert only_frame(clip)[..., 0].tolist() == GREY_8.tolist()
    assert np.ptp(only_frame(clip), axis=-1).max() == 0
    assert clip.notes == ("16-bit samples were reduced to 8 bits.",)


def test_a_tiff_that_states_its_brightest_value_is_scaled_by_it():
    camera_of_12_bits = np.array([[0, 2048, 4095, 1000]], np.uint16)
    frame = only_frame(read_media(tiff(camera_of_12_bits, tags={281: 4095})))
    assert frame[0, :, 0].tolist() == [0, 128, 255, 62]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bit_colour_is_scaled_and_not_clipped(suffix: str):
    deep = four_corners().astype(np.uint16) * 257
    clip = read_media(cv2.imencode(suffix, deep[..., ::-1])[1].tobytes())
    assert_colours(corners(only_frame(clip)), [RED, GREEN, BLUE, YELLOW], 1)
    assert clip.notes == ("16-bit samples were reduced to 8 bits.",)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0, 0.25], [0, 128, 255, 64]),
        ([0.0, 100.0, 255.0, 7.4], [0, 100, 255, 7]),
        ([-1.0, 0.0, 1.0, 0.5], [0, 128, 255, 191]),
        ([0.0, 5000.0, 10000.0, 2500.0], [0, 128, 255, 64]),
        ([3.0e4, 3.0e4, 3.0e4, 3.0e4], [0, 0, 0, 0]),
        ([np.nan, 0.5, np.inf, 1.0], [0, 128, 0, 255]),
    ],
    ids=["unit", "byte", "signed", "wide", "constant", "not-finite"],
)
def test_floating_tiffs_are_shown_by_the_range_they_are_in(values: list[float], expected: list[int]):
    clip = read_media(tiff(np.array([values], np.float32)))
    assert only_frame(clip)[0, :, 0].tolist() == expected


@pytest.mark.parametrize("compression", [1, 5])
def test_a_floating_rgb_tiff_simply_works(compression: int):
    unit = four_corners().astype(np.float32) / 255
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression]
    data = cv2.imencode(".tiff", unit[..., ::-1], options)[1].tobytes()
    clip = read_media(data)
    assert_colours(corners(only_frame(clip)), [RED, GREEN, BLUE, YELLOW], 1)
    assert clip.notes == ("Samples from 0 to 1 were reduced to 8 bits.",)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_signed_and_wide_integers_are_stretched(dtype: type):
    frame = only_frame(read_media(tiff(np.array([[1000, 2000, 3000, 1500]], dtype))))
    assert frame[0, :, 0].tolist() == [0, 128, 255, 64]


def test_one_bit_grey_and_palette_pictures_have_their_colours_right():
    bits = np.kron([[0, 1], [1, 0]], np.ones((8, 8))).astype(bool)
    assert np.array_equal(only_frame(read_media(saved(Image.fromarray(bits), "PNG")))[..., 1], bits * 255)
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(only_frame(read_media(saved(grey, "PNG")))[..., 2], grey)
    palette = Image.fromarray(four_corners()).quantize(4)
    assert np.array_equal(only_frame(read_media(saved(palette, "PNG"))), four_corners())


def half_clear(mode: str) -> tuple[bytes, np.ndarray]:
    """A file with a clear left half, and the pixels it has on white."""
    on_white = np.full((16, 16, 3), 255, np.uint8)
    if mode == "palette":
        indices = np.zeros((16, 16), np.uint8)
        indices[:, 8:] = 1
        on_white[:, 8:] = RED
        image = Image.fromarray(indices, "P")
        image.putpalette([0, 0, 0, *RED])
        return saved(image, "PNG", transparency=0), on_white
    if mode == "palette-half":
        image = Image.fromarray(np.zeros((16, 16), np.uint8), "P")
        image.putpalette([0, 0, 0])
        on_white[:] = 255 - 102
        return saved(image, "PNG", transparency=bytes([102])), on_white
    if mode == "colour key":
        keyed = np.zeros((16, 16, 3), np.uint8)
        keyed[:, 8:] = on_white[:, 8:] = RED
        return saved(keyed, "PNG", transparency=(0, 0, 0)), on_white
    if mode == "GIF":
        image = Image.fromarray(np.repeat([[0] * 8 + [1] * 8], 16, 0).astype(np.uint8), "P")
        image.putpalette([0, 0, 0, *RED])
        on_white[:, 8:] = RED
        return saved(image, "GIF", transparency=0), on_white
    if mode == "LA":
        la = np.zeros((16, 16, 2), np.uint8)
        la[:, 8:] = (90, 255)
        on_white[:, 8:] = 90
        return saved(Image.fromarray(la, "LA"), "PNG"), on_white
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, 8:] = (*RED, 255)
    on_white[:, 8:] = RED
    return saved(Image.fromarray(rgba), mode, **({"lossless": True} if mode == "WEBP" else {})), on_white


@pytest.mark.parametrize(
    "mode", ["PNG", "WEBP", "TIFF", "LA", "palette", "palette-half", "colour key", "GIF"]
)
def test_clear_parts_are_filled_with_white_and_the_notes_say_so(mode: str):
    data, on_white = half_clear(mode)
    clip = read_media(data)
    assert np.array_equal(only_frame(clip), on_white)
    assert clip.notes == ("Transparent parts were filled with white.",)


def test_an_opaque_alpha_channel_is_not_worth_a_note():
    rgba = np.dstack([four_corners(), np.full((32, 48), 255, np.uint8)])
    clip = read_media(saved(Image.fromarray(rgba), "PNG"))
    assert np.array_equal(only_frame(clip), four_corners())
    assert clip.notes == ()


def test_clear_colours_do_not_bleed_into_a_reduced_picture():
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :32] = (255, 0, 0, 0)
    rgba[:, 32:] = (0, 0, 255, 255)
    frame = only_frame(read_media(saved(Image.fromarray(rgba), "PNG"), max_side_px=16)).astype(int)
    assert (frame[..., 0] <= frame[..., 1] + 1).all()  # white to blue: nowhere more red than green


def profile_swapping_red_and_blue() -> bytes:
    """sRGB's profile with two of its primaries exchanged: red samples mean blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    for i in range(count):
        at = 132 + 12 * i
        profile[at : at + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(
            bytes(profile[at : at + 4]), profile[at : at + 4]
        )
    return bytes(profile)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_an_embedded_colour_profile_is_honoured(format_name: str):
    data = saved(four_corners(), format_name, icc_profile=profile_swapping_red_and_blue())
    swapped = [colour[::-1] for colour in (RED, GREEN, BLUE, YELLOW)]
    assert_colours(corners(only_frame(read_media(data))), swapped, 8)


def test_an_srgb_profile_leaves_every_sample_exact():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(only_frame(read_media(saved(noise(), "PNG", icc_profile=profile))), noise())


@pytest.mark.parametrize("profile", [b"no profile at all", profile_swapping_red_and_blue()[:300]])
def test_a_broken_colour_profile_is_ignored(profile: bytes):
    assert np.array_equal(only_frame(read_media(saved(noise(), "PNG", icc_profile=profile))), noise())


def test_a_profile_for_other_colours_is_ignored():
    grey = np.full((8, 8), 77, np.uint8)
    data = saved(grey, "PNG", icc_profile=profile_swapping_red_and_blue())
    assert (only_frame(read_media(data)) == 77).all()


# ---------------------------------------------------------------------------------------------------
# Sizes
# ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [((300, 200), 150, (150, 100)), ((200, 300), 150, (100, 150)), ((301, 200), 100, (100, 66))],
)
def test_a_large_picture_is_brought_down_to_the_long_side_asked_for(format_name, size, limit, expected):
    clip = read_media(saved(four_corners(*size), format_name), max_side_px=limit)
    assert only_frame(clip).shape[1::-1] == expected
    assert_colours(corners(only_frame(clip)), [RED, GREEN, BLUE, YELLOW], 8)
    assert clip.notes == (f"Reduced from {size[0]} × {size[1]} to {expected[0]} × {expected[1]} pixels.",)


def test_an_interlaced_png_has_every_pixel_in_its_place():
    assert np.array_equal(only_frame(read_media(interlaced_png(noise(41, 29)))), noise(41, 29))


def test_a_small_picture_is_never_enlarged():
    clip = read_media(saved(four_corners(), "PNG"), max_side_px=1000)
    assert only_frame(clip).shape == (32, 48, 3)
    assert clip.notes == ()


@pytest.mark.parametrize("factor", [2, 3, 4, 8, 9])
def test_a_jpeg_decoded_at_a_fraction_keeps_things_where_they_were(factor: int):
    """The centre of a blob stays within a tenth of an output pixel, at sizes that divide badly."""
    height, width = 403, 601
    rows, cols = np.mgrid[:height, :width] + 0.5
    blob = 255 * np.exp(-((rows - 250.0) ** 2 + (cols - 170.0) ** 2) / (2 * 30.0**2))
    grey = np.repeat(np.rint(blob).astype(np.uint8)[..., None], 3, -1)
    frame = only_frame(read_media(saved(grey, "JPEG", quality=97), max_side_px=601 // factor))[..., 0]
    weight = np.where(frame > 30, frame.astype(float), 0)
    out_rows, out_cols = np.mgrid[: frame.shape[0], : frame.shape[1]] + 0.5
    centre = (weight * out_rows).sum() / weight.sum(), (weight * out_cols).sum() / weight.sum()
    assert abs(centre[0] - 250.0 * frame.shape[0] / height) < 0.1
    assert abs(centre[1] - 170.0 * frame.shape[1] / width) < 0.1


def test_a_jpeg_of_twelve_megapixels_reads_in_a_fraction_of_a_second():
    photo = cv2.resize(noise(400, 300), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", photo)[1].tobytes()
    best = float("inf")
    for _ in range(3):
        begin = time.thread_time()  # not the clock's: the machine may be busy with other things
        clip = read_media(data, max_side_px=1344)
        best = min(best, time.thread_time() - begin)
    assert only_frame(clip).shape == (1008, 1344, 3)
    assert best < 0.5


@pytest.mark.parametrize("size", [(5000, 1), (1, 5000), (17, 1), (1600, 99)])
def test_sides_beyond_sixteen_to_one_are_refused_with_the_remedy(size: tuple[int, int]):
    message = fault(saved(Image.new("RGB", size), "PNG"), name="strip.png")
    assert "“strip.png”" in message
    assert f"{size[0]} × {size[1]}" in message
    assert "Crop it" in message


def test_sides_of_exactly_sixteen_to_one_are_read():
    assert only_frame(read_media(saved(Image.new("RGB", (160, 10)), "PNG"))).shape == (10, 160, 3)


def header_only(format_name: str, width: int, height: int) -> bytes:
    """A file that claims a size and holds no pixels."""
    if format_name == "PNG":
        return png(width, height, 8, 2, b"")
    if format_name == "GIF":
        return (
            b"GIF89a"
            + struct.pack("<HH", width, height)
            + b"\0\0\0,"
            + struct.pack("<HHHHB", 0, 0, width, height, 0)
            + b"\x08\x01\0\0;"
        )
    if format_name == "BMP":
        return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1 << 20, 0, 0, 54, 40, width, height, 1, 24, *[0] * 6)
    if format_name == "TIFF":
        small = bytearray(tiff(np.zeros((2, 2), np.uint8)))
        at = int.from_bytes(small[4:8], "little") + 2
        small[at + 8 : at + 12] = struct.pack("<I", width)
        small[at + 20 : at + 24] = struct.pack("<I", height)
        return bytes(small)
    if format_name == "WEBP":
        lossless = bytearray(saved(np.zeros((2, 2, 3), np.uint8), "WEBP", lossless=True))
        at = lossless.index(b"VP8L") + 9
        lossless[at : at + 4] = struct.pack("<I", (width - 1) | ((height - 1) << 14))
        return bytes(lossless)
    small = bytearray(saved(np.zeros((2, 2, 3), np.uint8), "JPEG"))
    at = small.index(b"\xff\xc0") + 5
    small[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(small)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("side", [8001, 9500, 15000])
def test_more_than_64_megapixels_are_refused_from_the_header(format_name: str, side: int):
    """Both below and above the sizes at which Pillow itself warns and refuses; no warning escapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        begin = time.thread_time()
        message = fault(header_only(format_name, side, side), name="bomb")
        assert time.thread_time() - begin < 0.2
    assert "64 million" in message
    assert "smaller" in message


def test_pillows_settings_for_the_whole_process_stay_as_they_were():
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    read_media(saved(four_corners(), "PNG"))
    fault(png(9000, 9000, 8, 2, b""))
    fault(saved(noise(), "JPEG")[:900])
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    assert before[1] is False
    assert MAX_PIXELS == 64_000_000


def test_more_than_200_mb_are_refused_before_the_file_is_read(tmp_path: Path):
    path = tmp_path / "huge.png"
    path.write_bytes(png(4, 4, 8, 2, bytes(48)))
    os.truncate(path, 201_000_000)  # sparse: nothing is written
    message = fault(path)
    assert "“huge.png”" in message
    assert "201 MB" in message
    assert "200 MB" in message


def test_a_progressive_jpeg_reads_like_any_other():
    assert_colours(
        corners(only_frame(read_media(saved(four_corners(), "JPEG", progressive=True)))),
        [RED, GREEN, BLUE, YELLOW],
        6,
    )


def test_a_jpeg_of_endless_scans_is_refused():
    data = saved(noise(), "JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    message = fault(data[:at] + data[at:-2] * 300 + b"\xff\xd9", name="slow.jpg")
    assert "scans" in message


# ---------------------------------------------------------------------------------------------------
# Several pictures in one file
# ---------------------------------------------------------------------------------------------------


def test_a_tiff_of_several_pages_shows_the_first_and_says_so():
    data = saved(
        Image.fromarray(four_corners()), "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]
    )
    clip = read_media(data)
    assert np.array_equal(only_frame(clip), four_corners())
    assert clip.notes == ("This is a TIFF of several pages: the first is shown.",)


# ---------------------------------------------------------------------------------------------------
# Bad files
# ---------------------------------------------------------------------------------------------------


def test_an_empty_file_is_called_empty(tmp_path: Path):
    path = tmp_path / "nothing.jpg"
    path.touch()
    assert "“nothing.jpg” is empty" in fault(path)
    assert "This file is empty" in fault(b"")


def test_a_missing_file_is_called_missing(tmp_path: Path):
    message = fault(tmp_path / "gone.png")
    assert "“gone.png” was not found" in message
    assert str(tmp_path) in message


def test_a_folder_is_called_a_folder(tmp_path: Path):
    assert "is a folder" in fault(tmp_path)


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a file" in fault(tmp_path / "pipe.png")


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "secret.png"
    path.write_bytes(saved(four_corners(), "PNG"))

    def denied(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # the superuser may read every file, so pretend
    assert "“secret.png” may not be read" in fault(path)


@pytest.mark.parametrize("path", ["a" * 300, "with\0null.png"])
def test_an_impossible_path_is_refused(path: str):
    fault(path)


def test_a_name_with_control_characters_is_shown_without_them():
    message = fault(b"", name="evil\n\x1b[31mname" + "x" * 500 + ".png")
    assert "\n" not in message
    assert "\x1b" not in message
    assert ".png”" in message


OTHER_FILES = {
    "PDF": b"%PDF-1.7\n" + b"\xe2\xe3" * 30,
    "ZIP": b"PK\x03\x04\x14\0\0\0" + bytes(range(200)),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVIF ": b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif",
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
    "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "web page": b"<!DOCTYPE html><html><body>404</body></html>",
    "text": "Überraschung: kein Bild\n".encode() * 400,
    "text ": "in UTF-16".encode("utf-16"),
    "BMW": b"BMW is a car maker, and this is no bitmap",
    "Photoshop": b"8BPS\0\x01" + bytes(40),
    "zeros": bytes(5000),
    "sound": b"RIFF\x24\0\0\0WAVEfmt ",
    "pickle": b"\x80\x04\x95" + bytes(40),
    "JPEG XL": b"\xff\x0a" + bytes(range(100)),
    "neither a picture": bytes(range(128, 256)),
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_a_file_that_is_no_picture_is_called_what_it_looks_like(kind: str):
    message = fault(OTHER_FILES[kind], name="holiday.jpg")
    assert message.startswith("“holiday.jpg” ")
    assert {"BMW": "text"}.get(kind, kind.strip()) in message


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_picture_cut_in_half_is_called_cut_off(format_name: str, tmp_path: Path):
    data = saved(noise(), format_name)
    path = tmp_path / "half.picture"
    path.write_bytes(data[: len(data) // 2])
    message = fault(path)
    assert "“half.picture” is cut off" in message
    assert "again" in message


def test_a_jpeg_whose_end_is_only_zeros_is_cut_off_though_it_has_its_full_length():
    data = saved(noise(200, 200), "JPEG")
    half = len(data) // 2
    assert "cut off" in fault(data[:half] + bytes(len(data) - half))
    assert only_frame(read_media(data + bytes(100_000))).shape == (200, 200, 3)  # padding after a whole one


CUTTABLE = {name: saved(noise(40, 30), name) for name in FORMATS}
CUTTABLE["progressive JPEG"] = saved(noise(40, 30), "JPEG", progressive=True)
CUTTABLE["interlaced PNG"] = interlaced_png(noise(41, 29))
CUTTABLE["TIFF, directory first"] = tiff(noise(40, 30), directory_first=True)
CUTTABLE["deflated TIFF, directory first"] = tiff(noise(40, 30), directory_first=True, deflate=True)
CUTTABLE["float TIFF, directory first"] = tiff(
    noise(40, 30).astype(np.float32), directory_first=True, deflate=True
)
CUTTABLE["lossless WEBP"] = saved(noise(40, 30), "WEBP", lossless=True)
CUTTABLE["LZW TIFF"] = saved(noise(40, 30), "TIFF", compression="tiff_lzw")
CUTTABLE["float TIFF"] = cv2.imencode(".tiff", noise(40, 30).astype(np.float32))[1].tobytes()


@pytest.mark.parametrize("kind", CUTTABLE)
def test_a_cut_anywhere_gives_the_whole_picture_or_a_refusal_and_never_half_of_it(kind: str):
    data = CUTTABLE[kind]
    whole = only_frame(read_media(data))
    step = max(1, len(data) // 150)
    for end in [*range(1, len(data), step), *range(max(1, len(data) - 24), len(data))]:
        try:
            clip = read_media(data[:end])
        except MediaError:
            continue
        assert np.array_equal(clip.frames[0], whole), f"cut at {end} of {len(data)}"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(CUTTABLE)), data=st.data())
def test_damaged_bytes_raise_nothing_but_media_error(kind: str, data: st.DataObject):
    damaged = bytearray(CUTTABLE[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, min(len(damaged) - 1, 900)))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the readers remark on broken metadata
        assert reads_or_is_refused(bytes(damaged))


@settings(max_examples=100, deadline=None)
@given(
    begin=st.sampled_from([data[:12] for data in CUTTABLE.values()] + [b""]),
    rest=st.binary(max_size=300),
)
def test_random_bytes_raise_nothing_but_media_error(begin: bytes, rest: bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert reads_or_is_refused(begin + rest)


@pytest.mark.parametrize("frames", [0, -1, 65])
def test_a_senseless_number_of_frames_is_refused(frames: int):
    assert "1 to 64" in fault(saved(four_corners(), "PNG"), max_frames=frames)


def test_a_senseless_side_is_refused():
    assert "at least 1" in fault(saved(four_corners(), "PNG"), max_side_px=0)


@pytest.mark.parametrize("source", [None, 7, io.BytesIO(b""), np.zeros((4, 4, 3))])
def test_a_source_that_is_neither_path_nor_bytes_is_a_programming_error(source: object):
    with pytest.raises(TypeError):
        read_media(source)  # type: ignore[arg-type]


def test_many_threads_read_at_once():
    data = saved(four_corners(600, 400), "JPEG")

    def work(_: int) -> None:
        for _ in range(5):
            read_media(data, max_side_px=200)
            fault(png(9500, 9500, 8, 2, b""))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
