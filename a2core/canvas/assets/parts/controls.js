/*
 * The bar above the picture: block, question, scale, opacity, presentation.
 */

import { segmented, setText } from "../dom.js";
import { percent } from "../numbers.js";
import { ASKED } from "../overlays.js";
import { ASK, HEADS, SCALES } from "../words.js";

const OWN = "own"; // what stands for all layers that the network was born with

export class Controls {
  /** @type {(name: string) => void} */
  #showBlock = () => {};
  #layer = "";

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
    const { blocks } = probe.model;
    const own = blocks.filter((block) => block.own);
    /** @type {import("../dom.js").Option[]} */
    const options = blocks
      .filter((block) => !block.own)
      .map((block) => {
        const [, text, detail] = block.label.match(/^(.*?)\s*(\(.*\))?$/s) ?? ["", block.label];
        return { value: block.name, text, detail, term: "block" };
      });
    if (own.length) options.push({ value: OWN, text: HEADS.entry, title: HEADS.entryTitle });
    this.#showBlock = segmented(probe.ui.blocks, options, (name) => {
      probe.setBlock(name === OWN ? this.#lastOwn(own) : probe.model.block(name));
      probe.reportPin();
    });
  }

  /** The layer that was looked at last, or one that is there. @param {import("../model.js").Block[]} own */
  #lastOwn(own) {
    return (
      own.find((layer) => layer.name === this.#layer) ?? own.filter((layer) => layer.here).at(-1) ?? own[0]
    );
  }

  /** The question that the large map answers, if any; the arrow of the marks follows. @param {import("../screen.js").Screen} screen */
  drawAsked({ question, direction }) {
    this.showAsk(question);
    this.probe.root.dataset.direction = direction;
  }

  draw() {
    const { ui, state, root } = this.probe;
    const { block } = state;
    if (block.own) this.#layer = block.name;
    this.#showBlock(block.own ? OWN : block.name);
    root.dataset.kind = block.kind;
    this.showScale(state.scale);
    root.dataset.present = state.presentation ? "yes" : "";
    if (Number(ui.opacity.value) !== state.opacity) ui.opacity.value = String(state.opacity);
    setText(ui.opacityOut, percent(state.opacity));
  }
}
