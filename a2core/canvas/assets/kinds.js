/*
 * Whatever attends without primitives: softmax over pairs of positions, rows that were worked out before, and blocks
 * that hand the same to all.
 *
 * Each is asked as double attention is, from where a place gathers and to whom it gives, and answers with one map for
 * each head. Positions are the tokens of the picture; those before them (class, registers) have a place of their own.
 */

import { Block } from "./block.js";
import { decodeFloats, decodeIntegers, decodeMaps, decodeSigned } from "./packed.js";

/** @typedef {import("./block.js").RawBlock} RawBlock */
/** @typedef {import("./block.js").Direction} Direction */
/** @typedef {{ cell: import("./block.js").Cell, cells: import("./block.js").Cells | null, token: number | null }} Place */

const MOST_CELLS = 800; // of a box that are asked: more would keep the page busy for a second

/** What has heads instead of primitives; `n` counts them. */
export class Direct extends Block {
  /** @param {RawBlock} raw */
  constructor(raw) {
    super({ ...raw, n: raw.heads ?? 1 }, false);
    this.tokens = this.before.length + this.N;
  }

  get hasPrimitives() {
    return false;
  }

  /** Takes in what was sent when somebody looked. @param {RawBlock} raw */
  fill(raw) {
    Object.assign(this.raw, raw, { n: this.n });
    this.release();
  }

  /** What was decoded goes; it is decoded again when it is looked at. */
  release() {}

  /**
   * The maps of all heads at a place, one after the other, each all positions: a mean over the cells of a box, or the
   * sum of what they give. `beside` is, of each head, what goes to tokens before the picture's.
   * @param {Place} place
   * @param {Direction} direction
   * @param {Float32Array} rows (n, N)
   * @param {Float32Array} beside (n)
   */
  rowsAt({ cell, cells, token }, direction, rows, beside) {
    rows.fill(0);
    beside.fill(0);
    if (!this.here) return;
    const first = this.before.length;
    if (token !== null || !cells) {
      this.add(token ?? first + this.index(cell), direction, 1, rows, beside);
      return;
    }
    // Of a large box every so many cells: each costs as much as a place.
    const wide = cells.col1 - cells.col0 + 1;
    const step = Math.ceil(cells.count / MOST_CELLS);
    const asked = Math.ceil(cells.count / step);
    const part = (direction === "from" ? 1 : cells.count) / asked;
    for (let k = 0; k < cells.count; k += step) {
      const cell = { t: cells.t, row: cells.row0 + Math.floor(k / wide), col: cells.col0 + (k % wide) };
      this.add(first + this.index(cell), direction, part, rows, beside);
    }
  }

  /**
   * Adds `part` times the map of one token.
   * @param {number} _token
   * @param {Direction} _direction
   * @param {number} _part
   * @param {Float32Array} _rows
   * @param {Float32Array} _beside
   */
  add(_token, _direction, _part, _rows, _beside) {}

  /** @param {Direction} direction @param {number} count */
  attentionPeaks(direction, count) {
    const rows = new Float32Array(this.n * this.N);
    const beside = new Float32Array(this.n);
    const few = Math.max(4, Math.round(count / 4));
    return Array.from({ length: few }, (_, k) => {
      rows.fill(0);
      const p = Math.floor(((k + 0.5) * this.N) / few);
      this.add(this.before.length + p, direction, 1, rows, beside);
      let peak = 0;
      let whole = 0;
      for (let j = 0; j < this.N; j++) {
        let sum = 0;
        for (let i = 0; i < this.n; i++) sum += rows[i * this.N + j];
        peak = Math.max(peak, sum / this.n);
        whole += sum / this.n;
      }
      // Where a place attends is shown as a share of what goes to the picture.
      return direction === "from" && whole > 0 ? peak / whole : peak;
    });
  }
}

/**
 * The slots of a layer: in which group and slot a token asks, and in which it is asked.
 * @typedef {object} Slots
 * @property {number} groups
 * @property {number} n slots of a group that ask
 * @property {number} m slots of a group that are asked
 * @property {Int32Array} asks (groups, n) the token in each, -1: none
 * @property {Int32Array} asked (groups, m)
 * @property {Int32Array} keys which tokens of the picture are asked, a place of the grid in `at` and a part of each in
 *   `parts`: one to one where both stand on one grid, several for a place where they stand closer, a part where wider
 * @property {Int32Array} at
 * @property {Float32Array} parts
 */
/**
 * @typedef {object} Numbers
 * @property {number} d channels of a head
 * @property {Float32Array} queries
 * @property {Float32Array} keys
 * @property {Float32Array | null} bias
 * @property {Float32Array} lse
 * @property {Float32Array | null} written
 */

