/** Attention, ranks and the numbers at a place, against sums written out term by term. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../../a2core/canvas/assets/answer.js";
import { describe, halfOf, moments, whereabouts } from "../../../a2core/canvas/assets/attention.js";
import { Block } from "../../../a2core/canvas/assets/block.js";
import { quantile, ranking } from "../../../a2core/canvas/assets/numbers.js";
import { firstState } from "../../../a2core/canvas/assets/state.js";
import agreed from "./agreed.json" with { type: "json" };
import { packed, smallBlock, smallModel } from "./made.js";

/** @param {ArrayLike<number>} seen @param {ArrayLike<number>} wanted */
function near(seen, wanted, error = 1e-4) {
  assert.equal(seen.length, wanted.length);
  for (let i = 0; i < seen.length; i++) assert.ok(Math.abs(seen[i] - wanted[i]) <= error, `${i}: ${seen[i]}`);
}

/** The answer at a cell. @param {{ row: number, col: number }} cell @param {Partial<import("../../../a2core/canvas/assets/state.js").State>} change */
function answerAt({ row, col }, change = {}) {
  const model = smallModel();
  const state = firstState(model);
  Object.assign(state, { point: model.pointOf({ t: 0, row, col }, state.block) }, change);
  const answer = new Answer(state.block);
  assert.equal(answer.ask(state, model), true);
  assert.equal(answer.ask(state, model), false, "the same place is worked out once");
  return answer;
}

test("equal values keep their order", () => {
  assert.deepEqual(ranking([1, 3, 3, 2, 3]), [1, 2, 4, 3, 0]);
});

test("a quantile is one of the values", () => {
  assert.equal(quantile([5, 1, 4, 2, 3], 0.5), 3);
});

test("maps come back within half a level of their peak", () => {
  const { raw, gather, distribute } = smallBlock();
  const block = new Block(raw, false);
  near(block.gather, gather.flat(), 1 / 131070);
  near(block.distribute, distribute.flat(), 1 / 131070);
});

test("what a place gathers from is its row of the attention, and sums to one", () => {
  const { gather, distribute } = smallBlock();
  const p = 1 * 4 + 2;
  const wanted = gather[0].map((_, j) => gather.reduce((sum, map, i) => sum + distribute[i][p] * map[j], 0));
  const answer = answerAt({ row: 1, col: 2 });
  near(answer.attention, wanted);
  near([answer.attention.reduce((a, b) => a + b, 0)], [1]);
  near(
    answer.weights,
    distribute.map((map) => map[p]),
  );
  assert.deepEqual(answer.order, ranking(answer.rho));
});

test("who receives from a place is its column, and terms weigh what the picture uses of them", () => {
  const { gather, distribute, use } = smallBlock();
  const j = 2 * 4 + 3;
  const wanted = distribute[0].map((_, p) =>
    gather.reduce((sum, map, i) => sum + distribute[i][p] * map[j], 0),
  );
  const answer = answerAt({ row: 2, col: 3 }, { direction: "to" });
  near(answer.attention, wanted);
  const carried = gather.map((map, i) => map[j] * use[i]);
  const all = carried.reduce((a, b) => a + b, 0);
  near(
    answer.weights,
    carried.map((share) => share / all),
  );
});

test("a box receives the mean of its cells", () => {
  const { gather, distribute } = smallBlock();
  const cells = [0, 1, 4, 5];
  const rho = distribute.map((map) => cells.reduce((sum, p) => sum + map[p] / 4, 0));
  const region = { frame: 0, x0: 0, y0: 0, x1: 20, y1: 20 };
  const answer = answerAt({ row: 2, col: 3 }, { region });
  near(answer.weights, rho);
  near(
    answer.attention,
    gather[0].map((_, j) => gather.reduce((sum, map, i) => sum + rho[i] * map[j], 0)),
  );
});

test("terms that are taken out are not in the map and not in its share", () => {
  const terms = { mode: /** @type {const} */ ("top"), k: 2, flips: new Set([0]) };
  const whole = answerAt({ row: 0, col: 0 });
  const answer = answerAt({ row: 0, col: 0 }, { peel: true, terms });
  const inside = whole.order.filter((i, rank) => rank < 2 !== (i === 0));
  assert.equal(answer.terms.count, inside.length);
  near([answer.attention.reduce((a, b) => a + b, 0)], [inside.reduce((sum, i) => sum + whole.rho[i], 0)]);
});

test("half of a map lies in half of the cells of a flat one, in one of a peak, and in as few as hold it", () => {
  assert.equal(describe(new Float32Array(616).fill(1 / 616)).half, 308);
  const peak = describe(Float32Array.of(0, 0, 1, 0));
  assert.deepEqual([peak.at, peak.peak, peak.half], [2, 1, 1]);
  assert.equal(describe(new Float32Array(3)).half, 0);
  for (const [map, half] of agreed.half) assert.equal(halfOf(Float32Array.from(map)).half, half);
});

test("where half of a map lies is named by thirds: one place, two, or none", () => {
  const map = new Float32Array(2 * 6 * 9); // two frames of 6 x 9 cells
  map[0] = 0.7; // top left
  map[6 * 9 + 5 * 9 + 4] = 0.3; // the second frame's bottom, in the middle
  assert.deepEqual(whereabouts(map, 6, 9, 0.3), [[0, 0]]);
  map[0] = 0.5;
  map[6 * 9 + 5 * 9 + 4] = 0.5;
  assert.deepEqual(whereabouts(map, 6, 9, 0.5), [
    [0, 0],
    [2, 1],
  ]);
  assert.deepEqual(whereabouts(new Float32Array(54).fill(1 / 54), 6, 9, 1 / 54).length, 0);
});

test("moments are mean and standard deviation over the cells of a box", () => {
  const maps = Float32Array.of(1, 2, 3, 4, 5, 6);
  const [mean, spread] = [new Float32Array(1), new Float32Array(1)];
  const cells = { t: 0, row0: 0, col0: 1, row1: 1, col1: 2, count: 4 };
  moments(maps, { n: 1, N: 6, h: 2, w: 3 }, cells, mean, spread);
  near(mean, [4]);
  near(spread, [Math.sqrt((4 + 1 + 1 + 4) / 4)]);
});

test("look-alikes join the most used of their kind", () => {
  const { raw } = smallBlock({ n: 3 });
  const map = [9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
  const gather = packed([map, map, map.toReversed()]);
  const block = new Block({ ...raw, gather, use: [0.1, 0.6, 0.3] }, false);
  assert.equal([...block.lookAlikes()].length, 2);
  assert.deepEqual([...(block.groups ?? [])], [1, 1, 2]);
});
