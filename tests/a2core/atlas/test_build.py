"""One pass gives the same tables, whoever does it and however often it is killed; bad input loses nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import pytest
from PIL import Image

import a2core
from a2core import AtlasError
from tests.a2core.atlas.made_pictures import SETTINGS, assert_same, made_up, make_pictures

ROOT = Path(__file__).resolve().parents[3]


def test_the_size_of_the_parts_makes_no_difference(built, pictures, tmp_path):
    a2core.build_atlas([str(pictures)], tmp_path / "one", **SETTINGS | {"part_items": 100})
    assert_same(built, tmp_path / "one")


# A script that does not guard itself against being run again, and kills one of its processes on the way.
PLAIN = """
import multiprocessing, os, pathlib, signal, sys
import a2core

killed = []

def kill_one(done, total):
    children = multiprocessing.active_children()
    if children and not killed:
        killed.append(children[0].pid)
        os.kill(children[0].pid, signal.SIGKILL)

a2core.build_atlas([sys.argv[1]], pathlib.Path(sys.argv[2]), progress=kill_one, **%r)
print(f"killed: {len(killed)}")
"""


def test_two_processes_of_which_one_is_killed_make_the_same_and_run_nothing_of_who_began(
    built, pictures, tmp_path
):
    script = tmp_path / "plain.py"
    script.write_text(PLAIN % (SETTINGS | {"workers": 2, "part_items": 4}))
    again = tmp_path / "again"
    command = [sys.executable, str(script), str(pictures), str(again)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "killed: 1\n"  # said once: no worker ran the script
    assert_same(built, again)


# Processes that are to be killed begin as copies of one that has read the libraries once.
AWAY = multiprocessing.get_context("forkserver")
AWAY.set_forkserver_preload(["timm", "pyarrow.parquet", "a2core.atlas.build", __name__])


def build_in_fours(pictures: Path, out: Path, largest_bytes: int = 0) -> None:
    """Build, and note what is refused beside the atlas; beyond `largest_bytes` a file finds the disk full."""
    if largest_bytes:
        import resource  # which Windows lacks

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_bytes, resource.RLIM_INFINITY))
    try:
        a2core.build_atlas([str(pictures)], out, **SETTINGS | {"part_items": 4})
    except AtlasError as error:
        out.with_suffix(".txt").write_text(str(error), encoding="utf-8")


def started(pictures: Path, out: Path, largest_bytes: int = 0) -> multiprocessing.Process:
    """A process that builds in fours, and runs nothing of what a test of the app left in __main__'s place."""
    process = AWAY.Process(target=build_in_fours, args=(pictures, out, largest_bytes))
    with patch.dict(sys.modules, __main__=ModuleType("__main__")):
        process.start()
    return process


def begin(pictures: Path, out: Path, until: str) -> None:
    """Build in a process of its own, and kill it, unasked, when `until` is there."""
    process = started(pictures, out)
    while process.is_alive() and not (out / until).exists():
        time.sleep(0.001)  # between two looks: it needs the processor
    assert process.is_alive(), f"it ended by itself, with code {process.exitcode}"
    process.kill()
    process.join()


@pytest.mark.parametrize("until", ["building/settings.json", "building/000000", "building/.tables"])
def test_killed_and_begun_again_it_gives_the_same_tables(built, pictures, tmp_path, until):
    out = tmp_path / "atlas"
    begin(pictures, out, until)
    assert not (out / "atlas.json").exists()
    with pytest.raises(AtlasError, match="not finished"):
        a2core.Atlas(out)
    done: list[int] = []
    settings = SETTINGS | {"part_items": 4}
    a2core.build_atlas([str(pictures)], out, progress=lambda n, _: done.append(n), **settings)
    assert done[0] == (0 if until.endswith("json") else done[0])
    assert until == "building/settings.json" or done[0] > 0
    assert_same(built, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in built.iterdir())


def test_killed_three_times_on_the_way_it_gives_the_same_tables(built, pictures, tmp_path):
    out = tmp_path / "atlas"
    for until in ("building/000000", "building/000001", "building/.tables"):
        begin(pictures, out, until)
    assert not (out / "atlas.json").exists()
    a2core.build_atlas([str(pictures)], out, **SETTINGS | {"part_items": 4})
    assert_same(built, out)


def test_a_part_that_was_damaged_is_made_again(built, pictures, tmp_path):
    out = tmp_path / "atlas"
    begin(pictures, out, "building/000001")
    part = out / "building" / "000000" / "uses.npy"
    part.write_bytes(part.read_bytes()[:-7])
    a2core.build_atlas([str(pictures)], out, **SETTINGS | {"part_items": 4})
    assert_same(built, out)


