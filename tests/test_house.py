"""The house stays one that can be lived in: no file and no function longer than what one looks at at once."""

from __future__ import annotations

import ast
import importlib.util
import re
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


# One file a command, a step: the tree says so and names none, or one.
ONE_A = (
    "viz_app/zh/",
    "a2core/cli/",
    "a2core/lesson/words/",
    "a2core/lesson/steps/",
    "a2core/training/finetune/study_",
    "a2core/__main__.py",
)


def tree_of_the_docs() -> list[tuple[str, str]]:
    """What the tree of docs/architecture.md names: the folder that it stands under, and a file's name."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = next(part for part in text.split("```") if "\na2core/" in part)
    found, above = [], []
    for line in tree.splitlines():
        indent, word = len(line) - len(line.lstrip()), line.split(maxsplit=1)[0] if line.strip() else ""
        if indent < 10 and word:
            above = [(at, name) for at, name in above if at < indent]
            if word.endswith("/"):
                above.append((indent, word))
        folder = "".join(name for _, name in above)
        names = re.findall(r"(?<![\w/.*])([\w/]+\.(?:py|js|html|css|json))\b", line)
        found += [(folder, name) for name in names]
    return found


def test_every_file_that_the_docs_tree_names_is_there():
    gone = [
        (folder, name)
        for folder, name in tree_of_the_docs()
        if name not in ("hubconf.py", "atlas.json")  # beside the packages; in every atlas
        and not (ROOT / name).is_file()
        and not any((ROOT / folder).rglob(name))
    ]
    assert gone == []


def test_every_module_is_in_the_docs_tree():
    named = tree_of_the_docs()
    modules = [
        path.relative_to(ROOT)
        for package in ("a2core", "viz_app")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    ]
    missing = [
        str(path)
        for path in modules
        if not path.as_posix().startswith(ONE_A)
        and path.as_posix() != "a2core/canvas/vocabulary.py"  # "vocabulary.json, .py"
        and not any(
            name == path.name and (path.parent.as_posix() + "/").startswith(folder) for folder, name in named
        )
    ]
    assert missing == []
