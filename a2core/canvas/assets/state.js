/*
 * What the canvas shows and what a person set, in one object; and what follows from it without any map.
 */

import vocabulary from "../vocabulary.json" with { type: "json" };
import { ASKED, OVERLAYS } from "./overlays.js";

/** @typedef {import("./model.js").Block} Block */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Point} Point */
/** @typedef {Exclude<import("./colours.js").Kind, "received">} Layer */
/** @typedef {"rho" | "reach" | "use" | "effect"} Sort */
/** @typedef {"gather" | "distribute"} Factor */

/** What a person can set; vocabulary.json has the values that each may have. */
/**
 * @typedef {object} Settings
 * @property {number} opacity
 * @property {"relative" | "absolute"} scale
 * @property {Sort} sort
 * @property {Factor} tiles which maps the gallery shows
 * @property {Layer} layer which map is large
 * @property {import("./model.js").Direction} direction "from": where does it get its information; "to": who receives
 * @property {boolean} presentation large type, no controls
 * @property {number} speed frames a second when a clip plays; 0: as filmed
 */
/**
 * @typedef {object} Place
 * @property {Block} block
 * @property {Point} point the resting or pinned point: what shows when nothing is hovered
 * @property {boolean} pinned whether `point` is a pin
 * @property {Point[]} pins in the order of their numbers
 * @property {number} active which of them is `point`
 * @property {Point | null} hover under the mouse, or moved to by the keyboard
 * @property {number | null} primitive chosen; of what has heads, the head, null being the mean of all
 * @property {number | null} token chosen instead of a place of the picture: one of those before it
 * @property {{ i: number, kind: Factor } | null} preview under the mouse in the list, the pair or the gallery
 * @property {import("./model.js").Region | null} region the box that stands instead of a resting point
 * @property {string} filter of the gallery
 * @property {number} frame on show
 * @property {number} still the frame that the small maps are of: it follows when the frame on show comes to rest
 */
/** @typedef {{ peel: boolean, terms: Terms }} Peeling taking the map apart into its terms */
/** @typedef {{ veiled: boolean }} Guessing whether the answer is hidden for a class to guess, whatever the picture */
/** @typedef {Settings & Place & Peeling & Guessing} State */
/** @typedef {{ mode: "all" | "none" | "top", k: number, flips: Set<number> }} Terms a rule and its exceptions */
/** @typedef {{ kind: import("./colours.js").Kind, i: number }} LargeMap */

export const MAX_PINS = vocabulary.limits.pins;
export const SPEEDS = vocabulary.settings.speed.words;

const SETTINGS = /** @type {Record<string, { first: unknown, words?: unknown[] }>} */ (vocabulary.settings);
export const SETTING_NAMES = /** @type {(keyof Settings)[]} */ (Object.keys(SETTINGS));

/**
 * Whether the setting `name` may have `value`, anything at all.
 * @param {string} name
 * @param {unknown} value
 */
export function takes(name, value) {
  const setting = SETTINGS[name];
  if (setting.words) return setting.words.includes(value);
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** @param {State} state @returns {Settings} */
export function settingsOf(state) {
  return /** @type {Settings} */ (Object.fromEntries(SETTING_NAMES.map((name) => [name, state[name]])));
}

/**
 * Where everything begins with another picture.
 * @param {Model} model
 * @param {unknown} block the name of the one asked for
 * @returns {Place}
 */
export function firstPlace(model, block) {
  const shown = model.block(block);
  const middle = { t: 0, row: Math.floor(shown.h / 2), col: Math.floor(shown.w / 2) };
  return {
    block: shown,
    point: model.pointOf(middle, shown),
    pinned: false,
    pins: [],
    active: 0,
    hover: null,
    primitive: null,
    token: null,
    preview: null,
    region: null,
    filter: "",
    frame: 0,
    still: 0,
  };
}

/**
 * Where a person looks, which stays while a camera's picture changes.
 * @param {State} state
 * @param {Model} before
 * @param {import("./model.js").Payload} next
 * @returns {Partial<Place>}
 */
export function placeKept({ point, pinned, pins, active, hover }, before, next) {
  const alike = before.width === next.width_px && before.height === next.height_px;
  return alike ? { point, pinned, pins, active, hover } : {};
}

/** @param {Model} model @returns {State} */
export function firstState(model) {
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].first]));
  /** @type {Peeling} */
  const peeling = { peel: false, terms: { mode: "all", k: 3, flips: new Set() } };
  return Object.assign(
    /** @type {Settings} */ (/** @type {unknown} */ (settings)),
    peeling,
    { veiled: false },
    firstPlace(model, null),
  );
}

/**
 * Whether the map adds up the term of primitive `i`, of that rank.
 * @param {State} state
 * @param {number} i
 * @param {number} rank
 */
export function isIn({ peel, terms }, i, rank) {
  if (!peel) return true;
  const rule = terms.mode === "all" || (terms.mode === "top" && rank < terms.k);
  return rule !== terms.flips.has(i);
}

/**
 * The primitive of the pair: under the mouse, else chosen, else the strongest at the probe.
 * @param {State} state
 * @param {number[]} order
 */
export function shownPrimitive({ preview, primitive }, order) {
  if (preview) return preview.i;
  return primitive !== null ? primitive : order[0];
}

/**
 * Which way the numbers are read. What the block changed came of what each place received, so beside that map they
 * are of what it receives, whatever was asked before.
 * @param {Pick<State, "layer" | "direction">} state
 * @returns {import("./model.js").Direction}
 */
export function directionOf({ layer, direction }) {
  return OVERLAYS[layer].of === "block" ? "from" : direction;
}

/**
 * What the large overlay shows: the attention of the pixel, or a map of one primitive.
 * @param {State} state
 * @returns {LargeMap}
 */
export function largeMap({ block, preview, layer, primitive, direction }) {
  if (!block.hasPrimitives) return { kind: direction === "to" ? "received" : ASKED, i: 0 };
  if (preview) return { kind: preview.kind, i: preview.i };
  const { of } = OVERLAYS[layer];
  if (of === "block") return { kind: layer, i: 0 };
  if (of === "primitive" && primitive !== null) return { kind: layer, i: primitive };
  return { kind: direction === "to" ? "received" : ASKED, i: 0 };
}

/** The head whose map is large; null: the mean of all. @param {Pick<State, "preview" | "primitive">} state */
export const headOf = ({ preview, primitive }) => (preview ? preview.i : primitive);

/**
 * What the numbers are about: the box, unless the pointer or the keys are at a pixel outside it.
 * @param {State} state
 * @param {Model} model
 */
export function subjectOf({ block, hover, point: rest, region, token }, model) {
  const point = hover || rest;
  const cell = model.cellOf(point, block);
  if (!hover && !region && token !== null && token < block.before.length) {
    return { cells: null, cell, point, token, id: `token ${token}` };
  }
  if (region) {
    const cells = model.cellsOf(region, block);
    const rows = cell.row >= cells.row0 && cell.row <= cells.row1;
    const inside = cell.t === cells.t && rows && cell.col >= cells.col0 && cell.col <= cells.col1;
    if (!hover || (inside && !hover.byKey)) {
      return {
        cells,
        cell,
        point,
        token: null,
        id: `${cells.t} ${cells.row0} ${cells.col0} ${cells.row1} ${cells.col1}`,
      };
    }
  }
  return { cells: null, cell, point, token: null, id: String(block.index(cell)) };
}
/** @typedef {ReturnType<typeof subjectOf>} Subject */
