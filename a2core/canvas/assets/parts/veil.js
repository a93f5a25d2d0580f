/*
 * "Where does it look?": the map and all that gives it away are hidden, the mark stays, until somebody reveals them.
 */

import { setAttr, setText } from "../dom.js";
import { GUESS } from "../words.js";

export class Veil {
  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui, stop } = probe;
    ui.guess.title = GUESS.title;
    ui.guess.addEventListener("click", () => this.turn(), { signal: stop.signal });
    document.addEventListener("keydown", (event) => this.#press(event), { signal: stop.signal });
  }

  turn() {
    const { probe } = this;
    probe.state.veiled = !probe.state.veiled;
    probe.schedule("all", "picture", "say");
  }

  /** H on the picture, and wherever the focus is while somebody presents. @param {KeyboardEvent} event */
  #press(event) {
    const { probe } = this;
    if (event.key !== "h" && event.key !== "H") return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const within = event.composedPath();
    const typing = within[0] instanceof HTMLElement && within[0].matches("input, textarea, select");
    if (!typing && (probe.state.presentation || within.includes(probe.ui.stage))) this.turn();
  }

  draw() {
    const { root, ui, state } = this.probe;
    root.dataset.veiled = state.veiled ? "yes" : "";
    setText(ui.guess, state.veiled ? GUESS.reveal : GUESS.hide);
    setAttr(ui.guess, "aria-pressed", String(state.veiled));
  }
}