/** Softmax attention: a row is worked out of queries and keys where one asks, O(heads · d · N). */
export class Pairs extends Direct {
  /** @type {Numbers | null} */
  #decoded = null;
  /** @type {Slots | null} */
  #slots = null;

  /** @returns {"attends" | "rollout" | null} */
  get said() {
    return "attends";
  }

  get here() {
    return !!this.raw.queries || !!this.raw.written;
  }

  release() {
    this.#decoded = null;
    this.#slots = null;
  }

  get #places() {
    this.#slots ??= slotsOf(this);
    return this.#slots;
  }

  get #numbers() {
    this.#decoded ??= numbersOf(this, this.#places);
    return this.#decoded;
  }

  /** @param {number} token @param {Direction} direction @param {number} part @param {Float32Array} rows @param {Float32Array} beside */
  add(token, direction, part, rows, beside) {
    const first = this.before.length;
    const { n, m, asks, asked, keys, at, parts } = this.#places;
    const over = new Float32Array(1 + Math.max(first + this.N, keys.length ? keys[keys.length - 1] : 0));
    for (let head = 0; head < this.n; head++) {
      over.fill(0);
      if (direction === "from") {
        const slot = asks.indexOf(token);
        if (slot >= 0) this.#weigh(head, Math.floor(slot / n), slot % n, true, 1, over);
        for (let j = 0; j < first; j++) beside[head] += part * over[j];
        for (let k = 0; k < keys.length; k++) rows[head * this.N + at[k]] += part * parts[k] * over[keys[k]];
        continue;
      }
      // A place may hold several of those that are asked, and each may be asked in several windows.
      const held = token < first ? [[token, 1]] : [];
      if (token >= first)
        for (let k = 0; k < keys.length; k++) if (at[k] === token - first) held.push([keys[k], parts[k]]);
      for (const [key, share] of held) {
        for (let slot = asked.indexOf(key); slot >= 0; slot = asked.indexOf(key, slot + 1)) {
          this.#weigh(head, Math.floor(slot / m), slot % m, false, share, over);
        }
      }
      for (let j = 0; j < first; j++) beside[head] += part * over[j];
      for (let j = 0; j < this.N; j++) rows[head * this.N + j] += part * over[first + j];
    }
  }

  /**
   * Adds so much of the weights of one slot over its group, put at their tokens.
   * @param {number} head @param {number} group @param {number} slot @param {boolean} from @param {number} share
   * @param {Float32Array} over
   */
  #weigh(head, group, slot, from, share, over) {
    const { n, m, asks, asked } = this.#places;
    const numbers = this.#numbers;
    const count = from ? m : n;
    const held = from ? asked : asks;
    const block = group * this.n + head;
    const weights = new Float32Array(count);
    if (numbers.written) {
      const start = block * n * m + (from ? slot * m : slot);
      for (let j = 0; j < count; j++) weights[j] = numbers.written[start + (from ? j : j * m)];
    } else {
      const [own, others, wide] = from
        ? [numbers.queries, numbers.keys, n]
        : [numbers.keys, numbers.queries, m];
      const scale = this.raw.scale ?? 1;
      for (let c = block * numbers.d, end = c + numbers.d; c < end; c++) {
        const value = own[c * wide + slot] * scale;
        for (let j = 0, at = c * count; j < count; j++, at++) weights[j] += value * others[at];
      }
      this.#bias(head, group, slot, from, weights);
      if (from) softmax(weights);
      else shares(weights, numbers.lse, block * n);
    }
    for (let j = 0; j < count; j++) {
      const token = held[group * count + j];
      if (token >= 0) over[token] += share * weights[j];
    }
  }

  /** @param {number} head @param {number} group @param {number} slot @param {boolean} from @param {Float32Array} scores */
  #bias(head, group, slot, from, scores) {
    const { bias } = this.#numbers;
    const { raw } = this;
    if (!bias || !raw.bias) return;
    const { n, m } = this.#places;
    const row = (raw.bias.groups > 1 ? group : 0) * raw.bias.heads + (raw.bias.heads > 1 ? head : 0);
    const start = row * n * m + (from ? slot * m : slot);
    for (let j = 0; j < scores.length; j++) scores[j] += bias[start + (from ? j : j * m)];
  }
}

