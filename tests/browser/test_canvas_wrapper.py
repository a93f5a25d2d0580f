"""The canvas's Python side and its Streamlit adapter: what is sent, what is let in, what is embedded."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)
from viz_app import probe_canvas as wrapper
from viz_app.components.runtime import script

REPORT = {
    "key": "k",
    "block": "blocks.4",
    "t": 0,
    "row": 3,
    "col": 5,
    "primitive": None,
    "pinned": True,
    "view": {"opacity": 0.5, "scale": "relative"},
}


def test_a_report_of_the_right_types_comes_through() -> None:
    assert wrapper.parse_report(REPORT) == REPORT


@pytest.mark.parametrize(
    "broken",
    [
        {"key": 7},
        {"block": None},
        {"t": -1},
        {"row": "3"},
        {"row": True},
        {"col": 2.5},
        {"col": None},
        {"primitive": "g3"},
        {"primitive": -2},
    ],
)
def test_a_report_of_wrong_types_is_dropped(broken: dict[str, Any]) -> None:
    assert wrapper.parse_report(REPORT | broken) is None


def test_settings_of_the_right_types_come_through() -> None:
    view = {
        "direction": "to", "layer": "change", "pins": [[0, 1, 2], [0, 3, 4]],
        "region": [0, 1, 2, 3, 4], "presentation": True, "sort": "effect",
    }  # fmt: skip
    told = wrapper.parse_report(REPORT | {"view": view})
    assert told is not None
    assert told["view"] == view
    told = wrapper.parse_report(REPORT | {"view": view | {"region": None, "pins": []}})
    assert told is not None
    assert (told["view"]["region"], told["view"]["pins"]) == (None, [])


@pytest.mark.parametrize(
    "broken",
    [
        {"direction": "up"},
        {"layer": 3},
        {"pins": [[0, 1]]},
        {"pins": [[0, 0, i] for i in range(5)]},
        {"pins": "0,1,2"},
        {"region": [0, 1, 2, 3]},
        {"region": [0, 1, 2, 3, -4]},
        {"presentation": "yes"},
        {"opacity": 2},
    ],
)
def test_a_setting_of_the_wrong_type_is_left_out_and_the_rest_kept(broken: dict[str, Any]) -> None:
    told = wrapper.parse_report(REPORT | {"view": {"scale": "absolute"} | broken})
    assert told is not None
    assert told["view"] == {"scale": "absolute"}


@pytest.mark.parametrize("raw", [None, {}, [1, 2], "x", "{}"])
def test_anything_else_is_no_report(raw: Any) -> None:
    assert wrapper.parse_report(raw) is None


def test_the_page_cannot_be_broken_out_of() -> None:
    payload, _ = harness.make_payload(size=(64, 64), n=4, strides=(16,))
    payload["alt"] = "</script><script>alert(1)</script>"
    page = wrapper.standalone_html(payload, title="<b>&")
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    data = re.search(r'<script type="application/json" id="a2-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data.group(1))["payload"] == payload


def test_a_page_of_the_default_size_stays_small() -> None:
    payload, _ = harness.make_payload(size=(448, 448), n=64)
    assert len(wrapper.standalone_html(payload).encode()) < 3e6


@pytest.mark.browser
def test_streamlit_may_call_again_and_clean_up_late(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, size=(128, 128))
    canvas = show(payload)
    told = canvas.page.evaluate(
        """async ([js, html, payload]) => {
          const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
          const { default: component } = await import(url);
          const parentElement = document.createElement("div");
          parentElement.innerHTML = html;
          document.body.append(parentElement);
          const root = parentElement.firstElementChild;
          const sent = [];
          const call = (revision, view) => component({
            data: { key: "canvas", identity: payload.key, revision, view, measures: [], effects: {} },
            parentElement,
            setStateValue: (...what) => sent.push(what),
          });
          const overtaken = call(1, { probe: [0, 1, 1], revision: 1 });
          const untilThePayloadComes = root.__canvas === undefined;
          a2Parcels.hold(payload.key, payload);
          const first = root.__canvas;
          const beforeTheFirstFrame = first.snapshot().order.length;
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          while (!first.snapshot().ready) await frame();
          const last = call(2, { probe: [0, 2, 2], revision: 2 });
          overtaken();
          const kept = root.__canvas === first && first.snapshot().rest.row === 2;
          first.pin(first.model.pointOf({ t: 0, row: 3, col: 4 }, first.state.block));
          last();
          const gone = root.__canvas === undefined;
          return { kept, gone, sent, beforeTheFirstFrame, untilThePayloadComes };
        }""",
        [script(wrapper._STEM, parts=wrapper._PARTS), wrapper._asset("canvas.html"), payload],
    )
    assert told["untilThePayloadComes"]
    assert told["beforeTheFirstFrame"] == 8
    assert told["kept"]
    assert told["gone"]
    assert [name for name, _ in told["sent"]] == ["probe"]
    (report,) = (report for _, report in told["sent"])
    assert wrapper.parse_report(report) is not None
    assert (report["identity"], report["revision"]) == (payload["key"], 2)
