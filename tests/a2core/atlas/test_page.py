"""The commands, and the one file that is sent."""

from __future__ import annotations

import base64
import json
import re
import shutil

import pytest

import a2core
from a2core.atlas.page import write_page
from a2core.cli import main
from tests.a2core.atlas.made_pictures import SIZE, assert_same, made_up


def told_by(html: str) -> list[dict]:
    return [
        json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', html, re.S)
    ]


def test_the_page_holds_every_primitive_with_its_exemplars(built, tmp_path):
    atlas = a2core.Atlas(shutil.copytree(built, tmp_path / "atlas"))
    atlas.name("blocks.4", 3, "</script><b>eyes & ears", note="<!-- -->")
    path = tmp_path / "page.html"
    assert write_page(atlas, path, count=2) == 320
    html = path.read_text(encoding="utf-8")
    told = told_by(html)
    assert [(one["block"], one["primitive"]) for one in told] == [
        (name, i) for name, count in atlas.blocks.items() for i in range(count)
    ]
    assert told[3]["name"] == "</script><b>eyes & ears"
    assert "<b>eyes" not in html
    for order, shown in told[70]["orders"].items():
        for (at, path_of, value), one in zip(shown, atlas.exemplars("blocks.5", 6, order, 2), strict=True):
            assert base64.b64decode(told[70]["crops"][at]) == one.crop
            assert (path_of, value) == (atlas.photo(one.photo).path, pytest.approx(one.value, abs=1e-4))


def test_the_page_asks_for_nothing_from_elsewhere(built, tmp_path):
    write_page(a2core.Atlas(built), tmp_path / "page.html", blocks=["blocks.4"], count=1)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.findall(r"https?://|<link|@import", html)


def test_the_commands_build_measure_and_export(built, pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pictures, "my pictures")
    words = ["my pictures", "--size", str(SIZE), "--exemplars", "4", "--workers", "0", "--device", "cpu"]
    monkeypatch.setattr("sys.argv", ["a2core", "atlas", "build", *words, "--out", str(tmp_path / "mine")])
    assert main(["atlas", "build", *words, "--out", "mine"]) == 0
    said = capsys.readouterr().out
    assert "12 pictures, 0 of them nearly the same" in said
    assert_same(built, tmp_path / "mine")
    command = a2core.Atlas("mine").told["command"]
    assert command.startswith("python -m a2core atlas build 'my pictures' --size 96")
    assert str(tmp_path) not in command
    assert main(["atlas", "build", *words, "--out", "mine"]) == 0
    assert "complete" in capsys.readouterr().out
    assert main(["atlas", "measure", "mine"]) == 0
    assert "blocks.5: 256 primitives" in capsys.readouterr().out
    assert main(["atlas", "export", "mine", "--html", "mine.html", "--exemplars", "1"]) == 0
    assert "320 primitives" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["build", "nowhere", "--out", "atlas"],
        ["build", "pictures", "--out", "atlas", "--workers", "-1"],
        ["build", "pictures", "--out", "atlas", "--size", "8"],
        ["build", "pictures", "--out", "atlas", "--exemplars", "0"],
        ["build", "pictures", "--out", "atlas", "--frames", "0"],
        ["measure", "nowhere"],
        ["export", "nowhere", "--html", "page.html"],
    ],
)
def test_bad_input_is_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    made_up(0).save(tmp_path / "pictures" / "one.png")
    assert main(["atlas", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("a2core: ")
    assert said.count("\n") == 1
