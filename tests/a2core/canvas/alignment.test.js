/** Where maps lie over the picture: the value of a cell sits at its centre, at every size. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Enlarger } from "../../../a2core/canvas/assets/enlarge.js";
import { smallModel } from "./made.js";

test("the pixel at a cell's centre has the cell's value", () => {
  const map = Float32Array.from({ length: 12 }, (_, j) => ((j * 5) % 12) / 11);
  const lens = new Enlarger(3, 4, 5);
  const values = lens.enlarge(map, 0, 1);
  for (let row = 0; row < 3; row++) {
    for (let col = 0; col < 4; col++) {
      const seen = values[(5 * row + 2) * lens.width + 5 * col + 2];
      assert.equal(seen, Math.floor(255 * map[4 * row + col] + 0.5));
    }
  }
});

test("between two centres values are linear, and beyond the last they stay", () => {
  const values = new Enlarger(1, 2, 4).enlarge(Float32Array.of(0, 1), 0, 1);
  const line = [...values.subarray(0, 8)];
  assert.deepEqual(
    line,
    [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1].map((v) => Math.floor(255 * v + 0.5)),
  );
});

test("what lies above the top is painted as the top, and nothing where the top is none", () => {
  assert.deepEqual([...new Enlarger(1, 1, 1).enlarge(Float32Array.of(7), 0, 2)], [255]);
  assert.deepEqual([...new Enlarger(1, 1, 1).enlarge(Float32Array.of(7), 0, 0)], [0]);
});

test("a cell's centre leads back to the cell", () => {
  const model = smallModel({ frames: 3 });
  const [block] = model.blocks;
  for (let t = 0; t < 3; t++) {
    for (let row = 0; row < 3; row++) {
      for (let col = 0; col < 4; col++) {
        assert.deepEqual(model.cellOf(model.pointOf({ t, row, col }, block), block), { t, row, col });
      }
    }
  }
});

test("the box of two cells covers both and all between, in whatever order they come", () => {
  const model = smallModel();
  const [block] = model.blocks;
  const [a, b] = [
    { t: 0, row: 2, col: 1 },
    { t: 0, row: 0, col: 3 },
  ];
  const wanted = { t: 0, row0: 0, col0: 1, row1: 2, col1: 3, count: 9 };
  assert.deepEqual(model.cellsOf(model.regionOf(a, b, block), block), wanted);
  assert.deepEqual(model.cellsOf(model.regionOf(b, a, block), block), wanted);
});
