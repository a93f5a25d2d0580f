"""The exported movie: its frames are the clip's, its colours the map's, and nothing stays on the disk."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from a2core import A2Error, read_media
from a2core.export import movie
from a2core.export.movie import overlay_movie


@pytest.fixture
def clip_trace(tiny_trace):
    """Five grey frames, each lighter than the last."""
    frames = np.stack([np.full((96, 160, 3), 40 + 40 * t, np.uint8) for t in range(5)])
    return replace(tiny_trace, model_input=frames)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder that temporary files go to in this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_every_frame_is_there_in_order_with_its_map_over_it(clip_trace, temporary):
    maps = np.zeros((5, 6, 10), np.float32)
    for t in range(5):
        maps[t, 2, 2 * t] = 1.0  # a spot that wanders to the right
    made = overlay_movie(clip_trace, maps, frames_per_s=8)
    assert (made.codec, made.suffix, made.mime) == ("VP8", ".webm", "video/webm")
    assert list(temporary.iterdir()) == []
    clip = read_media(made.data, max_frames=64)
    assert clip.frames.shape == (5, 480, 800, 3)
    np.testing.assert_allclose(clip.times_s, np.arange(5) / 8, atol=0.01)
    corners = clip.frames[:, -40:, :40].mean(axis=(1, 2, 3))
    assert (np.diff(corners) > 5).all()
    for t, frame in enumerate(clip.frames):
        smooth = cv2.blur(frame.astype(np.float32), (41, 41))
        row, col = np.unravel_index((smooth.max(axis=2) - smooth.min(axis=2)).argmax(), smooth.shape[:2])
        assert (row // 80, col // 80) == (2, 2 * t), "colour means attention, and it is where the map is"


def test_a_movie_that_cannot_be_written_leaves_nothing_behind(clip_trace, temporary, monkeypatch):
    maps = np.ones((5, 6, 10))
    monkeypatch.setattr(movie, "_ENCODERS", (("AAAA", "none", ".webm", "video/webm"),))
    with pytest.raises(A2Error, match="no encoder"):
        overlay_movie(clip_trace, maps)
    assert list(temporary.iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "read_bytes", full)
    with pytest.raises(OSError, match="No space"):
        overlay_movie(clip_trace, maps)
    assert list(temporary.iterdir()) == []


def test_without_vp8_it_becomes_what_there_is_and_says_so(clip_trace, monkeypatch):
    monkeypatch.setattr(movie, "_ENCODERS", (("AAAA", "none", ".webm", ""), *movie._ENCODERS[1:]))
    made = overlay_movie(clip_trace, np.ones((5, 6, 10)))
    assert made.codec == "VP9"
    assert len(read_media(made.data).frames) == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"maps": np.ones((4, 6, 10))}, "for 5 frames"),
        ({"maps": np.ones((2, 5, 6, 10))}, "for 5 frames"),
        ({"opacity": 2.0}, "out of range"),
        ({"frames_per_s": 0}, "out of range"),
    ],
)
def test_what_makes_no_movie_is_refused(clip_trace, change, said):
    given = {"maps": np.ones((5, 6, 10))} | change
    with pytest.raises(A2Error, match=said):
        overlay_movie(clip_trace, **given)


def test_a_picture_is_no_movie(tiny_trace):
    with pytest.raises(A2Error, match="Trace a clip"):
        overlay_movie(tiny_trace, np.ones((1, 6, 10)))
