"""The atlas beside the checkpoints: of these checkpoints, small, and of pictures that may be passed on."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

import a2core
from a2core.checkpoints import SHIPPED

FOLDER = SHIPPED / "atlas"
NAMES = ("a2-lite0", "a2-lite2")
FREE = {"CC0 1.0", "Public Domain", "public domain"}


def test_all_of_it_takes_at_most_six_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) <= 6e6


@pytest.mark.parametrize("name", NAMES)
def test_it_is_of_the_checkpoint_that_is_shipped(name):
    """Where this fails, the checkpoint was trained anew: `make shipped-atlas` (docs/atlas.md)."""
    card = next(info.card for info in a2core.list_checkpoints(SHIPPED) if info.name == name)
    assert a2core.Atlas(FOLDER / name).told["checkpoint"]["sha256"] == card["sha256"]


def test_every_picture_has_a_licence_that_lets_it_be_shown_and_what_that_asks_for():
    atlas = a2core.Atlas(FOLDER / "a2-lite0")
    photos = atlas.photos(range(len(atlas))).values()
    assert len(photos) == len(atlas) >= 500
    for photo in photos:
        assert photo.licence in FREE | {"CC BY 2.0"}
        if photo.licence == "CC BY 2.0":
            assert photo.author
            assert not re.search(r"\\[0-3]|&#?\w+;", photo.author)  # spelled as its owner does
            assert photo.link.startswith(("http://", "https://"))
        assert not photo.path.startswith(("/", ".."))


@pytest.mark.parametrize("name", NAMES)
def test_primitives_have_exemplars_in_every_order_with_crops(name):
    atlas = a2core.Atlas(FOLDER / name)
    for block, count in atlas.blocks.items():
        tiles = atlas.tiles(block)
        assert len(tiles) == count
        assert max(map(len, tiles)) < 4500
        for order, least in (("mean", 12), ("peak", 12), ("effect", 12), ("idle", 3)):
            found = atlas.exemplars(block, count - 1, order)
            assert len(found) == least
            assert max(Image.open(io.BytesIO(found[0].crop)).size) == 60
    assert len(atlas.nearest(0, 5)) == 5
