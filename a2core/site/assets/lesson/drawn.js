/*
 * Maps, bars and curves, drawn as `a2core/lesson/figures.py` draws them.
 */

import { COLOUR_OF, cover, TABLES } from "../../../canvas/assets/colours.js";

/** @typedef {import("../../../canvas/assets/colours.js").Kind | "value"} What what a map is of; "value" has a sign */
/** @typedef {{ values: ArrayLike<number>, what: What, high?: number }} MapOf `high` is drawn brightest, or else its peak */
/**
 * @typedef {{ kind: "bars", values: Float64Array, outline?: Float64Array, chosen?: number, reach?: number }
 *   | { kind: "curve", values: Float64Array, compare?: Float64Array, at: number }} Plot
 */

const MOST_POINTS = 400; // of a curve

/** @param {What} what */
const tableOf = (what) =>
  TABLES[COLOUR_OF[/** @type {import("../../../canvas/assets/colours.js").Kind} */ (what)]];

/**
 * A pixel a cell, RGBA: from 0 to its peak, signed values around zero. With an opacity it is to lie over a picture: the
 * nearer to zero, the more of that shows.
 * @param {MapOf} map
 * @param {number} [opacity]
 */
export function pixelsOf({ values, what, high }, opacity) {
  let peak = high ?? 0;
  if (high === undefined) for (let p = 0; p < values.length; p++) peak = Math.max(peak, Math.abs(values[p]));
  peak ||= 1;
  const table = tableOf(what);
  const pixels = new Uint8ClampedArray(4 * values.length);
  for (let p = 0; p < values.length; p++) {
    const share = values[p] / peak;
    const level = 3 * Math.round(255 * Math.min(1, Math.max(0, what === "value" ? (share + 1) / 2 : share)));
    pixels.set(table.subarray(level, level + 3), 4 * p);
    pixels[4 * p + 3] =
      opacity === undefined ? 255 : Math.round(255 * cover(Math.min(1, Math.abs(share)), opacity));
  }
  return pixels;
}

/** The marks of a plot, and how wide it is. @param {Plot} plot @returns {[string, number]} */
export const marksOf = (plot) => (plot.kind === "bars" ? bars(plot) : curve(plot));

/** @param {Plot & { kind: "bars" }} plot @returns {[string, number]} */
function bars({ values, outline, chosen, reach }) {
  const both = [...values, ...(outline ?? [])];
  const [least, most] = [Math.min(...both), Math.max(...both)];
  let top = reach ?? Math.max(most, 0);
  let bottom = reach === undefined || least < 0 ? Math.min(least, 0) : 0;
  if (reach !== undefined && bottom < 0) bottom = -reach;
  if (top <= bottom) top = bottom + 1;
  const y = (/** @type {number} */ value) => (3 + (94 * (top - value)) / (top - bottom)).toFixed(2);
  const zero = y(0);
  const bar = (/** @type {number} */ k) => `M${(k + 0.12).toFixed(2)} ${zero}V${y(values[k])}h.76V${zero}z`;
  let marks = `<path class="a2-bars" d="${Array.from(values, (_, k) => bar(k)).join("")}"/>`;
  if (chosen !== undefined) marks += `<path class="a2-chosen" d="${bar(chosen)}"/>`;
  if (outline) {
    const line = Array.from(outline, (value, k) => `M${k} ${y(value)}h1`).join("");
    marks += `<path class="a2-outline" d="${line}"/>`;
  }
  return [`${marks}<path class="a2-zero" d="M0 ${zero}H${values.length}"/>`, values.length];
}

/** @param {Plot & { kind: "curve" }} plot @returns {[string, number]} */
function curve({ values, compare, at }) {
  const last = values.length - 1;
  const width = Math.max(last, 1);
  const points = Math.min(values.length, MOST_POINTS);
  const apart = last / Math.max(points - 1, 1);
  const kept = new Set(
    Array.from({ length: points }, (_, k) => (k === points - 1 ? last : Math.floor(k * apart))),
  );
  const line = (/** @type {Float64Array} */ series) =>
    Array.from(
      kept,
      (k) => `${((100 * k) / width).toFixed(2)},${(2 + 96 * (1 - series[k])).toFixed(2)}`,
    ).join(" ");
  const thin = compare ? `<polyline class="a2-thin" points="${line(compare)}"/>` : "";
  const marked = `<path class="a2-at" d="M${((100 * at) / width).toFixed(2)} 0V100"/>`;
  return [`${thin}<polyline class="a2-line" points="${line(values)}"/>${marked}`, 100];
}
