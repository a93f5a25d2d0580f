/** The lesson's arithmetic in the browser against Python's: test_lesson.py holds agreed_lesson.json to what Python says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import vocabulary from "../../../a2core/canvas/vocabulary.json" with { type: "json" };
import { asked, written } from "../../../a2core/site/assets/lesson/address.js";
import { marksOf, pixelsOf } from "../../../a2core/site/assets/lesson/drawn.js";
import { Lesson } from "../../../a2core/site/assets/lesson/lesson.js";
import { four } from "../../../a2core/site/assets/lesson/printed.js";
import { screenOf } from "../../../a2core/site/assets/lesson/steps.js";
import agreed from "./agreed_lesson.json" with { type: "json" };

// What is the same whatever is moved, and so stays on the page as it was built.
const FIXED = /^(c|m|n|N|rows|columns)$|^(this|finer|clip|long)_/;
const lesson = new Lesson(agreed.sizes, new Uint8Array(Buffer.from(agreed.arrays, "base64")));

for (const { step, choice, numbers, says, inSum, overlay, maps, plots } of agreed.cases) {
  test(`step ${step} at ${JSON.stringify(choice)} prints and draws what Python does`, () => {
    const screen = screenOf(step, lesson, choice);
    for (const [what, text] of Object.entries(numbers)) {
      if (what in screen.numbers) assert.equal(screen.numbers[what], text, what);
      else assert.match(what, FIXED);
    }
    assert.equal(screen.says ?? null, says);
    assert.equal(Math.min(screen.inSum ?? 0, screen.maps.length), inSum);
    assert.deepEqual([...pixelsOf(screen.overlay, vocabulary.settings.opacity.first)], overlay);
    const drawn = screen.maps.map((map) => [...pixelsOf(map)].filter((_, at) => at % 4 < 3));
    assert.deepEqual(drawn, maps);
    const marks = screen.plots.map((plot) => marksOf(plot)[0]);
    assert.deepEqual(marks, plots);
  });
}

test("numbers are printed as Python prints them", () => {
  // Each line: f"{value:#.4g}" of Python, with a true minus.
  const printed = [
    [0, "0.000"],
    [1, "1.000"],
    [-0.45341, "−0.4534"],
    [1234.4, "1234."],
    [12346, "1.235e+04"],
    [0.00012344, "0.0001234"],
    [0.000012344, "1.234e−05"],
    [9999.6, "1.000e+04"],
    [1e-10, "1.000e−10"],
  ];
  for (const [value, text] of printed) assert.equal(four(value), text);
});

test("a file that is not the lesson's is refused", () => {
  assert.throws(() => new Lesson(agreed.sizes, new Uint8Array(40)), RangeError);
});

test("an address opens on what was moved, and drops what does not fit", () => {
  const { sizes } = agreed;
  const taus = [0, 0.2, 1, 1e6];
  const opening = {
    position: 0,
    primitive: 1,
    channel: 2,
    a_channel: 3,
    temperature: 1,
    reached: 53,
    terms: 3,
  };
  const moved = { ...opening, position: 31, primitive: 6, temperature: 0.2, terms: 7 };
  const query = written(moved, opening, sizes, true);
  assert.equal(query, "cell=3,4&primitive=6&temperature=0.2&terms=7");
  assert.deepEqual({ ...opening, ...asked(query, sizes, taus) }, moved);
  assert.equal(written(opening, opening, sizes, false), "");
  for (const wrong of [
    "cell=6,0",
    "cell=1",
    "cell=-1,2",
    "primitive=7",
    "terms=0",
    "channel=x",
    "temperature=3",
  ]) {
    assert.deepEqual(asked(wrong, sizes, taus), {}, wrong);
  }
});
