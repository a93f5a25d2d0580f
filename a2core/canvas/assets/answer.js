/*
 * The numbers at the probed place: weights of all terms, their order, the map that they add up to, O(n N); or, of what
 * has heads instead of primitives, the map of each.
 */

import { column, describe, moments } from "./attention.js";
import { Direct } from "./kinds.js";
import { ranking } from "./numbers.js";
import { directionOf, headOf, isIn, subjectOf } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Subject} Subject */
/** @typedef {import("./model.js").Block} Block */
/** @typedef {import("./model.js").Model} Model */

/** Of one block; its arrays are used again for each place. */
export class Answer {
  /** @type {string | null} */
  #asked = null;
  #new = false;

  /** @param {Block} block */
  constructor(block) {
    this.rho = new Float32Array(block.n); // at the probed place
    this.weights = new Float32Array(block.n); // by which terms are ranked; they sum to 1
    this.spread = new Float32Array(block.n); // of the weights over a box
    this.mixing = new Float32Array(block.n); // what multiplies each map
    this.attention = new Float32Array(block.N);
    this.order = Array.from({ length: block.n }, (_, i) => i); // a key may come before the first answer
    this.terms = { count: 0, share: 0 }; // of those that the map adds up
    this.facts = { peak: 0, at: 0, half: 0, least: 0 }; // of the map
    const direct = block instanceof Direct;
    this.rows = new Float32Array(direct ? block.n * block.N : 0); // one map for each head
    this.besides = new Float32Array(direct ? block.n : 0); // of each head, what comes from beside the picture
    this.beside = 0; // of the map, likewise
    /** @type {Subject | null} */
    this.subject = null;
  }

  /** Whether something was worked out that nobody has drawn yet. */
  isNew() {
    const fresh = this.#new;
    this.#new = false;
    return fresh;
  }

  /** Whatever was asked last is asked anew. */
  forget() {
    this.#asked = null;
  }

  /**
   * Works out what the numbers are about now; whether they are others than before.
   * @param {State} state
   * @param {Model} model
   */
  ask(state, model) {
    const { block } = state;
    const subject = subjectOf(state, model);
    this.subject = subject;
    if (this.#asked === subject.id) return false;
    this.#asked = subject.id;
    this.#new = true;
    if (block instanceof Direct) {
      block.rowsAt(subject, directionOf(state), this.rows, this.besides);
      this.pick(headOf(state), directionOf(state));
      return true;
    }
    const maps = this.#weigh(subject, block, directionOf(state));
    this.order = ranking(this.weights);
    this.terms = { count: 0, share: 0 };
    this.order.forEach((i, rank) => {
      if (isIn(state, i, rank)) {
        this.terms.count++;
        this.terms.share += this.weights[i];
      } else {
        this.mixing[i] = 0;
      }
    });
    block.mixed(this.mixing, maps, (subject.cells || subject.cell).t, this.attention);
    this.facts = describe(this.attention);
    return true;
  }

  /**
   * Makes the map that of one head, or the mean of all; of where a place gathers it is a share of what comes from the
   * picture.
   * @param {number | null} head
   * @param {import("./block.js").Direction} direction
   */
  pick(head, direction) {
    const { rows, besides, attention } = this;
    const N = attention.length;
    const heads = head === null ? besides.length : 1;
    attention.fill(0);
    this.beside = 0;
    for (let i = head ?? 0; i < (head ?? 0) + heads; i++) {
      this.beside += besides[i] / heads;
      for (let j = 0, at = i * N; j < N; j++, at++) attention[j] += rows[at] / heads;
    }
    let sum = 0;
    for (const value of attention) sum += value;
    if (direction === "from" && sum > 0) for (let j = 0; j < N; j++) attention[j] /= sum;
    this.facts = describe(attention);
  }

  /**
   * Weights of all terms at the subject, their spread over a box, and what multiplies each map.
   * @param {Subject} subject
   * @param {Block} block
   * @param {import("./model.js").Direction} direction
   */
  #weigh({ cells, cell }, block, direction) {
    const { weights, mixing, spread } = this;
    const factors = block.factors(direction);
    const { t } = cells || cell;
    if (cells) {
      moments(block.distribute, block, cells, this.rho, spread);
      moments(factors.weights, block, cells, mixing, spread);
    } else {
      const p = block.index(cell);
      column(block.distribute, block.n, block.N, p, this.rho);
      column(factors.weights, block.n, block.N, p, mixing);
      spread.fill(0);
    }
    let sum = 0;
    for (let i = 0; i < block.n; i++) {
      const gain = !factors.gain ? 1 : block.alone ? block.useAt(i, t) : factors.gain[i];
      weights[i] = mixing[i] * gain;
      spread[i] *= gain;
      sum += weights[i];
    }
    if (factors.gain && sum > 0) {
      for (let i = 0; i < block.n; i++) {
        weights[i] /= sum;
        spread[i] /= sum;
      }
    }
    // A place that takes from a box takes from each of its cells: they add up. What a box takes is a mean.
    if (cells && direction === "to") for (let i = 0; i < block.n; i++) mixing[i] *= cells.count;
    return factors.maps;
  }
}
