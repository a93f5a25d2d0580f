"""Small atlases to pass on: they answer as the whole one does, of pictures whose owners are named."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import a2core
from a2core import AtlasError
from a2core.atlas.page import write_page
from a2core.atlas.slim import read_credits, shortest, slim_atlases
from tests.a2core.atlas.made_pictures import SETTINGS


@pytest.fixture(scope="module")
def credits(pictures, tmp_path_factory) -> Path:
    """Whose the pictures are, beside them."""
    paths = sorted(path for path in pictures.rglob("*.*"))
    file = tmp_path_factory.mktemp("credits") / "credits.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "author", "licence", "url"])
        for path in paths:
            row = [
                path,
                f"Ann of {path.stem}",
                "https://creativecommons.org/licenses/by/2.0/",
                "https://a.example/1",
            ]
            writer.writerow(row)
    return file


@pytest.fixture(scope="module")
def slim(built, credits, tmp_path_factory) -> a2core.Atlas:
    out = tmp_path_factory.mktemp("slim")
    slim_atlases([a2core.Atlas(built)], out, [credits], exemplars=3, side_px=128)
    return a2core.Atlas(out / built.name)


def test_its_exemplars_are_the_first_of_the_whole_atlas(built, slim):
    whole = a2core.Atlas(built)
    for block, primitive, order in (
        ("blocks.4", 3, "mean"),
        ("blocks.5", 40, "peak"),
        ("blocks.5", 7, "effect"),
    ):
        ours, theirs = (atlas.exemplars(block, primitive, order) for atlas in (slim, whole))
        assert len(ours) == 3
        places = [
            [(one.photo, one.value, one.row, one.col, one.rows) for one in some] for some in (ours, theirs)
        ]
        assert places[0] == places[1][:3]


def test_crops_are_cut_around_the_cell_out_of_small_pictures(slim):
    for one in slim.exemplars("blocks.5", 11, "peak"):
        small = np.asarray(Image.open(io.BytesIO(slim.small(one.photo))))
        crop = np.asarray(Image.open(io.BytesIO(one.crop)))
        assert max(small.shape) <= 128
        assert max(crop.shape) == 48  # three eighths
        x, y = one.place
        left = min(max(0, round(x * small.shape[1] - 24)), max(0, small.shape[1] - 48))
        top = min(max(0, round(y * small.shape[0] - 24)), max(0, small.shape[0] - 48))
        cut = small[top : top + crop.shape[0], left : left + crop.shape[1]]
        assert np.abs(cut.astype(int) - crop).mean() < 12  # compressed twice


def test_codes_nearest_pictures_and_measures_are_those_of_the_whole_atlas(built, slim):
    whole = a2core.Atlas(built)
    for number in range(len(whole)):
        assert slim.nearest(number, 4) == whole.nearest(number, 4)
        np.testing.assert_array_equal(
            slim.uses(number)["blocks.5"]["mean"], whole.uses(number)["blocks.5"]["mean"]
        )
    np.testing.assert_array_equal(
        slim.primitive("blocks.5", 9)["mean"], whole.primitive("blocks.5", 9)["mean"]
    )
    assert slim.primitives("blocks.4") == whole.primitives("blocks.4")
    assert all(len(tile) < 4000 and tile[:4] == b"RIFF" for tile in slim.tiles("blocks.5"))


def test_whose_a_picture_is_goes_with_it_and_nothing_of_this_machine_does(slim, pictures):
    for number in range(len(slim)):
        photo = slim.photo(number)
        assert photo.author == f"Ann of {Path(photo.path).stem}"
        assert (photo.licence, photo.link) == ("CC BY 2.0", "https://a.example/1")
        with pytest.raises(AtlasError, match="gone"):
            slim.picture(number)
    told = (slim.folder / "atlas.json").read_text(encoding="utf-8")
    assert str(pictures.parent) not in told
    assert "from_here" not in told


def test_a_picture_that_nobody_gives_a_licence_for_is_not_passed_on(built, credits, tmp_path):
    rows = credits.read_text(encoding="utf-8").splitlines()
    less = tmp_path / "less.csv"
    less.write_text("\n".join(rows[:4]), encoding="utf-8")
    with pytest.raises(AtlasError, match="Nobody gives a licence"):
        slim_atlases([a2core.Atlas(built)], tmp_path / "out", [less])
    less.write_text("name,author\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("file,author\nx,y\n", encoding="utf-8")
    with pytest.raises(AtlasError, match="columns file"):
        slim_atlases([a2core.Atlas(built)], tmp_path / "out", [tmp_path / "other.csv"])


def test_only_atlases_of_the_same_pictures_share_them(built, credits, pictures, tmp_path):
    a2core.build_atlas([str(pictures / "animals")], tmp_path / "fewer", **SETTINGS)
    both = [a2core.Atlas(built), a2core.Atlas(tmp_path / "fewer")]
    with pytest.raises(AtlasError, match="the same ones"):
        slim_atlases(both, tmp_path / "out", [credits])


def test_without_its_pictures_it_says_so(slim, tmp_path):
    copied = shutil.copytree(slim.folder, tmp_path / "atlas")
    with pytest.raises(AtlasError, match=r"lacks \.\./pictures\.parquet"):
        a2core.Atlas(copied)


def test_names_come_along_and_those_of_the_network_before_go(built, credits, tmp_path_factory, tmp_path):
    beside = tmp_path_factory.mktemp("named") / built.name  # as far from the pictures
    named = a2core.Atlas(shutil.copytree(built, beside))
    named.name("blocks.5", 3, "something round")
    for atlas, name in ((named, "something round"), (a2core.Atlas(built), "")):
        slim_atlases([atlas], tmp_path / "out", [credits], exemplars=3)
        assert a2core.Atlas(tmp_path / "out" / built.name).name("blocks.5", 3)["name"] == name


def test_the_page_of_one_names_its_pictures_authors(slim, tmp_path):
    write_page(slim, tmp_path / "page.html", blocks=["blocks.4"], count=1)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for one in slim.exemplars("blocks.4", 5, "peak", 1):
        assert slim.photo(one.photo).author in page
        assert "CC BY 2.0, cropped and made smaller. https://a.example/1" in page


def test_authors_are_spelled_as_they_spell_themselves(tmp_path):
    file = tmp_path / "credits.csv"
    rows = [r"a.jpg,Fr\303\251d\303\251ric  BISSON,CC0,x", "b.jpg,Andy &amp; Don O&#x27;Brien,CC0,x"]
    file.write_text("\n".join(["file,author,licence,url", *rows]), encoding="utf-8")
    found = read_credits([file])
    assert [credit.author for credit in found.values()] == ["Frédéric BISSON", "Andy & Don O'Brien"]


def test_folders_that_all_paths_begin_with_are_left_out_of_each_kind_of_path():
    assert shortest(["/a/b/c/x.jpg", "/a/b/y.jpg", "d/z.jpg", "d/e/w.jpg"]) == [
        "c/x.jpg",
        "y.jpg",
        "z.jpg",
        "e/w.jpg",
    ]
