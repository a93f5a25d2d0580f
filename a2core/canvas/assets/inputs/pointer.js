/*
 * The mouse or a pen on the picture: hover, click, and a box by a drag. What a finger does goes on to touch.js.
 */

import { clamp } from "../numbers.js";
import { Touch } from "./touch.js";

/** @typedef {import("../probe.js").Probe} Probe */
/** @typedef {import("../model.js").Point} Point */
/** @typedef {{ id: number, at: [number, number], from: Point, box: boolean }} Pressed */

const DRAG_PX = 6; // the mouse has to go this far before a press becomes a box

export class Pointer {
  /** @type {Pressed | null} */
  pressed = null;
  #swallow = false; // the click that ends a drag is none

  /** @param {Probe} probe */
  constructor(probe) {
    this.probe = probe;
    this.touch = new Touch(probe, this);
    const { stage } = probe.ui;
    const { signal } = probe.stop;
    const on = (/** @type {string} */ type, /** @type {"press" | "move" | "release"} */ act) =>
      stage.addEventListener(
        type,
        (event) =>
          event instanceof PointerEvent && (event.pointerType === "touch" ? this.touch : this)[act](event),
        { signal },
      );
    on("pointerdown", "press");
    on("pointermove", "move");
    on("pointerup", "release");
    on("pointercancel", "release");
    stage.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && probe.leave(), {
      signal,
    });
    stage.addEventListener("click", (event) => this.click(event), { signal });
  }

  /** Another picture: nothing is pressed on it. */
  load() {
    this.pressed = null;
    this.touch.cancel();
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

  /** A box from one point to another, both inside it. @param {Point} from @param {Point} to */
  boxTo(from, to) {
    const { model, state } = this.probe;
    const { block } = state;
    this.probe.setRegion(model.regionOf(model.cellOf(from, block), model.cellOf(to, block), block));
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.drag(event)) return;
    this.probe.eventAt ||= performance.now();
    this.probe.hover(this.pointAt(event));
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.#swallow = false;
    if (event.button !== 0 || !event.isPrimary) return;
    this.pressed = {
      id: event.pointerId,
      at: [event.clientX, event.clientY],
      from: this.pointAt(event),
      box: false,
    };
  }

  /** True while the pointer draws a box. @param {PointerEvent} event */
  drag(event) {
    const { pressed } = this;
    if (!pressed || event.pointerId !== pressed.id) return false;
    if (!pressed.box) {
      const [x, y] = pressed.at;
      if (!(event.buttons & 1)) this.pressed = null; // let go outside
      if (!this.pressed || Math.hypot(event.clientX - x, event.clientY - y) < DRAG_PX) return false;
      pressed.box = true;
      this.probe.ui.stage.setPointerCapture(pressed.id);
      this.probe.touch();
    }
    this.boxTo(pressed.from, this.pointAt(event));
    return true;
  }

  /** @param {PointerEvent} event */
  release(event) {
    const { pressed, probe } = this;
    if (!pressed || event.pointerId !== pressed.id) return;
    this.pressed = null;
    if (!pressed.box) return;
    this.#swallow = event.type === "pointerup";
    probe.reportView();
    probe.schedule("say");
  }

  /** @param {MouseEvent} event */
  click(event) {
    const { probe } = this;
    if (this.touch.answered()) return;
    if (this.#swallow) {
      this.#swallow = false;
      return;
    }
    probe.touch();
    probe.pin(this.pointAt(event), event.shiftKey);
  }

  destroy() {
    this.touch.destroy();
  }
}
