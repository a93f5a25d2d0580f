/*
 * What the payload holds, as numbers: blocks with their maps, and where a point of the picture lies on their grids.
 *
 * A *cell* is one position (t, row, col) of a block's grid and covers the pixels [col W/w, (col+1) W/w) x
 * [row H/h, (row+1) H/h) of the model input; the value of a map sits at the centre of its cell. A *point* is a
 * pixel of the model input with a time step; it is what the probe remembers, so that changing the block finds the
 * same place on another grid.
 */

import vocabulary from "../vocabulary.json" with { type: "json" };
import { column, mix, moments } from "./attention.js";
import { clamp, quantile, ranking } from "./numbers.js";

/** @typedef {{ data: string, scale: number[] }} Packed maps as contract 2 of docs/architecture.md has them */
/**
 * @typedef {object} RawBlock
 * @property {string} name
 * @property {string} [label]
 * @property {number} n
 * @property {[number, number, number]} grid
 * @property {Packed} gather
 * @property {Packed} distribute
 * @property {Packed} [change]
 * @property {number[]} half
 * @property {number[]} use
 * @property {string[]} [cards]
 * @property {number[]} [effect]
 */
/**
 * @typedef {object} Payload
 * @property {string} key
 * @property {string[]} frames
 * @property {number} width_px
 * @property {number} height_px
 * @property {number[]} [times_s]
 * @property {boolean} [trained]
 * @property {boolean} [joint]
 * @property {string} [alt]
 * @property {RawBlock[]} blocks
 * @property {string[]} [measures]
 */
/** @typedef {{ t: number, row: number, col: number }} Cell */
/** @typedef {{ t: number, row0: number, col0: number, row1: number, col1: number, count: number }} Cells both ends in */
/** @typedef {{ frame: number, x: number, y: number, byKey?: boolean }} Point */
/** @typedef {{ frame: number, x0: number, y0: number, x1: number, y1: number }} Region */
/** @typedef {"from" | "to"} Direction */

const ALIKE = 0.95; // cosine similarity of gather maps above which primitives look alike

/** @param {string} base64 */
function bytesOf(base64) {
  const native = /** @type {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} */ (Uint8Array);
  if (typeof native.fromBase64 === "function") return native.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * uint16 maps with one scale each -> Float32Array (n, N), row major.
 * @param {Packed} packed
 * @param {number} n
 * @param {number} N
 */
export function decodeMaps(packed, n, N) {
  const bytes = bytesOf(packed.data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(n * N);
  for (let i = 0; i < n; i++) {
    const unit = packed.scale[i] / vocabulary.levels;
    for (let j = i * N, end = j + N; j < end; j++) out[j] = view.getUint16(2 * j, true) * unit;
  }
  return out;
}

/**
 * Of each primitive, what the best class gains when it is switched off; null while nobody has measured it.
 * @param {RawBlock} raw
 */
export function effectOf(raw) {
  return raw.effect?.length === raw.n ? Float32Array.from(raw.effect) : null;
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
    this.name = raw.name;
    this.label = raw.label || raw.name;
    this.n = raw.n;
    const [T, h, w] = raw.grid;
    this.T = T;
    this.h = h;
    this.w = w;
    this.N = this.T * this.h * this.w;
    this.span = alone ? this.h * this.w : this.N; // positions that a place exchanges information with
    this.half = Float32Array.from(raw.half); // cells that hold half of each gather map
    this.use = Float32Array.from(raw.use);
    this.cards = raw.cards || [];
    this.effect = effectOf(raw);
    /** @type {Int32Array | null} */
    this.groups = null; // of each primitive, the one it looks like; known once lookAlikes has run
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

export class Model {
  /** @param {Payload} payload */
  constructor(payload) {
    this.key = payload.key;
    this.width = payload.width_px;
    this.height = payload.height_px;
    this.frames = payload.frames;
    this.times = payload.times_s || [0];
    this.trained = payload.trained !== false;
    this.alt = payload.alt || "the picture";
    this.blocks = payload.blocks.map((raw) => new Block(raw, payload.joint === false));
    this.measures = payload.measures || []; // what the page works out when somebody sorts by it
    // What a map is a share of, in words.
    this.whole = this.frames.length < 2 ? "the picture" : payload.joint === false ? "the frame" : "the clip";
  }

  /** @param {unknown} name */
  block(name) {
    return this.blocks.find((block) => block.name === name) || this.blocks[0];
  }

  /**
   * The time step of a block that a frame belongs to.
   * @param {number} frame
   * @param {Block} block
   */
  stepOf(frame, block) {
    return clamp(Math.floor(((frame + 0.5) * block.T) / this.frames.length), 0, block.T - 1);
  }

  /**
   * @param {Point} point
   * @param {Block} block
   * @returns {Cell}
   */
  cellOf(point, block) {
    return {
      t: this.stepOf(point.frame, block),
      row: clamp(Math.floor((point.y * block.h) / this.height), 0, block.h - 1),
      col: clamp(Math.floor((point.x * block.w) / this.width), 0, block.w - 1),
    };
  }

  /**
   * The cells that a rectangle of pixels covers: rows row0..row1 and columns col0..col1, both ends in.
   * @param {Region} region
   * @param {Block} block
   * @returns {Cells}
   */
  cellsOf(region, block) {
    /** @type {(px: number, cells: number, size: number) => number} */
    const low = (px, cells, size) => clamp(Math.floor((px * cells) / size + 1e-6), 0, cells - 1);
    /** @type {(px: number, cells: number, size: number) => number} */
    const high = (px, cells, size) => clamp(Math.ceil((px * cells) / size - 1e-6) - 1, 0, cells - 1);
    const t = this.stepOf(region.frame, block);
    const row0 = low(region.y0, block.h, this.height);
    const col0 = low(region.x0, block.w, this.width);
    const row1 = Math.max(row0, high(region.y1, block.h, this.height));
    const col1 = Math.max(col0, high(region.x1, block.w, this.width));
    return { t, row0, col0, row1, col1, count: (row1 - row0 + 1) * (col1 - col0 + 1) };
  }

  /**
   * The rectangle of pixels that two cells span.
   * @param {Cell} a
   * @param {Cell} b
   * @param {Block} block
   * @returns {Region}
   */
  regionOf(a, b, block) {
    const x = this.width / block.w;
    const y = this.height / block.h;
    return {
      frame: this.pointOf(a, block).frame,
      x0: Math.min(a.col, b.col) * x,
      y0: Math.min(a.row, b.row) * y,
      x1: (Math.max(a.col, b.col) + 1) * x,
      y1: (Math.max(a.row, b.row) + 1) * y,
    };
  }

  /**
   * The pixel at the centre of a cell.
   * @param {Cell} cell
   * @param {Block} block
   * @returns {Point}
   */
  pointOf(cell, block) {
    return {
      frame: clamp(Math.floor(((cell.t + 0.5) * this.frames.length) / block.T), 0, this.frames.length - 1),
      x: ((cell.col + 0.5) * this.width) / block.w,
      y: ((cell.row + 0.5) * this.height) / block.h,
    };
  }
}