/** @param {Pairs} layer @returns {Slots} */
function slotsOf({ raw, before, N, h, w, tokens }) {
  const first = before.length;
  const { groups } = raw;
  const order = (/** @type {number} */ length, from = 0) => Int32Array.from({ length }, (_, j) => from + j);
  if (!groups) {
    const all = order(tokens);
    const parts = new Float32Array(N).fill(1);
    return {
      groups: 1,
      n: tokens,
      m: tokens,
      asks: all,
      asked: all,
      keys: order(N, first),
      at: order(N),
      parts,
    };
  }
  const asks = decodeIntegers(groups.asks);
  const asked = decodeIntegers(groups.asked);
  const [rows, cols] = groups.key_cells;
  const closer = rows * cols >= N;
  // Whichever grid is finer is gone through: the cell of the other that lies under each of its cells.
  const under = (
    /** @type {number} */ j,
    /** @type {number[]} */ [h0, w0],
    /** @type {number[]} */ [h1, w1],
  ) => Math.floor(((Math.floor(j / w0) + 0.5) * h1) / h0) * w1 + Math.floor((((j % w0) + 0.5) * w1) / w0);
  const count = closer ? rows * cols : N;
  const own = order(count);
  const other = own.map((j) => (closer ? under(j, [rows, cols], [h, w]) : under(j, [h, w], [rows, cols])));
  const times = new Float32Array(rows * cols);
  if (!closer) for (const key of other) times[key]++;
  return {
    groups: groups.count,
    n: asks.length / groups.count,
    m: asked.length / groups.count,
    asks,
    asked,
    keys: (closer ? own : other).map((key) => first + key),
    at: closer ? other : own,
    parts: Float32Array.from(other, (key) => (closer ? 1 : 1 / times[key])),
  };
}

/** @param {Pairs} layer @param {Slots} slots @returns {Numbers} */
function numbersOf({ raw, n: heads }, { groups, n, m }) {
  const none = new Float32Array(0);
  const written = raw.written ? decodeMaps(raw.written, groups * heads, n * m) : null;
  const { queries, keys, lse, bias } = raw;
  if (!queries || !keys || !lse) return { d: 0, queries: none, keys: none, bias: null, lse: none, written };
  const rows = queries.scale.length;
  return {
    d: rows / (groups * heads),
    queries: decodeSigned(queries, rows, n),
    keys: decodeSigned(keys, rows, m),
    bias: bias ? decodeSigned(bias, bias.groups * bias.heads, n * m) : null,
    lse: decodeFloats(lse),
    written,
  };
}

/** Rows that were worked out before: attention rollout. */
export class Rows extends Direct {
  /** @type {Float32Array | null} */
  #decoded = null;

  /** @returns {"attends" | "rollout" | null} */
  get said() {
    return "rollout";
  }

  get here() {
    return !!this.raw.rows;
  }

  release() {
    this.#decoded = null;
  }

  /** @param {number} token @param {Direction} direction @param {number} part @param {Float32Array} rows @param {Float32Array} beside */
  add(token, direction, part, rows, beside) {
    const { N, tokens } = this;
    const first = this.before.length;
    if (!this.raw.rows) return;
    this.#decoded ??= decodeMaps(this.raw.rows, tokens, tokens);
    const [start, step] = direction === "from" ? [token * tokens, 1] : [token, tokens];
    for (let j = 0; j < first; j++) beside[0] += part * this.#decoded[start + j * step];
    for (let j = 0; j < N; j++) rows[j] += part * this.#decoded[start + (first + j) * step];
  }
}

/** A block that hands the same to all positions: one weight for each, whatever is asked. */
export class Same extends Direct {
  /** @type {Float32Array | null} */
  #decoded = null;

  /** @param {number} token @param {Direction} direction @param {number} part @param {Float32Array} rows */
  add(token, direction, part, rows) {
    if (!this.raw.weights) return;
    this.#decoded ??= decodeMaps(this.raw.weights, 1, this.N);
    for (let j = 0; j < this.N; j++) rows[j] += part * this.#decoded[direction === "from" ? j : token];
  }
}

/** Overwrites scores with their softmax. @param {Float32Array} scores */
function softmax(scores) {
  let top = Number.NEGATIVE_INFINITY;
  for (const score of scores) top = Math.max(top, score);
  let sum = 0;
  if (top === Number.NEGATIVE_INFINITY) return scores.fill(0); // a mask leaves nothing to see
  for (let j = 0; j < scores.length; j++) {
    scores[j] = Math.exp(scores[j] - top);
    sum += scores[j];
  }
  for (let j = 0; j < scores.length; j++) scores[j] /= sum;
  return scores;
}

/** Overwrites scores with their share of the row that each stands in. @param {Float32Array} scores @param {Float32Array} lse @param {number} start */
function shares(scores, lse, start) {
  for (let j = 0; j < scores.length; j++) scores[j] = Math.exp(scores[j] - lse[start + j]);
  return scores;
}

const KINDS = { bag: Block, pairs: Pairs, rows: Rows, same: Same };

/** A block of the payload, of whatever kind, ready to be asked. @param {RawBlock} raw @param {boolean} alone */
export function blockOf(raw, alone) {
  return new KINDS[raw.kind ?? "bag"](raw, alone);
}
