"""The samples are free, and there."""

from __future__ import annotations

from viz_app.server import samples


def test_every_sample_is_a_file_inside_the_wheel():
    for sample in samples.SAMPLES:
        assert samples.sample_path(sample).is_file(), sample.name


def test_every_sample_says_in_its_own_documentation_that_it_is_free():
    import skimage.data

    documented = {"hubble": "hubble_deep_field"}
    for sample in samples.SAMPLES:
        text = getattr(skimage.data, documented.get(sample.name, sample.name)).__doc__
        text = " ".join(text.split())
        assert "CC0" in text or "public domain" in text, sample.name
        assert "CC0" in sample.credit or "public domain" in sample.credit


def test_the_sample_clip_says_that_it_was_made():
    picture = samples.sample_clip()
    assert "made" in picture.title.lower()
    assert "made, not filmed" in picture.clip.notes[0]
    assert picture.plays
