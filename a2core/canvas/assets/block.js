/*
 * One block of double attention, and what all that attend have: a grid of positions, and how it is asked.
 */

import { column, mix, moments } from "./attention.js";
import { quantile, ranking } from "./numbers.js";
import { decodeMaps } from "./packed.js";
import { blockSaid, cardSaid } from "./words.js";

/** @typedef {import("./packed.js").Packed} Packed */
/**
 * @typedef {object} RawBlock
 * @property {string} name
 * @property {string} [label]
 * @property {"bag" | "pairs" | "rows" | "same"} [kind] how it attends; "bag" where left out
 * @property {number} [n]
 * @property {[number, number, number]} grid
 * @property {Packed} [gather]
 * @property {Packed} [distribute]
 * @property {Packed} [change]
 * @property {number[]} [half]
 * @property {number[]} [use]
 * @property {string[]} [cards]
 * @property {number[]} [effect]
 * @property {boolean} [own] the network was born with it
 * @property {boolean} [trained] false: its weights are random
 * @property {number} [order] of a layer: how many ran before it
 * @property {number} [heads] of pairs
 * @property {string[]} [before] names of the tokens before those of the picture
 * @property {Packed} [queries] of pairs: (heads · d, tokens); all that a map is worked out of may come later
 * @property {Packed} [keys] likewise
 * @property {number} [scale] of their products
 * @property {Packed & { groups: number, heads: number }} [bias] of pairs: added to the scaled products
 * @property {Packed} [written] of pairs, instead of queries and keys: the softmax itself, (groups · heads, n · m)
 * @property {{ asks: string, asked: string, count: number, cells: number[], key_cells: number[] }} [groups] of pairs
 *   that attend in windows, or over two grids: which token is in which slot
 * @property {string} [lse] float32 (heads, tokens): the logarithm of what each row of the softmax is divided by
 * @property {Packed} [rows] of rows: (tokens, tokens), each summing to 1
 * @property {Packed} [weights] of same: (1, positions)
 */
/** @typedef {{ t: number, row: number, col: number }} Cell */
/** @typedef {{ t: number, row0: number, col0: number, row1: number, col1: number, count: number }} Cells both ends in */
/** @typedef {{ frame: number, x: number, y: number, byKey?: boolean }} Point */
/** @typedef {{ frame: number, x0: number, y0: number, x1: number, y1: number }} Region */
/** @typedef {"from" | "to"} Direction */

const ALIKE = 0.95; // cosine similarity of gather maps above which primitives look alike

/**
 * Of each primitive, what the best class gains when it is switched off; null while nobody has measured it.
 * @param {RawBlock} raw
 */
export function effectOf(raw) {
  return raw.effect && raw.effect.length === raw.n ? Float32Array.from(raw.effect) : null;
}

/** One block, ready to be asked. Its arrays are decoded at first use and kept. */
export class Block {
  /** @type {Map<string, Float32Array>} */
  #maps = new Map();
  /** @type {Map<string, number>} */
  #ceilings = new Map();

  /**
   * @param {RawBlock} raw
   * @param {boolean} alone
   */
  constructor(raw, alone) {
    this.raw = raw;
    this.alone = alone; // each frame of a clip was attended to by itself
    this.kind = raw.kind ?? "bag";
    this.name = raw.name;
    this.label = raw.label ? blockSaid(raw.label) : raw.name;
    this.n = raw.n ?? 0;
    this.own = raw.own === true; // the network was born with it
    this.before = raw.before ?? []; // tokens that stand before those of the picture
    const [T, h, w] = raw.grid;
    this.T = T;
    this.h = h;
    this.w = w;
    this.N = this.T * this.h * this.w;
    this.span = alone ? this.h * this.w : this.N; // positions that a place exchanges information with
    this.half = Float32Array.from(raw.half ?? []); // cells that hold half of each gather map
    this.use = Float32Array.from(raw.use ?? []);
    this.cards = (raw.cards || []).map(cardSaid);
    this.effect = effectOf(raw);
    /** @type {Int32Array | null} */
    this.groups = null; // of each primitive, the one it looks like; known once lookAlikes has run
  }

  /** Takes over what is said of its primitives; whether that is another thing. @param {string[]} [cards] */
  say(cards = []) {
    const before = this.cards;
    this.cards = cards.map(cardSaid);
    return cards.length !== before.length || this.cards.some((card, i) => card !== before[i]);
  }

  /** Whether it gathers and hands out primitives; else it has heads. */
  get hasPrimitives() {
    return true;
  }

  /** Which words say what its map is of (`HEADS.title`), where those of primitives do not. @returns {"attends" | "rollout" | null} */
  get said() {
    return null;
  }

  /** Whether all is there that its maps are worked out of: what is large may be sent when it is looked at. */
  get here() {
    return true;
  }

