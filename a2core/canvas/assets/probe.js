/*
 * What all parts of the canvas share: the state, the answer, and whatever a person can do to them.
 *
 * It draws nothing. It notes what has to be drawn, once a frame, and says so to the page.
 */

import { Answer } from "./answer.js";
import { takeView } from "./asked.js";
import { effectOf } from "./block.js";
import { OverlayWords } from "./colours.js";
import { Direct, Pairs } from "./kinds.js";
import { latest } from "./later.js";
import { Model } from "./model.js";
import { clamp, isIndex } from "./numbers.js";
import { ASKED, isOfBlock, OVERLAYS, ownTop } from "./overlays.js";
import { Miniatures } from "./paint.js";
import { decodePictures } from "./pictures.js";
import { reportOf } from "./protocol.js";
import { firstPlace, firstState, MAX_PINS, placeKept, shownPrimitive } from "./state.js";
import { tooManyPins } from "./words.js";

/** @typedef {import("./model.js").Point} Point */
/** @typedef {import("./protocol.js").View} View */
/** @typedef {import("./protocol.js").Report} Report */
/** @typedef {"all" | "picture" | "probe" | "map" | "pair" | "minis" | "gallery" | "tiles" | "say"} Part to be drawn */
/**
 * What the parts do when something else than the numbers changes, and how the page is told.
 * @typedef {object} Hooks
 * @property {() => void} loaded another payload
 * @property {() => void} entered another block
 * @property {() => void} turned another frame is shown, and stays
 * @property {() => void} presenting presentation begins or ends
 * @property {(i: number) => void} chosen a primitive
 * @property {() => void} draw what is dirty
 * @property {(report: Report) => void} onPin
 * @property {(report: Report) => void} onView
 * @property {((on: boolean) => void) | undefined} onPresent
 */

export class Probe {
  /** @type {Set<Part>} */
  dirty = new Set();
  /** @type {(import("./pictures.js").Picture | undefined)[]} by frame */
  pictures = [];
  /** @type {View} what the page asked for last */
  given = {};
  /** @type {{ fixed: import("./model.js").Cell, free: import("./model.js").Cell } | null} of a box made by keys */
  corners = null;
  raf = 0;
  eventAt = 0; // when the pointer moved, while that is not painted
  awaited = true; // the first frame; until then what was on screen stays, and no map is drawn twice
  touched = false;
  note = ""; // to be said instead of the numbers
  /** @type {import("./linked.js").Link | null} with other canvases, where there is one */
  link = null;
  stop = new AbortController();
  minis = new Miniatures();
  overlayWords = new OverlayWords();

  /**
   * @param {HTMLElement} root
   * @param {import("./dom.js").Ui} ui
   * @param {import("./model.js").Payload} payload
   * @param {Hooks} hooks
   */
  constructor(root, ui, payload, hooks) {
    this.root = root;
    this.ui = ui;
    this.hooks = hooks;
    this.model = new Model(payload);
    this.state = firstState(this.model);
    this.rest = this.state.point; // where the probe is when nothing is pinned
    this.answer = new Answer(this.state.block);
    this.stageSize = /** @type {{ width: number, height: number }} */ (ui.stage.getBoundingClientRect());
    this.told = latest(hooks.onPin, 120);
    this.views = latest(hooks.onView, 350);
  }

  // ---- data and view

  /** @param {import("./model.js").Payload} payload @param {View} view */
  load(payload, view) {
    const { state } = this;
    const kept = payload.live ? placeKept(state, this.model, payload) : {};
    this.model = new Model(payload);
    this.awaited = true;
    this.given = {};
    this.minis.clear();
    this.pictures = [];
    Object.assign(state, firstPlace(this.model, view.block), { layer: ASKED }, kept);
    this.rest = state.point;
    this.told.cancel();
    this.views.cancel();
    this.hooks.loaded();
    takeView(this, view);
    this.rest = state.point;
    this.enterBlock();
    this.loadPictures();
  }

  loadPictures() {
    const { model } = this;
    decodePictures(model.frames, {
      put: (frame, image) => {
        this.pictures[frame] = image;
      },
      come: () => {
        if (this.awaited) this.schedule("all");
        this.awaited = false;
        this.schedule("picture", "minis");
      },
      gone: () => this.model !== model || this.stop.signal.aborted,
    });
  }

