/*
 * The bar above the picture: block, question, scale, opacity, presentation.
 */

import { segmented, setText } from "../dom.js";
import { percent } from "../numbers.js";
import { ASKED } from "../overlays.js";
import { ASK, SCALES } from "../words.js";

export class Controls {
  /** @type {(name: string) => void} */
  #showBlock = () => {};

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui, stop } = probe;
    const { signal } = stop;
    this.showAsk = segmented(ui.ask, ASK, (value) =>
      probe.setting(
        value === "from" || value === "to"
          ? { layer: ASKED, direction: value }
          : { layer: /** @type {import("../state.js").Layer} */ (value) },
      ),
    );
    this.showScale = segmented(ui.scale, SCALES, (value) =>
      probe.setting({ scale: value === "absolute" ? "absolute" : "relative" }),
    );
    ui.opacity.addEventListener("input", () => probe.setting({ opacity: Number(ui.opacity.value) }), {
      signal,
    });
    ui.present.hidden = !!probe.hooks.onPresent; // the page around has its own, for all that is on it
    ui.present.addEventListener(
      "click",
      () => {
        probe.present(true);
        ui.stage.focus();
      },
      { signal },
    );
  }

  load() {
    const { probe } = this;
    this.#showBlock = segmented(
      probe.ui.blocks,
      probe.model.blocks.map((block) => {
        const [, text, detail] = block.label.match(/^(.*?)\s*(\(.*\))?$/s) ?? ["", block.label];
        return { value: block.name, text, detail, term: "block" };
      }),
      (name) => {
        probe.setBlock(probe.model.block(name));
        probe.reportPin();
      },
    );
  }

  /** The question that the large map answers, if any; the arrow of the marks follows. @param {import("../screen.js").Screen} screen */
  drawAsked({ question, direction }) {
    this.showAsk(question);
    this.probe.root.dataset.direction = direction;
  }

  draw() {
    const { ui, state, root } = this.probe;
    this.#showBlock(state.block.name);
    this.showScale(state.scale);
    root.dataset.present = state.presentation ? "yes" : "";
    if (Number(ui.opacity.value) !== state.opacity) ui.opacity.value = String(state.opacity);
    setText(ui.opacityOut, percent(state.opacity));
  }
}
