/*
 * The tensors of one block on one picture, and what does not depend on anything that is moved. Pure.
 *
 * Arrays have one axis of positions, in reading order, as the lesson's NPZ file has them flattened: entry (row k,
 * position p) of a table stands at k · N + p. They come as float32; sums are in float64, as in Python.
 */

/** @typedef {{ c: number, m: number, n: number, rows: number, cols: number }} Sizes */
/**
 * @typedef {object} Choice what a person moved; indices count from 0
 * @property {number} position p, in reading order
 * @property {number} primitive i, a row of Θ̃ and of R̃
 * @property {number} channel k, a row of X, Δ and Y
 * @property {number} a_channel k, a row of A
 * @property {number} temperature
 * @property {number} reached the last cell of the running sum
 * @property {number} terms how many primitives are put together, at least 1
 */

/** The arrays in the order of the file, with the number of their entries. @param {Sizes} sizes */
const layout = ({ c, m, n, rows, cols }) => {
  const count = rows * cols;
  return /** @type {const} */ ([
    ["features", c * count],
    ["normed", c * count],
    ["phi", m * count],
    ["theta_logits", n * count],
    ["rho_logits", n * count],
    ["primitives", m * n],
    ["output", m * count],
    ["phi_weight", m * c],
    ["phi_bias", m],
    ["theta_weight", n * c],
    ["theta_bias", n],
    ["rho_weight", n * c],
    ["rho_bias", n],
    ["expand_weight", c * m],
    ["expand_bias", c],
  ]);
};

/** @typedef {ReturnType<typeof layout>[number][0]} Name */

export class Lesson {
  /** @type {Record<string, Float32Array>} */
  #arrays = {};
  /** @type {{ added: Float64Array, change: Float64Array } | null} */
  #added = null;
  /** @type {Float64Array | null} */
  #wrongSums = null;

  /** @param {Sizes} sizes @param {Uint8Array} bytes little-endian float32, one array after the other */
  constructor(sizes, bytes) {
    const { c, m, n, rows, cols } = sizes;
    this.c = c;
    this.m = m;
    this.n = n;
    this.rows = rows;
    this.cols = cols;
    this.count = rows * cols;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (const [name, length] of layout(sizes)) {
      this.#arrays[name] = Float32Array.from({ length }, (_, k) => view.getFloat32(at + 4 * k, true));
      at += 4 * length;
    }
    if (at !== bytes.byteLength) throw new RangeError(`The lesson has ${bytes.byteLength} bytes, not ${at}.`);
  }

  /** All of an array. @param {Name} name */
  table(name) {
    return this.#arrays[name];
  }

  /** Row k of an array that has a column for each position. @param {Name} name @param {number} k */
  row(name, k) {
    return this.#arrays[name].subarray(k * this.count, (k + 1) * this.count);
  }

  /** What such an array has at position p. @param {Name} name @param {number} p */
  column(name, p) {
    const table = this.#arrays[name];
    return Float64Array.from({ length: table.length / this.count }, (_, k) => table[k * this.count + p]);
  }

  /** Row k of weights times a vector, and its bias. @param {"phi" | "theta" | "rho"} name @param {number} k @param {Float64Array} x */
  projected(name, k, x) {
    const weight = this.#arrays[`${name}_weight`];
    return dot(weight.subarray(k * x.length, (k + 1) * x.length), x) + this.#arrays[`${name}_bias`][k];
  }

  /** Δ = W Z + b, (c, N), and |Δ_p| / |x_p| for each position. */
  get added() {
    this.#added ??= this.#add();
    return this.#added;
  }

  #add() {
    const { c, m, count } = this;
    const [weight, bias, x] = [
      this.table("expand_weight"),
      this.table("expand_bias"),
      this.table("features"),
    ];
    const added = new Float64Array(c * count);
    const lengths = new Float64Array(count);
    const before = new Float64Array(count);
    for (let k = 0; k < c; k++) {
      const out = added.subarray(k * count, (k + 1) * count);
      for (let q = 0; q < m; q++) {
        const w = weight[k * m + q];
        const z = this.row("output", q);
        for (let p = 0; p < count; p++) out[p] += w * z[p];
      }
      for (let p = 0; p < count; p++) {
        out[p] += bias[k];
        lengths[p] += out[p] ** 2;
        before[p] += x[k * count + p] ** 2;
      }
    }
    const change = lengths.map((length, p) => Math.sqrt(length) / Math.max(Math.sqrt(before[p]), 1e-12));
    return { added, change };
  }

  /** What each position would be handed if softmax of R̃ ran over positions: the trap of step 5. */
  get wrongSums() {
    if (!this.#wrongSums) {
      const sums = new Float64Array(this.count);
      for (let i = 0; i < this.n; i++) {
        const shares = softmax(this.row("rho_logits", i));
        for (let p = 0; p < this.count; p++) sums[p] += shares[p];
      }
      this.#wrongSums = sums;
    }
    return this.#wrongSums;
  }
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/** @param {ArrayLike<number>} values */
export const lengthOf = (values) => Math.sqrt(dot(values, values));

/** @param {ArrayLike<number>} values */
export function sumOf(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum;
}

/** The index of the largest. @param {ArrayLike<number>} values */
export function argmax(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

/** The largest of |values|. @param {ArrayLike<number>} values */
export function peakOf(values) {
  let peak = 0;
  for (let k = 0; k < values.length; k++) peak = Math.max(peak, Math.abs(values[k]));
  return peak;
}

/**
 * Softmax at a temperature; at 0 its limit: the largest share everything equally.
 * @param {ArrayLike<number>} logits
 * @param {number} temperature
 */
export function softmax(logits, temperature = 1) {
  const top = logits[argmax(logits)];
  const powers = Float64Array.from(logits, (logit) =>
    temperature === 0 ? Number(logit === top) : Math.exp((logit - top) / temperature),
  );
  const sum = sumOf(powers);
  return powers.map((power) => power / sum);
}
