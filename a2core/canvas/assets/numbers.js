/*
 * Numbers, and how they read: shares, points, times, ranks.
 */

import vocabulary from "../vocabulary.json" with { type: "json" };

export const THIN = "\u202f"; // a narrow space at which no line breaks

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * @param {unknown} value
 * @param {number} below
 * @returns {value is number}
 */
export const isIndex = (value, below) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < below;

/**
 * A share in words that read well at any size; the same as `percent` in a2core/canvas/vocabulary.py.
 * @param {number} share
 */
export function percent(share) {
  const p = share * 100;
  if (p >= 9.95) return `${p.toFixed(0)}${THIN}%`;
  if (p >= 0.995) return `${p.toFixed(1)}${THIN}%`;
  if (p >= 0.01) return `${p.toFixed(2)}${THIN}%`;
  return p > 0 ? `<${THIN}0.01${THIN}%` : `0${THIN}%`;
}

/**
 * How much a full bar stands for: a round share, so that a bar of 4 % and one of 86 % are not both full.
 * @param {number} share that must fit
 */
export const barTop = (share) => vocabulary.bars.find((top) => share <= top) ?? 1;

/**
 * A difference of shares in points of percent, with its sign.
 * @param {number} share
 */
export function points(share) {
  const p = Math.abs(share * 100);
  const text = p >= 9.95 ? p.toFixed(0) : p.toFixed(1);
  return Number(text) === 0 ? "±0" : `${share > 0 ? "+" : "−"}${text}`;
}

/**
 * A time as people read it.
 * @param {number | undefined} time
 */
export function seconds(time) {
  return `${(time ?? 0).toFixed(2)}${THIN}s`;
}

/**
 * Indices by falling value; equal values keep their order, as a stable argsort does.
 * @param {ArrayLike<number>} values
 */
export function ranking(values) {
  return Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
}

/** @param {Iterable<number>} values @param {number} q */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.round(q * (sorted.length - 1))];
}
