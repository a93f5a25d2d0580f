"""An atlas answers from the rows that it needs, and says what is wrong with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import a2core
from a2core import AtlasError
from a2core.atlas.page import write_page
from tests.a2core.atlas.made_pictures import SETTINGS, SIZE, make_pictures

MANY = 50_000


@pytest.fixture
def copied(built, tmp_path) -> Path:
    return shutil.copytree(built, tmp_path / "atlas")


def test_the_nearest_share_most_of_what_is_handed_out(built):
    atlas = a2core.Atlas(built)
    codes = [atlas.uses(number) for number in range(len(atlas))]

    def likeness(a, b) -> float:
        overlaps = [np.sqrt(a[name]["mean"].astype(float) * b[name]["mean"]).sum() for name in atlas.blocks]
        return float(np.mean(overlaps))

    for own in range(len(atlas)):
        others = sorted(
            (n for n in range(len(atlas)) if n != own), key=lambda n: -likeness(codes[own], codes[n])
        )
        found = atlas.nearest(own, 5)
        assert [number for number, _ in found] == others[:5]
        np.testing.assert_allclose(
            [p for _, p in found], [likeness(codes[own], codes[n]) for n in others[:5]], rtol=1e-4
        )


def test_a_trace_of_a_picture_finds_it(built, pictures, model):
    atlas = a2core.Atlas(built)
    trace = model.trace(a2core.read_media(pictures / "animals" / "chelsea.jpg"), size=SIZE)
    (number, likeness), *_ = atlas.nearest(trace, 1)
    assert atlas.photo(number).path == "animals/chelsea.jpg"
    assert likeness == pytest.approx(1, abs=2e-3)
    other = a2core.load_model("a2-lite2", device="cpu").trace(trace.clip, size=SIZE)
    with pytest.raises(AtlasError, match="Trace the picture with that one"):
        atlas.nearest(other)


def test_a_picture_is_found_by_number_path_and_id(built):
    atlas = a2core.Atlas(built)
    number = atlas.find("things/coffee.jpg")
    assert atlas.photo(number).path == "things/coffee.jpg"
    assert atlas.find(atlas.photo(number).id) == atlas.find(atlas.photo(number).id[:12]) == number


@pytest.mark.parametrize("unknown", [12, -1, "gone.jpg", "", "ffffffffffff", "abc"])
def test_an_unknown_picture_is_said(built, unknown):
    with pytest.raises(AtlasError, match="picture"):
        a2core.Atlas(built).find(unknown)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda atlas: atlas.exemplars("blocks.9", 0), "no block"),
        (lambda atlas: atlas.exemplars("blocks.4", 64), "no primitive 64"),
        (lambda atlas: atlas.exemplars("blocks.4", -1), "no primitive -1"),
        (lambda atlas: atlas.exemplars("blocks.4", 0, "beauty"), "no order"),
        (lambda atlas: atlas.primitives("blocks.9"), "no block"),
        (lambda atlas: atlas.name("blocks.4", 64, "eye"), "no primitive"),
    ],
)
def test_what_there_is_not_is_said(built, ask, said):
    with pytest.raises(AtlasError, match=said):
        ask(a2core.Atlas(built))


def test_names_and_notes_are_kept_beside_the_atlas(copied):
    atlas = a2core.Atlas(copied)
    assert atlas.name("blocks.4", 23) == {"name": "", "note": ""}
    atlas.name("blocks.4", 23, "  eyes \n of animals ")
    atlas.name("blocks.4", 23, note="Not those of people: <b>see</b> 写真.")
    atlas.name("blocks.5", 200, "sky")
    again = a2core.Atlas(copied)
    assert again.name("blocks.4", 23) == {
        "name": "eyes of animals",
        "note": "Not those of people: <b>see</b> 写真.",
    }
    assert again.primitives("blocks.5")[200]["name"] == "sky"
    again.name("blocks.5", 200, "")
    assert json.loads((copied / "names.json").read_text(encoding="utf-8")).get("blocks.5") in ({}, None)


def test_a_name_that_is_too_long_or_a_damaged_file_of_names_is_refused(copied):
    atlas = a2core.Atlas(copied)
    with pytest.raises(AtlasError, match="at most 80"):
        atlas.name("blocks.4", 0, "x" * 81)
    (copied / "names.json").write_text("{")
    with pytest.raises(AtlasError, match=r"names\.json"):
        atlas.name("blocks.4", 0, "eye")
    assert (copied / "names.json").read_text() == "{"


def test_an_atlas_is_about_one_checkpoint(built, model):
    atlas = a2core.Atlas(built)
    assert atlas.fits(model) == ""
    assert "another checkpoint" in atlas.fits(a2core.load_model("a2-lite2", device="cpu"))


def test_a_picture_that_is_gone_leaves_its_crop(tmp_path):
    folder = make_pictures(tmp_path / "pictures")
    a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    atlas = a2core.Atlas(tmp_path / "atlas")
    one = atlas.exemplars("blocks.4", 3)[0]
    path = atlas.picture(one.photo)
    assert path.is_file()
    path.unlink()
    with pytest.raises(AtlasError, match="gone; its crop is kept"):
        atlas.picture(one.photo)
    assert one.crop.startswith(b"RIFF")


def told_as(folder: Path, **changes) -> None:
    path = folder / "atlas.json"
    told = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda folder: told_as(folder, format=2), "version 2; this one reads 1"),
        (lambda folder: told_as(folder, blocks=[{}]), "damaged"),
        (lambda folder: (folder / "atlas.json").write_text('{"format": 1'), "damaged"),
        (lambda folder: (folder / "atlas.json").unlink(), "no atlas in"),
        (lambda folder: (folder / "uses.parquet").unlink(), r"lacks uses\.parquet"),
        (
            lambda folder: (folder / "exemplars.parquet").write_bytes(b"PAR1 no"),
            r"exemplars\.parquet.* damaged",
        ),
    ],
)
def test_what_is_wrong_with_an_atlas_is_said(copied, break_it, said):
    break_it(copied)
    with pytest.raises(AtlasError, match=said):
        a2core.Atlas(copied).exemplars("blocks.4", 0)


def repeated(built: Path, folder: Path) -> Path:
    """The same atlas with its pictures over and over, 50,000 of them."""
    folder.mkdir()
    for name in ("exemplars", "primitives"):
        shutil.copy(built / f"{name}.parquet", folder)
    shutil.copy(built / "atlas.json", folder)
    told_as(folder, photos=MANY)
    number = pa.array(np.arange(MANY, dtype=np.uint32))
    photos, uses = pq.ParquetFile(built / "photos.parquet"), pq.ParquetFile(built / "uses.parquet")
    few = photos.metadata.num_rows
    again = pa.array(np.arange(MANY) % few)
    with pq.ParquetWriter(
        folder / "photos.parquet", photos.schema_arrow, compression="none", use_dictionary=False
    ) as writer:
        rows = photos.read()
        for start in range(0, MANY, 512):
            some = again[start : start + 512]
            table = rows.take(some).set_column(0, "photo", number[start : start + len(some)])
            writer.write_table(table, row_group_size=512)
    with pq.ParquetWriter(folder / "uses.parquet", uses.schema_arrow, compression="none") as writer:
        for group in range(uses.num_row_groups):
            rows = uses.read_row_group(group).take(again)
            writer.write_table(rows.set_column(2, "photo", number), row_group_size=2**20)
    return folder


def bytes_read() -> int:
    """By this process so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="nobody counts the bytes that are read")
