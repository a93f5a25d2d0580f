/*
 * The probed place in one sentence, under the picture and for those who listen.
 */

import { whereabouts } from "../attention.js";
import { setText } from "../dom.js";
import { percent } from "../numbers.js";
import { isOfBlock, OVERLAYS } from "../overlays.js";
import { placeOf } from "../screen.js";
import { directionOf } from "../state.js";
import {
  DIRECTIONS,
  EXCHANGED,
  GUESS,
  HEADS,
  LIST,
  MAPS,
  mostly,
  ON_AVERAGE,
  PINS,
  PLACE,
  partOf,
  THIRDS,
} from "../words.js";

/** @typedef {import("../state.js").Subject} Subject */

export class Readout {
  #sentence = "";

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui } = probe;
    ui.unpin.addEventListener(
      "click",
      () => {
        probe.removePin(probe.state.active);
        ui.stage.focus();
      },
      { signal: probe.stop.signal },
    );
  }

  draw() {
    const { ui, state, model, answer } = this.probe;
    const { subject } = answer;
    if (!subject) return;
    const box = !!state.region;
    ui.unpin.hidden = !state.pinned || box;
    setText(ui.unpin, state.pins.length > 1 ? PINS.remove(state.active + 1) : PINS.unpin);
    const said = isOfBlock(state.layer) ? this.#valued(subject) : this.#exchanged(subject);
    this.#sentence = placeOf(subject, state, model) + said;
    setText(ui.readout, this.#sentence);
  }

  /** Aloud: what the probe is at, or what was noted instead. */
  say() {
    const { probe } = this;
    const { state, ui } = probe;
    const known = state.pins.length > 1 ? PINS.pinnedOf(state.active + 1, state.pins.length) : PINS.pinned;
    const pinned = state.pinned && !state.hover && !state.region ? known : "";
    setText(ui.live, probe.note || (state.veiled ? GUESS.asked : pinned + this.#sentence));
    probe.note = "";
  }

  /** Of how many terms the map is, and of what share. */
  terms() {
    const { state, answer } = this.probe;
    const { count, share } = answer.terms;
    return LIST.terms(count, state.block.n, percent(share), DIRECTIONS[directionOf(state)].whole);
  }

  #exchanged(/** @type {Subject} */ { cells }) {
    const { state, model, answer, many } = this.probe;
    const { block } = state;
    const direction = directionOf(state);
    const { half, least, at, peak } = answer.facts;
    const words = EXCHANGED[direction];
    const places = whereabouts(answer.attention, block.h, block.w, least);
    const mainly = places.length ? mostly(places.map(([row, col]) => THIRDS[row][col])) : "";
    const where = ` · ${words.half(partOf(percent(half / block.span), model.whole))}${mainly}`;
    const highest = at % (block.h * block.w);
    const cell = PLACE.cell(Math.floor(highest / block.w), highest % block.w);
    const most = EXCHANGED.most((many ? EXCHANGED.ofTheFrame : "") + cell, percent(peak));
    if (!block.hasPrimitives) {
      if (!block.here) return "";
      const beside = block.before.length ? ` · ${HEADS.beside(percent(answer.beside), block.before)}` : "";
      return where + (direction === "to" ? most : beside);
    }
    const best = answer.order[0];
    const spread = cells ? ` ± ${percent(answer.spread[best])}` : "";
    const share = percent(answer.weights[best]) + spread;
    const part = state.peel && answer.terms.count < block.n ? ` · ${this.terms()}` : "";
    const by = ` · ${words.by(`g${best}`)} (${share})${part}`;
    return direction === "from" ? where + by : where + most + by;
  }

  /** What the map of the whole block holds there. */
  #valued(/** @type {Subject} */ { cells, cell }) {
    const { answer, state } = this.probe;
    const { block, layer } = state;
    const maps = OVERLAYS[layer].maps(block, answer);
    const say = MAPS[layer].there ?? String;
    if (!cells) return ` · ${say(percent(maps[block.index(cell)]))}`;
    let sum = 0;
    for (let row = cells.row0; row <= cells.row1; row++) {
      for (let col = cells.col0; col <= cells.col1; col++) sum += maps[block.index({ t: cells.t, row, col })];
    }
    return ` · ${say(percent(sum / cells.count))}${ON_AVERAGE}`;
  }
}
