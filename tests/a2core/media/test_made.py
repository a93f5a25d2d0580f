"""The clip made from two photos keeps the promises of a Clip, and things move in it."""

from __future__ import annotations

import numpy as np
import pytest

from a2core import made_clip


@pytest.fixture
def scene():
    """Grey that darkens to the right, so that a pan is a change of brightness."""
    return np.repeat(np.linspace(200, 50, 600).astype(np.uint8)[None, :, None], 400, axis=0).repeat(3, axis=2)


def test_it_is_a_clip_that_says_it_was_made(scene):
    clip = made_clip(scene, np.zeros((90, 120, 3), np.uint8), frames=5, seconds=2.0, size=(96, 160))
    assert clip.kind == "video"
    assert clip.frames.shape == (5, 96, 160, 3)
    assert clip.times_s.tolist() == [0, 0.5, 1, 1.5, 2]
    assert not clip.frames.flags.writeable
    assert "made, not filmed" in clip.notes[0]


def test_the_thing_crosses_from_left_to_right_while_the_camera_pans(scene):
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 0] = 255
    clip = made_clip(scene, red, frames=6, size=(96, 160))
    is_red = (clip.frames[..., 0] > 200) & (clip.frames[..., 1] < 40)
    centres = [np.nonzero(frame)[1].mean() for frame in is_red]
    assert centres[0] < 25
    assert centres[-1] > 135
    assert (np.diff(centres) > 10).all()
    area = is_red.sum(axis=(1, 2))
    assert area.max() - area.min() < 0.1 * area.max(), "it keeps its size"
    left_edges = clip.frames[:, 2, 2, 1].astype(int)
    assert (np.diff(left_edges) < 0).all(), "the camera goes right, where the scene is darker"
