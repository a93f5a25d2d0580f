/*
 * The picture on screen as a file: as it is painted, marks and all, and under it what it shows. Where fingers are, the
 * system's own sheet takes it; elsewhere, or where there is none, it is saved.
 *
 * Not in here: the figure for a paper, which Python makes (a2core/export/figure.py).
 */

import { isTouched, make, setText } from "../dom.js";
import { OVERLAYS } from "../overlays.js";
import { penOf } from "../paint.js";
import { captionOf, screenOf } from "../screen.js";
import { subjectOf } from "../state.js";
import { SHARE } from "../words.js";

const TYPE_PX = 14;
const LINE_PX = 20;
const EDGE_PX = 12; // of paper round the words
const TICK_PX = [5, 16]; // of the cross round a pin: from there to there beyond its cell
const ARROW = "M19 3 5 17M5 8v9h9"; // as canvas.css has it, in a square of 22 beside the corner
const ARROW_PX = 22;
const BREAKS = /(?= )|(?<=[\u3000-\u9fff\uff00-\uffef])(?![ ，。、：；？！）”])/;

/**
 * A text in lines that are not wider than `width`; a word is never cut. Chinese breaks after any sign, but not before
 * one that ends something.
 * @param {string} text
 * @param {number} width
 * @param {(text: string) => number} measure
 */
export function linesOf(text, width, measure) {
  /** @type {string[]} */
  const lines = [];
  for (const piece of text.split(BREAKS)) {
    const longer = (lines.at(-1) ?? "") + piece;
    if (lines.length && measure(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(piece.trimStart());
  }
  return lines;
}

export class Share {
  #saved = ""; // the address of what was saved last: the browser may still be reading it

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    probe.ui.share.addEventListener("click", () => this.share(), { signal: probe.stop.signal });
  }

  async share() {
    const { shared } = this.probe.ui;
    setText(shared, "");
    const file = await this.#file();
    if (!file) {
      setText(shared, SHARE.noPicture);
    } else if (!isTouched() || !navigator.canShare?.({ files: [file] })) {
      this.#save(file);
    } else {
      try {
        await navigator.share({ files: [file] });
      } catch (fault) {
        if (fault instanceof DOMException && fault.name === "AbortError") return; // thought better of it
        this.#save(file);
        setText(shared, SHARE.savedInstead);
      }
    }
  }

  /** @param {File} file */
  #save(file) {
    URL.revokeObjectURL(this.#saved);
    this.#saved = URL.createObjectURL(file);
    const link = make("a");
    Object.assign(link, { href: this.#saved, download: file.name });
    link.click();
  }

  /** The picture as a PNG; null where the browser has no room for one. @returns {Promise<File | null>} */
  #file() {
    const { state, model, answer } = this.probe;
    const subject = answer.subject ?? subjectOf(state, model);
    const screen = screenOf(state, model, subject);
    const canvas = this.#painted(captionOf(screen, subject, state, model));
    const primitive = OVERLAYS[screen.kind].of === "primitive" ? `-g${screen.i}` : "";
    const name = `${state.block.name}-${screen.kind}${primitive}.png`;
    return new Promise((resolve) =>
      canvas.toBlob((blob) => resolve(blob && new File([blob], name, { type: blob.type })), "image/png"),
    );
  }

  /** @param {string[]} caption its title first */
  #painted(caption) {
    const { root, ui, state } = this.probe;
    const { base, overlay, stage } = ui;
    const px = base.width / stage.clientWidth; // of the file to one on screen
    const canvas = make("canvas");
    const pen = penOf(canvas);
    const { fontFamily } = getComputedStyle(root);
    const font = (/** @type {number} */ k) => `${k ? 400 : 600} ${TYPE_PX}px ${fontFamily}`;
    const lines = caption.flatMap((text, k) => {
      pen.font = font(k);
      const room = stage.clientWidth - 2 * EDGE_PX;
      return linesOf(text, room, (part) => pen.measureText(part).width).map((line) => ({ line, k }));
    });
    canvas.width = base.width;
    canvas.height = base.height + Math.ceil((lines.length * LINE_PX + 2 * EDGE_PX) * px);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(base, 0, 0);
    pen.imageSmoothingQuality = "high";
    if (!state.veiled) pen.drawImage(overlay, 0, 0, base.width, base.height);
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, base.width, base.height);
    pen.clip();
    pen.scale(px, px);
    this.#drawMarks(pen);
    pen.restore();
    pen.setTransform(px, 0, 0, px, 0, base.height);
    pen.fillStyle = "#22242b";
    pen.textBaseline = "middle";
    lines.forEach(({ line, k }, row) => {
      pen.font = font(k);
      pen.fillText(line, EDGE_PX, EDGE_PX + (row + 0.5) * LINE_PX);
    });
    return canvas;
  }

  /** What lies over the picture, read off the page, in its pixels. @param {CanvasRenderingContext2D} pen */
  #drawMarks(pen) {
    const { ui } = this.probe;
    const corner = ui.stage.getBoundingClientRect();
    const boxOf = (/** @type {Element} */ mark) => {
      const { x, y, width, height } = mark.getBoundingClientRect();
      return new DOMRect(x - corner.x, y - corner.y, width, height);
    };
    for (const mark of [ui.rest, ui.hover, ui.box]) {
      if (mark.hidden) continue;
      pen.globalAlpha = Number(getComputedStyle(mark).opacity);
      const { borderTopStyle } = getComputedStyle(mark.firstElementChild ?? mark);
      drawOutline(pen, boxOf(mark), borderTopStyle === "dashed", mark.dataset.pinned === "yes");
      pen.globalAlpha = 1;
    }
    if (!ui.arrow.hidden) this.#drawArrow(pen);
    for (const mark of ui.stage.querySelectorAll(".a2c-pin:not([hidden])")) drawPin(pen, mark, boxOf(mark));
  }

  /** @param {CanvasRenderingContext2D} pen */
  #drawArrow(pen) {
    const { root, ui } = this.probe;
    const { a, d, e, f } = new DOMMatrix(getComputedStyle(ui.arrow).transform);
    pen.save();
    pen.transform(a, 0, 0, d, e, f);
    pen.translate(1, -1 - ARROW_PX);
    if (root.dataset.direction === "to") pen.transform(-1, 0, 0, -1, ARROW_PX, ARROW_PX);
    pen.lineCap = "round";
    pen.lineJoin = "round";
    stroke(pen, new Path2D(ARROW), 2.4);
    pen.restore();
  }

  destroy() {
    URL.revokeObjectURL(this.#saved);
  }
}

