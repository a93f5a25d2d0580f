/** Softmax attention, rollout and blocks that hand the same to all, against matrices that are written out. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../../a2core/canvas/assets/answer.js";
import { Direct } from "../../../a2core/canvas/assets/kinds.js";
import { Model } from "../../../a2core/canvas/assets/model.js";
import { reportOf, withLayers } from "../../../a2core/canvas/assets/protocol.js";
import { screenOf } from "../../../a2core/canvas/assets/screen.js";
import { firstState, largeMap, subjectOf } from "../../../a2core/canvas/assets/state.js";
import { packed, random } from "./made.js";

const HEADS = 3;
const D = 4;
const ROWS = 3;
const COLS = 4;
const N = ROWS * COLS;
const BEFORE = ["class token", "register"];
const TOKENS = BEFORE.length + N;
const SCALE = 0.7;

/** Signed rows as contract 2 packs them, and as they come back. @param {number[][]} rows */
function signed(rows) {
  const scale = rows.map((row) => Math.max(...row.map(Math.abs)));
  const bytes = Buffer.alloc(2 * rows.length * rows[0].length);
  const back = rows.map((row, i) =>
    row.map((v, j) => {
      const level = Math.round((v / scale[i]) * 32767);
      bytes.writeInt16LE(level, 2 * (i * row.length + j));
      return (level * scale[i]) / 32767;
    }),
  );
  return { raw: { data: bytes.toString("base64"), scale }, back };
}

function layer() {
  const next = random(3);
  const some = () =>
    signed(Array.from({ length: HEADS * D }, () => Array.from({ length: TOKENS }, () => 6 * next() - 3)));
  const [queries, keys] = [some(), some()];
  const dot = (/** @type {number} */ h, /** @type {number} */ p, /** @type {number} */ j) =>
    Array.from({ length: D }, (_, c) => queries.back[h * D + c][p] * keys.back[h * D + c][j]).reduce(
      (a, b) => a + b,
    );
  const divided = Buffer.alloc(4 * HEADS * TOKENS);
  const matrices = Array.from({ length: HEADS }, (_, h) =>
    Array.from({ length: TOKENS }, (_, p) => {
      const exps = Array.from({ length: TOKENS }, (_, j) => Math.exp(SCALE * dot(h, p, j)));
      const sum = exps.reduce((a, b) => a + b);
      divided.writeFloatLE(Math.log(sum), 4 * (h * TOKENS + p));
      return exps.map((e) => e / sum);
    }),
  );
  /** @type {import("../../../a2core/canvas/assets/block.js").RawBlock} */
  const raw = {
    name: "blocks.0.attn",
    kind: "pairs",
    own: true,
    heads: HEADS,
    grid: [1, ROWS, COLS],
    before: BEFORE,
    scale: SCALE,
    queries: queries.raw,
    keys: keys.raw,
    lse: divided.toString("base64"),
  };
  return { raw, matrices };
}

/** @param {import("../../../a2core/canvas/assets/block.js").RawBlock[]} blocks */
const modelOf = (...blocks) =>
  new Model({ key: "k", frames: ["data:,"], width_px: 40, height_px: 30, blocks });

/** @param {Model} model @param {Partial<import("../../../a2core/canvas/assets/state.js").State>} change */
function asked(model, change = {}) {
  const state = firstState(model);
  Object.assign(state, { point: model.pointOf({ t: 0, row: 1, col: 2 }, state.block) }, change);
  const answer = new Answer(state.block);
  answer.ask(state, model);
  return { state, answer };
}

const P = BEFORE.length + 1 * COLS + 2; // the token at row 1, col 2
/** @param {number[]} row */
const overPicture = (row) => {
  const cells = row.slice(BEFORE.length);
  const sum = cells.reduce((a, b) => a + b);
  return cells.map((v) => v / sum);
};
/** @param {ArrayLike<number>} seen @param {number[]} wanted */
function near(seen, wanted, error = 2e-6) {
  assert.equal(seen.length, wanted.length);
  for (let i = 0; i < seen.length; i++)
    assert.ok(Math.abs(seen[i] - wanted[i]) <= error, `${i}: ${seen[i]} ${wanted[i]}`);
}
const { raw, matrices } = layer();
const mean = (/** @type {(matrix: number[][]) => number[]} */ of) =>
  matrices
    .map(of)
    .reduce((a, b) => a.map((v, j) => v + b[j]))
    .map((v) => v / HEADS);

test("a place attends as its row of the softmax says, the mean of heads, over the picture alone", () => {
  const { answer } = asked(modelOf(raw));
  const row = mean((matrix) => matrix[P]);
  near(answer.attention, overPicture(row));
  near([answer.beside], [row[0] + row[1]]);
  for (let h = 0; h < HEADS; h++)
    near(answer.rows.subarray(h * N, h * N + N), matrices[h][P].slice(BEFORE.length));
});

test("a chosen head, and one under the pointer before it, is the large map", () => {
  const model = modelOf(raw);
  near(asked(model, { primitive: 1 }).answer.attention, overPicture(matrices[1][P]));
  near(
    asked(model, { primitive: 1, preview: { i: 2, kind: "gather" } }).answer.attention,
    overPicture(matrices[2][P]),
  );
  const { state } = asked(model, { preview: { i: 2, kind: "gather" } });
  assert.deepEqual(largeMap(state), { kind: "attention", i: 0 });
});

test("who attends to a place is its column, which need not sum to one", () => {
  const { answer } = asked(modelOf(raw), { direction: "to" });
  near(answer.attention, mean((matrix) => matrix.map((row) => row[P])).slice(BEFORE.length));
});

