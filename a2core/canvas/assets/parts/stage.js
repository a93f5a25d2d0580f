/*
 * The picture, the large map over it, and the marks of the probed place.
 */

import vocabulary from "../../vocabulary.json" with { type: "json" };
import { isTouched, setAttr, setText } from "../dom.js";
import { Enlarger } from "../enlarge.js";
import { percent } from "../numbers.js";
import { ASKED, OVERLAYS } from "../overlays.js";
import { penOf } from "../paint.js";
import { isOfPlace } from "../screen.js";
import { directionOf } from "../state.js";
import { DIRECTIONS, halfFrom, MAPS } from "../words.js";

/** @typedef {import("../model.js").Cell} Cell */
/** @typedef {import("../pictures.js").Picture} Picture */
/** @typedef {Omit<import("../model.js").Cells, "t" | "count">} Rectangle */
/** @typedef {{ kind: import("../colours.js").Kind, maps: Float32Array, start: number, top: number, peak: number }} Drawn */

const OVERLAY_SIDE_PX = 256; // long side of the overlay; the browser enlarges it, bilinear again, to the stage
const ROOM_PX = 26; // that the arrow needs beside the place

export class Stage {
  /** @type {{ canvas: HTMLCanvasElement, of: Picture | null }[]} frames as they are shown, for the opacity at hand */
  #toned = [];
  #tonedAt = -1;
  #grid = "";
  #aspect = 0;
  mapFrame = 0; // that was drawn last
  pictureFrame = 0;

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    this.pen = penOf(probe.ui.overlay);
    this.lens = new Enlarger(1, 1, 1);
    this.image = new ImageData(1, 1);
    this.pixels = new Uint32Array(this.image.data.buffer);
    probe.ui.back.addEventListener(
      "click",
      () => {
        probe.setting({ layer: ASKED });
        probe.ui.stage.focus();
      },
      { signal: probe.stop.signal },
    );
  }

  load() {
    const { root, model } = this.probe;
    const aspect = model.width / model.height;
    if (!model.live) this.#toned = [];
    if (this.#aspect === aspect) return; // nothing that the browser would have to lay out again
    this.#aspect = aspect;
    root.style.setProperty("--aspect", String(aspect));
    const narrow = aspect < 0.8 ? "tall" : aspect < 1.15 ? "square" : "";
    root.dataset.shape = aspect > 2.1 ? "wide" : narrow;
  }

  enter() {
    const { ui, state } = this.probe;
    const { block } = state;
    if (this.#grid === `${block.h} ${block.w}`) return; // a camera's next frame
    this.#grid = `${block.h} ${block.w}`;
    // An odd number of pixels to a cell: one of them sits on its centre and holds its value as it is.
    const half = Math.floor((OVERLAY_SIDE_PX / Math.max(block.h, block.w) - 1) / 2);
    this.lens = new Enlarger(block.h, block.w, 2 * Math.max(1, half) + 1);
    this.image = new ImageData(this.lens.width, this.lens.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    ui.overlay.width = this.lens.width;
    ui.overlay.height = this.lens.height;
    ui.stage.style.setProperty("--cell-w", `${100 / block.w}%`);
    ui.stage.style.setProperty("--cell-h", `${100 / block.h}%`);
  }

  drawHint() {
    const { ui, state } = this.probe;
    setText(
      ui.hint,
      MAPS[state.layer].hint ?? DIRECTIONS[directionOf(state)][isTouched() ? "touched" : "hint"],
    );
  }

  /** The picture itself, paler in colour the stronger the overlay, so that colour means attention. */
  drawPicture() {
    const { probe } = this;
    const { base, stage } = probe.ui;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.max(1, Math.round(stage.clientWidth * dpr));
    const height = Math.max(1, Math.round(stage.clientHeight * dpr));
    if (base.width !== width || base.height !== height) {
      base.width = width;
      base.height = height;
    }
    const pen = penOf(base);
    const { frame } = probe.state;
    this.pictureFrame = frame;
    const picture = probe.pictures[frame];
    if (!picture) {
      pen.fillStyle = "#777";
      pen.fillRect(0, 0, width, height);
    } else if (probe.many || probe.model.live) {
      pen.drawImage(this.#tonedFrame(frame, picture), 0, 0, width, height);
    } else {
      this.#tone(pen, picture, width, height);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Picture} picture
   * @param {number} width
   * @param {number} height
   */
  #tone(pen, picture, width, height) {
    const opacity = this.#opacity;
    const { grey, dark } = vocabulary.tone;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, width, height);
    pen.globalCompositeOperation = "saturation";
    pen.fillStyle = `rgba(128,128,128,${grey * opacity})`;
    pen.fillRect(0, 0, width, height);
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = `rgba(8,8,12,${dark * opacity})`;
    pen.fillRect(0, 0, width, height);
  }

  /** Of what lies over the picture: nothing does while a class guesses. */
  get #opacity() {
    const { veiled, opacity } = this.probe.state;
    return veiled ? 0 : opacity;
  }

  /** A frame as it is shown, made once and no larger than it is: while a clip plays, a frame costs one copy. */
  #tonedFrame(/** @type {number} */ frame, /** @type {Picture} */ picture) {
    const { model } = this.probe;
    if (this.#tonedAt !== this.#opacity) {
      this.#tonedAt = this.#opacity;
      this.#toned = [];
    }
    this.#toned[frame] ??= { canvas: document.createElement("canvas"), of: null };
    const toned = this.#toned[frame];
    if (toned.of !== picture) {
      const { canvas } = toned;
      const { width, height } = model;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      this.#tone(penOf(canvas), picture, width, height);
      toned.of = picture;
    }
    return toned.canvas;
  }

  /** Where the probe is, which way information goes, and whether that is in the frame on show. */
  drawMarks() {
    const { ui, state, model, answer } = this.probe;
    const { block, region } = state;
    if (!answer.subject) return;
    const { cell, cells } = answer.subject;
    const now = model.stepOf(state.frame, block);
    const rest = model.cellOf(state.point, block);
    ui.rest.dataset.elsewhere = rest.t !== now ? "yes" : "";
    this.#putMark(ui.rest, rest);
    this.#putMark(ui.hover, cell);
    this.#putArrow(cells || { row0: cell.row, row1: cell.row, col0: cell.col, col1: cell.col });
    ui.hover.hidden = !state.hover || !!cells;
    ui.rest.hidden = (!!region && !state.pinned) || answer.subject.token !== null;
    ui.rest.dataset.pinned = state.pinned ? "yes" : "";
  }

  /** In pixels of the stage: multiples of a mark's own size, which browsers round, would drift. */
  #putMark(/** @type {HTMLElement} */ mark, /** @type {Cell} */ cell) {
    const { state, stageSize } = this.probe;
    const { width, height } = stageSize;
    const { block } = state;
    mark.style.transform = `translate(${(cell.col * width) / block.w}px, ${(cell.row * height) / block.h}px)`;
  }

  /** At a corner of the place, pointing into it or out of it; the corner that has room. */
  #putArrow(/** @type {Rectangle} */ { row0, row1, col0, col1 }) {
    const { ui, state, stageSize } = this.probe;
    const { block } = state;
    const { width, height } = stageSize;
    const right = ((col1 + 1) * width) / block.w;
    const top = (row0 * height) / block.h;
    const left = right + ROOM_PX > width;
    const below = top < ROOM_PX;
    const x = left ? (col0 * width) / block.w : right;
    const y = below ? ((row1 + 1) * height) / block.h : top;
    ui.arrow.style.transform = `translate(${x}px, ${y}px) scale(${left ? -1 : 1}, ${below ? -1 : 1})`;
  }

  /** The large map; what was drawn. @param {import("../screen.js").Screen} screen @returns {Drawn} */
  drawMap(screen) {
    const { probe } = this;
    const { state, ui, answer, model } = probe;
    const { block } = state;
    const { kind, i, title } = screen;
    const overlay = OVERLAYS[kind];
    const asked = isOfPlace(screen);
    const maps = overlay.maps(block, answer);
    const top = probe.top(kind, i);
    const values = this.lens.enlarge(maps, probe.offset(i, state.frame), top);
    this.mapFrame = state.frame;
    const words = probe.overlayWords.of(overlay.colours, state.opacity);
    const { pixels } = this;
    for (let j = 0; j < values.length; j++) pixels[j] = words[values[j]];
    this.pen.putImageData(this.image, 0, 0);

    const peak = overlay.peak(block, answer, i);
    const half = overlay.half?.(block, answer, i);
    const part = half === undefined ? "" : `${halfFrom(percent(half / block.span), model.whole)}, `;
    setText(ui.what, title);
    ui.back.hidden = asked || !!state.preview;
    const { subject } = answer;
    const elsewhere =
      subject !== null && (subject.cells || subject.cell).t !== model.stepOf(state.frame, block);
    ui.arrow.hidden = !asked || elsewhere || subject?.token != null; // in another frame, or beside the picture
    setAttr(ui.overlay, "aria-label", `${model.alt}. ${title}: ${part}${MAPS[kind].numbers(percent(peak))}`);
    return { kind, maps, start: asked ? 0 : i * block.N, top, peak };
  }
}
