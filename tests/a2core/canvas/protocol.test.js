/** What the page asks, read from anything at all, what it is told, and how often. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Block } from "../../../a2core/canvas/assets/block.js";
import { latest } from "../../../a2core/canvas/assets/later.js";
import { arranged, filtered } from "../../../a2core/canvas/assets/parts/piles.js";
import {
  cellIn,
  goneOnFrom,
  regionIn,
  reportOf,
  withMeasured,
} from "../../../a2core/canvas/assets/protocol.js";
import { firstState } from "../../../a2core/canvas/assets/state.js";
import { smallBlock, smallModel } from "./made.js";

test("a place that does not fit the grid is none", () => {
  const [block] = smallModel().blocks;
  assert.deepEqual(cellIn([0, 2, 3], block), { t: 0, row: 2, col: 3 });
  for (const raw of [
    [0, 3, 0],
    [0, 0, 4],
    [1, 0, 0],
    [0, -1, 0],
    [0, 0.5, 0],
    [0, "1", 0],
    [],
    "0,0,0",
    null,
    3,
  ]) {
    assert.equal(cellIn(raw, block), null, JSON.stringify(raw));
  }
});

test("a box is read from its corners, the first no further than the last", () => {
  const model = smallModel();
  const [block] = model.blocks;
  assert.deepEqual(regionIn([0, 0, 1, 1, 2], model, block), { frame: 0, x0: 10, y0: 0, x1: 30, y1: 20 });
  for (const raw of [[0, 2, 0, 1, 0], [0, 0, 3, 0, 2], [0, 0, 0, 3, 0], [0, 0, 0, 0], null]) {
    assert.equal(regionIn(raw, model, block), null, JSON.stringify(raw));
  }
});

test("a report holds everything that brings the view back", () => {
  const model = smallModel();
  const state = firstState(model);
  const [block] = model.blocks;
  const pins = [
    { t: 0, row: 0, col: 1 },
    { t: 0, row: 2, col: 3 },
  ].map((cell) => model.pointOf(cell, block));
  Object.assign(state, { pins, active: 1, point: pins[1], pinned: true, primitive: 2, direction: "to" });
  const report = reportOf(state, model);
  const { key, t, row, col, primitive, pinned, view } = report;
  assert.deepEqual([key, t, row, col, primitive, pinned], ["k", 0, 2, 3, 2, true]);
  assert.deepEqual(view.pins, [
    [0, 0, 1],
    [0, 2, 3],
  ]);
  assert.deepEqual([view.region, view.direction, view.opacity], [null, "to", 0.75]);
  const again = goneOnFrom({ opacity: 0.1, revision: 7, block: "other" }, report);
  assert.deepEqual(
    [again.opacity, again.revision, again.block, again.probe],
    [0.75, 7, "blocks.4", [0, 2, 3]],
  );
  assert.deepEqual(goneOnFrom({ opacity: 0.1 }, null), { opacity: 0.1 });
});

test("measured effects join their own block only", () => {
  const { raw } = smallBlock();
  const payload = {
    key: "k",
    frames: [],
    width_px: 1,
    height_px: 1,
    blocks: [raw, { ...raw, name: "blocks.5" }],
  };
  const { blocks, measures } = withMeasured(payload, {
    measures: ["effect"],
    effects: { "blocks.5": [1, 2, 3, 4, 5] },
  });
  assert.deepEqual(
    blocks.map((block) => block.effect),
    [undefined, [1, 2, 3, 4, 5]],
  );
  assert.deepEqual(measures, ["effect"]);
  assert.equal("effect" in raw, false);
});

test("what is said of primitives stands in place of the cards of its own block", () => {
  const { raw } = smallBlock();
  const blocks = [
    { ...raw, cards: ["a card"] },
    { ...raw, name: "blocks.5", cards: ["another"] },
  ];
  const payload = { key: "k", frames: [], width_px: 1, height_px: 1, blocks };
  const said = { measures: [], effects: {}, cards: { "blocks.5": ["leaves"] } };
  const cards = (/** @type {import("../../../a2core/canvas/assets/model.js").Payload} */ { blocks }) =>
    blocks.map((block) => block.cards);
  assert.deepEqual(cards(withMeasured(payload, said)), [["a card"], ["leaves"]]);
  assert.deepEqual(cards(withMeasured(payload, { measures: [], effects: {} })), [["a card"], ["another"]]);
  const block = new Block({ ...raw, cards: ["a card"] }, false);
  assert.deepEqual([block.say(["leaves"]), block.say(["leaves"]), block.cards], [true, false, ["leaves"]]);
});

test("the first message goes at once, of those that follow too soon only the last", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {number[]} */
  const sent = [];
  const line = latest((/** @type {number} */ value) => sent.push(value), 100);
  for (const value of [1, 2, 3]) line.now(value);
  assert.deepEqual(sent, [1]);
  context.mock.timers.tick(100);
  assert.deepEqual(sent, [1, 3]);
  line.later(4);
  context.mock.timers.tick(99);
  line.later(5);
  context.mock.timers.tick(99);
  assert.deepEqual(sent, [1, 3], "what changes waits until it rests");
  context.mock.timers.tick(1);
  assert.deepEqual(sent, [1, 3, 5]);
  line.later(6);
  line.cancel();
  context.mock.timers.tick(1000);
  assert.deepEqual(sent, [1, 3, 5]);
});

test("look-alikes stand behind the first of their group, and open with it", () => {
  const values = [0.1, 0.4, 0.3, 0.2];
  const groups = [1, 1, 2, 1];
  const closed = arranged(values, groups, new Set(), null);
  assert.deepEqual(
    closed.map((place) => place.i),
    [1, 3, 0, 2],
  );
  assert.deepEqual(
    closed.map((place) => place.hidden),
    [false, true, true, false],
  );
  assert.deepEqual(
    closed.map((place) => place.more),
    [2, 0, 0, 0],
  );
  assert.ok(arranged(values, groups, new Set([1]), null).every((place) => !place.hidden));
  const found = arranged(values, groups, new Set(), (i) => i === 3);
  assert.deepEqual(
    found.filter((place) => !place.hidden).map((place) => place.i),
    [3],
  );
});

test("the filter takes numbers or words of the cards", () => {
  const [block] = smallModel().blocks;
  block.cards = ["serves Cats", "serves dogs", "", "cat eyes", ""];
  const kept = (/** @type {string} */ text) => [0, 1, 2, 3, 4].filter(filtered(text, block) ?? (() => true));
  assert.deepEqual(kept("g1, 3"), [1, 3]);
  assert.deepEqual(kept("cat"), [0, 3]);
  assert.deepEqual(kept("  "), [0, 1, 2, 3, 4]);
  assert.deepEqual(kept("whale"), []);
});
