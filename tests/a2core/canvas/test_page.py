"""One HTML page that shows a trace and works offline."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from a2core import Trace
from a2core.canvas import standalone_html
from a2core.cli import main
from tests.browser import canvas_harness as harness


def test_the_page_cannot_be_broken_out_of() -> None:
    payload, _ = harness.make_payload(size=(64, 64), n=4, strides=(16,))
    payload["alt"] = "</script><script>alert(1)</script>"
    page = standalone_html(payload, title="<b>&")
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    data = re.search(r'<script type="application/json" id="a2-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data.group(1))["payload"] == payload


def test_a_page_of_the_default_size_stays_small() -> None:
    payload, _ = harness.make_payload(size=(448, 448), n=64)
    assert len(standalone_html(payload).encode()) < 3e6


def told(page: str) -> dict[str, Any]:
    """What a page of `standalone_html` was given."""
    data = re.search(r'<script type="application/json" id="a2-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    return dict(json.loads(data.group(1)))


def test_a_trace_becomes_a_page_under_its_files_name(tiny_trace: Trace) -> None:
    page = tiny_trace.to_html()
    assert "<h1>made-up.png</h1>" in page
    given = told(page)
    assert [block["name"] for block in given["payload"]["blocks"]] == list(tiny_trace.blocks)
    assert given["payload"]["alt"].startswith("made-up.png, 160 × 96")


def test_a_page_of_random_weights_says_so_in_large_letters_and_one_of_trained_ones_does_not(
    tiny_trace: Trace,
) -> None:
    warning = '<p class="a2-untrained" role="status"><strong>Random weights.</strong>'
    assert warning in replace(tiny_trace, trained=False).to_html()
    assert warning not in replace(tiny_trace, trained=True).to_html()


def test_a_trace_takes_its_blocks_words_from_a_card(tiny_trace: Trace) -> None:
    page = tiny_trace.to_html(title="T", card={"cards": {"blocks.4": {"label": "stripes"}}})
    assert "<h1>T</h1>" in page
    assert told(page)["payload"]["blocks"][0]["label"].startswith("stripes (")


@pytest.mark.slow
def test_the_command_line_writes_a_page_with_a_pixel_pinned_or_without(tmp_path: Any) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)).save(photo)
    out = tmp_path / "page.html"
    common = ["export", str(photo), "--size", "96", "--device", "cpu", "--out", str(out)]
    assert main(common) == 0
    assert told(out.read_text(encoding="utf-8"))["view"] == {}
    assert main([*common, "--pixel", "40", "20", "--block", "blocks.5"]) == 0
    view = told(out.read_text(encoding="utf-8"))["view"]
    assert view == {"block": "blocks.5", "probe": [0, 0, 1], "pinned": True}
