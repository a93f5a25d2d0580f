"""What is taken away is what is on screen."""

from __future__ import annotations

import pytest

import a2core
from a2core.canvas import standalone_html
from viz_app.server import traces
from viz_app.ui.state import Probe
from viz_app.views.explore import exports


def test_the_size_of_the_offline_page_is_told_beforehand(picture, weights):
    made = traces.show(picture, weights, 96)
    page = standalone_html(made.payload, title="noise")
    assert exports.page_megabytes(made) == pytest.approx(len(page.encode()) / 1e6, rel=0.05)


def test_a_movie_is_of_the_pixel_or_of_the_primitive(picture, weights):
    made = traces.show(picture, weights, 96)
    probe = Probe(made.key, "blocks.4", 3, 1, 1, 5)
    pixel, primitive = (exports.movie(made, probe, of_primitive=which) for which in (False, True))
    assert pixel.data != primitive.data
    assert len(a2core.read_media(pixel.data).frames) == 12
