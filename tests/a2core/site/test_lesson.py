"""The lesson's pages on the site: all seven steps in each language, whole without another host."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a2core.languages import LANGUAGES
from a2core.lesson.mathml import mathml
from a2core.lesson.steps import STEPS
from a2core.site.lesson import SLIDERS, Classroom, arrays_of, classroom, is_lesson, lesson_files
from a2core.spoken import speaking
from tests.a2core.lesson.lessons import Figures, made_up_lesson
from tests.a2core.site.made_lesson import AGREED, worked_out

NUMBER = re.compile(r"-?\d*\.?\d+")


def made_up_room(**other: Any) -> Classroom:
    said = dict.fromkeys(LANGUAGES, "")
    about = {"picture": b"RIFF", "alt": "A “cat”", "title": "Cat", "credit": "Somebody", "network": said}
    return classroom(made_up_lesson(), (0, 2, 4), **{**about, "warning": said, **other})


@pytest.fixture(scope="module")
def packed() -> dict[str, bytes]:
    return {}


@pytest.fixture(scope="module")
def files(packed: dict[str, bytes]) -> dict[str, bytes]:
    def pack(name: str, data: bytes) -> dict[str, Any]:
        packed[name] = data
        return {"name": name, "bytes": len(data)}

    return lesson_files(made_up_room(), pack)


def page_of(files: dict[str, bytes], language: str) -> str:
    return files["lesson.html" if language == "en" else f"lesson.{language}.html"].decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_in_the_page_with_heading_formula_and_sentence(files, language):
    page = page_of(files, language)
    with speaking(language):
        for number, step in enumerate(STEPS, 1):
            heading = f'<h2 id="title-{number}"><b>{number}</b>{step.title}</h2>{mathml(step.formula)}'
            assert heading in page
            assert getattr(step.words, "SENTENCE", heading) in page
            for name in SLIDERS[number]:
                assert f'data-moves="{name}"' in page
    assert not re.search(r"<!-- a2-|https?://(?!www\.w3\.org)", page)
    assert [int(step) for step in re.findall(r'href="#step-(\d)">\d', page)] == list(range(1, 8))


def test_whatever_a_page_asks_for_is_a_file_of_the_lesson_or_of_the_site(files, packed):
    page = page_of(files, "en")
    asked = {name for name in re.findall(r'(?:src|href)="([^"#]+)"', page) if not name.startswith("data:")}
    site = {"site.css", "icon.svg", "language.js", "index.html"}
    assert asked - site == {name for name in files if ".zh." not in name} | {"lesson.zh.html"}
    assert all(is_lesson(name) for name in (*files, *packed))
    about = json.loads(html.unescape(re.search(r'data-about="([^"]*)"', page)[1]))
    data = packed[about["file"]["name"]]
    assert data == arrays_of(made_up_lesson())
    features = np.frombuffer(data, "<f4", 11 * 54)
    np.testing.assert_array_equal(features, made_up_lesson().features.ravel())


def test_the_chinese_page_prints_the_same_figures(files):
    english, chinese = (sorted(Figures(page_of(files, each)).found) for each in LANGUAGES)
    assert english == chinese
    assert len(english) > 100


def assert_alike(ours: Any, theirs: Any, where: str = "") -> None:
    """Alike but for what another machine's rounding may do: a hundredth of a plot, a level of a map."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in theirs.items():
            assert_alike(ours[key], value, f"{where}/{key}")
    elif isinstance(theirs, list) and theirs and isinstance(theirs[0], int):
        assert len(ours) == len(theirs), where
        np.testing.assert_allclose(ours, theirs, atol=4, err_msg=where)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for k, value in enumerate(theirs):
            assert_alike(ours[k], value, f"{where}/{k}")
    elif "/plots/" in where:
        assert NUMBER.sub("", ours) == NUMBER.sub("", theirs), where
        np.testing.assert_allclose(
            [float(each) for each in NUMBER.findall(ours)],
            [float(each) for each in NUMBER.findall(theirs)],
            atol=0.0101,
            err_msg=where,
        )
    else:
        assert ours == theirs, where


def test_what_the_scripts_are_held_against_is_of_today():
    kept = json.loads(Path(AGREED).read_text(encoding="utf-8"))
    assert_alike(json.loads(json.dumps(worked_out())), kept)
