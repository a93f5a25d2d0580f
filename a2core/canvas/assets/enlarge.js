/*
 * Maps enlarged so that the value of a cell stays at its centre.
 */

import { clamp } from "./numbers.js";

/**
 * Where each output pixel of a line of `cells` x `k` pixels lies between cell centres.
 * @param {number} cells
 * @param {number} k
 */
export function lineTable(cells, k) {
  const size = cells * k;
  const low = new Int32Array(size);
  const part = new Float32Array(size);
  for (let x = 0; x < size; x++) {
    const at = clamp((x + 0.5) / k - 0.5, 0, cells - 1);
    low[x] = Math.min(Math.floor(at), Math.max(0, cells - 2));
    part[x] = at - low[x];
  }
  return { low, part, step: cells > 1 ? 1 : 0 };
}

/** Enlarges h x w maps k times, bilinear with half-pixel centres, into values of 0..255. */
export class Enlarger {
  /**
   * @param {number} h
   * @param {number} w
   * @param {number} k
   */
  constructor(h, w, k) {
    this.h = h;
    this.w = w;
    this.width = w * k;
    this.height = h * k;
    this.xs = lineTable(w, k);
    this.ys = lineTable(h, k);
    this.rows = new Float32Array(h * this.width);
    this.values = new Uint8Array(this.width * this.height);
  }

  /**
   * maps[offset ...] is one h x w map; `top` is the value that becomes 255.
   * @param {Float32Array} maps
   * @param {number} offset
   * @param {number} top
   */
  enlarge(maps, offset, top) {
    const { h, w, width, height, xs, ys, rows, values } = this;
    const gain = top > 0 ? 255 / top : 0;
    for (let r = 0; r < h; r++) {
      const from = offset + r * w;
      const to = r * width;
      for (let x = 0; x < width; x++) {
        const at = from + xs.low[x];
        const a = maps[at];
        rows[to + x] = (a + (maps[at + xs.step] - a) * xs.part[x]) * gain + 0.5;
      }
    }
    for (let y = 0; y < height; y++) {
      const a = ys.low[y] * width;
      const b = a + ys.step * width;
      const part = ys.part[y];
      const to = y * width;
      for (let x = 0; x < width; x++) {
        const v = rows[a + x] + (rows[b + x] - rows[a + x]) * part;
        values[to + x] = Math.min(v, 255);
      }
    }
    return values;
  }
}
