/**
 * Which page a visitor is led to: by what was chosen before, or else by the browser's language.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const script = readFileSync(new URL("../../../a2core/site/assets/language.js", import.meta.url), "utf8");

class Element {}
class HTMLAnchorElement extends Element {
  dataset = { language: "en" };
  hash = "";
  search = "";
  closest() {
    return this;
  }
}

/** @param {string} lang of the page @param {string} language the browser's @param {string | null} kept */
function opened(lang, language, kept, page = "index.zh.html") {
  const told = { led: null, kept, heard: (_event) => {} };
  const context = createContext({
    Element,
    HTMLAnchorElement,
    navigator: { language },
    location: { search: "?a", hash: "#view", replace: (to) => Object.assign(told, { led: to }) },
    localStorage: { getItem: () => told.kept, setItem: (_, value) => Object.assign(told, { kept: value }) },
    document: {
      documentElement: { lang },
      currentScript: { dataset: { chinese: page } },
      addEventListener: (_, run) => Object.assign(told, { heard: run }),
    },
  });
  runInContext(script, context);
  return told;
}

test("a browser in Chinese is led to the Chinese page with all that the address asks for", () => {
  assert.equal(opened("en", "zh-TW", null).led, "index.zh.html?a#view");
  assert.equal(opened("en", "de", null).led, null);
  assert.equal(opened("en", "zh", null, "lesson.zh.html").led, "lesson.zh.html?a#view");
});

test("what was chosen counts more than the browser's language, and a Chinese address is meant", () => {
  assert.equal(opened("en", "zh-CN", "en").led, null);
  assert.equal(opened("en", "en-GB", "zh").led, "index.zh.html?a#view");
  assert.equal(opened("zh-CN", "en-GB", "en").led, null);
});

test("the switch is remembered, and keeps the view of the address", () => {
  const page = opened("zh-CN", "zh-CN", null);
  const link = new HTMLAnchorElement();
  page.heard({ target: link });
  assert.equal(page.kept, "en");
  assert.equal(link.search + link.hash, "?a#view");
});
