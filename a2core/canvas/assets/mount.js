/*
 * The probe canvas: one picture, the attention of one pixel, and the primitives behind it.
 *
 * It answers every hover by itself. The page sends the payload once per trace; from then on
 * E(p, j) = sum_i rho_ip * theta_ij is computed here for the pointed cell p, O(n N), once a frame.
 * Nothing goes to the page but a pinned pixel, a chosen primitive or a changed setting.
 *
 * Here the parts are put together, and drawn in their order.
 */

import { takeView } from "./asked.js";
import { afterPaint, findUi } from "./dom.js";
import { Keys } from "./inputs/keys.js";
import { Pointer } from "./inputs/pointer.js";
import { drawRamp, Link, spotOf } from "./linked.js";
import { percent } from "./numbers.js";
import { Box } from "./parts/box.js";
import { Controls } from "./parts/controls.js";
import { Gallery } from "./parts/gallery.js";
import { Heads } from "./parts/heads.js";
import { Legend } from "./parts/legend.js";
import { List } from "./parts/list.js";
import { Loupe } from "./parts/loupe.js";
import { Pair } from "./parts/pair.js";
import { Pins } from "./parts/pins.js";
import { Readout } from "./parts/readout.js";
import { Share } from "./parts/share.js";
import { Stage } from "./parts/stage.js";
import { TermsPanel } from "./parts/terms.js";
import { Timeline } from "./parts/timeline.js";
import { Tips } from "./parts/tips.js";
import { Tour } from "./parts/tour.js";
import { Veil } from "./parts/veil.js";
import { Probe } from "./probe.js";
import { goneOnFrom, same, withLayers, withMeasured } from "./protocol.js";
import { screenOf } from "./screen.js";
import { directionOf, headOf, largeMap, subjectOf } from "./state.js";

export { drawRamp, goneOnFrom, Link, percent, spotOf, withLayers, withMeasured };

/** @typedef {import("./model.js").Payload} Payload */
/** @typedef {import("./block.js").RawBlock} Layer */
/** @typedef {import("./protocol.js").View} View */
/** @typedef {import("./protocol.js").Report} Report */
/**
 * @typedef {object} Options
 * @property {View} [view]
 * @property {(report: Report) => void} [onPin] a pin, a chosen primitive, a changed block
 * @property {(report: Report) => void} [onView] a changed setting
 * @property {(on: boolean) => void} [onPresent] the page around presents, and says so in its next view; without it
 *   the canvas does so by itself
 * @property {Link} [link] with other canvases
 * @property {boolean} [small] the picture and what is said of it, without lists and controls
 */

const PAIR_EVERY_MS = 120; // at most this often while the mouse moves

export class Canvas {
  #painted = ""; // of what the small maps are

  /** @param {HTMLElement} root @param {Payload} payload @param {Options} options */
  constructor(root, payload, { view = {}, onPin = () => {}, onView = () => {}, onPresent, link, small }) {
    this.root = root;
    root.dataset.small = small ? "yes" : "";
    this.small = !!small;
    const ui = findUi(root);
    const probe = new Probe(root, ui, payload, {
      loaded: () => this.#loaded(),
      entered: () => {
        this.stage.enter();
        if (!this.ofPrimitives) this.heads.enter();
        else if (!small) this.gallery.enter();
      },
      turned: () => this.timeline.play(false),
      presenting: () => this.tips.show(null),
      chosen: (i) => small || this.gallery.reveal(i),
      draw: () => this.draw(),
      onPin,
      onView,
      onPresent,
    });
    const { signal } = probe.stop;
    this.probe = probe;
    this.member = { probe, redraw: () => this.#redraw() };
    link?.join(this.member);
    this.tips = new Tips(root, signal);
    this.tour = new Tour(root, ui, signal);
    this.timeline = new Timeline(probe);
    this.controls = new Controls(probe);
    this.pins = new Pins(probe);
    this.stage = new Stage(probe);
    this.box = new Box(probe);
    this.legend = new Legend(probe);
    this.readout = new Readout(probe);
    this.list = new List(probe);
    this.terms = new TermsPanel(probe);
    this.pair = new Pair(probe);
    this.gallery = new Gallery(probe);
    this.heads = new Heads(probe);
    this.veil = new Veil(probe);
    this.share = new Share(probe);
    this.pointer = new Pointer(probe);
    this.loupe = new Loupe(probe, this.pointer.touch);
    this.keys = new Keys(probe, this.timeline, this.tour);
    this.size = new ResizeObserver(([entry]) => this.#resize(entry.contentRect));
    this.size.observe(ui.stage);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const turned = () => {
      delete root.dataset.theme; // it would answer for the page
      this.#readTheme();
    };
    scheme.addEventListener("change", turned, { signal });
    this.#readTheme();
    probe.load(payload, view);
    root.style.visibility = ""; // its markup is invisible until it has words and listens
  }

  /** Takes over another payload, or another view of the same. @param {Payload} payload @param {View | null} view */
  update(payload, view) {
    const { probe } = this;
    const asked = view || {};
    this.#readTheme();
    if (payload.key !== probe.model.key) {
      probe.load(payload, asked);
      probe.schedule("all");
      return;
    }
    const more = probe.takeMore(payload);
    if (same(asked, probe.given) && !more) return;
    takeView(probe, asked);
    probe.schedule("all");
  }

  #loaded() {
    this.pointer.load();
    this.stage.load();
    this.controls.load();
    this.gallery.load();
    this.heads.load();
    this.timeline.load();
  }

  /** @param {DOMRectReadOnly} size */
  #resize(size) {
    const { probe } = this;
    probe.stageSize = size;
    this.list.resize();
    probe.answer.forget();
    probe.schedule("picture", "all");
  }

