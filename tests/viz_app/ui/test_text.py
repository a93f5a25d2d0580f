"""Text is made fit for where it stands."""

from __future__ import annotations

import pytest

from viz_app.ui import text


def test_a_long_file_name_is_shortened_and_control_characters_are_shown_harmless():
    assert text.short_name("IMG_20240312_142233_a_long_one.jpeg").endswith("ne.jpeg")
    assert len(text.short_name("x" * 400)) <= 18
    assert "\n" not in text.short_name("a\nb.png")


@pytest.mark.parametrize(
    ("title", "stem"),
    [("Deep sky", "deep-sky"), ("*$x$_[1].png", "x-1"), ("写真.jpg", "picture"), ("", "picture")],
)
def test_a_files_name_is_one_that_every_system_takes(title, stem):
    assert text.file_stem(title) == stem


def test_how_it_stands_is_said_in_words():
    assert text.waiting("Tracing 16 frames", 3) == "Tracing 16 frames: 3 before you"
    assert text.waiting("Tracing 16 frames", 0) == "Tracing 16 frames"