  /** What came since the trace was sent: effects, cards, layers; whether any. @param {import("./model.js").Payload} payload */
  takeMore(payload) {
    const { model, state } = this;
    const fresh = payload.blocks.filter((raw) => raw.effect && !model.block(raw.name).effect);
    for (const raw of fresh) model.block(raw.name).effect = effectOf(raw);
    let come = false;
    const said = payload.blocks.map((raw) => model.block(raw.name).say(raw.cards)).includes(true);
    for (const raw of payload.blocks) {
      const block = model.block(raw.name);
      if (!(block instanceof Direct) || block.here || !(raw.queries || raw.written || raw.rows)) continue;
      block.fill(raw);
      come = true;
    }
    if (come && state.block instanceof Direct) this.enterBlock();
    return come || said || fresh.length > 0;
  }

  /** @param {import("./model.js").Block} block */
  setBlock(block) {
    const { state } = this;
    const heads = state.block instanceof Pairs && block instanceof Pairs && block.n === state.block.n;
    const kept = heads
      ? { primitive: state.primitive, token: state.token }
      : { primitive: null, token: null };
    if (state.block instanceof Direct) state.block.release();
    Object.assign(state, { block, preview: null }, kept);
    if (!isOfBlock(state.layer) || !OVERLAYS[state.layer].there(block)) state.layer = ASKED;
    state.terms.flips.clear();
    this.enterBlock();
  }

  /** Buffers and lists for the current block. */
  enterBlock() {
    this.answer = new Answer(this.state.block);
    this.hooks.entered();
    this.schedule("all");
  }

  // ---- what a person does

  /** @param {Partial<import("./state.js").Settings>} change */
  setting(change) {
    Object.assign(this.state, change);
    this.schedule("all");
    this.reportView();
  }

  /** The first contact: the hint has done its work. */
  touch() {
    if (this.touched) return;
    this.touched = true;
    this.root.dataset.touched = "yes";
  }

  /** @param {Point} point */
  hover(point) {
    this.state.hover = point;
    this.state.preview = null;
    this.touch();
    this.schedule("probe");
  }

  leave() {
    if (!this.state.hover) return;
    this.state.hover = null;
    this.schedule("probe");
  }

  /** @param {import("./model.js").Region | null} region */
  setRegion(region) {
    const { state } = this;
    if (!state.region && !region) return;
    state.region = region;
    if (region) {
      Object.assign(state, { hover: null, preview: null, token: null });
      this.turnTo(region.frame);
    } else this.corners = null;
    this.schedule("probe", "gallery");
  }

  /** Shows a frame at once, small maps and all. @param {number} frame */
  turnTo(frame) {
    const { state } = this;
    if (state.frame === frame && state.still === frame) return;
    Object.assign(state, { frame, still: frame });
    this.hooks.turned();
    this.schedule("all", "picture");
  }

  /** Shift and an arrow: the box grows from the probed cell. @param {number} dy @param {number} dx */
  stretch(dy, dx) {
    const { state, model } = this;
    const { block } = state;
    const cell = model.cellOf(state.hover || state.point, block);
    const { fixed, free } = (state.region && this.corners) || { fixed: cell, free: cell };
    const next = {
      t: free.t,
      row: clamp(free.row + dy, 0, block.h - 1),
      col: clamp(free.col + dx, 0, block.w - 1),
    };
    this.setRegion(model.regionOf(fixed, next, block));
    this.corners = { fixed, free: next };
    this.reportView();
  }

  /** Puts the pin in use at a point, or adds one; a place that has a pin already is selected. @param {Point} point */
  pin(point, add = false) {
    const { state, model } = this;
    const at = (/** @type {Point} */ p) => state.block.index(model.cellOf(p, state.block));
    const known = state.pins.findIndex((p) => at(p) === at(point));
    const unchanged = known >= 0 && known === state.active;
    if (known < 0 && add && state.pins.length === MAX_PINS) {
      this.note = tooManyPins(MAX_PINS);
      this.schedule("probe", "say");
      return;
    }
    state.token = null;
    const slot = known >= 0 ? known : add || !state.pins.length ? state.pins.length : state.active;
    this.setPins(Object.assign([...state.pins], { [slot]: point }), slot);
    if (state.region) {
      this.setRegion(null);
      this.reportView();
    }
    this.schedule("probe", "gallery");
    if (!unchanged) this.reportPin();
  }

  /** @param {Point[]} pins @param {number} active */
  setPins(pins, active) {
    const { state } = this;
    state.pins = pins;
    state.active = clamp(active, 0, Math.max(0, pins.length - 1));
    state.pinned = pins.length > 0;
    state.point = state.pinned ? pins[state.active] : this.rest;
  }

