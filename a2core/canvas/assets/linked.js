/*
 * Several canvases under one pointer: where one is asked, all are, and all are painted on one scale.
 *
 * Places are handed on as shares of the picture, so that canvases of other sizes and grids find the same spot.
 */

import { overlayWords } from "./colours.js";
import { OVERLAYS } from "./overlays.js";
import { penOf } from "./paint.js";
import { largeMap } from "./state.js";

/** @typedef {import("./probe.js").Probe} Probe */
/** @typedef {import("./block.js").Point} Point */
/** @typedef {{ probe: Probe, redraw: () => void }} Member */

export class Link {
  /** @type {Set<Member>} */
  #members = new Set();
  /** @type {Probe | null} that somebody points into, or moved in last: the others follow it */
  #leader = null;
  #leading = false;
  /** What is painted brightest in all of them. */
  top = 0;
  /** Whether all are painted on one scale; else each on its own. */
  shared = true;

  /** @param {(top: number) => void} onTop told when another value is painted brightest */
  constructor(onTop = () => {}) {
    this.onTop = onTop;
  }

  /** @param {Member} member */
  join(member) {
    const { probe } = member;
    this.#members.add(member);
    probe.link = this;
    for (const type of ["pointerover", "pointerdown", "keydown", "focusin"]) {
      probe.root.addEventListener(
        type,
        () => {
          this.#leader = probe;
        },
        { capture: true, signal: probe.stop.signal },
      );
    }
  }

  /** @param {Member} member */
  leave(member) {
    this.#members.delete(member);
    if (this.#leader === member.probe) this.#leader = null;
  }

  /** @param {boolean} shared */
  share(shared) {
    this.shared = shared;
    for (const { redraw } of this.#members) redraw();
  }

  /** One of them is about to draw: the others show what it was asked, if it leads; and all know the scale. @param {Probe} drawn */
  settle(drawn) {
    if (this.#leading) return;
    this.#leading = true;
    const others = [...this.#members].filter(({ probe }) => probe !== drawn && !probe.awaited);
    const [first] = this.#members;
    const leads = (this.#leader ?? first?.probe) === drawn;
    if (leads) for (const { probe } of others) follow(drawn, probe);
    const before = this.top;
    this.top = [drawn, ...others.map(({ probe }) => probe)].reduce(
      (top, probe) => Math.max(top, topOf(probe)),
      0,
    );
    const another = this.top !== before;
    if (leads || another) for (const { redraw } of others) redraw();
    this.#leading = false;
    if (another) this.onTop(this.top);
  }
}

/** What is painted brightest of a map of a place; other maps have units of their own. @param {Probe} probe */
function topOf(probe) {
  const { kind, i } = largeMap(probe.state);
  return OVERLAYS[kind].of === "place" ? probe.ownTop(kind, i) : 0;
}

/** @param {Probe} leader @param {Probe} other */
function follow(leader, other) {
  const from = leader.state;
  const to = other.state;
  if (from.direction !== to.direction || from.opacity !== to.opacity || from.veiled !== to.veiled) {
    other.answer.forget();
    other.dirty.add("all").add("picture");
  }
  const place = (/** @type {Point | null} */ point) => point && moved(point, leader, other);
  Object.assign(to, {
    hover: place(from.hover),
    pins: from.pins.map((point) => moved(point, leader, other)),
    point: moved(from.point, leader, other),
    pinned: from.pinned,
    active: from.active,
    region: from.region && boxed(from.region, leader, other),
    direction: from.direction,
    opacity: from.opacity,
    veiled: from.veiled,
  });
  if (leader.model.frames.length === other.model.frames.length) other.turnTo(from.frame);
  other.answer.ask(to, other.model);
}

/** @param {Point} point @param {Probe} leader @param {Probe} other @returns {Point} */
function moved(point, { model: a }, { model: b }) {
  const frame = Math.min(point.frame, b.frames.length - 1);
  return { ...point, frame, x: (point.x * b.width) / a.width, y: (point.y * b.height) / a.height };
}

/** @param {import("./block.js").Region} region @param {Probe} leader @param {Probe} other */
function boxed({ frame, x0, y0, x1, y1 }, { model: a }, { model: b }) {
  const [x, y] = [b.width / a.width, b.height / a.height];
  return { frame: Math.min(frame, b.frames.length - 1), x0: x0 * x, y0: y0 * y, x1: x1 * x, y1: y1 * y };
}

/**
 * Where a canvas was asked, as shares of the picture, and the time step.
 * @param {HTMLElement & { __canvas?: { probe: Probe } }} root
 * @param {import("./protocol.js").Report} report
 */
export function spotOf(root, { block, t, row, col }) {
  const grid = root.__canvas?.probe.model.block(block);
  const share = (/** @type {number} */ at, /** @type {number} */ size) =>
    Number(((at + 0.5) / size).toFixed(4));
  return { spot: grid ? [share(col, grid.w), share(row, grid.h)] : [0.5, 0.5], t };
}

/** The colours that all share. @param {HTMLCanvasElement} canvas of 256 × 1 */
export function drawRamp(canvas) {
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(overlayWords("magma", 1));
  penOf(canvas).putImageData(image, 0, 0);
}
