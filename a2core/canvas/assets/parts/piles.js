/*
 * Primitives that look alike, piled behind the most used of them; and the order that the gallery shows.
 */

import { ranking } from "../numbers.js";

/** @typedef {import("../model.js").Block} Block */
/** @typedef {{ i: number, group: number, hidden: boolean, more: number }} Placed `more` look-alikes behind it */

const SLICE_MS = 4; // of background work between two events

/**
 * What the filter asks for: numbers ("g12, 7"), else words of the card; null when it asks for nothing.
 * @param {string} filter
 * @param {Block} block
 * @returns {((i: number) => boolean) | null}
 */
export function filtered(filter, block) {
  const text = filter.trim().toLowerCase();
  if (!text) return null;
  const tokens = text.split(/[\s,;]+/);
  if (tokens.every((token) => /^g?\d+$/.test(token))) {
    const wanted = new Set(tokens.map((token) => Number(token.replace("g", ""))));
    return (i) => wanted.has(i);
  }
  return (i) => (block.cards[i] || "").toLowerCase().includes(text);
}

/**
 * Order by falling value with look-alikes behind the first of their group; which of them are hidden.
 * @param {ArrayLike<number>} values
 * @param {ArrayLike<number> | null} groups
 * @param {Set<number>} open groups
 * @param {((i: number) => boolean) | null} wanted
 * @returns {Placed[]}
 */
export function arranged(values, groups, open, wanted) {
  /** @type {Map<number, number[]>} */
  const members = new Map();
  for (const i of ranking(values)) {
    const group = groups ? groups[i] : i;
    members.set(group, [...(members.get(group) ?? []), i]);
  }
  return [...members].flatMap(([group, all]) =>
    all.map((i, place) => {
      const hidden = wanted ? !wanted(i) : place > 0 && !open.has(group);
      return { i, group, hidden, more: !wanted && place === 0 ? all.length - 1 : 0 };
    }),
  );
}

/** Finds the look-alikes of a block in short slices. */
export class Piling {
  /** @type {Block | null} whose groups are being found */
  working = null;

  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
  }

  /** @param {Block} block @param {() => void} done */
  find(block, done) {
    if (block.groups || this.working === block) return;
    this.working = block;
    const work = block.lookAlikes();
    const slice = () => {
      if (this.signal.aborted || this.working !== block) return;
      const until = performance.now() + SLICE_MS;
      while (performance.now() < until) {
        if (work.next().done) {
          this.working = null;
          done();
          return;
        }
      }
      setTimeout(slice);
    };
    slice();
  }
}
