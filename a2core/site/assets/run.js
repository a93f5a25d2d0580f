/*
 * The network, part by part: the trunk a few frames at a time, each block over all frames together. And what a block
 * hands out of a bag and weights that were changed, with the parts behind it.
 */

import { changedWeights } from "./change.js";

/** @typedef {{ data: Float32Array, dims: readonly number[] }} Array_ */
/** @typedef {{ run: (given: Record<string, unknown>) => Promise<Record<string, Array_>> }} Session */
/** @typedef {{ block: string, session: Session, hand: Session | null }} Part */
/** @typedef {new (kind: "float32", data: Float32Array, dims: readonly number[]) => unknown} TensorOf */
/**
 * @typedef {object} Told what a block did; N = T · h · w
 * @property {string} name
 * @property {number} n
 * @property {number} m
 * @property {[number, number, number]} grid
 * @property {Float32Array} gather (n, N)
 * @property {Float32Array} distribute (n, N)
 * @property {Float32Array} primitives (m, n)
 * @property {Float32Array} change (N,)
 * @property {Array_} x what it was given, (T, c, h, w)
 * @property {Array_} y what it handed out
 */
/** @typedef {{ logits: Float32Array, classes: number, blocks: Told[] }} Ran logits (T, classes) */

const AT_ONCE = 4; // frames through the trunk together

export class Network {
  /** @param {Part[]} parts @param {TensorOf} Tensor */
  constructor(parts, Tensor) {
    this.parts = parts;
    this.Tensor = Tensor;
  }

  /**
   * @param {Float32Array} x (T, 3, height, width)
   * @param {readonly number[]} dims
   * @param {(share: number) => void} tell how far it is
   */
  run(x, dims, tell = () => {}) {
    return this.#onwards({ data: x, dims }, 0, tell);
  }

  /** From part `first` on. @param {Array_} given @param {number} first @param {(share: number) => void} tell @returns {Promise<Ran>} */
  async #onwards(given, first, tell) {
    /** @type {Told[]} */
    const blocks = [];
    let now = given;
    for (let k = first; k < this.parts.length; k++) {
      const { block, session } = this.parts[k];
      if (block) {
        const told = await this.#attend(block, session, now);
        blocks.push(told);
        now = told.y;
      } else now = await this.#through(session, now);
      tell((k + 1 - first) / (this.parts.length - first));
    }
    return { logits: now.data, classes: now.dims[1], blocks };
  }

  /** @param {Session} session @param {Array_} x @returns {Promise<Array_>} */
  async #through(session, { data, dims }) {
    const [frames, ...rest] = dims;
    const size = data.length / frames;
    /** @type {Array_[]} */
    const made = [];
    for (let at = 0; at < frames; at += AT_ONCE) {
      const count = Math.min(AT_ONCE, frames - at);
      const some = data.subarray(at * size, (at + count) * size);
      const { y } = await session.run({ x: new this.Tensor("float32", some, [count, ...rest]) });
      made.push(y);
    }
    if (made.length === 1) return made[0];
    const joined = new Float32Array(made.reduce((sum, part) => sum + part.data.length, 0));
    let at = 0;
    for (const part of made) {
      joined.set(part.data, at);
      at += part.data.length;
    }
    return { data: joined, dims: [frames, ...made[0].dims.slice(1)] };
  }

  /** @param {string} name @param {Session} session @param {Array_} x @returns {Promise<Told>} */
  async #attend(name, session, x) {
    const told = await session.run({ x: new this.Tensor("float32", x.data, [1, ...x.dims]) });
    const [frames, , h, w] = x.dims;
    const [, m, n] = told.primitives.dims;
    return {
      name,
      n,
      m,
      grid: [frames, h, w],
      gather: told.gather.data,
      distribute: told.distribute.data,
      primitives: told.primitives.data,
      change: told.change.data,
      x,
      y: { data: told.y.data, dims: x.dims },
    };
  }

  /**
   * What the network answers when the block `told` of a run hands out something else: `primitives` weighed by the
   * block's own weights, each times its factor.
   * @param {Told} told
   * @param {Float32Array} primitives (m, n): its own bag, or another picture's
   * @param {Float64Array} factors (n,)
   * @param {boolean} renormalise share out anew what is left
   */
  async change(told, primitives, factors, renormalise) {
    const at = this.parts.findIndex((part) => part.block === told.name);
    const hand = this.parts[at]?.hand;
    if (!hand) throw new Error(`no block ${told.name}`);
    const { n, m, grid, x, distribute } = told;
    const [frames, h, w] = grid;
    const size = h * w;
    const channels = x.dims[1];
    const weights = changedWeights(distribute, factors, renormalise);
    const y = new Float32Array(x.data.length);
    const each = channels * size;
    for (let t = 0; t < frames; t++) {
      const own = new Float32Array(n * size);
      for (let i = 0; i < n; i++) {
        const start = i * frames * size + t * size;
        own.set(weights.subarray(start, start + size), i * size);
      }
      const made = await hand.run({
        x: new this.Tensor("float32", x.data.subarray(t * each, (t + 1) * each), [channels, size]),
        primitives: new this.Tensor("float32", primitives, [m, n]),
        distribute: new this.Tensor("float32", own, [n, size]),
      });
      y.set(made.y.data, t * each);
    }
    const ran = await this.#onwards({ data: y, dims: x.dims }, at + 1, () => {});
    return { ...ran, y };
  }
}
