"""Pictures as people really have them: every frame within the limits, no thumbnails, all bands and depths."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

from a2core.errors import MediaError
from a2core.media import read_media
from tests.a2core.media import picture_files as made
from tests.a2core.media.media_files import noise, saved
from tests.a2core.media.test_media import corners

WHOLE = made.CORNERS
PEAK_MB = 1500
MEASURED = """
import resource, sys
from a2core import read_media, MediaError
data = sys.stdin.buffer.read()
try:
    clip = read_media(data, max_side_px=1344, max_frames=16)
    print("read", *clip.frames.shape)
except MediaError as error:
    print("refused", error)
status = open("/proc/self/status").read() if sys.platform == "linux" else ""
peak = next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
from PIL import Image
print(peak, "pillow_heif" in sys.modules or "HEIF" in Image.OPEN)
"""


def measured(data: bytes) -> tuple[str, int, bool]:
    """What becomes of a file in a process of its own, its peak memory in MB, and whether it loaded HEIC."""
    done = subprocess.run([sys.executable, "-c", MEASURED], input=data, capture_output=True, check=True)
    said, rest = done.stdout.decode().splitlines()
    peak, heic = rest.split()
    return said, int(peak), heic == "True"


# ---- limits, frame by frame


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            lambda: made.gif_of_large_frames(9000), id="GIF, frames of 81 MP on a screen of 16 × 16"
        ),
        pytest.param(lambda: made.webp_of_large_frames(9000), id="WebP, frames of 81 MP on a small canvas"),
        pytest.param(lambda: made.apng_of_large_frames(9000), id="APNG of 81 MP"),
        pytest.param(lambda: made.tiff((made.page(9000, 9000), b"")), id="TIFF of 81 MP without data"),
        pytest.param(
            lambda: made.thumbnail_first(full=made.page(9000, 9000), strip=b"", inner=True),
            id="TIFF whose large page hangs below a small one",
        ),
        pytest.param(lambda: b"P5 30000 30000 255\n", id="PGM"),
    ],
)
def test_a_frame_of_more_than_64_megapixels_is_refused_before_its_pixels_exist(data, monkeypatch):
    content = data()
    monkeypatch.setattr(Image.core, "new", lambda *_: pytest.fail("pixels were made"))
    monkeypatch.setattr(Image.core, "fill", lambda *_: pytest.fail("pixels were made"))
    with pytest.raises(
        MediaError, match=r"million pixels, and at most 64 million are decoded\. Save it smaller"
    ):
        read_media(content, name="large")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_large_frames_on_a_small_screen_are_read_within_the_memory_that_is_promised():
    said, peak, heic = measured(made.gif_of_large_frames(4000))
    assert said == "read 3 16 16 3"
    assert peak < PEAK_MB
    assert not heic, "who reads no HEIC loads no reader of it, and nothing is registered with Pillow"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_the_largest_picture_that_is_read_stays_within_the_memory_that_is_promised():
    largest = saved(Image.new("RGBA", (8000, 8000), (200, 30, 40, 255)), "PNG", compress_level=1)
    said, peak, _ = measured(largest)
    assert said == "read 1 1344 1344 3"
    assert peak < PEAK_MB


def test_what_a_gif_draws_beyond_its_screen_is_not_shown():
    """As browsers have it: the screen is the picture."""
    frames = [Image.fromarray(noise(48, 32, seed)) for seed in range(2)]
    data = bytearray(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    whole = read_media(bytes(data), max_frames=4).frames
    data[6:10] = (24).to_bytes(2, "little") + (32).to_bytes(2, "little")
    shown = read_media(bytes(data), max_frames=4).frames
    assert shown.shape[1:3] in ((32, 24), (32, 48))
    np.testing.assert_array_equal(shown[0, :, :24], whole[0, :, :24])


@pytest.mark.parametrize("format_name", ["GIF", "PNG", "WebP", "AVIF"])
def test_animations_give_the_frames_that_pillow_decodes(format_name):
    frames = [Image.fromarray(np.full((32, 48, 3), shade, np.uint8)) for shade in (10, 120, 240)]
    options = {"lossless": True} if format_name == "WebP" else {}
    data = saved(frames[0], format_name, save_all=True, append_images=frames[1:], duration=100, **options)
    clip = read_media(data, max_frames=8)
    by_pillow = [
        np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(Image.open(io.BytesIO(data)))
    ]
    assert clip.kind == "video"
    np.testing.assert_allclose(clip.frames.astype(int), by_pillow, atol=2)
    np.testing.assert_allclose(clip.times_s, [0, 0.1, 0.2], atol=0.011)


# ---- raw camera files and thumbnails


@pytest.mark.parametrize("kind", ["DNG", "NEF", "CR2", "ARW"])
def test_a_raw_camera_file_is_refused_and_never_shown_as_its_thumbnail(kind):
    with pytest.raises(
        MediaError, match=r"photo\.raw.* is a raw camera file: develop it and save it as JPEG"
    ):
        read_media(made.raw_camera_file(kind), name="photo.raw")


@pytest.mark.parametrize("inner", [False, True], ids=["behind it", "below it"])
def test_of_a_tiff_that_begins_with_a_reduced_copy_the_full_page_is_shown(inner):
    full = np.arange(64 * 48, dtype=np.uint8).reshape(48, 64)
    clip = read_media(made.thumbnail_first(full=made.page(64, 48), strip=full.tobytes(), inner=inner))
    np.testing.assert_array_equal(clip.frames[0, ..., 0], full)
    assert "begins with a reduced copy: its full picture is shown" in clip.notes[0]


# ---- bands


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("more", [1, 2, 5])
def test_bands_behind_red_green_and_blue_are_not_taken_for_transparency(more, dtype, planar):
    scale = np.iinfo(dtype).max // 255
    infrared = np.repeat(noise(64, 48)[..., :1], more, axis=2)
    samples = np.dstack([WHOLE, infrared]).astype(dtype) * dtype(scale)
    clip = read_media(made.bands_tiff(samples, planar=planar, extra=(0,) * more))
    np.testing.assert_array_equal(clip.frames[0], WHOLE)
    assert f"Of {3 + more} bands the first 3 bands are shown; further bands are not." in clip.notes


@pytest.mark.parametrize("kind", [1, 2], ids=["associated", "unassociated"])
def test_a_fourth_band_that_says_it_is_alpha_is_laid_on_white(kind):
    opacity = np.where(np.arange(64) < 32, 0, 255).astype(np.uint8) * np.ones((48, 1), np.uint8)
    colours = WHOLE if kind == 2 else (WHOLE * (opacity[..., None] / 255)).astype(np.uint8)
    clip = read_media(made.bands_tiff(np.dstack([colours, opacity]), extra=(kind,)))
    expected = np.where(opacity[..., None] == 255, WHOLE, 255)
    np.testing.assert_array_equal(clip.frames[0], expected)
    assert "Transparent parts were filled with white." in clip.notes


# ---- depths


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_sensors_counts_in_a_wider_type_are_stretched_by_their_own_range_and_it_is_said(bits, format_name):
    counts = made.counts(bits)
    clip = read_media(saved(Image.fromarray(counts), format_name))
    (note,) = clip.notes
    low, high = (int(word) for word in note.split() if word.isdigit())
    assert note == f"16-bit samples that use only {low} to {high} were stretched from black to white."
    inside = np.quantile(counts, [0.002, 0.998])
    assert counts.min() <= low <= inside[0] < inside[1] <= high <= counts.max()
    expected = np.clip((counts.astype(float) - low) / (high - low), 0, 1) * 255
    np.testing.assert_allclose(clip.frames[0, ..., 1], expected, atol=0.51)


def test_one_hot_pixel_does_not_leave_the_rest_in_the_dark():
    counts = made.counts(10)
    counts[0, 0] = 4000
    shown = read_media(saved(Image.fromarray(counts), "PNG")).frames[0, ..., 0]
    assert np.percentile(shown, 99) > 240


def test_colours_of_twelve_bits_are_stretched_alike_so_that_hues_stay():
    samples = WHOLE.astype(np.uint16) * 16
    clip = read_media(made.bands_tiff(samples))
    shown = clip.frames[0].astype(float)
    low, high = samples.min(), samples.max()
    np.testing.assert_allclose(shown, (samples.astype(float) - low) / (high - low) * 255, atol=0.51)
    assert "were stretched from black to white" in clip.notes[0]


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "PPM"])
def test_true_sixteen_bits_keep_their_look(format_name):
    counts = made.counts(16)
    clip = read_media(saved(Image.fromarray(counts), format_name))
    np.testing.assert_allclose(clip.frames[0, ..., 0], counts / 65535 * 255, atol=0.51)
    assert clip.notes == ("16-bit samples were reduced to 8 bits.",)


@pytest.mark.parametrize("value", [0, 700, 65535])
def test_a_picture_of_one_value_has_no_range_to_stretch(value):
    clip = read_media(saved(Image.fromarray(np.full((20, 30), value, np.uint16)), "PNG"))
    assert np.abs(clip.frames.astype(int) - round(value / 257)).max() <= 1


# ---- what phones and cameras write today


def test_a_heic_of_a_phone_is_read_in_its_colours():
    np.testing.assert_allclose(read_media(made.heic(WHOLE)).frames[0].astype(int), WHOLE, atol=6)


def test_ten_bits_of_a_heic_are_brought_to_eight():
    clip = read_media(made.deep_heic(WHOLE.astype(np.uint16) * 257))
    np.testing.assert_allclose(clip.frames[0].astype(int), WHOLE, atol=6)
    assert clip.notes == ("10-bit samples were reduced to 8 bits.",)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["HEIC", "AVIF", "JPEG"])
def test_every_orientation_comes_out_upright_and_is_turned_once(format_name, orientation):
    """The tag says how the stored picture must be turned; the stored one is turned the other way first."""
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x112] = orientation
    stored = Image.fromarray(WHOLE)
    back = {6: 8, 8: 6}.get(orientation, orientation)
    if back != 1:
        turned = Image.Exif()
        turned[0x112] = back
        tagged = Image.open(io.BytesIO(saved(stored, "PNG", exif=turned.tobytes())))
        stored = ImageOps.exif_transpose(tagged)
    pixels = np.asarray(stored)
    if format_name == "HEIC":
        data = made.heic(pixels, exif=exif.tobytes())
    else:
        data = saved(pixels, format_name, quality=95, exif=exif.tobytes())
    shown = read_media(data).frames[0]
    assert shown.shape == WHOLE.shape
    np.testing.assert_allclose(np.array(corners(shown), int), np.array(corners(WHOLE), int), atol=14)


@pytest.mark.parametrize("format_name", ["AVIF", "HEIC"])
def test_transparency_is_laid_on_white(format_name):
    clear = np.dstack(
        [WHOLE, np.where(np.arange(64) < 32, 0, 255).astype(np.uint8) * np.ones((48, 1), np.uint8)]
    )
    data = made.heic(clear) if format_name == "HEIC" else saved(clear, "AVIF", quality=95)
    clip = read_media(data)
    assert clip.frames[0, :, :24].min() > 245
    np.testing.assert_allclose(clip.frames[0, :20, 40:].astype(int), WHOLE[:20, 40:], atol=14)
    assert "Transparent parts were filled with white." in clip.notes


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("format_name", ["HEIC", "AVIF", "JPEG2000", "PPM", "TGA"])
def test_what_is_cut_off_is_refused_in_words(format_name, share):
    picture = noise(64, 48)
    data = made.heic(picture) if format_name == "HEIC" else saved(picture, format_name)
    with pytest.raises(MediaError, match=r"cut\.off.* is (cut off|damaged)"):
        read_media(data[: int(len(data) * share)], name="cut.off")


@pytest.mark.parametrize(
    ("format_name", "mode"),
    [
        ("JPEG2000", "RGB"),
        ("JPEG2000", "L"),
        ("PPM", "RGB"),
        ("PPM", "L"),
        ("PPM", "1"),
        ("TGA", "RGB"),
        ("TGA", "L"),
        ("ICO", "RGB"),
    ],
)
def test_the_rest_that_people_have_is_read(format_name, mode):
    picture = Image.fromarray(made.four_corners(48, 48)).convert(mode)
    clip = read_media(saved(picture, format_name, **({"sizes": [(48, 48)]} if format_name == "ICO" else {})))
    np.testing.assert_array_equal(clip.frames[0], np.asarray(picture.convert("RGB")))


def test_of_an_icon_the_largest_picture_is_shown():
    picture = Image.fromarray(made.four_corners(64, 64))
    clip = read_media(saved(picture, "ICO", sizes=[(16, 16), (64, 64), (32, 32)]))
    assert clip.frames.shape == (1, 64, 64, 3)
    assert clip.notes == ("This icon holds 3 pictures: the largest is shown.",)
