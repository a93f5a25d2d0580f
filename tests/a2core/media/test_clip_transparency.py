"""What read_media promises about clips with transparent parts: laid on white, as pictures are."""

from __future__ import annotations

import numpy as np
import pytest

from a2core.media import read_media
from tests.a2core.media.clip_files import PATCHES, clip_of, patches_of, rgb_frames, yuv_frame
from tests.a2core.media.media_files import QUARTER, saved, turned_mp4

NOTE = "Transparent parts were filled with white."
OPACITY = [255, 0, 255, 128, 0, 64]
HIDDEN = (10, 20, 30)
"""The colour of what cannot be seen: dark, so that it shows where it should not."""


def see_through(size: tuple[int, int] = (192, 64)) -> np.ndarray:
    """(H, W, 4) uint8: six patches, each of its opacity."""
    picture = np.empty((size[1], size[0], 4), np.uint8)
    of_column = np.arange(size[0]) * 6 // size[0]
    colours = [HIDDEN if opacity == 0 else colour for colour, opacity in zip(PATCHES, OPACITY, strict=True)]
    picture[..., :3] = np.array(colours)[of_column]
    picture[..., 3] = np.array(OPACITY)[of_column]
    return picture


def on_white() -> np.ndarray:
    """(6, 3) the patches as they look on white paper."""
    opacity = np.array(OPACITY)[:, np.newaxis] / 255
    return np.array(PATCHES) * opacity + 255 * (1 - opacity)


LAYOUTS = {
    "VP8 in WebM": ("libvpx", "webm", "yuva420p", {"auto-alt-ref": "0", "crf": "4", "b": "4M"}),
    "VP9 in WebM": ("libvpx-vp9", "webm", "yuva420p", {"lossless": "1", "cpu-used": "8"}),
    "VP9 in MKV": ("libvpx-vp9", "matroska", "yuva420p", {"lossless": "1", "cpu-used": "8"}),
    "ProRes 4444 in MOV": ("prores_ks", "mov", "yuva444p10le", {"profile": "4", "alpha_bits": "16"}),
    "PNG in MOV": ("png", "mov", "rgba", {}),
    "Animation (QTRLE) in MOV": ("qtrle", "mov", "argb", {}),
    "FFV1 in MKV": ("ffv1", "matroska", "yuva444p", {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_transparent_parts_of_a_clip_are_filled_with_white_and_the_note_of_pictures_says_so(layout: str):
    encoder, container, pixels, options = LAYOUTS[layout]
    data = clip_of(rgb_frames([see_through()] * 12, pixels), encoder, container, options=options)
    clip = read_media(data, max_frames=4)
    for picture in (*clip.frames, clip.first_frame().frames[0], read_media(data, max_frames=1).frames[0]):
        assert np.abs(patches_of(picture) - on_white()).max() <= 5, patches_of(picture)
    assert clip.notes == (NOTE,)
    assert NOTE in read_media(saved(see_through(), "PNG")).notes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_clip_that_could_be_transparent_and_is_not_gets_no_note(layout: str):
    encoder, container, pixels, options = LAYOUTS[layout]
    opaque = see_through()
    opaque[..., :3] = np.array(PATCHES)[np.arange(192) // 32]
    opaque[..., 3] = 255
    clip = read_media(clip_of(rgb_frames([opaque] * 3, pixels), encoder, container, options=options))
    assert np.abs(patches_of(clip.frames[0]) - PATCHES).max() <= 5
    assert clip.notes == ()


@pytest.mark.parametrize("encoder", ["libvpx", "libvpx-vp9"])
def test_each_frame_of_a_webm_has_its_own_opacity_also_after_a_jump(encoder: str):
    """The opaque part grows with the frame's number, over two hundred frames with a key frame every ten."""
    frames = []
    for number in range(200):
        picture = np.zeros((32, 224, 4), np.uint8)
        picture[:, : 8 + number, 3] = 255
        frames.append(picture)
    options = {
        "auto-alt-ref": "0",
        "g": "10",
        "crf": "10",
        "b": "2M",
        "cpu-used": "8",
        "deadline": "realtime",
    }
    data = clip_of(rgb_frames(frames, "yuva420p"), encoder, "webm", options=options)
    for stretch in ({}, {"start_s": 5.5, "end_s": 6.5}):
        clip = read_media(data, max_frames=5, **stretch)
        edges = (clip.frames[:, 16, :, 1] < 128).sum(axis=1)
        assert np.abs(edges - (8 + 25 * clip.times_s)).max() <= 1.5, edges


def test_what_cannot_be_seen_does_not_shine_through_where_a_clip_is_scaled_down():
    picture = np.zeros((64, 192, 4), np.uint8)
    picture[...] = (*HIDDEN, 0)
    picture[:, 1::2] = (255, 255, 255, 255)  # white lines on nothing: all of it is white
    clip = read_media(clip_of(rgb_frames([picture] * 2, "rgba"), "png", "mov"), max_side_px=48)
    assert clip.frames.min() >= 250


def test_transparency_in_a_clip_of_high_dynamic_range_is_laid_on_white_too():
    frame = yuv_frame([(0.3, 0.3, 0.3)] * 6, "BT.2020", full=False, bits=10, opacity=[1, 0, 1, 0, 1, 0])
    tags = {"colorspace": 9, "color_trc": 16, "color_primaries": 9}
    for name, value in tags.items():
        setattr(frame, name, value)
    options = {"profile": "4", "alpha_bits": "16"}
    clip = read_media(clip_of([frame] * 2, "prores_ks", "mov", options=options, **tags))
    found = patches_of(clip.frames[0])
    assert found[1::2].min() >= 250
    assert found[::2].max() < 100
    assert NOTE in clip.notes
    assert any("High dynamic range (PQ)" in note for note in clip.notes)


def test_a_clip_turned_on_its_side_keeps_its_transparency_where_it_is():
    data = clip_of(rgb_frames([see_through()] * 2, "argb"), "qtrle", "mov")
    clip = read_media(turned_mp4(data, QUARTER))
    assert clip.frames.shape == (2, 192, 64, 3)
    assert np.abs(patches_of(clip.frames[0].transpose(1, 0, 2)) - on_white()).max() <= 5
