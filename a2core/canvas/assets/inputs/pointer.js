/*
 * The mouse, a pen or a finger on the picture: hover, click, and a box by a drag.
 */

import { clamp } from "../numbers.js";
import { Touch } from "./touch.js";

/** @typedef {import("../probe.js").Probe} Probe */
/** @typedef {import("../model.js").Point} Point */
/** @typedef {{ id: number, at: [number, number], from: Point, box: boolean, touch: boolean }} Pressed */

const DRAG_PX = 6; // the mouse has to go this far before a press becomes a box

export class Pointer {
  /** @type {Pressed | null} */
  pressed = null;
  #swallow = false; // the click that ends a drag is none

  /** @param {Probe} probe */
  constructor(probe) {
    this.probe = probe;
    this.touch = new Touch(probe, {
      touching: () => !!this.pressed?.touch,
      drawing: () => !!this.pressed?.box,
    });
    const { stage } = probe.ui;
    const { signal } = probe.stop;
    stage.addEventListener("pointerdown", (event) => this.press(event), { signal });
    stage.addEventListener("pointermove", (event) => this.move(event), { signal });
    stage.addEventListener("pointerup", (event) => this.release(event), { signal });
    stage.addEventListener("pointercancel", (event) => this.release(event), { signal });
    stage.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && probe.leave(), {
      signal,
    });
    stage.addEventListener("click", (event) => this.click(event), { signal });
  }

  /** Another picture: nothing is pressed on it. */
  load() {
    this.pressed = null;
  }

  /** @param {MouseEvent} event @returns {Point} */
  pointAt(event) {
    const { ui, model, state } = this.probe;
    const box = ui.stage.getBoundingClientRect();
    const { width, height } = model;
    return {
      frame: state.frame,
      x: clamp(((event.clientX - box.left) / box.width) * width, 0, width - 1e-6),
      y: clamp(((event.clientY - box.top) / box.height) * height, 0, height - 1e-6),
    };
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.drag(event) || event.pointerType === "touch") return;
    this.probe.eventAt ||= performance.now();
    this.probe.hover(this.pointAt(event));
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.#swallow = false;
    if (event.button !== 0 || !event.isPrimary) return;
    const touch = event.pointerType === "touch";
    /** @type {Pressed} */
    const pressed = {
      id: event.pointerId,
      at: [event.clientX, event.clientY],
      from: this.pointAt(event),
      box: false,
      touch,
    };
    this.pressed = pressed;
    if (!touch) return;
    this.touch.hold(() => {
      if (this.pressed !== pressed) return;
      this.#startBox(pressed);
      this.#boxTo(pressed, pressed.from);
    });
  }

  /** True while the pointer draws a box. @param {PointerEvent} event */
  drag(event) {
    const { pressed } = this;
    if (!pressed || event.pointerId !== pressed.id) return false;
    if (!pressed.box) {
      const [x, y] = pressed.at;
      const far = Math.hypot(event.clientX - x, event.clientY - y) >= DRAG_PX;
      if (!(event.buttons & 1)) this.pressed = null; // let go outside
      if (pressed.touch && far) {
        this.touch.letGo(); // a scroll
        this.pressed = null;
      }
      if (!this.pressed || !far || pressed.touch) return false;
      this.#startBox(pressed);
    }
    this.#boxTo(pressed, this.pointAt(event));
    return true;
  }

  /** @param {Pressed} pressed */
  #startBox(pressed) {
    pressed.box = true;
    this.probe.ui.stage.setPointerCapture(pressed.id);
    this.probe.touch();
  }

  /** @param {Pressed} pressed @param {Point} point */
  #boxTo(pressed, point) {
    const { model, state } = this.probe;
    const { block } = state;
    this.probe.setRegion(
      model.regionOf(model.cellOf(pressed.from, block), model.cellOf(point, block), block),
    );
  }

  /** @param {PointerEvent} event */
  release(event) {
    const { pressed, probe } = this;
    if (!pressed || event.pointerId !== pressed.id) return;
    this.pressed = null;
    this.touch.letGo();
    if (!pressed.box) return;
    this.#swallow = event.type === "pointerup";
    probe.reportView();
    probe.schedule("say");
  }

  /** @param {MouseEvent} event */
  click(event) {
    const { probe } = this;
    if (this.#swallow) {
      this.#swallow = false;
      return;
    }
    probe.touch();
    const point = this.pointAt(event);
    const { block, hover } = probe.state;
    if (event instanceof PointerEvent && event.pointerType === "touch") {
      const at = (/** @type {Point} */ p) => block.index(probe.model.cellOf(p, block));
      const again = hover && at(hover) === at(point);
      probe.state.hover = point;
      probe.schedule("probe");
      if (!again) return;
    }
    probe.pin(point, event.shiftKey);
  }

  destroy() {
    this.touch.letGo();
  }
}
