/** What the canvas's model says of a combination, worked out apart from the page that shows it. */

import { Answer } from "../../a2core/canvas/assets/answer.js";
import { Model } from "../../a2core/canvas/assets/model.js";
import { OVERLAYS, ownTop } from "../../a2core/canvas/assets/overlays.js";
import { screenOf } from "../../a2core/canvas/assets/screen.js";
import { firstState } from "../../a2core/canvas/assets/state.js";

/** @typedef {[row: number, col: number]} Cell of the block */

/**
 * @param {import("../../a2core/canvas/assets/model.js").Payload} payload
 * @param {{ block: string, point: Cell, pinned: boolean, box: [Cell, Cell] | null, hover: Cell | null, byKey: boolean } &
 *   Partial<import("../../a2core/canvas/assets/state.js").Settings>} combination
 */
export function said(payload, { block: name, point, box, hover, byKey, ...rest }) {
  const model = new Model(payload);
  const block = model.block(name);
  const cell = (/** @type {Cell} */ [row, col]) => ({ t: 0, row, col });
  const state = Object.assign(firstState(model), rest, {
    block,
    point: model.pointOf(cell(point), block),
    region: box && model.regionOf(cell(box[0]), cell(box[1]), block),
    hover: hover && { ...model.pointOf(cell(hover), block), byKey },
  });
  const answer = new Answer(block);
  answer.ask(state, model);
  const screen = screenOf(state, model, answer.subject);
  const overlay = OVERLAYS[screen.kind];
  const own = ownTop(overlay, block, answer, screen.i);
  return {
    ...screen,
    top: state.scale === "absolute" ? overlay.ceiling(block) : own,
    order: answer.order,
    weights: [...answer.weights],
    received: [...block.rhoOf(screen.ranked)],
  };
}
