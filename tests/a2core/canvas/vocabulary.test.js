/** What both languages must say alike: test_vocabulary.py reads agreed.json too. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOUR_OF, cover, overlayWords, TABLES } from "../../../a2core/canvas/assets/colours.js";
import { barTop, percent, points } from "../../../a2core/canvas/assets/numbers.js";
import { firstState, SETTING_NAMES, settingsOf, takes } from "../../../a2core/canvas/assets/state.js";
import agreed from "./agreed.json" with { type: "json" };
import { smallModel } from "./made.js";

test("shares read as in Python", () => {
  for (const [share, words] of agreed.shares) {
    assert.equal(percent(Number(share)), String(words).replaceAll(" ", "\u202f"));
  }
});

test("a full bar stands for the least round share that holds the longest, as in Python", () => {
  for (const [share, top] of agreed.bars) assert.equal(barTop(share), top);
});

test("a difference has its sign", () => {
  assert.deepEqual([0.123, -0.0123, 0.0001].map(points), ["+12", "−1.2", "±0"]);
});

test("colours are those of Python", () => {
  for (const [name, entries] of Object.entries(agreed.colours)) {
    const table = TABLES[/** @type {keyof typeof TABLES} */ (name)];
    for (const [v, ...rgb] of entries) assert.deepEqual([...table.subarray(3 * v, 3 * v + 3)], rgb);
  }
});

test("opacity is that of Python, and a painted word holds it with its colour", () => {
  for (const [value, opacity, opaque] of agreed.opacity) {
    assert.ok(Math.abs(cover(value, opacity) - opaque) < 1e-6);
  }
  const word = overlayWords(COLOUR_OF.received, 0.5)[255];
  const [r, g, b] = TABLES.viridis.subarray(765);
  assert.deepEqual([word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24], [r, g, b, 128]);
});

test("a setting takes its own values and no others", () => {
  const asked = { opacity: 0.2, scale: "huge", speed: 24, presentation: 1 };
  const had = Object.entries(asked).filter(([name, value]) => takes(name, value));
  assert.deepEqual(Object.fromEntries(had), { opacity: 0.2, speed: 24 });
  assert.equal(takes("opacity", Number.NaN), false);
  assert.equal(takes("sort", "effect"), true);
});

test("at first every setting has a value that it may have", () => {
  const settings = settingsOf(firstState(smallModel()));
  for (const name of SETTING_NAMES) assert.ok(takes(name, settings[name]), name);
});
