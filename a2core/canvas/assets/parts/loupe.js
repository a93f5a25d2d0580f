/*
 * What is under the finger that hides it: the picture and the map around the place, larger, above the finger.
 */

import { make } from "../dom.js";
import { clamp } from "../numbers.js";
import { penOf } from "../paint.js";

const SIDE_PX = 120;
const ZOOM = 2;
const ABOVE_PX = 40; // of the tip of the finger
const EDGE_PX = 4;

export class Loupe {
  /** @param {import("../probe.js").Probe} probe @param {{ finger: [number, number] | null }} touch */
  constructor(probe, touch) {
    this.probe = probe;
    this.touch = touch;
    this.node = make("canvas", "a2c-loupe", probe.root);
    this.node.setAttribute("aria-hidden", "true");
    this.node.hidden = true;
  }

  draw() {
    const { node, touch, probe } = this;
    node.hidden = !touch.finger;
    if (!touch.finger) return;
    const [x, y] = touch.finger;
    const stage = probe.ui.stage.getBoundingClientRect();
    const root = probe.root.getBoundingClientRect();
    this.#paint((x - stage.left) / stage.width, (y - stage.top) / stage.height, stage);
    const left = clamp(x - SIDE_PX / 2, EDGE_PX, window.innerWidth - SIDE_PX - EDGE_PX);
    const above = y - SIDE_PX - ABOVE_PX;
    const top = above >= EDGE_PX ? above : y + ABOVE_PX;
    node.style.transform = `translate(${left - root.left}px, ${top - root.top}px)`;
  }

  /** @param {number} x @param {number} y fractions of the picture @param {DOMRect} stage */
  #paint(x, y, stage) {
    const { node, probe } = this;
    const { block } = probe.state;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    const side = Math.round(SIDE_PX * dpr);
    if (node.width !== side) Object.assign(node, { width: side, height: side });
    const pen = penOf(node);
    pen.fillStyle = "#777";
    pen.fillRect(0, 0, side, side);
    for (const layer of [probe.ui.base, probe.ui.overlay]) {
      const wide = ((SIDE_PX / ZOOM) * layer.width) / stage.width;
      const high = ((SIDE_PX / ZOOM) * layer.height) / stage.height;
      pen.drawImage(
        layer,
        x * layer.width - wide / 2,
        y * layer.height - high / 2,
        wide,
        high,
        0,
        0,
        side,
        side,
      );
    }
    const [w, h] = [(stage.width / block.w) * ZOOM * dpr, (stage.height / block.h) * ZOOM * dpr];
    const [col, row] = [Math.floor(x * block.w), Math.floor(y * block.h)];
    pen.lineWidth = 2 * dpr;
    pen.strokeStyle = "#fff";
    pen.strokeRect(side / 2 - (x * block.w - col) * w, side / 2 - (y * block.h - row) * h, w, h);
  }

  destroy() {
    this.node.remove();
  }
}
