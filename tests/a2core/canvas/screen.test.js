/**
 * Title, question, legend, list and gallery agree: walked over every combination of what can be shown, and held against
 * what is painted (`largeMap`) and worked out (`Answer`).
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Answer } from "../../../a2core/canvas/assets/answer.js";
import { OVERLAYS, ownTop } from "../../../a2core/canvas/assets/overlays.js";
import { isOfPlace, screenOf } from "../../../a2core/canvas/assets/screen.js";
import { firstState } from "../../../a2core/canvas/assets/state.js";
import { DIRECTIONS, GUESS, MAPS } from "../../../a2core/canvas/assets/words.js";
import vocabulary from "../../../a2core/canvas/vocabulary.json" with { type: "json" };
import { smallModel } from "./made.js";

const model = smallModel({ n: 5 });
const { settings } = vocabulary;

/** Every combination of one of each. @param {Record<string, unknown[]>} choices */
function* every(choices) {
  const [[name, values] = [], ...rest] = Object.entries(choices);
  if (name === undefined) yield {};
  else
    for (const value of values)
      for (const more of every(Object.fromEntries(rest))) yield { [name]: value, ...more };
}

/** @param {number} row @param {number} col */
const at = (row, col) => model.pointOf({ t: 0, row, col }, model.blocks[0]);
const box = model.regionOf({ t: 0, row: 0, col: 0 }, { t: 0, row: 1, col: 1 }, model.blocks[0]);

const choices = {
  layer: settings.layer.words,
  direction: settings.direction.words,
  scale: settings.scale.words,
  sort: settings.sort.words,
  tiles: settings.tiles.words,
  primitive: [null, 3],
  preview: [null, { i: 2, kind: "gather" }, { i: 2, kind: "distribute" }],
  region: [null, box],
  hover: [null, at(0, 1), at(2, 3), { ...at(0, 1), byKey: true }],
  pins: [[], [at(2, 0)], [at(2, 0), at(1, 2)]],
  veiled: [false, true],
};

const PAINTED = { from: "attention", to: "received", change: "change" };

test("while a class guesses the title asks, and says nothing of the answer", () => {
  const state = Object.assign(firstState(model), { point: at(1, 1), veiled: true });
  const answer = new Answer(state.block);
  const titles = ["from", "to"].map((direction) => {
    Object.assign(state, { direction });
    answer.ask(state, model);
    return screenOf(state, model, answer.subject).title;
  });
  assert.deepEqual(titles, [GUESS.from, GUESS.to]);
  Object.assign(state, { layer: "gather", primitive: 3 });
  assert.equal(screenOf(state, model, answer.subject).title, GUESS.map);
});

test("whatever is shown, title, question, legend, list and gallery say the same of it", () => {
  let walked = 0;
  for (const change of every(choices)) {
    const { pins } = change;
    const place = { pinned: pins.length > 0, point: pins.at(-1) ?? at(1, 1) };
    const state = Object.assign(firstState(model), change, place);
    const answer = new Answer(state.block);
    answer.ask(state, model);
    const screen = screenOf(state, model, answer.subject);
    const said = JSON.stringify(change);
    walked++;

    // The question that is lit is the one that the painted map answers; a map of one primitive answers none.
    assert.equal(screen.question === null, OVERLAYS[screen.kind].of === "primitive", said);
    if (screen.question) assert.equal(PAINTED[screen.question], screen.kind, said);
    // The title and the legend are the painted map's.
    assert.equal(screen.legend, MAPS[screen.kind].legend, said);
    if (state.veiled) assert.match(screen.title, /^Guess/, "the title gives nothing away");
    else if (isOfPlace(screen)) {
      assert.equal(screen.title, DIRECTIONS[screen.question][screen.box ? "whatBox" : "what"], said);
    } else assert.equal(screen.title, MAPS[screen.kind].what(screen.i), said);
    if (screen.question === "from" || screen.question === "to")
      assert.equal(screen.direction, screen.question, said);
    // The list is about the box exactly where its numbers are, and read the way that they were worked out.
    assert.equal(screen.box, !!answer.subject.cells, said);
    assert.equal(screen.list, DIRECTIONS[screen.direction][screen.box ? "listBox" : "list"], said);
    if (screen.direction === "from") {
      assert.deepEqual([...answer.weights], [...state.block.rhoOf(answer.subject)], said);
    }
    if (screen.kind === "change") assert.equal(screen.direction, "from", said);
    // The gallery ranks by what rests: the box, else the pin; never by what the mouse passes.
    assert.equal(!!screen.ranked.cells, !!state.region, said);
    if (!state.region) assert.deepEqual(screen.ranked.cell, model.cellOf(state.point, state.block), said);
  }
  assert.equal(walked, 4 * 2 * 2 * 4 * 2 * 2 * 3 * 2 * 4 * 3 * 2);
});

test("a box is ranked by what it receives on average", () => {
  const [block] = model.blocks;
  const state = Object.assign(firstState(model), { region: box });
  const { ranked } = screenOf(state, model, {
    cells: null,
    cell: { t: 0, row: 0, col: 0 },
    point: at(0, 0),
    id: "",
  });
  const seen = block.rhoOf(ranked);
  for (let i = 0; i < block.n; i++) {
    let sum = 0;
    for (const [row, col] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ])
      sum += block.rhoAt({ t: 0, row, col })[i];
    assert.ok(Math.abs(seen[i] - sum / 4) < 1e-6);
  }
});

test("a flat map is painted half as bright as can be, a peaked one from its own peak", () => {
  const [block] = model.blocks;
  const flat = {
    attention: new Float32Array(block.N).fill(1 / block.N),
    facts: { peak: 1 / block.N, half: 6 },
  };
  assert.ok(Math.abs(ownTop(OVERLAYS.attention, block, flat, 0) - 2 / block.N) < 1e-9);
  const peaked = { attention: flat.attention, facts: { peak: 0.9, half: 1 } };
  assert.equal(ownTop(OVERLAYS.attention, block, peaked, 0), 0.9);
  assert.equal(ownTop(OVERLAYS.change, block, flat, 0), block.peak("change", 0));
});