test("a token beside the picture is asked as a place is, and a hovered place comes before it", () => {
  const model = modelOf(raw);
  near(asked(model, { token: 1 }).answer.attention, overPicture(mean((matrix) => matrix[1])));
  near(
    asked(model, { token: 0, direction: "to" }).answer.attention,
    mean((matrix) => matrix.map((row) => row[0])).slice(BEFORE.length),
  );
  const { state } = asked(model, { token: 0 });
  assert.equal(subjectOf(state, model).token, 0);
  assert.equal(subjectOf({ ...state, hover: state.point }, model).token, null);
  assert.equal(subjectOf({ ...state, token: 2 }, model).token, null, "there is no third");
  assert.match(screenOf(state, model, subjectOf(state, model)).title, /class token/);
  assert.equal(reportOf(state, model).token, 0);
});

test("a box attends as its cells do on average, and takes what all of them are given together", () => {
  const model = modelOf(raw);
  const region = model.regionOf({ t: 0, row: 0, col: 1 }, { t: 0, row: 1, col: 2 }, model.blocks[0]);
  const cells = [1, 2, COLS + 1, COLS + 2].map((j) => BEFORE.length + j);
  const row = cells.map((p) => mean((matrix) => matrix[p])).reduce((a, b) => a.map((v, j) => v + b[j]));
  near(asked(model, { region }).answer.attention, overPicture(row));
  const column = cells
    .map((p) => mean((matrix) => matrix.map((one) => one[p])))
    .reduce((a, b) => a.map((v, j) => v + b[j]));
  near(asked(model, { region, direction: "to" }).answer.attention, column.slice(BEFORE.length));
});

test("a layer that is still to come shows nothing, and everything once it is there", () => {
  const { queries, keys, lse, ...rest } = raw;
  const payload = { key: "k", frames: ["data:,"], width_px: 40, height_px: 30, blocks: [rest] };
  const model = new Model(payload);
  const { state, answer } = asked(model);
  assert.equal(state.block.here, false);
  assert.ok(answer.attention.every((v) => v === 0));
  assert.match(screenOf(state, model, subjectOf(state, model)).title, /Fetching/);
  const whole = new Model(withLayers(payload, [raw]));
  assert.equal(whole.blocks[0].here, true);
  near(asked(whole).answer.attention, overPicture(mean((matrix) => matrix[P])));
});

test("rollout is read off its rows and columns", () => {
  const sums = matrices[0];
  /** @type {import("../../../a2core/canvas/assets/block.js").RawBlock} */
  const rows = {
    name: "rollout",
    kind: "rows",
    own: true,
    grid: [1, ROWS, COLS],
    before: BEFORE,
    rows: packed(sums),
  };
  const model = modelOf(rows);
  near(asked(model).answer.attention, overPicture(sums[P]), 2e-5);
  near(
    asked(model, { direction: "to" }).answer.attention,
    sums.map((row) => row[P]).slice(BEFORE.length),
    2e-5,
  );
});

test("what hands the same to all has one row wherever it is asked", () => {
  const weights = Array.from({ length: N }, () => 1 / N);
  const model = modelOf({ name: "b", kind: "same", grid: [1, ROWS, COLS], weights: packed([weights]) });
  near(asked(model).answer.attention, weights);
  near(asked(model, { point: { frame: 0, x: 1, y: 1 } }).answer.attention, weights);
});

test("a layer that was looked at on one scale for all before it came is as any other once it is there", () => {
  const { queries, keys, lse, ...stub } = raw;
  const whole = modelOf(raw).blocks[0];
  const later = modelOf(stub).blocks[0];
  const ceiling = (/** @type {typeof whole} */ block) =>
    block.ceiling("attention", () => block.attentionPeaks("from", 32));
  assert.equal(ceiling(later), 1, "nothing is known of it");
  assert.ok(later instanceof Direct);
  later.fill(raw);
  assert.equal(ceiling(later), ceiling(whole));
  const place = { cell: { t: 0, row: 1, col: 2 }, cells: null, token: null };
  const rows = [whole, later].map((block) => {
    const out = new Float32Array(HEADS * N);
    /** @type {Direct} */ (block).rowsAt(place, "to", out, new Float32Array(HEADS));
    return out;
  });
  assert.deepEqual(rows[1], rows[0]);
  assert.ok(rows[0].every(Number.isFinite));
});

test("one scale for all is of maps as they are shown: shares of what goes to the picture", () => {
  const block = modelOf(raw).blocks[0];
  const peaks = block.attentionPeaks("from", 4 * N);
  const wanted = Array.from({ length: N }, (_, j) =>
    Math.max(...overPicture(mean((matrix) => matrix[BEFORE.length + j]))),
  );
  near(peaks, wanted);
});

test("of a large box so many cells are asked that it is still an average of it", () => {
  const size = 40;
  const cells = size * size;
  const weights = Array.from({ length: cells }, (_, p) => (p % 2 ? 1 : 3));
  const rows = Array.from({ length: cells }, (_, p) =>
    Array.from({ length: cells }, (_, j) =>
      j === p % 7 ? weights[p] / 4 : j === 9 ? 1 - weights[p] / 4 : 0,
    ),
  );
  const model = modelOf({ name: "rollout", kind: "rows", grid: [1, size, size], rows: packed(rows) });
  const all = { t: 0, row0: 0, col0: 0, row1: size - 1, col1: size - 1, count: cells };
  const place = { cell: { t: 0, row: 0, col: 0 }, cells: all, token: null };
  const out = new Float32Array(cells);
  /** @type {Direct} */ (model.blocks[0]).rowsAt(place, "from", out, new Float32Array(1));
  assert.ok(Math.abs(out.reduce((a, b) => a + b) - 1) < 1e-3);
});
