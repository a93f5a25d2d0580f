/*
 * The two maps of one primitive: where it was gathered, and where it is handed out.
 */

import { COLOUR_OF } from "../colours.js";
import { setAttr, setText } from "../dom.js";
import { percent } from "../numbers.js";
import { ASKED } from "../overlays.js";
import { halfFrom, PAIR } from "../words.js";

/** @typedef {import("../state.js").Factor} Factor */

export class Pair {
  #shown = "";
  #at = 0;

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui, stop } = probe;
    const { signal } = stop;
    this.#listen(ui.mapGather, "gather");
    this.#listen(ui.mapDistribute, "distribute");
    ui.unchoose.addEventListener(
      "click",
      () => {
        probe.choose(null);
        ui.stage.focus();
      },
      { signal },
    );
  }

  #listen(/** @type {HTMLElement} */ node, /** @type {Factor} */ kind) {
    const { probe } = this;
    const { state, stop } = probe;
    const { signal } = stop;
    node.addEventListener(
      "pointerenter",
      (event) => event.pointerType !== "touch" && probe.setPreview(probe.shown, kind),
      { signal },
    );
    node.addEventListener("pointerleave", () => probe.setPreview(null), { signal });
    node.addEventListener(
      "click",
      () => {
        const i = probe.shown;
        const same = state.layer === kind;
        state.preview = null;
        if (!same && state.primitive !== i) probe.choose(i);
        probe.setting({ layer: same ? ASKED : kind });
      },
      { signal },
    );
  }

  /** What was painted is of another block, scale or frame. */
  forget() {
    this.#shown = "";
  }

  /** How long ago the pair was drawn, in milliseconds. */
  get age_ms() {
    return performance.now() - this.#at;
  }

  draw() {
    this.#at = performance.now();
    const { probe } = this;
    const { ui, state, answer } = probe;
    const { block } = state;
    const i = probe.shown;
    const id = `${block.name} ${i} ${state.scale} ${state.still}`;
    if (this.#shown !== id) {
      this.#shown = id;
      this.#drawMaps(i);
    }
    const card = block.cards[i] || "";
    ui.card.hidden = !block.cards.some(Boolean);
    setText(ui.card, card);
    setAttr(ui.card, "title", card);
    const rank = answer.order.indexOf(i) + 1;
    const why = i === state.primitive ? PAIR.chosen : "";
    const place = rank === 1 ? PAIR.strongest : PAIR.rank(rank);
    setText(ui.pairNote, `${why}${place}, ${percent(answer.weights[i])}`);
    ui.unchoose.hidden = i !== state.primitive;
    setAttr(ui.mapGather, "aria-pressed", String(state.layer === "gather"));
    setAttr(ui.mapDistribute, "aria-pressed", String(state.layer === "distribute"));
  }

  /** @param {number} i */
  #drawMaps(i) {
    const { probe } = this;
    const { ui, state, model } = probe;
    const { block } = state;
    const mini = probe.mini("pair");
    mini.paint(ui.canvasGather, block.gather, probe.offset(i), probe.top("gather", i), COLOUR_OF.gather);
    mini.paint(
      ui.canvasDistribute,
      block.distribute,
      probe.offset(i),
      probe.top("distribute", i),
      COLOUR_OF.distribute,
    );
    const half = halfFrom(percent(block.half[i] / block.span), model.whole);
    const gathered = PAIR.gathered(half, percent(block.peak("gather", i)));
    const handed = PAIR.handed(percent(block.use[i]), percent(block.peak("distribute", i)));
    setText(ui.noteGather, gathered);
    setText(ui.noteDistribute, handed);
    setAttr(ui.canvasGather, "aria-label", PAIR.gatheredAlt(i, gathered));
    setAttr(ui.canvasDistribute, "aria-label", PAIR.handedAlt(i, handed));
    setText(ui.pairTitle, PAIR.title(i));
  }
}
