/** The scripts of the site against Python: test_agreed.py holds agreed.json to what Python says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { changedWeights, probabilities, shifts } from "../../../a2core/site/assets/change.js";
import { halves, payloadOf } from "../../../a2core/site/assets/pack.js";
import { inputShape, resized, rint, standardised } from "../../../a2core/site/assets/pixels.js";
import { filled } from "../../../a2core/site/assets/take.js";
import agreed from "./agreed.json" with { type: "json" };

const near = (a, b, share) => assert.ok(Math.abs(a - b) <= share * Math.abs(b), `${a} is not ${b}`);

test("a payload is what Python makes of the same maps", () => {
  const blocks = agreed.told.map((told) => ({
    ...told,
    gather: Float32Array.from(told.gather),
    distribute: Float32Array.from(told.distribute),
    change: Float32Array.from(told.change),
  }));
  const places = agreed.payload.blocks.map(({ name, n, cards }) => ({ name, n, word: "", cards }));
  const { width_px: width, height_px: height, times_s, trained } = agreed.payload;
  const made = payloadOf({
    key: "k",
    alt: "made",
    trained,
    frames: [],
    times_s,
    width,
    height,
    blocks,
    places,
  });
  assert.deepEqual(Object.keys(made), Object.keys(agreed.payload));
  assert.deepEqual({ ...made, blocks: [] }, { ...agreed.payload, blocks: [] });
  made.blocks.forEach((block, k) => {
    const { reach, use, ...same } = agreed.payload.blocks[k];
    const { reach: ourReach, use: ourUse, ...ours } = block;
    assert.deepEqual(ours, same);
    for (const [i, value] of reach.entries()) near(ourReach[i], value, 1e-5);
    for (const [i, value] of use.entries()) near(ourUse[i], value, 1e-5);
  });
});

test("half of a flat map is half of its cells, and of an empty one none", () => {
  const maps = Float32Array.of(0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0, 0.9, 0, 0.1, 0);
  assert.deepEqual(halves(maps, 3), [2, 0, 1]);
});

test("a picture is made as large as Python makes it, with its pixels to one level", () => {
  for (const [high, wide, size, height, width] of agreed.shapes) {
    assert.deepEqual(inputShape(high, wide, size, 32), { height, width });
  }
  const { high, wide, rgb } = agreed.picture;
  const rgba = Array.from({ length: high * wide * 4 }, (_, k) =>
    k % 4 === 3 ? 255 : rgb[Math.floor(k / 4) * 3 + (k % 4)],
  );
  for (const [name, { shape, rgb: expected }] of Object.entries(agreed.resized)) {
    const made = resized(rgba, high, wide, ...shape);
    assert.equal(made.length, expected.length);
    const furthest = Math.max(...expected.map((value, k) => Math.abs(value - made[k])));
    assert.ok(furthest <= 1, `${name} is off by ${furthest}`);
  }
  assert.deepEqual(Array.from(resized(rgba, high, wide, high, wide)), rgb);
});

test("halves are rounded to the even number, as by NumPy", () => {
  assert.deepEqual([0.5, 1.5, 2.5, 2.4, 2.6].map(rint), [0, 2, 2, 2, 3]);
});

test("channels come first, standardised", () => {
  const x = standardised([Uint8Array.of(0, 51, 255, 255, 0, 0)], [0.5, 0.2, 0], [0.5, 0.2, 1]);
  assert.deepEqual(
    Array.from(x, (value) => Math.round(value * 1e4) / 1e4),
    [-1, 1, 0, -1, 1, 0],
  );
});

test("weights after an experiment are Python's", () => {
  const distribute = Float32Array.from(agreed.told[0].distribute);
  for (const [rule, expected] of Object.entries(agreed.weights)) {
    const made = changedWeights(distribute, agreed.factors, rule === "shared");
    for (const [k, value] of expected.entries()) assert.ok(Math.abs(made[k] - value) < 1e-6);
  }
});

test("probabilities of a clip are the mean of its frames', and the best of before and after are compared", () => {
  const before = probabilities(Float32Array.of(0, Math.log(3), 0, 0), 2);
  assert.ok(Math.abs(before[1] - (0.75 + 0.5) / 2) < 1e-7);
  const found = shifts(Float64Array.of(0.5, 0.3, 0.2), Float64Array.of(0.2, 0.3, 0.5), ["a", "b", "c"], 1);
  assert.deepEqual(
    found.map(({ label }) => label),
    ["a", "c"],
  );
  assert.ok(Math.abs(found[0].odds - Math.log(0.25)) < 1e-9);
});

test("a page to take away cannot be broken out of", () => {
  const page =
    '<title>A2-TITLE</title><script type="application/json" id="a2-data">{"glossary":1}</script><b>A2-TITLE</b>';
  const made = filled(page, { payload: { alt: "</script>" }, title: '<i>"$&' }, { block: "b" });
  assert.ok(made.startsWith("<title>&#60;i&#62;&#34;$&#38;</title>"));
  assert.equal(made.split("</script>").length, 2);
  const data = JSON.parse(made.match(/id="a2-data">(.*?)<\/script>/)[1]);
  assert.deepEqual(data, { glossary: 1, payload: { alt: "</script>" }, view: { block: "b" } });
});
