"""What the documentation says can be followed: its links lead somewhere, its commands and programs run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import a2core
from a2core.cli import build_parser

ROOT = Path(__file__).resolve().parent.parent
_script = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
_screenshots = importlib.util.module_from_spec(_script)
sys.modules["screenshots"] = _screenshots  # where its dataclass looks for itself
_script.loader.exec_module(_screenshots)
SHOTS = _screenshots.SHOTS
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip()) for title in titles}


def test_every_picture_is_drawn_by_a_command_that_is_here():
    drawing = [*(ROOT / "docs").glob("*.py"), ROOT / "a2core" / "training" / "finetune" / "study.py"]
    names = "\n".join(path.read_text(encoding="utf-8") for path in drawing)
    pictures = [
        path for path in (ROOT / "docs").rglob("*.*") if path.suffix in (".png", ".jpg", ".svg", ".webp")
    ]
    taken = {f"{name}.webp" for name in SHOTS}
    assert {path.name for path in pictures if path.suffix == ".webp"} == taken
    assert [path.name for path in pictures if path.name not in names and path.name not in taken] == []
    assert sum(path.stat().st_size for path in pictures if path.suffix == ".webp") < 800_000


@pytest.mark.parametrize("name", SHOTS)
def test_a_screenshot_has_its_size_and_stands_on_a_page(name):
    with Image.open(ROOT / "docs" / f"{name}.webp") as picture:
        assert picture.size == (SHOTS[name].width_px, SHOTS[name].height_px)
    assert any(f"{name}.webp)" in page.read_text(encoding="utf-8") for page in PAGES)


def _parse(words: list[str], line: str) -> None:
    try:
        build_parser().parse_args(words)
    except SystemExit as left:
        if left.code:
            pytest.fail(f"refused: {line}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_are_there(page):
    for path, anchor in LINK.findall(re.sub(r"`[^`]*`", "", BLOCK.sub("", page.read_text(encoding="utf-8")))):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in _anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_have_the_options_that_are_written(page):
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language != "sh":
            continue
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            start = next((i for i, word in enumerate(words) if word == "a2core"), None)
            if start is None or not words[start + 1 :]:
                continue
            # A variable of the shell stands for a number or a name; $J for options of its own.
            words = words[start + 1 :]
            stop = next((i for i, word in enumerate(words) if word in ("&&", "||", "|", "&")), len(words))
            stop = next((i + 1 for i, word in enumerate(words) if word.endswith(";")), stop)
            given = [word.rstrip(";") for word in words[:stop] if not word.startswith("$J")]
            _parse([re.sub(r"\$\w+", "1", word) for word in given], line)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_programs_of_a_tutorial_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((256, 192)).save("photo.png")
    names: dict[str, object] = {}
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(text, page.name, "exec"), names)


def test_every_row_of_the_outsiders_checklist_leads_somewhere():
    rows = re.findall(
        r"^\| (.+) \| (.+) \| (.+) \|$", (ROOT / "docs" / "checklist.md").read_text("utf-8"), re.M
    )
    assert rows[0] == ("expected", "who has it", "here")
    assert len(rows) > 15
    assert [expected for expected, _, here in rows[1:] if not LINK.search(here)] == []


def test_every_public_name_stands_in_the_reference():
    told = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in a2core.__all__ if not re.search(rf"\b{name}\b", told)]
    assert missing == []
