/*
 * Colour maps and the opacity curve, as vocabulary.json has them.
 *
 * Every eighth entry of the maps of the same names in matplotlib (CC0); linear in between. Warm means "gathered
 * from", green means "handed out to", blue to yellow "changed".
 */

import vocabulary from "../vocabulary.json" with { type: "json" };

/** @typedef {"magma" | "viridis" | "cividis"} Colour */
/** @typedef {Exclude<keyof typeof vocabulary.colour_of, "value">} Kind what a map is of */

export const COLOUR_OF = /** @type {Record<Kind, Colour>} */ (vocabulary.colour_of);

/**
 * 256 RGB entries of a colour map as one Uint8Array.
 * @param {string[]} hex
 */
function colourTable(hex) {
  const stops = (hex.join("").match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  const last = stops.length / 3 - 1;
  const table = new Uint8Array(768);
  for (let v = 0; v < 256; v++) {
    const at = (v / 255) * last;
    const low = Math.min(last - 1, Math.floor(at));
    for (let c = 0; c < 3; c++) {
      table[3 * v + c] = Math.round(
        stops[3 * low + c] * (1 - at + low) + stops[3 * low + 3 + c] * (at - low),
      );
    }
  }
  return table;
}

export const TABLES = /** @type {Record<Colour, Uint8Array>} */ (
  Object.fromEntries(Object.entries(vocabulary.colours).map(([name, hex]) => [name, colourTable(hex)]))
);

const { base, gain, power } = vocabulary.cover;

/**
 * How opaque a value is: low values let the picture through, so that it stays the hero.
 * @param {number} v
 * @param {number} opacity
 */
export const cover = (v, opacity) => opacity * Math.min(1, base + gain * v ** power);

/**
 * 256 packed little-endian RGBA words: a colour map with its opacity baked in.
 * @param {Colour} name
 * @param {number} opacity
 */
export function overlayWords(name, opacity) {
  const table = TABLES[name];
  const words = new Uint32Array(256);
  for (let v = 0; v < 256; v++) {
    const alpha = Math.round(255 * cover(v / 255, opacity));
    words[v] = ((alpha << 24) | (table[3 * v + 2] << 16) | (table[3 * v + 1] << 8) | table[3 * v]) >>> 0;
  }
  return words;
}

/** The words of each colour map at the opacities used of late. */
export class OverlayWords {
  /** @type {Map<string, Uint32Array>} */
  #made = new Map();

  /** @param {Colour} colour @param {number} opacity */
  of(colour, opacity) {
    const id = `${colour} ${opacity}`;
    let words = this.#made.get(id);
    if (!words) {
      if (this.#made.size > 8) this.#made.clear();
      words = overlayWords(colour, opacity);
      this.#made.set(id, words);
    }
    return words;
  }
}