def test_an_atlas_of_fifty_thousand_pictures_is_never_read_whole(built, tmp_path):
    folder = repeated(built, tmp_path / "large")
    whole = sum(path.stat().st_size for path in folder.iterdir())
    assert whole > 300e6

    def cost(ask) -> int:
        before = bytes_read()
        ask()
        return bytes_read() - before

    atlas = a2core.Atlas(folder)
    assert cost(lambda: a2core.Atlas(folder)) < 100_000
    assert cost(lambda: atlas.primitives("blocks.5")) < 200_000
    assert cost(lambda: atlas.exemplars("blocks.5", 23)) < 1_000_000
    assert cost(lambda: atlas.primitive("blocks.5", 23)) < 0.01 * whole  # the table's end, and one row group
    assert cost(lambda: atlas.photo(41_234)) < 0.01 * whole
    uses = atlas.uses(41_234)
    assert cost(lambda: atlas.uses(41_235)) < 0.02 * whole
    for name, of in a2core.Atlas(built).uses(41_234 % 12).items():
        np.testing.assert_array_equal(uses[name]["effect"], of["effect"])
    codes = 4 * sum(atlas.blocks.values()) * MANY
    assert cost(lambda: atlas.nearest(41_234)) < 1.2 * codes  # exact search reads all codes, once
    assert cost(lambda: atlas.nearest(7)) < 0.02 * whole


def with_paths(folder: Path, path: str) -> a2core.Atlas:
    """The atlas, of whose pictures each says that it lies at `path`."""
    table = pq.read_table(folder / "photos.parquet")
    at = table.column_names.index("path")
    table = table.set_column(at, "path", pa.array([path] * len(table)))
    pq.write_table(table, folder / "photos.parquet")
    return a2core.Atlas(folder)


@pytest.mark.parametrize("rooted", [False, True])
def test_an_atlas_of_a_folder_leads_to_no_file_outside_of_it(copied, pictures, rooted):
    """Whoever sent it may have written what they like."""
    (outside := copied.parent / "private.png").write_bytes(b"")
    told_as(copied, sources=[{"name": "pictures", "kind": "folder", "from_here": "."}])
    atlas = with_paths(copied, str(outside) if rooted else "../private.png")
    with pytest.raises(AtlasError, match="gone"):
        atlas.picture(0)


def test_a_slim_atlas_has_its_pictures_beside_it_or_nowhere(copied, built):
    told_as(copied, slim={"pictures": str(built / "photos.parquet"), "crop_px": 60})
    with pytest.raises(AtlasError, match="damaged"):
        a2core.Atlas(copied)


def test_of_a_path_from_the_root_a_page_tells_the_last_parts(copied, tmp_path):
    atlas = with_paths(copied, "/home/somebody/their pictures/cat.jpg")
    assert atlas.photo(0).shown_path == "their pictures/cat.jpg"
    write_page(atlas, tmp_path / "page.html", blocks=["blocks.4"], count=1)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "their pictures/cat.jpg" in page
    assert "somebody" not in page
