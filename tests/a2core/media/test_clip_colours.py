"""What read_media promises about the colours of clips: matrix, range, high dynamic range, wide gamut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from a2core.media import read_media
from tests.a2core.media.clip_files import PATCHES, clip_of, patches_of, rgb_frames, yuv_frame
from tests.a2core.media.media_files import four_corners

# Numbers of the matrices in ITU-T H.273.
SAID = {"BT.601": 6, "BT.709": 1, "BT.2020": 9}
UNSPECIFIED = 2
LOSSLESS = {"options": {"qp": "0", "preset": "ultrafast"}}


def clip_of_patches(
    matrix: str,
    *,
    said: int,
    full: bool = False,
    bits: int = 8,
    size: tuple[int, int] = (192, 64),
    **settings,
) -> bytes:
    frame = yuv_frame(np.array(PATCHES) / 255, matrix, full=full, bits=bits, size=size)
    settings = {"color_range": ColorRange.JPEG if full else ColorRange.MPEG, "colorspace": said, **settings}
    frame.colorspace, frame.color_range = settings["colorspace"], settings["color_range"]
    return clip_of([frame] * 2, "libx264", settings.pop("container", "matroska"), **LOSSLESS, **settings)


def assert_patches(data: bytes, within: int = 4) -> None:
    clip = read_media(data, max_side_px=1920)
    assert np.abs(patches_of(clip.frames[0]) - PATCHES).max() <= within, patches_of(clip.frames[0])
    assert clip.notes == ()


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", SAID)
def test_six_patches_of_every_matrix_and_range_come_out_as_they_went_in(matrix, full: bool, container: str):
    for bits in (8, 10):
        assert_patches(clip_of_patches(matrix, said=SAID[matrix], full=full, bits=bits, container=container))


@pytest.mark.parametrize(
    ("size", "matrix"),
    [((1280, 720), "BT.709"), ((1920, 1080), "BT.709"), ((720, 576), "BT.601"), ((640, 480), "BT.601")],
)
def test_colours_of_which_nothing_is_said_are_of_today_s_television_in_hd_and_of_older_below(
    size, matrix: str
):
    assert_patches(clip_of_patches(matrix, said=UNSPECIFIED, size=size, color_range=ColorRange.UNSPECIFIED))


def test_motion_jpeg_is_of_full_range_and_of_the_older_matrix_at_any_size():
    for size in ((192, 64), (1920, 1080)):
        frame = yuv_frame(np.array(PATCHES) / 255, "BT.601", full=True, size=size)
        frame.color_range = ColorRange.JPEG
        frames = [frame.reformat(format="yuvj444p")] * 2
        data = clip_of(frames, "mjpeg", "avi", options={"qmin": "1", "qmax": "1"}, pixels="yuvj444p")
        assert_patches(data)


@pytest.mark.parametrize("said", [3, 10], ids=["reserved", "constant luminance"])
def test_a_matrix_that_the_scaler_does_not_know_does_not_keep_a_clip_from_being_read(said: int):
    clip = read_media(clip_of_patches("BT.2020" if said == 10 else "BT.601", said=said))
    assert np.abs(patches_of(clip.frames[0]) - PATCHES).max() <= 4


def test_rgb_is_read_as_rgb_whatever_the_size():
    picture = np.repeat(np.repeat(np.array([PATCHES], np.uint8), 720, 0), 214, 1)
    clip = read_media(clip_of(rgb_frames([picture] * 2, "rgb24"), "png", "mov"))
    assert np.abs(patches_of(clip.frames[0]) - PATCHES).max() <= 1


# ---------------------------------------------------------------------------------------------------
# High dynamic range and wide gamut. The oracle: the formulas of the standards, one number at a time
# ---------------------------------------------------------------------------------------------------

TO_2020 = np.array(  # ITU-R BT.2087: linear light of BT.709 primaries to those of BT.2020
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)
TO_P3 = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])


def light_of(code: float) -> float:
    """Linear light, 0…1, of an sRGB code in 0…1."""
    return code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4


def code_of(light: float) -> float:
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def pq(nits: float) -> float:
    """SMPTE ST 2084."""
    y = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def hlg(nits: list[float]) -> list[float]:
    """ITU-R BT.2100 for a screen of 1000 cd/m²: screen light of the three colours to their codes."""
    luminance = 0.2627 * nits[0] + 0.6780 * nits[1] + 0.0593 * nits[2]
    scene = [value / 1000 * (luminance / 1000) ** (1 / 1.2 - 1) for value in nits]
    return [
        math.sqrt(3 * e) if e <= 1 / 12 else 0.17883277 * math.log(12 * e - 0.28466892) + 0.55991073
        for e in scene
    ]


def hdr_clip(transfer: str, of_patches: list[list[float]]) -> bytes:
    """A 10-bit clip of patches of so much light, in cd/m² of each of BT.2020's colours."""
    codes = [hlg(nits) if transfer == "HLG" else [pq(value) for value in nits] for nits in of_patches]
    frame = yuv_frame(codes, "BT.2020", full=False, bits=10)
    trc = ColorTrc.ARIB_STD_B67 if transfer == "HLG" else ColorTrc.SMPTE2084
    tags = {"color_range": 1, "colorspace": 9, "color_trc": int(trc), "color_primaries": 9}
    for name, value in tags.items():
        setattr(frame, name, value)
    return clip_of([frame] * 2, "libx264", **LOSSLESS, **tags)


