/*
 * What the page asks of the canvas, read from anything at all, and what it is told of what a person did.
 */

import { isIndex } from "./numbers.js";
import { settingsOf } from "./state.js";

/** @typedef {import("./model.js").Block} Block */
/** @typedef {import("./model.js").Cell} Cell */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Payload} Payload */
/** @typedef {Record<string, unknown>} View what the page asks for; contract 2 of docs/architecture.md has its fields */
/**
 * @typedef {object} Report
 * @property {string} key of the payload
 * @property {string} block
 * @property {number} t
 * @property {number} row
 * @property {number} col
 * @property {number | null} primitive
 * @property {number | null} token
 * @property {boolean} pinned
 * @property {import("./state.js").Settings & { pins: number[][], region: number[] | null }} view
 */

/** @param {unknown} a @param {unknown} b */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * [t, row, col] as a cell of the block; null when it does not fit.
 * @param {unknown} raw
 * @param {Block} block
 * @returns {Cell | null}
 */
export function cellIn(raw, block) {
  if (!Array.isArray(raw)) return null;
  const [t, row, col] = raw;
  return isIndex(t, block.T) && isIndex(row, block.h) && isIndex(col, block.w) ? { t, row, col } : null;
}

/**
 * [t, row0, col0, row1, col1], both ends in, as a rectangle of pixels; null when it does not fit.
 * @param {unknown} raw
 * @param {Model} model
 * @param {Block} block
 */
export function regionIn(raw, model, block) {
  if (!Array.isArray(raw) || raw.length !== 5) return null;
  const [t, row0, col0, row1, col1] = raw;
  const last = cellIn([t, row1, col1], block);
  if (!last || !isIndex(row0, row1 + 1) || !isIndex(col0, col1 + 1)) return null;
  return model.regionOf({ t, row: row0, col: col0 }, last, block);
}

/**
 * @param {import("./state.js").State} state
 * @param {Model} model
 * @returns {Report}
 */
export function reportOf(state, model) {
  const { block, region } = state;
  const { t, row, col } = model.cellOf(state.point, block);
  const box = region && model.cellsOf(region, block);
  const pins = state.pins.map((point) => {
    const cell = model.cellOf(point, block);
    return [cell.t, cell.row, cell.col];
  });
  const { primitive, token, pinned } = state;
  const view = { ...settingsOf(state), pins, region: box && [box.t, box.row0, box.col0, box.row1, box.col1] };
  return { key: model.key, block: block.name, t, row, col, primitive, token, pinned, view };
}

/**
 * The payload with what was measured of its blocks since it was sent, and what can be; and with what stands in
 * place of their cards: what the visitor calls primitives, which the trace, that all share, does not know.
 * @param {Payload} payload
 * @param {{ measures: string[], effects: Record<string, number[]>, cards?: Record<string, string[]> }} measured
 * @returns {Payload}
 */
export function withMeasured(payload, { measures, effects, cards = {} }) {
  const blocks = payload.blocks.map((raw) => ({
    ...raw,
    ...(raw.name in effects && { effect: effects[raw.name] }),
    ...(raw.name in cards && { cards: cards[raw.name] }),
  }));
  return { ...payload, measures, blocks };
}

/**
 * The payload with layers that were sent apart, when somebody looked at them.
 * @param {Payload} payload
 * @param {import("./block.js").RawBlock[]} layers
 * @returns {Payload}
 */
export function withLayers(payload, layers) {
  const blocks = payload.blocks.map((raw) => {
    const sent = raw.own ? layers.find((layer) => layer.name === raw.name) : null;
    return sent ? { ...raw, ...sent } : raw;
  });
  return { ...payload, blocks };
}

/**
 * A view as a person left it: where the canvas is put up anew between two answers.
 * @param {View} view
 * @param {Report | null} said
 * @returns {View}
 */
export function goneOnFrom(view, said) {
  if (!said) return view;
  const { block, t, row, col, primitive, token, pinned } = said;
  return { ...view, ...said.view, block, probe: [t, row, col], primitive, token, pinned };
}
