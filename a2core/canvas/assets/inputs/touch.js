/*
 * A finger on the picture: it probes while it moves, a tap marks, a long press begins a box. Two fingers are the
 * browser's, which zooms the page, and change nothing here. Beside the picture the page scrolls as any page does.
 */

/** @typedef {import("../probe.js").Probe} Probe */
/** @typedef {import("../model.js").Point} Point */
/** @typedef {import("./pointer.js").Pointer} Pointer */
/**
 * @typedef {object} Pressed
 * @property {number} id of the pointer
 * @property {[number, number]} at where it went down, in the window
 * @property {Point} from the same in the picture
 * @property {Point | null} before what was hovered before
 * @property {import("../model.js").Region | null} region the box before
 * @property {boolean} moved
 * @property {boolean} box whether it draws one
 */

const HOLD_MS = 600; // a touch this long, without moving, begins a box
const SLOP_PX = 10; // the tip of a finger is never quite still

export class Touch {
  /** @type {Pressed | null} */
  pressed = null;
  /** @type {[number, number] | null} where in the window the finger is that probes */
  finger = null;
  #down = new Set(); // all fingers on the picture
  #answered = false; // the click that follows a tap has been answered
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Probe} probe @param {Pick<Pointer, "pointAt" | "boxTo">} pointer */
  constructor(probe, pointer) {
    this.probe = probe;
    this.pointer = pointer;
    // What a long press would open; a box begins instead.
    probe.ui.stage.addEventListener("contextmenu", (event) => this.pressed && event.preventDefault(), {
      signal: probe.stop.signal,
    });
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.#answered = false;
    if (event.isPrimary) this.#down.clear(); // whatever was missed of earlier ones
    this.#down.add(event.pointerId);
    if (this.#down.size > 1) {
      this.cancel();
      return;
    }
    const { state } = this.probe;
    const from = this.pointer.pointAt(event);
    const pressed = {
      id: event.pointerId,
      at: /** @type {[number, number]} */ ([event.clientX, event.clientY]),
      from,
      before: state.hover,
      region: state.region,
      moved: false,
      box: false,
    };
    this.pressed = pressed;
    this.#probeAt(event, from);
    this.#timer = setTimeout(() => this.#begin(pressed), HOLD_MS);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { pressed } = this;
    if (!pressed || event.pointerId !== pressed.id) return;
    const [x, y] = pressed.at;
    if (!pressed.moved && Math.hypot(event.clientX - x, event.clientY - y) < SLOP_PX) return;
    pressed.moved = true;
    clearTimeout(this.#timer);
    const point = this.pointer.pointAt(event);
    if (pressed.box) {
      this.finger = [event.clientX, event.clientY];
      this.pointer.boxTo(pressed.from, point);
    } else this.#probeAt(event, point);
  }

  /** The finger is lifted: what it showed last stays, a tap marks. @param {PointerEvent} event */
  release(event) {
    this.#down.delete(event.pointerId);
    const { pressed, probe } = this;
    if (!pressed || event.pointerId !== pressed.id) return;
    if (event.type === "pointercancel") {
      this.cancel();
      return;
    }
    this.#end();
    this.#answered = true;
    if (!pressed.moved) {
      if (pressed.box) probe.setRegion(pressed.region);
      probe.state.hover = null;
      probe.pin(pressed.from);
    } else if (pressed.box) probe.reportView();
    probe.schedule("say");
  }

  /** Another finger, another picture, a turned phone: as if there had been no touch. */
  cancel() {
    const { pressed, probe } = this;
    if (!pressed) return;
    this.#end();
    if (pressed.box) probe.setRegion(pressed.region);
    probe.state.hover = pressed.before;
  }

  /** Whether a click is the end of what was just answered. */
  answered() {
    const answered = this.#answered;
    this.#answered = false;
    return answered;
  }

  /** @param {Pressed} pressed */
  #begin(pressed) {
    if (this.pressed !== pressed || this.probe.stop.signal.aborted) return;
    pressed.box = true;
    this.pointer.boxTo(pressed.from, pressed.from);
  }

  /** @param {PointerEvent} event @param {Point} point */
  #probeAt(event, point) {
    const { probe } = this;
    this.finger = [event.clientX, event.clientY];
    probe.eventAt ||= performance.now();
    probe.hover(point);
  }

  #end() {
    clearTimeout(this.#timer);
    this.pressed = null;
    this.finger = null;
    this.probe.schedule("probe");
  }

  destroy() {
    clearTimeout(this.#timer);
  }
}