/** White on a dark edge, which is seen over any map. @param {CanvasRenderingContext2D} pen @param {Path2D} path */
function stroke(pen, path, /** @type {number} */ width) {
  pen.lineWidth = width + 2;
  pen.strokeStyle = "rgb(0 0 0 / .7)";
  pen.stroke(path);
  pen.lineWidth = width;
  pen.strokeStyle = "#fff";
  pen.stroke(path);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {DOMRect} box
 * @param {boolean} dashed
 * @param {boolean} pinned
 */
function drawOutline(pen, { left, top, right, bottom, width, height }, dashed, pinned) {
  const path = new Path2D();
  path.rect(left + 1, top + 1, width - 2, height - 2);
  if (pinned) {
    const [x, y] = [left + width / 2, top + height / 2];
    const [near, far] = TICK_PX;
    for (const [x0, y0, x1, y1] of [
      [x, top - far, x, top - near],
      [x, bottom + near, x, bottom + far],
      [left - far, y, left - near, y],
      [right + near, y, right + far, y],
    ]) {
      path.moveTo(x0, y0);
      path.lineTo(x1, y1);
    }
  }
  pen.setLineDash(dashed ? [4, 3] : []);
  stroke(pen, path, dashed ? 1.5 : 2);
  pen.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} pen @param {Element} mark @param {DOMRect} box */
function drawPin(pen, mark, { x, y, width }) {
  const { backgroundColor, borderTopColor, color, fontFamily, outlineColor, outlineStyle } =
    getComputedStyle(mark);
  const half = width / 2;
  if (outlineStyle !== "none") {
    pen.beginPath();
    pen.arc(x + half, y + half, half + 3, 0, 2 * Math.PI);
    pen.lineWidth = 2;
    pen.strokeStyle = outlineColor;
    pen.stroke();
  }
  const edge = borderTopColor === "rgb(255, 255, 255)" ? "rgb(0 0 0 / .7)" : "#fff";
  for (const [radius, paint] of /** @type {const} */ ([
    [half + 1, edge],
    [half, borderTopColor],
    [half - 2, backgroundColor],
  ])) {
    pen.beginPath();
    pen.arc(x + half, y + half, radius, 0, 2 * Math.PI);
    pen.fillStyle = paint;
    pen.fill();
  }
  pen.fillStyle = color;
  pen.font = `600 12px ${fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(mark.textContent ?? "", x + half, y + half);
  pen.textAlign = "start";
}
