"""The house stays one that can be lived in: no file and no function longer than what one looks at at once."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(
    path
    for package in ("a2core", "viz_app")
    for suffix in ("py", "js")
    for path in (ROOT / package).rglob(f"*.{suffix}")
)
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_and_no_function_is_too_long_to_look_at_at_once(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    if path.suffix == ".js":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            prose = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) else 0
            lines = node.end_lineno - node.lineno + 1 - prose  # a docstring may say all that it has to
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"


def test_the_picture_of_the_house_is_of_today():
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs" / "house.py")
    house = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(house)
    drawn = (ROOT / "docs" / "house.svg").read_text(encoding="utf-8")
    assert drawn == house.drawing(), "draw it anew: python docs/house.py"
