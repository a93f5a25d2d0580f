/*
 * What the network told of a picture, as the canvas takes it: contract 2 of docs/architecture.md, the same as
 * a2core/canvas/payload.py makes.
 */

import vocabulary from "../../canvas/vocabulary.json" with { type: "json" };
import { rint } from "./pixels.js";

/** @typedef {import("./run.js").Told} Told */
/** @typedef {{ name: string, word: string, cards: string[], m: number, n: number, channels: number }} Place of a block */
/** @typedef {import("../../canvas/assets/packed.js").Packed} Packed */
/** @typedef {(maps: Float32Array, n: number) => Packed} Pack */

const ROUNDING = 1e-6;

/** @param {Uint8Array} bytes */
export function base64(bytes) {
  const native = /** @type {{ toBase64?: () => string }} */ (/** @type {unknown} */ (bytes));
  if (typeof native.toBase64 === "function") return native.toBase64();
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/**
 * Maps (n, N) as uint16 with a scale each. @param {Float32Array} maps @param {number} n @returns {Packed}
 */
export function quantised(maps, n) {
  const N = maps.length / n;
  const view = new DataView(new ArrayBuffer(2 * maps.length));
  const scale = [];
  for (let i = 0; i < n; i++) {
    let peak = 0;
    for (let j = i * N; j < (i + 1) * N; j++) peak = Math.max(peak, maps[j]);
    scale.push(peak);
    const unit = peak > 0 ? peak : 1;
    for (let j = i * N; j < (i + 1) * N; j++) {
      const share = Math.min(1, Math.max(0, maps[j] / unit));
      view.setUint16(2 * j, rint(share * vocabulary.levels), true);
    }
  }
  return { data: base64(new Uint8Array(view.buffer)), scale };
}

/**
 * The same maps as they are, with the largest value of each: for a page that shows them once and lets them go.
 * @param {Float32Array} maps @param {number} n
 */
export function bare(maps, n) {
  const N = maps.length / n;
  const scale = Array.from({ length: n }, (_, i) => {
    let peak = 0;
    for (let j = i * N; j < (i + 1) * N; j++) peak = Math.max(peak, maps[j]);
    return peak;
  });
  return { data: maps.slice(), scale }; // a copy: what a trace is made of stays for experiments
}

/** Of each map (n, N) the fewest cells that hold half of it. @param {Float32Array} maps @param {number} n */
export function halves(maps, n) {
  const N = maps.length / n;
  return Array.from({ length: n }, (_, i) => {
    const sorted = Float64Array.from(maps.subarray(i * N, (i + 1) * N)).sort();
    let sum = 0;
    for (let j = N - 1; j >= 0; j--) sum += sorted[j];
    if (!(sum > 0)) return 0;
    let held = 0;
    let count = 0;
    while (count < N && held < 0.5 * sum * (1 - ROUNDING)) held += sorted[N - 1 - count++];
    return count;
  });
}

/** Of each map (n, N) exp of its entropy. @param {Float32Array} maps @param {number} n */
export function reaches(maps, n) {
  const N = maps.length / n;
  return Array.from({ length: n }, (_, i) => {
    let entropy = 0;
    for (let j = i * N; j < (i + 1) * N; j++) entropy -= maps[j] * Math.log(Math.max(maps[j], 1e-300));
    return Math.exp(entropy);
  });
}

/** Of each map (n, N) its mean. @param {Float32Array} maps @param {number} n */
function means(maps, n) {
  const N = maps.length / n;
  return Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = i * N; j < (i + 1) * N; j++) sum += maps[j];
    return sum / N;
  });
}

/** What the cells are the size of, where the card has no word for it. @param {number} sidePx */
function wordFor(sidePx) {
  if (sidePx < 12) return "textures";
  return sidePx < 24 ? "parts" : "objects";
}

/**
 * @param {Told[]} blocks in network order
 * @param {Place[]} places
 * @param {number} width of the picture, px
 * @param {Pack} pack
 */
function blocksOf(blocks, places, width, pack) {
  const words = blocks.map((told, k) => places[k].word || wordFor(width / told.grid[2]));
  return blocks.map((told, k) => {
    const { n, grid, gather, distribute } = told;
    const alike = words.filter((word) => word === words[k]).length > 1;
    const [first, second] = alike ? [told.name, words[k]] : [words[k], told.name];
    return {
      name: told.name,
      label: `${first} (${second}, ${grid[1]} × ${grid[2]} cells)`,
      n,
      grid,
      gather: pack(gather, n),
      distribute: pack(distribute, n),
      half: halves(gather, n),
      reach: reaches(gather, n),
      use: means(distribute, n),
      change: pack(told.change, 1),
      cards: places[k].cards,
    };
  });
}

/**
 * @param {{ key: string, alt: string, trained: boolean, frames: (string | ImageBitmap)[], times_s: number[],
 *   width: number, height: number, blocks: Told[], places: Place[], pack?: Pack }} of
 */
export function payloadOf({ key, alt, trained, frames, times_s, width, height, blocks, places, pack }) {
  return {
    version: vocabulary.version,
    key,
    frames,
    width_px: width,
    height_px: height,
    trained,
    joint: true,
    times_s,
    alt: `${alt}, ${width} × ${height} pixels`,
    blocks: blocksOf(blocks, places, width, pack ?? quantised),
  };
}
