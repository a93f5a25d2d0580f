// What is true of every kind of map that can lie over the picture.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ASKED, OVERLAYS } from "../../../a2core/canvas/assets/overlays.js";
import { largeMap } from "../../../a2core/canvas/assets/state.js";
import { MAPS } from "../../../a2core/canvas/assets/words.js";
import vocabulary from "../../../a2core/canvas/vocabulary.json" with { type: "json" };
import { smallModel } from "./made.js";

const [block] = smallModel().blocks;
const answer = {
  attention: new Float32Array(block.N).fill(1 / block.N),
  facts: { peak: 1 / block.N, half: block.N / 2 },
};

test("every kind has its words, its colours and, but for the answers, a name among the layers", () => {
  for (const [kind, overlay] of Object.entries(OVERLAYS)) {
    assert.ok(MAPS[kind], kind);
    assert.ok(vocabulary.colours[overlay.colours], kind);
    assert.equal(vocabulary.settings.layer.words.includes(kind), kind !== "received", kind);
    assert.equal(overlay.of === "place", MAPS[kind].what === undefined, kind);
  }
});

test("maps hold every position, of every primitive where they are of one, and a peak that they reach", () => {
  for (const [kind, overlay] of Object.entries(OVERLAYS)) {
    const count = overlay.of === "primitive" ? block.n : 1;
    const maps = overlay.maps(block, answer);
    assert.equal(maps.length, count * block.N, kind);
    for (let i = 0; i < count; i++) {
      const most = Math.max(...maps.subarray(i * block.N, (i + 1) * block.N));
      assert.ok(Math.abs(most - overlay.peak(block, answer, i)) < 1e-5, `${kind} ${i}`);
    }
    assert.ok(overlay.whole(block, maps) > 0, kind);
  }
});

test("the large map is the one asked for, unless it is of a primitive and none was chosen", () => {
  const state = { block: smallModel().blocks[0], preview: null, primitive: null, direction: "from" };
  for (const [layer, { of }] of Object.entries(OVERLAYS)) {
    if (layer === "received") continue;
    const none = largeMap({ ...state, layer });
    assert.equal(none.kind, of === "primitive" ? ASKED : layer);
    const chosen = largeMap({ ...state, layer, primitive: 3 });
    assert.deepEqual(chosen, { kind: layer, i: of === "primitive" ? 3 : 0 });
  }
  assert.equal(largeMap({ ...state, layer: ASKED, direction: "to" }).kind, "received");
});