@pytest.mark.parametrize("transfer", ["PQ", "HLG"])
def test_ordinary_colours_in_a_clip_of_high_dynamic_range_look_as_they_do_elsewhere(transfer: str):
    """White paper is 203 cd/m² there; up to 90 cd/m² nothing is compressed."""
    colours = [(150, 30, 40), (20, 150, 60), (30, 50, 150), (150, 140, 30), (128, 128, 128), (60, 55, 50)]
    nits = [TO_2020 @ [203 * light_of(code / 255) for code in colour] for colour in colours]
    clip = read_media(hdr_clip(transfer, [list(patch) for patch in nits]))
    assert np.abs(patches_of(clip.frames[0]) - colours).max() <= 4, patches_of(clip.frames[0])
    assert clip.notes == (
        f"High dynamic range ({transfer}): its bright parts were brought into the range of ordinary "
        "pictures.",
    )


def compressed(nits: float) -> float:
    """The curve of ITU-R BT.2390 from 1000 to 203 cd/m², step by step as the report has it."""
    if nits >= 1000:
        return 203
    e1, max_lum = pq(nits) / pq(1000), pq(203) / pq(1000)
    ks = 1.5 * max_lum - 0.5
    if e1 < ks:
        return nits
    t = (e1 - ks) / (1 - ks)
    e2 = (2 * t**3 - 3 * t**2 + 1) * ks + (t**3 - 2 * t**2 + t) * (1 - ks) + (-2 * t**3 + 3 * t**2) * max_lum
    low, high = 0.0, 10_000.0  # the inverse of pq, by halving
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if pq(middle) < e2 * pq(1000) else (low, middle)
    return low


@pytest.mark.parametrize("transfer", ["PQ", "HLG"])
def test_bright_light_follows_the_curve_of_bt_2390_up_to_white_and_stays_grey(transfer: str):
    light = [20.0, 100.0, 203.0, 300.0, 400.0, 550.0]
    clip = read_media(hdr_clip(transfer, [[value] * 3 for value in light]))
    found = patches_of(clip.frames[0])
    wanted = [round(255 * code_of(compressed(value) / 203)) for value in light]
    assert np.abs(found - np.array(wanted)[:, np.newaxis]).max() <= 3, (found, wanted)
    assert np.ptp(found, axis=1).max() <= 2
    assert (np.diff(found[:, 1]) > 0).all()  # no two of them run together, as they do where light is clipped


def test_a_bright_colour_keeps_its_hue():
    """A saturated light of four times white: what is compressed is its strength, not one channel of it."""
    hue = np.array([1.0, 0.35, 0.1])
    clip = read_media(hdr_clip("PQ", [list(TO_2020 @ (hue * 800))] * 6))
    light = [light_of(code / 255) for code in patches_of(clip.frames[0])[0]]
    assert np.array(light) / light[0] == pytest.approx(hue, abs=0.03)


@pytest.mark.parametrize(
    ("primaries", "matrix"),
    [(ColorPrimaries.BT2020, TO_2020), (ColorPrimaries.SMPTE432, TO_P3)],
    ids=["BT.2020", "P3"],
)
def test_colours_of_wide_gamut_are_brought_to_srgb_as_those_of_pictures_are(primaries, matrix):
    coded = [[code_of(light) for light in matrix @ [light_of(c / 255) for c in colour]] for colour in PATCHES]
    frame = yuv_frame(coded, "BT.709", full=False, bits=10)
    tags = {"color_range": 1, "colorspace": 1, "color_trc": 1, "color_primaries": int(primaries)}
    for name, value in tags.items():
        setattr(frame, name, value)
    assert_patches(clip_of([frame] * 2, "libx264", **LOSSLESS, **tags))


def test_an_ordinary_clip_is_not_touched_by_what_is_done_to_others():
    picture = four_corners(64, 32)
    clip = read_media(clip_of(rgb_frames([picture] * 2, "rgb24"), "png", "mov"))
    assert (clip.frames[0] == picture).all()
