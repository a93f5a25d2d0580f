/**
 * What the app's components say beside their markup: in Chinese the same names, with the same numbers in them.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const COMPONENTS = new URL("../../../viz_app/components/", import.meta.url);

/** @param {string} path */
const wordsOf = (path) => new Function(`${readFileSync(new URL(path, COMPONENTS), "utf8")}\nreturn WORDS;`)();

/** @param {object} words @returns {[string, string][]} */
const sentences = (words) =>
  Object.entries(words).flatMap(([name, said]) => {
    if (typeof said === "object") return sentences(said);
    return [
      [
        `${name}/${said.length * (typeof said === "function")}`,
        typeof said === "function" ? said(3, 5, 7) : said,
      ],
    ];
  });

for (const stem of ["bag_board/assets/board_words", "clip_recorder/assets/recorder_words"]) {
  test(`${stem} says in Chinese whatever it says in English`, () => {
    const [english, chinese] = [`${stem}.js`, `${stem}.zh.js`].map((path) => sentences(wordsOf(path)));
    assert.deepEqual(
      chinese.map(([name]) => name),
      english.map(([name]) => name),
    );
    for (const [at, [name, said]] of chinese.entries()) {
      assert.match(said, /[\u4e00-\u9fff]/, name);
      assert.deepEqual(said.match(/\d+/g)?.sort(), english[at][1].match(/\d+/g)?.sort(), name);
    }
  });
}
