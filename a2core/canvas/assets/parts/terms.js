/*
 * The map taken apart into its terms: which of them it adds up.
 */

import { closest, primitiveOf, setAttr, setText } from "../dom.js";
import { isIndex } from "../numbers.js";
import { penOf } from "../paint.js";
import { isIn } from "../state.js";

export class TermsPanel {
  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui, state, stop } = probe;
    const { signal } = stop;
    ui.peel.addEventListener(
      "click",
      () => {
        state.peel = !state.peel;
        this.#set({ mode: "all" });
        probe.schedule("all");
      },
      { signal },
    );
    ui.termsAll.addEventListener("click", () => this.#set({ mode: "all" }), { signal });
    ui.termsNone.addEventListener("click", () => this.#set({ mode: "none" }), { signal });
    ui.termsTop.addEventListener("click", () => this.#set({ mode: "top" }), { signal });
    ui.termsK.addEventListener(
      "input",
      () => {
        const k = Math.round(Number(ui.termsK.value));
        if (isIndex(k, state.block.n + 1)) this.#set({ mode: "top", k });
      },
      { signal },
    );
    ui.rows.addEventListener(
      "click",
      (event) => {
        const node = closest(event, ".a2c-switch");
        const i = node && primitiveOf(node);
        if (i !== null && i !== undefined) this.#flip(i);
      },
      { signal },
    );
  }

  /** A rule without exceptions. @param {Partial<import("../state.js").Terms>} change */
  #set(change) {
    const { probe } = this;
    Object.assign(probe.state.terms, change);
    probe.state.terms.flips.clear();
    probe.answer.forget();
    probe.schedule("probe", "say");
  }

  /** @param {number} i */
  #flip(i) {
    const { probe } = this;
    const { flips } = probe.state.terms;
    if (!flips.delete(i)) flips.add(i);
    probe.answer.forget();
    probe.state.preview = null;
    probe.schedule("probe", "say");
  }

  drawControls() {
    const { ui, state, root } = this.probe;
    root.dataset.peel = state.peel ? "yes" : "";
    setAttr(ui.peel, "aria-pressed", String(state.peel));
    ui.peelPanel.hidden = !state.peel;
  }

  /** The stack of all terms, largest first; those taken out are pale. @param {string} sentence */
  draw(sentence) {
    const { ui, state, answer } = this.probe;
    const { terms } = state;
    setText(ui.termsSaid, sentence);
    setAttr(ui.termsAll, "aria-pressed", String(terms.mode === "all" && !terms.flips.size));
    setAttr(ui.termsNone, "aria-pressed", String(terms.mode === "none" && !terms.flips.size));
    setAttr(ui.termsTop, "aria-pressed", String(terms.mode === "top" && !terms.flips.size));
    if (document.activeElement !== ui.termsK && Number(ui.termsK.value) !== terms.k)
      ui.termsK.value = String(terms.k);
    const { stack } = ui;
    const pen = penOf(stack);
    pen.clearRect(0, 0, stack.width, 1);
    let at = 0;
    answer.order.forEach((i, rank) => {
      const wide = answer.weights[i] * stack.width;
      const shade = rank % 2 ? "#35a29c" : "#21807c";
      pen.fillStyle = isIn(state, i, rank) ? shade : "rgba(128,128,128,.28)";
      pen.fillRect(at, 0, Math.max(0.5, wide - 0.5), 1);
      at += wide;
    });
  }
}
