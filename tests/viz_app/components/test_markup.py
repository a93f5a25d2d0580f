"""What components are mounted in: nobody sees a button before it has its words and listens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from a2core import canvas
from a2core.canvas import glossary

COMPONENTS = Path(__file__).resolve().parents[3] / "viz_app" / "components"
MARKUPS = {path.stem: path.read_text(encoding="utf-8") for path in COMPONENTS.glob("*/assets/*.html")}
MARKUPS |= {"canvas": canvas.markup(), "glossary": glossary.markup()}


@pytest.mark.parametrize("name", sorted(MARKUPS))
def test_whatever_can_be_seen_or_pressed_is_invisible_until_its_script_shows_it(name: str) -> None:
    root = re.match(r"<(\w+)[^>]*>", MARKUPS[name])
    assert root is not None
    empty = re.fullmatch(rf"<{root[1]}[^>]*></{root[1]}>\s*", MARKUPS[name])
    assert 'style="visibility: hidden"' in root[0] or (empty and "tabindex" not in root[0])
