"""A trace in a notebook: traits in both directions, checked; and what is shown where there is no widget."""

from __future__ import annotations

import html
import re
import sys

import numpy as np
import pytest

import a2core
from a2core.canvas import notebook

traitlets = pytest.importorskip("traitlets", reason="needs the extra notebook")
pytest.importorskip("anywidget", reason="needs the extra notebook")


@pytest.fixture(scope="module")
def trace() -> a2core.Trace:
    model = a2core.load_model("a2-lite0", device="cpu", engine="torch")
    frames = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3), dtype=np.uint8)
    return model.trace(a2core.Clip(frames, np.zeros(1), "image", "<b>.png", ()), size=96)


def test_what_is_looked_at_are_traits_and_they_reach_the_browser(trace):
    widget = trace.widget(block="blocks.5", probe=[0, 1, 2], primitive=7)
    assert widget.payload["blocks"][1]["name"] == "blocks.5"
    assert {"block", "probe", "primitive", "pins", "settings", "_payload"} <= set(widget.keys)
    sent = widget.get_state()
    assert (sent["block"], sent["probe"], sent["primitive"]) == ("blocks.5", [0, 1, 2], 7)
    heard = []
    widget.observe(lambda change: heard.append(change["new"]), "primitive")
    widget.set_state({"block": "blocks.4", "probe": [0, 3, 5], "primitive": 63, "pins": [[0, 3, 5]]})
    assert heard == [63]
    assert widget.probe == [0, 3, 5]
    widget.block = "blocks.5"  # 2 × 3 cells: there is no such one
    assert widget.probe is None
    assert widget.pins == []
    widget.primitive = 200  # of 256, and the other block has 64
    widget.block = "blocks.4"
    assert widget.primitive is None


def test_a_widget_is_in_the_language_that_is_asked_for_and_others_stay_as_they_are(trace):
    chinese, english = trace.widget(language="zh"), trace.widget()
    assert "收集" in chinese.get_state()["_esm"]
    assert "A tour of three steps" not in chinese.get_state()["_esm"]
    assert "A tour of three steps" in english.get_state()["_esm"]
    with pytest.raises(ValueError, match="There is no language 'xx'"):
        trace.widget(language="xx")


@pytest.mark.parametrize(
    ("trait", "value", "said"),
    [
        ("block", "layer9", "There is no block 'layer9'. Known: blocks.4, blocks.5."),
        ("probe", [0, 4, 0], "[0, 4, 0] is no cell of blocks.4, (t, row, col) in 1 × 4 × 6."),
        ("primitive", 64, "blocks.4 has 64: choose one from 0 to 63, or None."),
        ("pins", [[0, 0, 0]] * 5, "At most 4 pins can be set."),
        ("settings", {"opacity": 2}, "There is no setting opacity = 2."),
    ],
)
def test_what_is_not_there_is_said(trace, trait, value, said):
    widget = trace.widget()
    with pytest.raises(traitlets.TraitError, match=re.escape(said)):
        setattr(widget, trait, value)


def test_without_the_extra_it_is_named(trace, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(a2core.MissingExtraError, match=r"a2nets\[notebook\]"):
        trace.widget()


def test_without_a_widget_it_is_the_offline_page_in_a_frame_that_cannot_reach_the_notebook(trace):
    shown = trace._repr_mimebundle_()["text/html"]
    (page,) = re.findall(r'srcdoc="([^"]*)"', shown)
    assert html.unescape(page) == trace.to_html()
    assert "allow-same-origin" not in shown
    assert "<b>" not in shown


def test_in_a_kernel_it_is_the_widget_and_a_small_picture_for_who_only_reads(trace, monkeypatch):
    monkeypatch.setattr(notebook, "_in_a_kernel", lambda: True)
    bundle = trace._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"].startswith('<figure style="margin: 0"><img src="data:image/webp;base64,')
    assert len(bundle["text/html"]) < 40_000
    assert "<b>" not in bundle["text/html"]
    assert bundle["text/plain"].startswith("Trace of <b>.png by a2-lite0 (64 × 96 pixels; blocks.4 1 × 4 × 6")
