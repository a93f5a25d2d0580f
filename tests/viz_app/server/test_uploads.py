"""What a visitor brings is known by its content, read no larger than needed, and can be cut again."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.viz_app.explorer import gif
from viz_app.server import pictures, samples, uploads


@pytest.mark.slow
def test_an_upload_is_known_by_its_content_and_not_by_its_name(checkpoints):
    data = samples.sample_path(samples.SAMPLES[0]).read_bytes()
    one, other = (uploads.read_upload(data, name)[0] for name in ("a.png", "b.png"))
    assert one.id == other.id
    assert one.held is other.held
    assert [(each.title, each.clip.name) for each in (one, other)] == [("a.png", "a.png"), ("b.png", "b.png")]


@pytest.mark.slow
def test_a_large_upload_is_decoded_no_larger_than_the_page_can_use(checkpoints):
    data = samples.sample_path(next(s for s in samples.SAMPLES if s.name == "hubble")).read_bytes()
    assert max(uploads.read_upload(data, "sky.jpg")[0].clip.frames.shape[1:3]) <= pictures.DECODED_SIDE_PX


def test_an_upload_of_several_frames_is_a_clip_that_can_be_cut_again():
    picture, source = uploads.read_upload(gif(), "noise.gif")
    assert picture.clip.kind == "video"
    assert len(picture.clip.frames) == 12
    assert source.end_s == pytest.approx(1.1)
    again = uploads.cut_again(picture, source, pictures.Cut(0.3, 0.8, 3))
    np.testing.assert_allclose(again.clip.times_s, [0.3, 0.6, 0.8], atol=0.101)
    assert again.id == picture.id
    assert uploads.cut_again(picture, source, pictures.Cut(0.0, source.end_s, 1)).is_clip


def test_a_picture_is_no_clip():
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "PNG")
    picture, source = uploads.read_upload(out.getvalue(), "a.png")
    assert source is None
    assert not picture.is_clip
