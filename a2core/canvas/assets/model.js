/*
 * What the payload holds, as numbers: blocks with their maps, and where a point of the picture lies on their grids.
 *
 * A *cell* is one position (t, row, col) of a block's grid and covers the pixels [col W/w, (col+1) W/w) x
 * [row H/h, (row+1) H/h) of the model input; the value of a map sits at the centre of its cell. A *point* is a
 * pixel of the model input with a time step; it is what the probe remembers, so that changing the block finds the
 * same place on another grid.
 */

import { blockOf } from "./kinds.js";
import { clamp } from "./numbers.js";
import { A_PICTURE, pictureSaid, WHOLE } from "./words.js";

/** @typedef {import("./block.js").Block} Block */
/** @typedef {import("./block.js").RawBlock} RawBlock */
/** @typedef {import("./block.js").Cell} Cell */
/** @typedef {import("./block.js").Cells} Cells */
/** @typedef {import("./block.js").Point} Point */
/** @typedef {import("./block.js").Region} Region */
/** @typedef {import("./block.js").Direction} Direction */
/**
 * @typedef {object} Payload
 * @property {string} key
 * @property {(string | ImageBitmap)[]} frames addresses; of a camera, pictures
 * @property {number} width_px
 * @property {number} height_px
 * @property {number[]} [times_s]
 * @property {boolean} [trained]
 * @property {boolean} [joint]
 * @property {string} [alt]
 * @property {string} [credit] whose picture it is
 * @property {RawBlock[]} blocks
 * @property {string[]} [measures]
 * @property {boolean} [live] of a camera: the next one goes on where this was looked at
 */

export class Model {
  /** @param {Payload} payload */
  constructor(payload) {
    this.key = payload.key;
    this.width = payload.width_px;
    this.height = payload.height_px;
    this.frames = payload.frames;
    this.live = payload.live === true;
    this.times = payload.times_s || [0];
    this.trained = payload.trained !== false;
    this.alt = payload.alt ? pictureSaid(payload.alt) : A_PICTURE;
    this.credit = payload.credit || "";
    /** @type {Block[]} */
    this.blocks = payload.blocks.map((raw) => blockOf(raw, payload.joint === false));
    this.measures = payload.measures || []; // what the page works out when somebody sorts by it
    // What a map is a share of, in words.
    this.whole = this.frames.length < 2 ? WHOLE.picture : payload.joint === false ? WHOLE.frame : WHOLE.clip;
  }

  /** @param {unknown} name */
  block(name) {
    return this.blocks.find((block) => block.name === name) || this.blocks[0];
  }

  /**
   * The time step of a block that a frame belongs to.
   * @param {number} frame
   * @param {Block} block
   */
  stepOf(frame, block) {
    return clamp(Math.floor(((frame + 0.5) * block.T) / this.frames.length), 0, block.T - 1);
  }

  /**
   * @param {Point} point
   * @param {Block} block
   * @returns {Cell}
   */
  cellOf(point, block) {
    return {
      t: this.stepOf(point.frame, block),
      row: clamp(Math.floor((point.y * block.h) / this.height), 0, block.h - 1),
      col: clamp(Math.floor((point.x * block.w) / this.width), 0, block.w - 1),
    };
  }

  /**
   * The cells that a rectangle of pixels covers: rows row0..row1 and columns col0..col1, both ends in.
   * @param {Region} region
   * @param {Block} block
   * @returns {Cells}
   */
  cellsOf(region, block) {
    /** @type {(px: number, cells: number, size: number) => number} */
    const low = (px, cells, size) => clamp(Math.floor((px * cells) / size + 1e-6), 0, cells - 1);
    /** @type {(px: number, cells: number, size: number) => number} */
    const high = (px, cells, size) => clamp(Math.ceil((px * cells) / size - 1e-6) - 1, 0, cells - 1);
    const t = this.stepOf(region.frame, block);
    const row0 = low(region.y0, block.h, this.height);
    const col0 = low(region.x0, block.w, this.width);
    const row1 = Math.max(row0, high(region.y1, block.h, this.height));
    const col1 = Math.max(col0, high(region.x1, block.w, this.width));
    return { t, row0, col0, row1, col1, count: (row1 - row0 + 1) * (col1 - col0 + 1) };
  }

  /**
   * The rectangle of pixels that two cells span.
   * @param {Cell} a
   * @param {Cell} b
   * @param {Block} block
   * @returns {Region}
   */
  regionOf(a, b, block) {
    const x = this.width / block.w;
    const y = this.height / block.h;
    return {
      frame: this.pointOf(a, block).frame,
      x0: Math.min(a.col, b.col) * x,
      y0: Math.min(a.row, b.row) * y,
      x1: (Math.max(a.col, b.col) + 1) * x,
      y1: (Math.max(a.row, b.row) + 1) * y,
    };
  }

  /**
   * The pixel at the centre of a cell.
   * @param {Cell} cell
   * @param {Block} block
   * @returns {Point}
   */
  pointOf(cell, block) {
    return {
      frame: clamp(Math.floor(((cell.t + 0.5) * this.frames.length) / block.T), 0, this.frames.length - 1),
      x: ((cell.col + 0.5) * this.width) / block.w,
      y: ((cell.row + 0.5) * this.height) / block.h,
    };
  }
}
