/*
 * Every kind of map that can lie over the picture, each a descriptor: what it is of, its values, its scale.
 *
 * A new one is an entry here, its colours and its name in vocabulary.json, and its words in words.js.
 */

import vocabulary from "../vocabulary.json" with { type: "json" };
import { COLOUR_OF } from "./colours.js";

/** @typedef {import("./colours.js").Kind} Kind */
/** @typedef {import("./model.js").Block} Block */
/** @typedef {{ attention: Float32Array, facts: { peak: number, half: number } }} Answer what is known of the place asked for */
/**
 * @typedef {object} Overlay
 * @property {"place" | "primitive" | "block"} of what it is about: the place asked for, one primitive, neither
 * @property {import("./colours.js").Colour} colours
 * @property {(block: Block) => boolean} there whether the trace has it
 * @property {(block: Block, answer: Answer) => Float32Array} maps one after the other, each all positions
 * @property {(block: Block, answer: Answer, i: number) => number} peak of map i
 * @property {(block: Block, answer: Answer, i: number) => number} [half] how many cells hold half of map i, where it is one whole
 * @property {(block: Block) => number} ceiling what absolute scale paints brightest
 * @property {(block: Block) => number | null} even what every cell would hold of a flat map, if that says anything
 * @property {(block: Block, maps: Float32Array) => number} whole what the values of a frame are added up as shares of
 * @property {string} term what its unit is in the glossary
 */

/** What is shown where nothing else was chosen: the map of the place asked for. */
export const ASKED = "attention";

const always = () => true;
/** @param {Block} block */
const ofBags = (block) => block.hasPrimitives;
/** @param {Block} block */
const cell = (block) => 1 / block.span;
/** @param {Block} block */
const frame = (block) => block.h * block.w;
/** @param {Block} _ @param {Float32Array} maps */
const sum = (_, maps) =>
  Math.max(
    1e-12,
    maps.reduce((all, v) => all + v, 0),
  );

/** @param {import("./model.js").Direction} direction @param {Kind} kind @returns {Overlay} */
const ofPlace = (direction, kind) => ({
  of: "place",
  colours: COLOUR_OF[kind],
  there: always,
  maps: (_, answer) => answer.attention,
  peak: (_, answer) => answer.facts.peak,
  half: (_, answer) => answer.facts.half,
  ceiling: (block) => block.ceiling(kind, () => block.attentionPeaks(direction, 32)),
  even: cell,
  whole: sum,
  term: kind,
});

/** @param {"gather" | "distribute"} kind @returns {Omit<Overlay, "even" | "whole" | "term">} */
const ofPrimitive = (kind) => ({
  of: "primitive",
  colours: COLOUR_OF[kind],
  there: ofBags,
  maps: (block) => block[kind],
  peak: (block, _, i) => block.peak(kind, i),
  ceiling: (block) => block.ceiling(kind, () => block.peaks(kind)),
});

/** @type {Record<Kind, Overlay>} */
export const OVERLAYS = {
  attention: ofPlace("from", "attention"),
  received: ofPlace("to", "received"),
  gather: {
    ...ofPrimitive("gather"),
    half: (block, _, i) => block.half[i],
    even: cell,
    whole: (block) => (block.alone ? block.T : 1), // of frames attended to alone each map holds 1
    term: "theta",
  },
  distribute: {
    ...ofPrimitive("distribute"),
    even: (block) => 1 / block.n,
    whole: frame,
    term: "rho",
  },
  change: {
    of: "block",
    colours: COLOUR_OF.change,
    there: (block) => block.hasChange,
    maps: (block) => block.change,
    peak: (block) => block.peak("change", 0),
    ceiling: () => 1, // as much added as was there
    even: () => null,
    whole: frame,
    term: "change",
  },
};

/**
 * What is painted brightest of a map by itself: its peak, but of one nearly flat more, so that it looks flat.
 * @param {Overlay} overlay
 * @param {Block} block
 * @param {Answer} answer
 * @param {number} i
 */
export const ownTop = (overlay, block, answer, i) =>
  Math.max(overlay.peak(block, answer, i), vocabulary.flat * (overlay.even(block) ?? 0));

/** @param {import("./state.js").Layer} layer */
export const isOfBlock = (layer) => OVERLAYS[layer].of === "block";