  #readTheme() {
    const [r, g, b] = (getComputedStyle(this.root).color.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
    this.root.dataset.theme = 0.299 * r + 0.587 * g + 0.114 * b > 128 ? "dark" : "light";
  }

  /** Whether what is looked at has primitives; else it has heads, or hands the same to all. */
  get ofPrimitives() {
    return this.probe.state.block.hasPrimitives;
  }

  // ---- drawing, once a frame

  draw() {
    const { probe } = this;
    probe.raf = 0;
    if (probe.awaited) return;
    const { dirty } = probe;
    const all = dirty.has("all");
    const has = (/** @type {import("./probe.js").Part[]} */ ...parts) =>
      all || parts.some((part) => dirty.has(part));
    const want = {
      picture: has("picture"),
      probe: has("probe", "minis"),
      map: has("probe", "map"),
      pair: has("probe", "pair", "minis"),
      minis: dirty.has("minis"),
      gallery: has("gallery", "minis"),
      tiles: has("tiles"),
      say: dirty.has("say"),
    };
    dirty.clear();
    this.#forgetPainted(want.minis);
    if (all) this.#drawControls();
    if (want.picture) this.stage.drawPicture();
    if (all || want.picture || want.probe) this.timeline.drawNow();
    if (want.probe) this.#answer();
    probe.link?.settle(probe);
    const { state, model, answer } = probe;
    const screen = screenOf(state, model, answer.subject ?? subjectOf(state, model));
    const { ofPrimitives } = this;
    if (want.probe && ofPrimitives) this.list.drawTitle(screen);
    if (want.map) {
      if (!ofPrimitives) answer.pick(headOf(state), directionOf(state));
      const map = this.stage.drawMap(screen);
      this.controls.drawAsked(screen);
      this.timeline.follow(map);
      this.legend.draw(screen, map);
    }
    if (want.map) this.loupe.draw();
    if (!this.small) this.#drawSmallMaps(screen, want);
    if (all || want.gallery || want.picture) this.pins.draw();
    if (want.say) this.readout.say();
    this.#tell(want.picture, want.pair && !this.small);
  }

