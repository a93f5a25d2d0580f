/**
 * What a graphics card is given and held to: weights out of whole numbers, and the processor's answer.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { agree, restored } from "../../../a2core/site/assets/webgpu.js";

test("a weight is whole numbers times the scale of their row, wherever they lie in the file", () => {
  const file = new Uint8Array(40);
  const view = new DataView(file.buffer);
  [100, -200, 32767, -32767].forEach((level, k) => {
    view.setInt16(3 + 2 * k, level, true); // at an odd place
  });
  [0.5, 0.25].forEach((scale, k) => {
    view.setFloat32(21 + 4 * k, scale, true);
  });
  const weight = { levels: 3, scale: 21, count: 4, rows: 2 };
  assert.deepEqual(
    [...restored(file, [weight, weight])],
    [50, -100, 8191.75, -8191.75, 50, -100, 8191.75, -8191.75],
  );
});

/** @param {number} [off] of one value of a map @param {number} [logit] of the third class */
function ran(off = 0, logit = 1) {
  const maps = () => Float32Array.from([0.2, 0.8, 0.5, 0.5 + off]);
  const told = { gather: maps(), distribute: maps(), primitives: maps(), change: maps() };
  return /** @type {any} */ ({
    logits: Float32Array.from([9, 7, logit, 5, 4, 3]),
    classes: 6,
    blocks: [told],
  });
}

test("two answers agree to a thousandth of a map and in their five best classes, and numbers that are none never", () => {
  assert.ok(agree(ran(), ran()));
  assert.ok(agree(ran(0.0007), ran()));
  assert.ok(!agree(ran(0.0009), ran()));
  assert.ok(!agree(ran(0, 8), ran()));
  assert.ok(!agree(ran(Number.NaN), ran()));
});
