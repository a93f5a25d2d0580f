"""The notebook's widget in a browser: what a person does becomes traits, and what Python sets is shown."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget", reason="needs the extra notebook")

from a2core.canvas.widget import CanvasWidget
from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)

TRAITS = ("block", "probe", "primitive", "pins", "settings")


@pytest.mark.browser
def test_traits_go_both_ways(show: Show) -> None:  # noqa: F811
    payload, _ = harness.make_payload(n=8, size=(128, 128))
    widget = CanvasWidget(payload, probe=[0, 1, 2])
    page = show(payload).page
    told = page.evaluate(
        """async ([source, state]) => {
          const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
          const { default: widget } = await import(url);
          const heard = new Map(), saved = [];
          const model = {            // as anywidget's: changes are told at once, one by one
            get: (name) => state[name],
            set: (name, value) => {
              if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
              state[name] = value;
              for (const hear of heard.get(`change:${name}`) ?? []) hear();
            },
            save_changes: () => saved.push(structuredClone({ ...state, _payload: null })),
            on: (event, hear) => heard.set(event, [...(heard.get(event) ?? []), hear]),
            off: (event, hear) => heard.set(event, heard.get(event).filter((one) => one !== hear)),
          };
          const el = document.createElement("div");
          el.style.width = "900px";
          document.body.append(el);
          const stop = widget.render({ model, el });
          const root = el.firstElementChild.shadowRoot.querySelector("[data-a2-root]");
          const canvas = root.__canvas;
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const ready = async () => { do await frame(); while (!canvas.snapshot().ready); };
          await ready();
          const first = canvas.snapshot();
          canvas.probe.pin(canvas.probe.model.pointOf({ t: 0, row: 3, col: 4 }, canvas.probe.state.block));
          while (!saved.length) await frame();
          const said = { ...saved.at(-1) };
          const count = saved.length;
          model.set("block", "blocks.5");
          model.set("probe", [0, 2, 3]);
          model.set("primitive", 5);
          await frame();
          await ready();
          const asked = canvas.snapshot();
          stop();
          const left = [...heard.values()].flat().length;
          const echoed = saved.length - count, gone = root.__canvas === undefined;
          return { first, said, asked, left, echoed, gone };
        }""",
        [
            widget._esm,
            {key: widget.get_state()[key] for key in widget.keys if not key.startswith("_anywidget")},
        ],
    )
    place = {"t": 0, "row": 1, "col": 2}
    assert told["first"]["rest"] == place
    assert told["said"]["probe"] == [0, 3, 4]
    assert [0, 3, 4] in told["said"]["pins"]
    widget.set_state(
        {name: told["said"][name] for name in ("block", "probe", "primitive", "pins", "settings")}
    )
    assert widget.probe == [0, 3, 4]  # every trait that came was taken
    assert (told["asked"]["block"], told["asked"]["primitive"]) == ("blocks.5", 5)
    assert told["asked"]["rest"] == {"t": 0, "row": 2, "col": 3}
    assert told["echoed"] == 0
    assert told["gone"]
    assert told["left"] == 0
