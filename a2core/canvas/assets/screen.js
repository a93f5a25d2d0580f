/*
 * What is on screen, in one object, without a page: title, question, legend, list and gallery are said from it.
 *
 * Which way the numbers are read, and what they are about, is decided in state.js for all of them: none can go on saying
 * what was shown before.
 */

import { seconds } from "./numbers.js";
import { OVERLAYS } from "./overlays.js";
import { directionOf, headOf, largeMap, subjectOf } from "./state.js";
import { DIRECTIONS, GUESS, HEADS, MAPS, moment, PLACE, SHARE } from "./words.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Subject} Subject */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {"from" | "to" | "change"} Question */
/**
 * @typedef {object} Screen
 * @property {import("./colours.js").Kind} kind of the large map
 * @property {number} i which map of that kind
 * @property {Question | null} question that the map answers; null: it is a map of one primitive, which answers none
 * @property {import("./model.js").Direction} direction of the numbers in list, terms and readout
 * @property {boolean} box whether the numbers are about a box
 * @property {string} title of the map
 * @property {string} list what the list is of
 * @property {import("./words.js").MapWords["legend"]} legend
 * @property {Subject} ranked what the gallery ranks by: the box, the pin or the resting place, never what is hovered
 */

/** @type {Partial<Record<import("./colours.js").Kind, Question>>} */
const QUESTIONS = { attention: "from", received: "to", change: "change" };

/** @param {State} state @param {Model} model @param {Subject} subject what the numbers are about @returns {Screen} */
export function screenOf(state, model, subject) {
  const { kind, i } = largeMap(state);
  const direction = directionOf(state);
  const words = DIRECTIONS[direction];
  const box = !!subject.cells;
  return {
    kind,
    i,
    question: QUESTIONS[kind] ?? null,
    direction,
    box,
    title: state.veiled
      ? guess(kind, direction)
      : (MAPS[kind].what?.(i) ?? asked(state, subject) ?? words[box ? "whatBox" : "what"]),
    list: words[box ? "listBox" : "list"],
    legend: MAPS[kind].legend,
    ranked: subjectOf({ ...state, hover: null }, model),
  };
}

/** The title of a map of what has heads, or of one that is still to come. @param {State} state @param {Subject} subject */
function asked(state, { cells, token }) {
  const { block } = state;
  if (!block.said) return null;
  if (!block.here) return HEADS.comes;
  const who = token !== null ? HEADS.token(block.before[token]) : cells ? HEADS.box : HEADS.pixel;
  const head = headOf(state);
  return HEADS.title[block.said][directionOf(state)](who) + (block.n > 1 ? HEADS.of(head, block.n) : "");
}

/** What is asked instead of said. @param {import("./colours.js").Kind} kind @param {import("./model.js").Direction} direction */
const guess = (kind, direction) => GUESS[OVERLAYS[kind].of === "place" ? direction : "map"];

/** Whether a screen's map is about the place asked for. @param {Pick<Screen, "kind">} screen */
export const isOfPlace = ({ kind }) => OVERLAYS[kind].of === "place";

/** The place that the numbers are about, in words. @param {Subject} subject @param {State} state @param {Model} model */
export function placeOf({ cells, cell, point, token }, state, model) {
  if (token !== null) return HEADS.at(state.block.before[token]);
  const frame = cells && state.region ? state.region.frame : point.frame;
  const when = model.frames.length > 1 ? ` · ${seconds(model.times[frame])}` : "";
  if (!cells) {
    return PLACE.pixel(Math.floor(point.x), Math.floor(point.y), when, PLACE.cell(cell.row, cell.col));
  }
  const { count, row0, row1, col0, col1 } = cells;
  return PLACE.box(count, `${row0}–${row1}`, `${col0}–${col1}`, when);
}

/**
 * What the picture says of itself where it stands alone: its title, its block and place, what bright means.
 * @param {Screen} screen
 * @param {Subject} subject
 * @param {State} state
 * @param {Model} model
 */
export function captionOf({ title, legend }, subject, state, model) {
  const shown = model.frames.length > 1 ? [moment(seconds(model.times[state.frame]))] : [];
  const what = [state.block.label, ...shown, placeOf(subject, state, model)].join(" · ");
  const warned = (state.block.own ? state.block.raw.trained !== false : model.trained) ? [] : [SHARE.random];
  const owed = model.credit ? [model.credit] : [];
  return [title, what, ...(state.veiled ? [] : [legend.colour]), ...owed, ...warned];
}
