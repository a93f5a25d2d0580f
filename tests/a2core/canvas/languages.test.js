/**
 * No sentence is missing: of each module of words the Chinese one exports the same, asks for the same, has the same
 * numbers in it, and is Chinese; and keeps to one term for each thing.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as canvas from "../../../a2core/canvas/assets/words.js";
import * as canvasChinese from "../../../a2core/canvas/assets/words.zh.js";
import * as site from "../../../a2core/site/assets/words.js";
import * as siteChinese from "../../../a2core/site/assets/words.zh.js";

const NO_WORDS = ["value", "ref", "term"]; // what Python or the markup calls a thing
// Said alike in both, or not in words.
const ALIKE = [
  "ELSEWHERE.credit",
  "HEADS.rollout",
  "LANGUAGE",
  "STOP",
  "blockSaid()",
  "pictureSaid()",
  "cardSaid()",
  "sampleSaid()",
  "HEADS.tokenOption()",
  "HEADS.token()",
  "factorSaid()",
  "partOf()",
  "EXPERIMENT.changed()",
];
const CHINESE = /[\u4e00-\u9fff]/;
const TERMS = [
  [/\bprimitives?\b/i, "基元"],
  [/\beffective attention\b/i, "有效注意力"],
  [/\battention\b/i, "注意力"],
  [/\bgather map\b/i, "收集图"],
  [/\bdistribution weight\b/i, "分配权重"],
  [/\bsoftmax\b/i, "softmax"],
  [/\brandom weights\b/i, "随机权重"],
  [/\bpins?\b/i, "图钉"],
  [/\bheads?\b/i, "头"],
  [/\bpeel\b/i, "拆解"],
];

/** What a function says of numbers that are all different; where it takes a list, of a list of one. @param {Function} say */
function sample(say) {
  const numbers = Array.from({ length: say.length }, (_, k) => 3 + 2 * k);
  for (const list of [-1, ...numbers.keys()]) {
    try {
      return String(say(...numbers.map((number, k) => (k === list ? [String(number)] : number))));
    } catch {
      // It takes words, or another of them is the list.
    }
  }
  return String(say(...numbers.map(String)));
}

/**
 * Every sentence of both: its way there, and the two texts.
 * @param {any} english @param {any} chinese @param {string} [at]
 * @returns {Generator<[string, string, string]>}
 */
function* pairs(english, chinese, at = "") {
  assert.equal(typeof chinese, typeof english, at);
  if (typeof english === "function") {
    assert.equal(chinese.length, english.length, `${at} takes as much`);
    yield [`${at}()`, sample(english), sample(chinese)];
  } else if (typeof english === "string") yield [at, english, chinese];
  else if (typeof english === "object") {
    assert.deepEqual(Object.keys(chinese).sort(), Object.keys(english).sort(), at);
    for (const key of Object.keys(english)) {
      const way = at ? `${at}.${key}` : key;
      if (NO_WORDS.includes(key) && typeof english[key] !== "function")
        assert.equal(chinese[key], english[key], way);
      else yield* pairs(english[key], chinese[key], way);
    }
  } else assert.equal(chinese, english, at);
}

const numbersIn = (/** @type {string} */ text) => (text.match(/\d+(\.\d+)?/g) ?? []).sort();

for (const [name, english, chinese] of /** @type {[string, object, object][]} */ ([
  ["canvas", canvas, canvasChinese],
  ["site", site, siteChinese],
])) {
  test(`the ${name} says in Chinese whatever it says in English`, () => {
    let count = 0;
    for (const [at, one, other] of pairs({ ...english }, { ...chinese })) {
      count += 1;
      assert.deepEqual(numbersIn(other), numbersIn(one), `${at}: ${other}`);
      if (!ALIKE.includes(at)) assert.match(other, CHINESE, `${at}: ${other}`);
      for (const [term, said] of /** @type {[RegExp, string][]} */ (TERMS)) {
        if (term.test(one) && !ALIKE.includes(at))
          assert.ok(other.includes(said), `${at}: ${one} / ${other}`);
      }
    }
    assert.ok(count > 30);
  });
}

test("what Python calls blocks and pictures is said in Chinese with its numbers", () => {
  const { blockSaid, pictureSaid } = canvasChinese;
  assert.equal(blockSaid("parts (blocks.4, 28 × 20 cells)"), "部件 (blocks.4, 28 × 20 格)");
  assert.equal(blockSaid("blocks.4 (objects, 7 × 7 cells)"), "blocks.4 (物体, 7 × 7 格)");
  assert.equal(blockSaid("blocks.5.attn (14 × 14 cells, in windows)"), "blocks.5.attn (14 × 14 格，分窗口)");
  assert.equal(
    blockSaid("Attention rollout through 12 layers (14 × 14 cells)"),
    "贯穿 12 层的注意力 rollout (14 × 14 格)",
  );
  assert.equal(blockSaid("stripes (x, 3 × 4 cells)"), "stripes (x, 3 × 4 格)");
  assert.equal(pictureSaid("parts, 448 × 320 pixels"), "parts, 448 × 320 像素");
});
