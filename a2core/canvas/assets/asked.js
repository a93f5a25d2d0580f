/*
 * What the page asks the canvas to show, taken over: only what differs from what it asked for last.
 */

import { isIndex } from "./numbers.js";
import { ASKED, OVERLAYS } from "./overlays.js";
import { cellIn, regionIn, same } from "./protocol.js";
import { MAX_PINS, SETTING_NAMES, takes } from "./state.js";

/** @typedef {import("./protocol.js").View} View */
/** @typedef {import("./probe.js").Probe} Probe */

/** @param {Probe} probe @param {View} view */
export function takeView(probe, view) {
  const { state, model } = probe;
  const again = view.revision !== probe.given.revision;
  const given = again ? {} : probe.given; // another revision: everything is asked for anew
  if (again) {
    probe.told.cancel(); // what was about to be said is about what was there before
    probe.views.cancel();
  }
  const fresh = (/** @type {string} */ name) => view[name] !== undefined && !same(view[name], given[name]);
  const asked = (/** @type {string} */ name) => fresh(name) && view[name] !== null;
  if (asked("block") && model.block(view.block) !== state.block) probe.setBlock(model.block(view.block));
  const settings = SETTING_NAMES.filter((name) => asked(name) && takes(name, view[name]));
  Object.assign(state, Object.fromEntries(settings.map((name) => [name, view[name]])));
  const { block } = state;
  const cell = asked("probe") ? cellIn(view.probe, block) : null;
  if (cell) {
    const point = model.pointOf(cell, block);
    probe.setPins(view.pinned === true ? [point] : [], 0);
    state.point = point;
    probe.turnTo(point.frame);
  }
  if (Array.isArray(view.pins) && fresh("pins")) takePins(probe, view.pins, view);
  if (fresh("primitive")) state.primitive = isIndex(view.primitive, block.n) ? view.primitive : null;
  if (fresh("token")) state.token = isIndex(view.token, block.before.length) ? view.token : null;
  if (fresh("region")) state.region = regionIn(view.region, model, block);
  if (!OVERLAYS[state.layer].there(block)) state.layer = ASKED;
  probe.given = { ...view };
}

/** @param {Probe} probe @param {unknown[]} raw @param {View} view */
function takePins(probe, raw, view) {
  const { block } = probe.state;
  const cells = raw.map((pin) => cellIn(pin, block)).filter((cell) => cell !== null);
  const few = cells.slice(0, MAX_PINS);
  const active = few.findIndex(({ t, row, col }) => same([t, row, col], view.probe));
  const points = few.map((cell) => probe.model.pointOf(cell, block));
  if (points.length) probe.setPins(points, Math.max(0, active));
  else if (view.pinned !== true) probe.setPins([], 0);
}
