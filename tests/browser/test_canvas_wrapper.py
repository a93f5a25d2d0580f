"""The canvas's frame in Streamlit: mounted, called again, cleaned up late."""

from __future__ import annotations

import pytest

from a2core import canvas
from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)
from viz_app.components import probe_canvas as wrapper


@pytest.mark.browser
def test_streamlit_may_call_again_and_clean_up_late(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, size=(128, 128))
    shown = show(payload)
    told = shown.page.evaluate(
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
          const seen = () => getComputedStyle(root).visibility;
          const untilThePayloadComes = [root.__canvas === undefined, seen()];
          a2Parcels.hold(payload.key, payload);
          const first = root.__canvas;
          const onceItHasCome = seen();
          const beforeTheFirstFrame = first.snapshot().order.length;
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          while (!first.snapshot().ready) await frame();
          const last = call(2, { probe: [0, 2, 2], revision: 2 });
          overtaken();
          const kept = root.__canvas === first && first.snapshot().rest.row === 2;
          first.probe.pin(first.probe.model.pointOf({ t: 0, row: 3, col: 4 }, first.probe.state.block));
          last();
          const gone = root.__canvas === undefined;
          return { kept, gone, sent, beforeTheFirstFrame, untilThePayloadComes, onceItHasCome };
        }""",
        [wrapper.component_script(), canvas.markup(), payload],
    )
    assert told["untilThePayloadComes"] == [True, "hidden"], "what is seen has words and listens"
    assert told["onceItHasCome"] == "visible"
    assert told["beforeTheFirstFrame"] == 8
    assert told["kept"]
    assert told["gone"]
    assert [name for name, _ in told["sent"]] == ["probe"]
    (report,) = (report for _, report in told["sent"])
    assert canvas.parse_report(report) is not None
    assert (report["identity"], report["revision"]) == (payload["key"], 2)