def test_what_is_complete_is_left_alone(built, pictures, tmp_path):
    out = shutil.copytree(built, tmp_path / "atlas")
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert a2core.build_atlas([str(pictures)], out, **SETTINGS).new == 0
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"size": 128}, "--size"),
        ({"checkpoint": "a2-lite2"}, "checkpoint has changed"),
        ({"pictures": False}, "kept or not"),
    ],
)
def test_another_setting_does_not_mix_into_an_atlas(built, pictures, tmp_path, other, said):
    out = shutil.copytree(built, tmp_path / "atlas")
    with pytest.raises(AtlasError, match=said):
        a2core.build_atlas([str(pictures)], out, **SETTINGS | other)


def test_other_pictures_do_not_go_on_with_what_was_begun(pictures, tmp_path):
    folder = make_pictures(tmp_path / "pictures")
    begin(folder, tmp_path / "atlas", "building/000000")
    made_up(99).save(folder / "another.png")
    with pytest.raises(AtlasError, match="pictures are not the same"):
        a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS | {"part_items": 4})


def test_a_folder_of_something_else_is_not_written_to(pictures, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(AtlasError, match="holds other files"):
        a2core.build_atlas([str(pictures)], tmp_path, **SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_place_that_cannot_be_written_is_said(pictures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AtlasError, match="cannot be written"):
        a2core.build_atlas([str(pictures)], tmp_path / "file" / "atlas", **SETTINGS)


def test_a_full_disk_is_said_and_what_is_whole_is_kept(built, pictures, tmp_path):
    out = tmp_path / "atlas"
    started(pictures, out, 300_000).join()  # parts fit, tables do not
    said = out.with_suffix(".txt").read_text(encoding="utf-8")
    assert "cannot be written" in said
    assert "goes on from there" in said
    assert (out / "building" / "000002").is_dir()
    settings = SETTINGS | {"part_items": 4}
    begun: list[int] = []
    a2core.build_atlas([str(pictures)], out, progress=lambda done, _: begun.append(done), **settings)
    assert begun == [12]
    assert_same(built, out)


def test_nearly_the_same_pictures_count_once(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(4):
        made_up(seed).save(folder / f"{seed}.png")
    made_up(2).save(folder / "sent again.jpg", quality=70)
    made_up(2).resize((110, 73), Image.Resampling.BICUBIC).save(folder / "smaller.png")
    shutil.copy(folder / "1.png", folder / "copy.png")
    for name, corner in (("dot", 20), ("other dot", 60)):  # different things on white are not the same
        picture = Image.new("RGB", (150, 100), "white")
        colour = (200, 30, 30) if corner == 20 else (20, 30, 200)
        picture.paste(colour, (corner, corner, corner + 25, corner + 25))
        picture.save(folder / f"{name}.png")
    built = a2core.build_atlas([str(folder)], tmp_path / "atlas", **SETTINGS)
    atlas = a2core.Atlas(tmp_path / "atlas")
    same = {atlas.photo(n).path: atlas.photo(n).same_as for n in range(len(atlas))}
    assert (built.photos, built.alike) == (9, 3)
    assert {path: number for path, number in same.items() if number is not None} == {
        "copy.png": atlas.find("1.png"),
        "sent again.jpg": atlas.find("2.png"),
        "smaller.png": atlas.find("2.png"),
    }
    again = {atlas.find(path) for path in ("copy.png", "sent again.jpg", "smaller.png")}
    for order in ("mean", "peak", "effect", "idle"):
        for primitive in range(64):
            assert not {one.photo for one in atlas.exemplars("blocks.4", primitive, order)} & again
    assert not {number for number, _ in atlas.nearest("1.png", 20)} & again


def test_without_pictures_no_pixel_is_kept(built, pictures, tmp_path):
    a2core.build_atlas([str(pictures)], tmp_path / "atlas", **SETTINGS | {"pictures": False})
    ours, theirs = a2core.Atlas(tmp_path / "atlas"), a2core.Atlas(built)
    for one, other in zip(ours.exemplars("blocks.4", 3), theirs.exemplars("blocks.4", 3), strict=True):
        assert one.crop == b"" != other.crop
        assert (one.photo, one.row, one.col, one.value) == (other.photo, other.row, other.col, other.value)


def test_what_is_told_names_no_place_of_this_machine(built, pictures, tmp_path):
    told = (built / "atlas.json").read_text(encoding="utf-8")
    assert str(pictures) not in told
    entry = json.loads(told)
    for name, part in entry["parts"].items():
        assert (built / name).stat().st_size == part["size_bytes"]


@pytest.mark.parametrize("checkpoint", ["non-local-lite0", "squeeze-excitation-lite0"])
def test_a_network_without_primitives_is_refused(pictures, tmp_path, checkpoint):
    with pytest.raises(AtlasError, match="no double attention"):
        a2core.build_atlas([str(pictures)], tmp_path / "atlas", **SETTINGS | {"checkpoint": checkpoint})
