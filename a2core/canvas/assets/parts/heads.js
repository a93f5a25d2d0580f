/*
 * What a network was born with: which layer, which head, and the tokens beside the picture.
 */

import { COLOUR_OF } from "../colours.js";
import { make, makeButton, rove, segmented, setAttr, setPrimitive, setText } from "../dom.js";
import { picking } from "../inputs/picking.js";
import { Direct } from "../kinds.js";
import { directionOf } from "../state.js";
import { HEADS } from "../words.js";

/** @typedef {{ button: HTMLButtonElement, canvas: HTMLCanvasElement }} Tile */

const PIXEL = "pixel";
const MEAN = -1;

export class Heads {
  /** @type {Tile[]} */
  #tiles = [];
  /** @type {(value: string) => void} */
  #showLayer = () => {};
  /** @type {(value: string) => void} */
  #showToken = () => {};
  #at = 0;
  /** @type {Tile | null} of all heads together; there once something with heads is looked at */
  #mean = null;

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    const { ui, stop } = probe;
    const { signal } = stop;
    const across = () => getComputedStyle(ui.headTiles).gridTemplateColumns.split(" ").length;
    picking(probe, ui.headTiles, { across });
    ui.headMean.addEventListener("click", () => probe.choose(null), { signal });
  }

  /** Another picture, or another network. */
  load() {
    const { probe } = this;
    const { ui, model } = probe;
    const own = model.blocks.filter((block) => block.own);
    const options = own.map((block, at) => ({
      value: block.name,
      text: block.said === "rollout" ? HEADS.rollout : String(block.raw.order ?? at),
      title: block.label,
    }));
    this.#showLayer = segmented(ui.layers, options, (name) => {
      probe.setBlock(model.block(name));
      probe.reportPin();
    });
  }

  /** Another layer. */
  enter() {
    const { ui, state } = this.probe;
    const { block } = state;
    if (!(block instanceof Direct)) return;
    const tokens = block.before.map((name, at) => ({ value: String(at), text: HEADS.tokenOption(name) }));
    this.#showToken = segmented(ui.tokens, [{ value: PIXEL, text: HEADS.pixelOption }, ...tokens], (value) =>
      this.probe.ask(value === PIXEL ? null : Number(value)),
    );
    const many = block.n > 1 ? block.n : 0;
    if (this.#tiles.length !== many) {
      ui.headTiles.replaceChildren();
      this.#tiles = Array.from({ length: many }, (_, i) => this.#build(ui.headTiles, i));
      rove(
        this.#tiles.map(({ button }) => button),
        this.#tiles[0]?.button,
      );
    }
    this.#mean ??= this.#build(ui.headMean, MEAN);
    ui.headMean.hidden = !many;
    setText(ui.headsTitle, block.label);
    setText(ui.headsExplain, block.said ? HEADS.explains[block.said] : "");
    ui.headsRandom.hidden = block.raw.trained !== false;
    setText(ui.headsRandom, HEADS.random);
  }

  /** @param {HTMLElement} host @param {number} i @returns {Tile} */
  #build(host, i) {
    const button = makeButton("a2c-tile", host);
    if (i !== MEAN) setPrimitive(button, i);
    const canvas = make("canvas", "", button);
    canvas.setAttribute("aria-hidden", "true");
    make("b", "", make("span", "", button)).textContent = i === MEAN ? HEADS.mean : `h${i}`;
    return { button, canvas };
  }

  drawControls() {
    const { state } = this.probe;
    this.#showLayer(state.block.name);
    this.#showToken(state.token === null ? PIXEL : String(state.token));
    for (const [i, { button }] of this.#tiles.entries()) {
      setAttr(button, "aria-pressed", String(state.primitive === i));
      setAttr(button, "aria-label", HEADS.head(i));
    }
    if (!this.#mean) return;
    setAttr(this.#mean.button, "aria-pressed", String(state.primitive === null));
    setAttr(this.#mean.button, "aria-label", HEADS.meanOfAll);
  }

  /** How long ago the tiles were drawn, in milliseconds. */
  get age_ms() {
    return performance.now() - this.#at;
  }

  /** The map of each head at the place. */
  draw() {
    this.#at = performance.now();
    const { probe } = this;
    const { state, answer } = probe;
    const { block } = state;
    if (!(block instanceof Direct) || !this.#tiles.length) return;
    const colour = COLOUR_OF[directionOf(state) === "to" ? "received" : "attention"];
    const mini = probe.mini("tile");
    const { N } = block;
    const mean = new Float32Array(N);
    for (const [i, { canvas }] of this.#tiles.entries()) {
      const map = answer.rows.subarray(i * N, i * N + N);
      for (let j = 0; j < N; j++) mean[j] += map[j] / block.n;
      mini.paint(canvas, map, 0, peakOf(map), colour);
    }
    if (this.#mean) mini.paint(this.#mean.canvas, mean, 0, peakOf(mean), colour);
  }
}

/** @param {Float32Array} map */
const peakOf = (map) => map.reduce((peak, value) => Math.max(peak, value), 0);
