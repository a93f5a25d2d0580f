/*
 * The attention that is worked out of a block's factors: rows and columns of RᵀΘ, never the whole of it.
 */

import { ranking } from "./numbers.js";

/** @typedef {ArrayLike<number> & { [j: number]: number }} Numbers */

/**
 * Column p of a (n, N) array: what one position holds of each of n maps.
 * @template {Numbers} Out
 * @param {Numbers} maps
 * @param {number} n
 * @param {number} N
 * @param {number} p
 * @param {Out} out
 * @returns {Out}
 */
export function column(maps, n, N, p, out) {
  for (let i = 0, at = p; i < n; i++, at += N) out[i] = maps[at];
  return out;
}

/**
 * out_j = sum_i weights_i * maps_ij for first <= j < end, 0 elsewhere. With weights = rho at p and maps = theta
 * this is row p of R^T Theta, the effective attention; with weights = theta at j and maps = rho it is column j of it.
 * @param {Float32Array} weights
 * @param {Float32Array} maps
 * @param {number} n
 * @param {number} N
 * @param {Float32Array} out
 */
export function mix(weights, maps, n, N, out, first = 0, end = N) {
  out.fill(0);
  for (let i = 0; i < n; i++) {
    const weight = weights[i];
    if (weight === 0) continue;
    for (let j = first, at = i * N + first; j < end; j++, at++) out[j] += weight * maps[at];
  }
  return out;
}

/**
 * Mean and standard deviation, over the cells of a box, of each of n maps.
 * @param {Float32Array} maps
 * @param {{ n: number, N: number, h: number, w: number }} block
 * @param {{ t: number, row0: number, col0: number, row1: number, col1: number, count: number }} cells
 * @param {Float32Array} mean
 * @param {Float32Array} spread
 */
export function moments(maps, block, cells, mean, spread) {
  for (let i = 0; i < block.n; i++) {
    let sum = 0;
    let squares = 0;
    for (let row = cells.row0; row <= cells.row1; row++) {
      const at = i * block.N + (cells.t * block.h + row) * block.w;
      for (let j = at + cells.col0; j <= at + cells.col1; j++) {
        sum += maps[j];
        squares += maps[j] * maps[j];
      }
    }
    mean[i] = sum / cells.count;
    spread[i] = Math.sqrt(Math.max(0, squares / cells.count - (sum / cells.count) ** 2));
  }
}

const ROUNDING = 1e-6; // as in a2core/tracing/probe.py
const ONE_PLACE = 0.6; // of half of a map, that one third of the picture must hold to be named
const TWO_PLACES = 0.75; // and two

/**
 * The fewest cells that together hold half of a map, as `half_area` of a2core counts them, and the least value among
 * them.
 * @param {Float32Array} map
 */
export function halfOf(map) {
  const sorted = Float32Array.from(map).sort();
  let sum = 0;
  for (const v of sorted) sum += v;
  if (!(sum > 0)) return { half: 0, least: Number.POSITIVE_INFINITY };
  const enough = 0.5 * sum * (1 - ROUNDING);
  let held = 0;
  let half = 0;
  while (held < enough && half < sorted.length) held += sorted[sorted.length - ++half];
  return { half, least: sorted[sorted.length - half] };
}

/**
 * The thirds of the picture, by row and column, in which the brightest cells of a map lie: one that has most of what
 * they hold, or two; none where it is spread over more. As [row, column] of 0 to 2.
 * @param {Float32Array} map of (T, h, w)
 * @param {number} h
 * @param {number} w
 * @param {number} least value of a cell that counts
 */
export function whereabouts(map, h, w, least) {
  const held = new Float64Array(9);
  let sum = 0;
  for (let j = 0; j < map.length; j++) {
    if (map[j] < least) continue;
    const row = Math.floor((3 * (Math.floor(j / w) % h)) / h);
    held[3 * row + Math.floor((3 * (j % w)) / w)] += map[j];
    sum += map[j];
  }
  const places = ranking(held);
  const first = held[places[0]];
  const count = first >= ONE_PLACE * sum ? 1 : first + held[places[1]] >= TWO_PLACES * sum ? 2 : 0;
  return sum > 0 ? places.slice(0, count).map((place) => [Math.floor(place / 3), place % 3]) : [];
}

/**
 * The peak of a map, where it is, how many cells hold half of it, and the least of them.
 * @param {Float32Array} map
 */
export function describe(map) {
  let peak = 0;
  let at = 0;
  for (let j = 0; j < map.length; j++) {
    if (map[j] > peak) {
      peak = map[j];
      at = j;
    }
  }
  return { peak, at, ...halfOf(map) };
}
