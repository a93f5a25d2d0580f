/*
 * Keys on the picture: everything that the mouse can do there, and more.
 */

import { clamp } from "../numbers.js";
import { ASKED } from "../overlays.js";
import { directionOf, MAX_PINS } from "../state.js";

/** @typedef {import("../probe.js").Probe} Probe */
/** @typedef {{ key: (event: KeyboardEvent) => boolean }} Takes some of the keys */

/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Keys {
  /**
   * @param {Probe} probe
   * @param {Takes} timeline
   * @param {{ step: (k: number) => void }} tour
   */
  constructor(probe, timeline, tour) {
    this.probe = probe;
    this.timeline = timeline;
    this.tour = tour;
    const { signal } = probe.stop;
    const { stage } = probe.ui;
    stage.addEventListener("keydown", (event) => this.key(event), { signal });
    document.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Escape" && probe.state.presentation && !event.defaultPrevented)
          probe.present(false);
      },
      { signal },
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const move = MOVES[event.key];
    const taken = move ? this.#move(move, event.shiftKey) : this.#act(event);
    if (taken) event.preventDefault();
  }

  /** @param {[number, number]} move @param {boolean} box */
  #move([dy, dx], box) {
    const { probe } = this;
    const { state, model } = probe;
    if (box) {
      probe.stretch(dy, dx);
      probe.touch();
    } else {
      const { block } = state;
      const cell = model.cellOf(state.hover || { ...state.point, frame: state.frame }, block);
      const row = clamp(cell.row + dy, 0, block.h - 1);
      const col = clamp(cell.col + dx, 0, block.w - 1);
      state.hover = { ...model.pointOf({ t: cell.t, row, col }, block), byKey: true };
      probe.touch();
      probe.schedule("probe");
    }
    probe.schedule("say");
    return true;
  }

  /** @param {KeyboardEvent} event */
  #act(event) {
    const { probe } = this;
    const { state } = probe;
    const { key } = event;
    if (this.timeline.key(event)) {
      probe.touch();
    } else if (key === "Enter" || key === " " || key === "p" || key === "P") {
      probe.pin(state.hover || state.point, key === "p" || key === "P");
      probe.schedule("say");
    } else if (key >= "1" && key <= String(MAX_PINS) && key.length === 1) {
      probe.selectPin(Number(key) - 1);
    } else if (key === "Delete" || key === "Backspace") {
      probe.removePin(state.active);
    } else if (key === "[" || key === "]") {
      probe.step(key === "]" ? 1 : -1);
      probe.schedule("say");
    } else if (key === "Escape") {
      probe.letGo();
      state.hover = null;
      probe.schedule("probe", "say");
    } else if (key === "f" || key === "F") {
      probe.present(!state.presentation);
    } else if (key === "?") {
      this.tour.step(0);
    } else if (key === "d" || key === "D") {
      probe.setting({ layer: ASKED, direction: directionOf(state) === "from" ? "to" : "from" });
      probe.schedule("say");
    } else {
      return false;
    }
    return true;
  }
}
