"""The net: a fault in a part of a page, or in what a click calls, takes nothing else away."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from viz_app.server import replays
from viz_app.ui import plots as charts
from viz_app.ui import text
from viz_app.ui.state import Key
from viz_app.views.explore import screen, uploads

ROOT = Path(__file__).resolve().parents[3]
APP = ROOT / "viz_app" / "app.py"
CANVAS = "a2_probe_canvas"
VIEWS = sorted(
    path
    for folder in ("views", "ui")
    for path in (ROOT / "viz_app" / folder).rglob("*.py")
    if path.name != "guards.py"
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_work_in_the_background")]


def refuses(*_: object, **__: object) -> None:
    raise RuntimeError("a fault that nobody foresaw")


def components(app: AppTest) -> set[str]:
    return {element.proto.component_name for element in app.get("bidi_component")}


def messages(app: AppTest) -> list[str]:
    """Calm ones; what Streamlit says by itself of a fault is none."""
    assert not app.exception
    return [re.sub(r"\\(.)", r"\1", element.value) for element in [*app.error, *app.toast]]


@pytest.mark.parametrize(
    ("place", "name", "charts_left", "files_left"),
    [
        (charts, "bag_heatmap", 1, 4),
        (text, "file_stem", 3, 0),
        (screen, "address_of", 3, 4),
        (replays, "measured_effects", 3, 4),
    ],
    ids=["charts", "files", "address", "effects"],
)
def test_a_fault_beside_the_canvas_is_a_calm_message_and_what_is_on_screen_stays(
    app, monkeypatch, place, name, charts_left, files_left
):
    with monkeypatch.context() as patch:
        patch.setattr(place, name, refuses)
        app.run()
        assert messages(app) == [text.UNEXPECTED]
        assert CANVAS in components(app)
        assert len(app.get("plotly_chart")) == charts_left
        assert len(app.get("download_button")) == files_left
    app.run()
    assert messages(app) == []
    assert (len(app.get("plotly_chart")), len(app.get("download_button"))) == (3, 4)


def test_a_fault_in_what_a_click_calls_is_a_calm_message_beside_the_page_as_it_was(app, monkeypatch):
    before = app.session_state[Key.SHOWN]
    monkeypatch.setattr(uploads, "_read", refuses)
    app.file_uploader[0].set_value(("a.png", b"never read", "image/png")).run()
    assert messages(app) == [text.UNEXPECTED]
    assert app.session_state[Key.SHOWN].held is before.held
    assert CANVAS in components(app)
    assert len(app.get("plotly_chart")) == 3


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_fragment_and_every_callback_of_a_page_stands_over_the_net(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    netted = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(by, ast.Name) and by.id == "callback" for by in node.decorator_list)
    }
    bare = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.fragment":
            bare.append(f"line {node.lineno}: st.fragment")
        if not isinstance(node, ast.keyword) or node.arg not in ("on_click", "on_change", "on_clip"):
            continue
        value = node.value
        wrapped = isinstance(value, ast.Call) and ast.unparse(value.func) == "callback"
        if not (isinstance(value, ast.Constant) or wrapped or ast.unparse(value) in netted):
            bare.append(f"line {value.lineno}: {ast.unparse(value)}")
    assert bare == []