  /**
   * The pair and the gallery: what a hover need not wait for.
   * @param {import("./screen.js").Screen} screen
   * @param {{ pair: boolean, gallery: boolean, minis: boolean, tiles: boolean }} want
   */
  #drawSmallMaps(screen, { pair, gallery, minis, tiles }) {
    const { ofPrimitives } = this;
    const hovered = this.probe.eventAt > 0;
    if (pair && !hovered) this.#drawPair();
    if (!ofPrimitives) return;
    if (gallery) this.gallery.draw(screen, minis);
    if (tiles && !hovered) this.gallery.drawTiles();
    if (gallery || (tiles && hovered)) this.gallery.tilesLater();
  }

  /** Small maps of another block, scale or frame are painted anew. @param {boolean} anyway */
  #forgetPainted(anyway) {
    const { block, scale, still, peel } = this.probe.state;
    const painted = `${block.name} ${scale} ${still} ${peel}`;
    if (anyway || this.#painted !== painted) {
      this.probe.answer.forget();
      this.pair.forget();
      this.list.forget();
    }
    this.#painted = painted;
  }

  /** At once: another canvas leads. */
  #redraw() {
    const { probe } = this;
    cancelAnimationFrame(probe.raf);
    for (const part of /** @type {const} */ (["probe", "map", "gallery"])) probe.dirty.add(part);
    this.draw();
  }

  #drawControls() {
    this.probe.answer.forget();
    this.controls.draw();
    this.veil.draw();
    this.stage.drawHint();
    if (!this.ofPrimitives) {
      this.heads.drawControls();
      return;
    }
    this.list.drawHeads();
    this.terms.drawControls();
    this.gallery.drawControls();
  }

  /** The numbers at the probed place, and all that shows them but the map. */
  #answer() {
    const { probe } = this;
    probe.answer.ask(probe.state, probe.model);
    if (probe.answer.isNew() && this.ofPrimitives && !this.small) {
      this.list.draw();
      if (probe.state.peel) this.terms.draw(this.readout.terms());
    }
    this.stage.drawMarks();
    this.box.draw();
    this.readout.draw();
  }

  #drawPair() {
    if (!this.ofPrimitives) {
      this.heads.draw();
      return;
    }
    this.pair.draw();
    this.list.drawShown(this.probe.shown);
  }

  /** While the mouse moves the pair follows between two frames, so that the picture never waits for it. */
  #drawPairBetween() {
    if (this.probe.stop.signal.aborted) return;
    if ((this.ofPrimitives ? this.pair : this.heads).age_ms > PAIR_EVERY_MS) this.#drawPair();
    else this.probe.schedule("pair");
  }

  /** To whoever measures: a frame of a clip is drawn, a hover is painted. @param {boolean} picture @param {boolean} pair */
  #tell(picture, pair) {
    const { probe, root, stage } = this;
    if (this.timeline.playing && picture) {
      const detail = { frame: probe.state.frame, map: stage.mapFrame, picture: stage.pictureFrame };
      root.dispatchEvent(new CustomEvent("a2-frame", { detail }));
    }
    if (!probe.eventAt) return;
    const since = probe.eventAt;
    const script_ms = performance.now() - since;
    probe.eventAt = 0;
    afterPaint(() => {
      const detail = { ms: performance.now() - since, script_ms };
      root.dispatchEvent(new CustomEvent("a2-painted", { detail }));
      if (pair) this.#drawPairBetween();
    });
  }

  /** For tests and curious people. */
  snapshot() {
    const { probe, timeline, gallery } = this;
    const { state, model, answer } = probe;
    const { view, block } = probe.report();
    const pictures = probe.pictures.filter(Boolean).length;
    const drawn = !probe.raf && probe.dirty.size === 0 && timeline.ready && gallery.ready;
    return {
      key: model.key,
      block,
      cell: model.cellOf(state.hover || state.point, state.block),
      rest: model.cellOf(state.point, state.block),
      hovering: !!state.hover,
      pinned: state.pinned,
      pins: view.pins,
      region: view.region,
      active: state.active,
      direction: state.direction,
      presentation: state.presentation,
      veiled: state.veiled,
      primitive: state.primitive,
      shown: probe.shown,
      large: largeMap(state),
      weights: Array.from(answer.weights),
      spread: Array.from(answer.spread),
      terms: { ...answer.terms },
      token: state.token,
      beside: answer.beside,
      rho: Array.from(answer.rho),
      order: [...answer.order],
      attention: Array.from(answer.attention),
      gallery: [...gallery.order],
      frame: state.frame,
      playing: timeline.playing,
      moments: Array.from(timeline.shares || []),
      ready: drawn && pictures === model.frames.length,
    };
  }

  destroy() {
    this.probe.link?.leave(this.member);
    this.probe.destroy();
    this.size.disconnect();
    for (const part of [
      this.pins,
      this.list,
      this.gallery,
      this.timeline,
      this.tips,
      this.tour,
      this.pointer,
      this.loupe,
      this.share,
    ]) {
      part.destroy();
    }
  }
}

/**
 * Shows a payload in `root`, an element that holds the markup of canvas.html.
 * @param {HTMLElement & { __canvas?: Canvas }} root
 * @param {Payload} payload
 * @param {Options} options
 */
export function mount(root, payload, options = {}) {
  const canvas = new Canvas(root, payload, options);
  root.__canvas = canvas;
  return {
    update: (/** @type {Payload} */ next, /** @type {View | null} */ view) => canvas.update(next, view),
    destroy: () => {
      canvas.destroy();
      delete root.__canvas;
    },
  };
}
