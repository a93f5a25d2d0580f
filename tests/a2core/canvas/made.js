/** A small payload with known maps, for tests that need no page. */

import { halfOf } from "../../../a2core/canvas/assets/attention.js";
import { Model } from "../../../a2core/canvas/assets/model.js";

/** A generator of numbers in 0..1 that is the same in every run. @param {number} seed */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Maps as contract 2 packs them. @param {number[][]} maps */
export function packed(maps) {
  const scale = maps.map((map) => Math.max(...map));
  const bytes = Buffer.alloc(2 * maps.length * maps[0].length);
  for (const [i, map] of maps.entries()) {
    for (const [j, v] of map.entries()) {
      bytes.writeUInt16LE(scale[i] ? Math.round((v / scale[i]) * 65535) : 0, 2 * (i * map.length + j));
    }
  }
  return { data: bytes.toString("base64"), scale };
}

/** @param {number[]} values */
function shares(values) {
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((v) => v / sum);
}

/**
 * A block of `n` primitives on a grid of 3 x 4 cells in each of `frames` time steps.
 * @param {{ n?: number, frames?: number, seed?: number }} sizes
 */
export function smallBlock({ n = 5, frames = 1, seed = 1 } = {}) {
  const next = random(seed);
  const N = 12 * frames;
  const gather = Array.from({ length: n }, () => shares(Array.from({ length: N }, next)));
  const columns = Array.from({ length: N }, () => shares(Array.from({ length: n }, next)));
  const distribute = Array.from({ length: n }, (_, i) => columns.map((column) => column[i]));
  const use = distribute.map((map) => map.reduce((a, b) => a + b, 0) / N);
  const change = [Array.from({ length: N }, next)];
  /** @type {import("../../../a2core/canvas/assets/model.js").RawBlock} */
  const raw = {
    name: "blocks.4",
    n,
    grid: [frames, 3, 4],
    gather: packed(gather),
    distribute: packed(distribute),
    change: packed(change),
    half: gather.map((map) => halfOf(Float32Array.from(map)).half),
    use,
  };
  return { raw, gather, distribute, use };
}

/** A picture of 40 x 30 pixels, or a clip of them. @param {{ n?: number, frames?: number, seed?: number }} sizes */
export function smallModel(sizes = {}) {
  const frames = Array.from({ length: sizes.frames ?? 1 }, () => "data:,");
  const { raw } = smallBlock(sizes);
  return new Model({ key: "k", frames, width_px: 40, height_px: 30, blocks: [raw] });
}
