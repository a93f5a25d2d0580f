/*
 * Whatever attends without primitives: softmax over pairs of positions, rows that were worked out before, and blocks
 * that hand the same to all.
 *
 * Each is asked as double attention is, from where a place gathers and to whom it gives, and answers with one map for
 * each head. Positions are the tokens of the picture; those before them (class, registers) have a place of their own.
 */

import { Block } from "./block.js";
import { decodeFloats, decodeMaps, decodeSigned } from "./packed.js";

/** @typedef {import("./block.js").RawBlock} RawBlock */
/** @typedef {import("./block.js").Direction} Direction */
/** @typedef {{ cell: import("./block.js").Cell, cells: import("./block.js").Cells | null, token: number | null }} Place */

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
    const part = direction === "from" ? 1 / cells.count : 1;
    for (let row = cells.row0; row <= cells.row1; row++) {
      for (let col = cells.col0; col <= cells.col1; col++) {
        this.add(first + this.index({ t: cells.t, row, col }), direction, part, rows, beside);
      }
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
      for (let j = 0; j < this.N; j++) {
        let sum = 0;
        for (let i = 0; i < this.n; i++) sum += rows[i * this.N + j];
        peak = Math.max(peak, sum / this.n);
      }
      return peak;
    });
  }
}

/** Softmax attention: a row is worked out of queries and keys where one asks, O(heads · d · N). */
export class Pairs extends Direct {
  /** @type {{ queries: Float32Array, keys: Float32Array, lse: Float32Array, d: number } | null} */
  #decoded = null;

  /** @returns {"attends" | "rollout" | null} */
  get said() {
    return "attends";
  }

  get here() {
    return !!this.raw.queries;
  }

  release() {
    this.#decoded = null;
  }

  get #numbers() {
    const { queries, keys, lse } = this.raw;
    if (!this.#decoded && queries && keys && lse) {
      const rows = queries.scale.length;
      this.#decoded = {
        queries: decodeSigned(queries, rows, this.tokens),
        keys: decodeSigned(keys, rows, this.tokens),
        lse: decodeFloats(lse),
        d: rows / this.n,
      };
    }
    return this.#decoded;
  }

  /** @param {number} token @param {Direction} direction @param {number} part @param {Float32Array} rows @param {Float32Array} beside */
  add(token, direction, part, rows, beside) {
    const numbers = this.#numbers;
    if (!numbers) return;
    const { n, N, tokens } = this;
    const first = this.before.length;
    const scores = new Float32Array(tokens);
    const own = direction === "from" ? numbers.queries : numbers.keys;
    const others = direction === "from" ? numbers.keys : numbers.queries;
    for (let head = 0; head < n; head++) {
      scores.fill(0);
      for (let c = head * numbers.d, end = c + numbers.d; c < end; c++) {
        const value = own[c * tokens + token] * (this.raw.scale ?? 1);
        for (let j = 0, at = c * tokens; j < tokens; j++, at++) scores[j] += value * others[at];
      }
      const weights = direction === "from" ? softmax(scores) : shares(scores, numbers.lse, head * tokens);
      for (let j = 0; j < first; j++) beside[head] += part * weights[j];
      for (let j = 0, at = head * N; j < N; j++, at++) rows[at] += part * weights[first + j];
    }
  }
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
