/*
 * The attention that is worked out of a block's factors: rows and columns of VᵀB, never the whole of it.
 */

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
 * this is row p of V^T B, the effective attention; with weights = theta at j and maps = rho it is column j of it.
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

/**
 * Peak and reach of a map: reach is exp of the entropy of its shares, in cells.
 * @param {Float32Array} map
 */
export function describe(map) {
  let peak = 0;
  let at = 0;
  let sum = 0;
  let entropy = 0;
  for (let j = 0; j < map.length; j++) {
    const v = map[j];
    if (v > peak) {
      peak = v;
      at = j;
    }
    if (v > 0) {
      sum += v;
      entropy -= v * Math.log(v);
    }
  }
  return { peak, at, reach: sum > 0 ? Math.exp(entropy / sum + Math.log(sum)) : 0 };
}
