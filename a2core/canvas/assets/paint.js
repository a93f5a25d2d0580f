/*
 * Small maps over a grey miniature of the picture: list, pair, gallery and all frames of a clip.
 */

import { cover, TABLES } from "./colours.js";
import { Enlarger } from "./enlarge.js";
import { clamp } from "./numbers.js";

/** @typedef {import("./colours.js").Colour} Colour */
/** @typedef {import("./pictures.js").Picture} Picture */

const SIDES_PX = { row: 56, tile: 120, pair: 320 };
const MINI_COVER = Float32Array.from({ length: 256 }, (_, v) => cover(v / 255, 0.92));
// One clear pixel. Without a source an <img> is drawn as a broken one, and one that waits for its first, too.
export const NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/** What a canvas is drawn on with: there is one wherever canvases are. @param {HTMLCanvasElement} canvas */
export function penOf(canvas, /** @type {CanvasRenderingContext2DSettings} */ settings = {}) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}

/** An <img> that waits for a map. */
export function picture() {
  const img = document.createElement("img");
  Object.assign(img, { alt: "", src: NOTHING, decoding: "sync", draggable: false });
  return img;
}

/** Gives back what an <img> of `show` holds. @param {HTMLImageElement} img */
export function forget(img) {
  if (img.src !== NOTHING) URL.revokeObjectURL(img.src);
}

/** Paints maps of one grid at one size. */
export class Miniature {
  /** @type {Picture | null} */
  #picture = null;
  /** @type {ImageData | null} */
  #pixels = null;

  /**
   * @param {number} h
   * @param {number} w
   * @param {number} longSide
   */
  constructor(h, w, longSide) {
    this.lens = new Enlarger(h, w, Math.max(1, Math.round(longSide / Math.max(h, w))));
    this.width = this.lens.width;
    this.height = this.lens.height;
    this.grey = new Uint8Array(this.width * this.height).fill(60);
  }

  /** @param {Picture} picture */
  setPicture(picture) {
    if (this.#picture === picture) return;
    this.#picture = picture;
    const canvas = document.createElement("canvas");
    canvas.width = this.width;
    canvas.height = this.height;
    const pen = penOf(canvas, { willReadFrequently: true });
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, this.width, this.height);
    const { data } = pen.getImageData(0, 0, this.width, this.height);
    for (let j = 0; j < this.grey.length; j++) {
      this.grey[j] = 0.55 * (0.299 * data[4 * j] + 0.587 * data[4 * j + 1] + 0.114 * data[4 * j + 2]) + 14;
    }
  }

  /**
   * @param {Uint32Array} words
   * @param {Float32Array} maps
   * @param {number} offset
   * @param {number} top
   * @param {Colour} colour
   * @param {number} low the colour channel in the lowest byte: 0 for a canvas (RGBA), 2 for a bitmap (BGRA)
   */
  render(words, maps, offset, top, colour, low) {
    const values = this.lens.enlarge(maps, offset, top);
    const { grey } = this;
    const table = TABLES[colour];
    const high = 2 - low;
    for (let j = 0; j < values.length; j++) {
      const v = values[j];
      const a = MINI_COVER[v];
      const g = grey[j] * (1 - a);
      words[j] =
        (255 << 24) |
        ((g + table[3 * v + high] * a) << 16) |
        ((g + table[3 * v + 1] * a) << 8) |
        (g + table[3 * v + low] * a);
    }
  }

  /**
   * One map as an ImageData, which the next call overwrites.
   * @param {Float32Array} maps
   * @param {number} offset
   * @param {number} top
   * @param {Colour} colour
   */
  image(maps, offset, top, colour) {
    this.#pixels ??= new ImageData(this.width, this.height);
    this.render(new Uint32Array(this.#pixels.data.buffer), maps, offset, top, colour, 0);
    return this.#pixels;
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Float32Array} maps
   * @param {number} offset
   * @param {number} top
   * @param {Colour} colour
   */
  paint(canvas, maps, offset, top, colour) {
    if (canvas.width !== this.width || canvas.height !== this.height) {
      canvas.width = this.width;
      canvas.height = this.height;
    }
    penOf(canvas).putImageData(this.image(maps, offset, top, colour), 0, 0);
  }

  /**
   * Into an <img>, as an uncompressed bitmap. A canvas would cost the browser a layer of its own in
   * every frame, and there are dozens of these.
   * @param {HTMLImageElement} img
   * @param {Float32Array} maps
   * @param {number} offset
   * @param {number} top
   * @param {Colour} colour
   */
  show(img, maps, offset, top, colour) {
    const words = new Uint32Array(this.width * this.height);
    this.render(words, maps, offset, top, colour, 2);
    const header = new DataView(new ArrayBuffer(54));
    const put = (/** @type {number} */ at, /** @type {number} */ value) => header.setInt32(at, value, true);
    header.setUint16(0, 0x424d);
    put(2, 54 + words.byteLength);
    put(10, 54);
    put(14, 40);
    put(18, this.width);
    put(22, -this.height); // top row first
    header.setUint16(26, 1, true);
    header.setUint16(28, 32, true);
    put(34, words.byteLength);
    forget(img);
    img.src = URL.createObjectURL(new Blob([header, words], { type: "image/bmp" }));
  }
}

/** The miniatures of each use and block, made once. */
export class Miniatures {
  /** @type {Map<string, Miniature>} */
  #made = new Map();

  clear() {
    this.#made.clear();
  }

  /**
   * @param {keyof typeof SIDES_PX} use
   * @param {{ name: string, h: number, w: number }} block
   * @param {Picture | undefined} picture what lies behind the maps, once it is there
   */
  of(use, block, picture) {
    const id = `${use} ${block.name}`;
    let mini = this.#made.get(id);
    if (!mini) {
      const dpr = clamp(window.devicePixelRatio || 1, 1, 2);
      mini = new Miniature(block.h, block.w, Math.min(480, SIDES_PX[use] * dpr));
      this.#made.set(id, mini);
    }
    if (picture) mini.setPicture(picture);
    return mini;
  }
}
