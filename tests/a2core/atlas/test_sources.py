"""Folders, lists, tars and Parquet files bring the same pictures; what cannot be read is named."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import a2core
from a2core import AtlasError
from a2core.atlas.sources import Reader, find_items, path_of_text, stored_text
from a2core.networks.spec import InputSpec
from tests.a2core.atlas.made_pictures import SETTINGS, made_up, tables


def paths_of(pictures: Path) -> list[str]:
    return sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*") if path.is_file())


def as_tar(pictures: Path, out: Path) -> Path:
    with tarfile.open(out, "w") as tar:
        for path in paths_of(pictures):
            tar.add(pictures / path, path)
            note = tarfile.TarInfo(f"{path}.json")  # as webdataset puts beside a picture what is said of it
            note.size = 2
            tar.addfile(note, io.BytesIO(b"{}"))
    return out


def as_list(pictures: Path, out: Path) -> Path:
    lines = [os.path.relpath(pictures / path, out.parent) for path in paths_of(pictures)]
    out.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return out


def as_bytes(pictures: Path, out: Path) -> Path:
    column = [(pictures / path).read_bytes() for path in paths_of(pictures)]
    pq.write_table(pa.table({"image": column}), out, row_group_size=5)
    return out


def as_dictionaries(pictures: Path, out: Path) -> Path:
    column = [{"bytes": (pictures / path).read_bytes(), "path": None} for path in paths_of(pictures)]
    pq.write_table(pa.table({"image": column}), out)
    return out


def as_paths(pictures: Path, out: Path) -> Path:
    lines = [os.path.relpath(pictures / path, out.parent) for path in paths_of(pictures)]
    pq.write_table(pa.table({"n": range(len(lines)), "where": lines}), out)
    return out


def read_of(place: Path, column: str = "") -> list[Any]:
    """Every picture of a place, in its order, as the network takes it."""
    listing = find_items([str(place)], column)
    assert listing.skipped == []
    reader = Reader(listing.sources, InputSpec(), SETTINGS["size"], 16)
    return [picture for item in listing.items for picture in reader.read(item)]


@pytest.mark.parametrize(
    ("make", "name", "column"),
    [
        (as_tar, "shard-000.tar", ""),
        (as_list, "list.txt", ""),
        (as_bytes, "table.parquet", ""),
        (as_dictionaries, "table.parquet", ""),
        (as_paths, "table.parquet", "where"),
    ],
)
def test_every_way_in_brings_the_same_pictures(pictures, tmp_path, make, name, column):
    ours, theirs = read_of(make(pictures, tmp_path / name), column), read_of(pictures)
    assert len(ours) == len(theirs) == 12
    for one, other in zip(ours, theirs, strict=True):
        for field, value in one._asdict().items():
            np.testing.assert_array_equal(value, getattr(other, field), err_msg=field)


def test_a_table_of_paths_makes_the_atlas_of_its_pictures(built, pictures, tmp_path):
    place = as_paths(pictures, tmp_path / "table.parquet")
    a2core.build_atlas([str(place)], tmp_path / "atlas", column="where", **SETTINGS)
    ours, theirs = tables(tmp_path / "atlas"), tables(built)
    for table in ("uses", "exemplars"):
        assert ours[table].equals(theirs[table]), table
    assert ours["photos"]["id"].equals(theirs["photos"]["id"])


def test_several_places_make_one_atlas(pictures, tmp_path):
    listing = find_items([str(pictures / "animals"), str(pictures), str(pictures / "animals")])
    assert [source.name for source in listing.sources] == ["animals", pictures.name, "animals #2"]
    assert len(listing.items) == 5 + 12 + 5


def test_a_file_lies_in_the_folder_next_below_its_source(pictures):
    groups = {item.path: item.group for item in find_items([str(pictures)]).items}
    assert groups["things/deep/made 1.png"] == "things"
    assert groups["grey.png"] == ""


def test_unreadable_files_among_many_are_named_and_the_rest_is_there(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(3):
        made_up(seed).save(folder / f"{seed}.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.jpg").write_text("<html>not found</html>")
    (folder / "cut.png").write_bytes((folder / "1.png").read_bytes()[:300])
    (folder / "notes.txt").write_text("not looked at")
    (folder / "._1.png").write_bytes(b"hidden")
    built = a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    atlas = a2core.Atlas(tmp_path / "atlas")
    assert (built.photos, built.skipped, len(atlas)) == (3, 3, 3)
    why = dict(atlas.told["skipped"])
    assert set(why) == {"empty.jpg", "page.jpg", "cut.png"}
    assert "0 bytes" in why["empty.jpg"]
    assert "cut off" in why["cut.png"]


def test_links_in_a_circle_end_and_a_link_that_leads_nowhere_is_none(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "deeper").mkdir(parents=True)
    made_up(0).save(folder / "deeper" / "one.png")
    (folder / "deeper" / "round").symlink_to(folder)
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    assert [item.path for item in find_items([str(folder)]).items] == ["deeper/one.png"]


NAMES = [
    '<img src=x onerror="1">.png',
    "new\nline.png",
    "'; drop table.png",
    "Ω ☃ 写真.png",
    "%s {0} \\udcff.png",
]


def test_names_may_hold_any_characters(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        made_up(seed).save(folder / name)
    wild = os.fsencode(folder) + b"/caf\xe9.png"  # no UTF-8
    if sys.platform == "linux":
        (folder / NAMES[0]).rename(os.fsdecode(wild))
        made_up(9).save(folder / NAMES[0])
    a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    atlas = a2core.Atlas(tmp_path / "atlas")
    assert len(atlas) == len(list(folder.iterdir()))
    for number in range(len(atlas)):
        photo = atlas.photo(number)
        assert atlas.find(photo.path) == number
        assert a2core.read_media(atlas.picture(number)).frames.shape[1:3] == (photo.height_px, photo.width_px)


def test_a_path_of_wild_bytes_is_found_again(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes(b"")
    text = stored_text(name)
    assert text.encode("utf-8")
    assert path_of_text(tmp_path, text) == tmp_path / name
    assert path_of_text(tmp_path, "gone.png") is None


def test_of_a_clip_each_frame_is_a_picture(tmp_path, model):
    frames = [made_up(seed) for seed in range(3)]
    folder = tmp_path / "clips"
    folder.mkdir()
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:], duration=200)
    a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    atlas = a2core.Atlas(tmp_path / "atlas")
    clip = a2core.read_media(folder / "moving.gif")
    assert [atlas.photo(n).frame for n in range(len(atlas))] == [0, 1, 2]
    assert [atlas.photo(n).time_s for n in range(len(atlas))] == clip.times_s.tolist()
    trace = model.trace(clip, size=SETTINGS["size"], frames="each")
    for n in range(3):
        mean = trace.blocks["blocks.4"].distribute[:, n].mean(axis=(1, 2))
        np.testing.assert_allclose(atlas.uses(n)["blocks.4"]["mean"], mean, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda at: at, "no picture in"),
        (lambda at: at / "gone", "neither a folder nor a file"),
        (lambda at: at / "notes.doc", "neither a folder nor a list"),
        (lambda at: at / "broken.tar", "cannot be read"),
        (lambda at: at / "broken.parquet", "cannot be read"),
        (lambda at: at / "numbers.parquet", "--column NAME"),
        (lambda at: at / "nothing.txt", "no picture in"),
    ],
)
def test_what_holds_no_pictures_is_said(tmp_path, make, said):
    for name in ("notes.doc", "broken.tar", "broken.parquet"):
        (tmp_path / name).write_text("something else altogether" * 50)
    (tmp_path / "nothing.txt").write_text("\n\n")
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "numbers.parquet")
    with pytest.raises(AtlasError, match=said):
        find_items([str(make(tmp_path))])


def test_pictures_of_which_none_can_be_read_make_no_atlas(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "page.jpg").write_text("<html>not found</html>")
    with pytest.raises(AtlasError, match=r"None of 1 files could be read.*page\.jpg"):
        a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    Image.new("RGB", (50, 50), "teal").save(folder / "good.png")  # and the folder is free again
    assert a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS).photos == 1


def test_a_list_may_name_what_is_gone(tmp_path):
    made_up(0).save(tmp_path / "there.png")
    (tmp_path / "list.txt").write_text("there.png\ngone.png\nthere.png\n")
    built = a2core.build_atlas([str(tmp_path / "list.txt")], tmp_path / "atlas", **SETTINGS)
    assert (built.photos, built.skipped) == (1, 1)