  /**
   * Groups of primitives gathered from nearly the same places: cosine similarity of the gather maps
   * above 0.95 with the most used of the group. A generator, so that a hover never waits for it.
   */
  *lookAlikes() {
    const { n, N, gather } = this;
    const square = (/** @type {number} */ i) =>
      gather.subarray(i * N, i * N + N).reduce((sum, v) => sum + v * v, 0);
    const norms = Float64Array.from({ length: n }, (_, i) => Math.sqrt(square(i)));
    const groups = new Int32Array(n).fill(-1);
    const order = ranking(this.use);
    for (let a = 0; a < n; a++) {
      const i = order[a];
      if (groups[i] >= 0) continue;
      groups[i] = i;
      for (let b = a + 1; b < n; b++) {
        const k = order[b];
        if (groups[k] >= 0) continue;
        let dot = 0;
        for (let x = i * N, y = k * N, end = x + N; x < end; x++, y++) dot += gather[x] * gather[y];
        if (dot > ALIKE * norms[i] * norms[k]) groups[k] = i;
      }
      yield;
    }
    this.groups = groups;
  }

  get gather() {
    return this.maps("gather");
  }

  get distribute() {
    return this.maps("distribute");
  }

  /** |Y - X| / |X| at every position: what the block changed, as a share of what came in. */
  get change() {
    return this.maps("change");
  }

  get hasChange() {
    return !!this.raw.change?.data;
  }

  /** @param {"gather" | "distribute" | "change"} kind */
  maps(kind) {
    let maps = this.#maps.get(kind);
    if (!maps) {
      const packed = this.raw[kind];
      maps = packed ? decodeMaps(packed, packed.scale.length, this.N) : new Float32Array(this.n * this.N);
      this.#maps.set(kind, maps);
    }
    return maps;
  }

  /** @param {"gather" | "distribute" | "change"} kind @param {number} i */
  peak(kind, i) {
    return this.raw[kind]?.scale[i] ?? 0;
  }

  /**
   * The factors of a direction. "from": rho weights the gather maps. "to": theta weights the
   * distribution maps, and a term's share of all that leaves a position also needs how much of the
   * primitive the whole picture uses.
   * @param {Direction} direction
   */
  factors(direction) {
    return direction === "to"
      ? { weights: this.gather, maps: this.distribute, gain: this.use }
      : { weights: this.distribute, maps: this.gather, gain: null };
  }

  /**
   * How much of primitive i is handed out at time step t, on average over its cells.
   * @param {number} i
   * @param {number} t
   */
  useAt(i, t) {
    const size = this.h * this.w;
    const at = i * this.N + t * size;
    const { distribute } = this;
    let sum = 0;
    for (let j = at; j < at + size; j++) sum += distribute[j];
    return sum / size;
  }

  /**
   * `mix` over all positions that a place at time step t exchanges information with.
   * @param {Float32Array} weights
   * @param {Float32Array} maps
   * @param {number} t
   * @param {Float32Array} out
   */
  mixed(weights, maps, t, out) {
    const first = this.alone ? t * this.span : 0;
    return mix(weights, maps, this.n, this.N, out, first, first + this.span);
  }

  /** The peaks of all maps of a kind. @param {"gather" | "distribute" | "change"} kind */
  peaks(kind) {
    return this.raw[kind]?.scale ?? [];
  }

  /**
   * The value that absolute scale paints brightest: nine peaks in ten stay below it.
   * @param {import("./colours.js").Kind} kind
   * @param {() => Iterable<number>} peaks
   */
  ceiling(kind, peaks) {
    if (!this.here) return 1;
    let ceiling = this.#ceilings.get(kind);
    if (ceiling === undefined) {
      ceiling = quantile(peaks(), 0.9);
      this.#ceilings.set(kind, ceiling);
    }
    return ceiling;
  }

  /**
   * Peaks of the attention of `count` positions spread over the grid: a mixture of maps is flatter than they.
   * @param {Direction} direction
   * @param {number} count
   */
  attentionPeaks(direction, count) {
    const { weights, maps } = this.factors(direction);
    const at = new Float32Array(this.n);
    const map = new Float32Array(this.N);
    return Array.from({ length: count }, (_, k) => {
      const p = Math.floor(((k + 0.5) * this.N) / count);
      column(weights, this.n, this.N, p, at);
      return this.mixed(at, maps, Math.floor(p / (this.h * this.w)), map).reduce((a, b) => Math.max(a, b));
    });
  }

  /** @param {Cell} cell */
  index(cell) {
    return (cell.t * this.h + cell.row) * this.w + cell.col;
  }

  /**
   * What `cell` receives of each primitive.
   * @param {Cell} cell
   */
  rhoAt(cell) {
    return column(this.distribute, this.n, this.N, this.index(cell), new Float32Array(this.n));
  }

  /** What a place receives of each primitive: a cell, or a box on average. @param {{ cell: Cell, cells: Cells | null }} place */
  rhoOf({ cell, cells }) {
    if (!cells) return this.rhoAt(cell);
    const mean = new Float32Array(this.n);
    moments(this.distribute, this, cells, mean, new Float32Array(this.n));
    return mean;
  }
}
