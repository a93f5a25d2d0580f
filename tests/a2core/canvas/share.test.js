/** The picture that is passed on: what stands under it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf } from "../../../a2core/canvas/assets/parts/share.js";
import { captionOf, screenOf } from "../../../a2core/canvas/assets/screen.js";
import { firstState, subjectOf } from "../../../a2core/canvas/assets/state.js";
import { DIRECTIONS, GUESS, SHARE } from "../../../a2core/canvas/assets/words.js";
import { smallModel } from "./made.js";

/** @param {object} change @param {object} [sizes] */
function captioned(change, sizes) {
  const model = smallModel(sizes);
  const state = Object.assign(firstState(model), change);
  const subject = subjectOf(state, model);
  return captionOf(screenOf(state, model, subject), subject, state, model);
}

test("it says what the map is, of which block, at which pixel, and what bright means", () => {
  const [title, what, bright] = captioned({ direction: "to" });
  assert.equal(title, DIRECTIONS.to.what);
  assert.equal(what, "blocks.4 · Pixel (x 25, y 15) · cell row 1, col 2");
  assert.equal(bright, DIRECTIONS.to.colour);
});

test("of a primitive it names the primitive, of a box the box", () => {
  assert.match(captioned({ layer: "gather", primitive: 3 })[0], /primitive g3 was gathered/);
  const region = { frame: 0, x0: 0, y0: 0, x1: 20, y1: 10 };
  const [title, what] = captioned({ region });
  assert.equal(title, DIRECTIONS.from.whatBox);
  assert.match(what, /Box of 2 cells/);
});

test("of a clip it says which frame is seen, wherever the pixel was marked", () => {
  const [, what] = captioned({ frame: 2 }, { frames: 3 });
  assert.match(what, /frame at 0\.00/);
  assert.doesNotMatch(captioned({})[1], /frame at/);
});

test("while a class guesses it gives nothing away", () => {
  const said = captioned({ veiled: true, layer: "gather", primitive: 3 });
  assert.deepEqual([said[0], said.length], [GUESS.map, 2]);
});

test("of weights that were never trained it says so, also while a class guesses", () => {
  const model = smallModel();
  model.trained = false;
  for (const veiled of [true, false]) {
    const state = Object.assign(firstState(model), { veiled });
    const subject = subjectOf(state, model);
    assert.equal(captionOf(screenOf(state, model, subject), subject, state, model).at(-1), SHARE.random);
  }
  assert.ok(!captioned({}).includes(SHARE.random));
});

test("lines are as wide as they may be, and no word is cut or lost", () => {
  const measure = (/** @type {string} */ text) => text.length;
  assert.deepEqual(linesOf("one two three four", 9, measure), ["one two", "three", "four"]);
  assert.deepEqual(linesOf("unbreakable b", 4, measure), ["unbreakable", "b"]);
  assert.deepEqual(linesOf("亮的地方，收集 g12 来", 5, measure), ["亮的地方，", "收集", "g12 来"]);
  assert.deepEqual(linesOf("亮的地方，", 4, measure), ["亮的地", "方，"]);
});

test("a picture that is passed on says whose it is", () => {
  const model = smallModel();
  const state = firstState(model);
  const subject = subjectOf(state, model);
  const said = () => captionOf(screenOf(state, model, subject), subject, state, model);
  const before = said();
  model.credit = "Photo: somebody, CC0";
  assert.deepEqual(said(), [...before, "Photo: somebody, CC0"]);
});