  /** @param {number} k */
  selectPin(k) {
    const { state } = this;
    if (!isIndex(k, state.pins.length)) return;
    this.setPins(state.pins, k);
    state.token = null;
    if (state.region) this.setRegion(null);
    state.hover = null;
    this.turnTo(state.point.frame);
    this.schedule("all", "say");
    this.reportPin();
  }

  /** @param {number} k */
  removePin(k) {
    const { state } = this;
    if (!isIndex(k, state.pins.length)) return;
    const active = state.active - (k < state.active || state.active === state.pins.length - 1 ? 1 : 0);
    const pins = state.pins.filter((_, other) => other !== k);
    this.setPins(pins, active);
    this.schedule("probe", "gallery", "say");
    this.reportPin();
  }

  /** @param {number | null} i */
  choose(i) {
    const { state } = this;
    if (state.primitive === i) return;
    state.primitive = i;
    if (i !== null) this.hooks.chosen(i);
    else if (!isOfBlock(state.layer)) state.layer = ASKED;
    this.schedule("all");
    this.reportPin();
  }

  /** A token beside the picture instead of a place in it; null: the place. @param {number | null} token */
  ask(token) {
    const { state } = this;
    if (state.token === token) return;
    if (token !== null) this.setRegion(null);
    Object.assign(state, { token, hover: null });
    this.schedule("all", "say");
    this.reportPin();
  }

  /** Escape: what was done last is undone first. */
  letGo() {
    const { state } = this;
    if (state.presentation) this.present(false);
    else if (state.region) {
      this.setRegion(null);
      this.reportView();
    } else if (state.layer !== ASKED) this.setting({ layer: ASKED });
    else if (state.primitive !== null) this.choose(null);
    else if (state.token !== null) this.ask(null);
    else this.removePin(state.active);
  }

  /** @param {boolean} on */
  present(on) {
    if (this.state.presentation === on) return;
    this.hooks.presenting();
    if (this.hooks.onPresent) this.hooks.onPresent(on);
    else this.setting({ presentation: on });
  }

  /** @param {number | null} i @param {import("./state.js").Factor} kind */
  setPreview(i, kind = "gather") {
    const { preview } = this.state;
    if (i === null ? preview === null : preview && preview.i === i && preview.kind === kind) return;
    this.state.preview = i === null ? null : { i, kind };
    this.schedule("map", "pair");
  }

  /** To the next or previous primitive, in the order of the ranked list. @param {number} by */
  step(by) {
    const { primitive, block } = this.state;
    const { order } = this.answer;
    const at = primitive === null ? (by > 0 ? -1 : 0) : order.indexOf(primitive);
    this.choose(order[(at + by + block.n) % block.n]);
  }

  // ---- what follows from it

  /** Whether there is more than one frame. */
  get many() {
    return this.model.frames.length > 1;
  }

  /** The primitive of the pair. */
  get shown() {
    return shownPrimitive(this.state, this.answer.order);
  }

  /** Offset of map i at the time step of a frame. @param {number} i */
  offset(i, frame = this.state.still) {
    const { block } = this.state;
    return i * block.N + this.model.stepOf(frame, block) * block.h * block.w;
  }

  /** The value that is painted brightest. @param {import("./colours.js").Kind} kind @param {number} i */
  top(kind, i) {
    const { block, scale } = this.state;
    if (scale === "absolute") return OVERLAYS[kind].ceiling(block);
    const { of } = OVERLAYS[kind];
    return this.link?.shared && of === "place" ? this.link.top : this.ownTop(kind, i);
  }

  /** The same of a map by itself. @param {import("./colours.js").Kind} kind @param {number} i */
  ownTop(kind, i) {
    return ownTop(OVERLAYS[kind], this.state.block, this.answer, i);
  }

  /** @param {"row" | "tile" | "pair"} use */
  mini(use) {
    return this.minis.of(use, this.state.block, this.pictures[this.state.still]);
  }

  // ---- what the page is told, and what is to be drawn

  report() {
    return reportOf(this.state, this.model);
  }

  reportPin() {
    this.views.cancel();
    this.told.now(this.report());
  }

  reportView() {
    this.views.later(this.report());
  }

  /** @param {Part[]} parts */
  schedule(...parts) {
    for (const part of parts) this.dirty.add(part);
    if (!this.raf && !this.awaited && !this.stop.signal.aborted) {
      this.raf = requestAnimationFrame(() => this.hooks.draw());
    }
  }

  destroy() {
    this.stop.abort();
    cancelAnimationFrame(this.raf);
    this.told.cancel();
    this.views.cancel();
  }
}
