/*
 * A clip over time: playing and scrubbing, and how much comes from each moment. A picture shows none of it.
 *
 * It decides which frame is on show and when.
 */

import { make, setAttr, setText } from "../dom.js";
import { clamp, percent, seconds } from "../numbers.js";
import { OVERLAYS } from "../overlays.js";
import { SPEEDS } from "../state.js";
import { CLIP, MAPS, speed } from "../words.js";
import { Strip } from "./strip.js";

const SETTLE_MS = 160; // after the last change of frame the small maps follow
const LONGEST_PAUSE_S = 2; // between two frames when played as filmed
const EARLY_MS = 4; // that a frame may come before its time

export class Timeline {
  playing = false;
  /** @type {Float64Array | null} of the map, by frame */
  shares = null;
  /** @type {{ bar: HTMLElement, slot: HTMLElement, shown: string }[]} by frame */
  #bars = [];
  /** @type {ReturnType<typeof setTimeout> | 0} */
  #settling = 0;
  #loop = 0;
  #due = 0; // when the next frame is to be shown

  /** @param {import("../probe.js").Probe} probe */
  constructor(probe) {
    this.probe = probe;
    this.strip = new Strip(probe, (frame) => this.jump(frame));
    const { ui, stop } = probe;
    const { signal } = stop;
    for (const value of SPEEDS) {
      Object.assign(make("option", "", ui.speed), { value, textContent: speed(value) });
    }
    ui.play.addEventListener("click", () => this.play(!this.playing), { signal });
    ui.frame.addEventListener(
      "input",
      () => {
        this.play(false);
        this.show(Number(ui.frame.value));
      },
      { signal },
    );
    ui.speed.addEventListener("change", () => probe.setting({ speed: Number(ui.speed.value) }), { signal });
    ui.bars.addEventListener(
      "click",
      (event) => {
        const box = ui.bars.getBoundingClientRect();
        this.jump(Math.floor(((event.clientX - box.left) / box.width) * this.#count));
      },
      { signal },
    );
  }

  get #count() {
    return this.probe.model.frames.length;
  }

  /** A new payload: what has one part for each frame is built anew. */
  load() {
    const { ui, root, many } = this.probe;
    this.play(false);
    this.#cancel();
    for (const part of [ui.clip, ui.strip]) if (part.hidden === many) part.hidden = !many;
    setAttr(root, "data-clip", many ? "yes" : "");
    this.#bars = [];
    ui.bars.replaceChildren();
    this.strip.load();
    if (!many) return;
    ui.frame.max = String(this.#count - 1);
    ui.clip.style.setProperty("--frames", String(this.#count));
    this.#bars = Array.from({ length: this.#count }, () => {
      const slot = make("i", "", ui.bars);
      return { slot, bar: make("b", "", slot), shown: "" };
    });
  }

  // ---- which frame is on show

  /** What is under the pointer, and the place at rest unless pinned, go along. @param {number} frame */
  show(frame) {
    const { probe } = this;
    const { state } = probe;
    state.frame = clamp(frame, 0, this.#count - 1);
    if (state.hover) state.hover = { ...state.hover, frame: state.frame };
    if (!state.pinned) {
      probe.rest = { ...state.point, frame: state.frame };
      state.point = probe.rest;
    }
    probe.schedule("picture", "probe");
    clearTimeout(this.#settling);
    this.#settling = this.playing ? 0 : setTimeout(() => this.settle(), SETTLE_MS);
  }

  /** The small maps follow the frame on show. */
  settle() {
    const { probe } = this;
    this.#cancel();
    if (probe.stop.signal.aborted) return;
    probe.state.still = probe.state.frame;
    probe.schedule("all", "picture");
  }

  #cancel() {
    clearTimeout(this.#settling);
    this.#settling = 0;
  }

  /** @param {number} frame */
  jump(frame) {
    this.play(false);
    this.show(frame);
  }

  /** @param {boolean} on */
  play(on) {
    if (on === this.playing || (on && !this.probe.many)) return;
    const { ui } = this.probe;
    this.playing = on;
    ui.play.dataset.playing = on ? "yes" : "";
    setAttr(ui.play, "aria-label", on ? CLIP.pause : CLIP.play);
    cancelAnimationFrame(this.#loop);
    if (on) {
      this.#cancel();
      this.#due = 0;
      this.#loop = requestAnimationFrame((now) => this.#tick(now));
    } else this.settle();
  }

  /** No frame is left out: a slow machine plays slower. @param {number} now */
  #tick(now) {
    if (!this.playing || this.probe.stop.signal.aborted) return;
    const wait = this.#interval_ms();
    this.#due ||= now + wait;
    if (now >= this.#due - EARLY_MS) {
      this.#due = Math.max(this.#due + wait, now);
      this.show((this.probe.state.frame + 1) % this.#count);
    }
    this.#loop = requestAnimationFrame((later) => this.#tick(later));
  }

  #interval_ms() {
    const { state, model } = this.probe;
    if (state.speed) return 1000 / state.speed;
    const { times } = model;
    const mean = (times[times.length - 1] - times[0]) / (this.#count - 1);
    const here = state.frame + 1 < this.#count ? times[state.frame + 1] - times[state.frame] : mean;
    return 1000 * clamp(here, 0.02, LONGEST_PAUSE_S);
  }

  /** Space, comma and full stop; true when the key was one of them. @param {KeyboardEvent} event */
  key(event) {
    if (!this.probe.many) return false;
    if (event.key === " ") this.play(!this.playing);
    else if (event.key === "," || event.key === ".")
      this.jump(this.probe.state.frame + (event.key === "." ? 1 : -1));
    else return false;
    return true;
  }

  // ---- drawing

  /** The position of the player. */
  drawNow() {
    const { ui, state, model, many } = this.probe;
    if (!many) return;
    const at = CLIP.at(state.frame + 1, this.#count, seconds(model.times[state.frame]));
    ui.frame.value = String(state.frame);
    setAttr(ui.frame, "aria-valuetext", at);
    setText(ui.frameOut, at);
    if (Number(ui.speed.value) !== state.speed) ui.speed.value = String(state.speed);
    const place = state.hover || state.point;
    this.#bars.forEach(({ slot }, t) => {
      setAttr(slot, "data-now", t === state.frame ? "yes" : "");
      setAttr(slot, "data-place", t === place.frame ? "yes" : "");
    });
  }

  /**
   * The map over time.
   * @param {import("./strip.js").Painting} painting `maps` holds T maps one after the other from `start`; `top` is
   *   painted brightest
   */
  follow(painting) {
    const { ui, state, model, many } = this.probe;
    if (!many) return;
    const { kind, maps, start } = painting;
    const { block } = state;
    const size = block.h * block.w;
    const whole = OVERLAYS[kind].whole(block, maps);
    const shares = Float64Array.from({ length: this.#count }, (_, frame) => {
      const at = start + model.stepOf(frame, block) * size;
      let sum = 0;
      for (let j = at; j < at + size; j++) sum += maps[j];
      return sum / whole;
    });
    this.shares = shares;
    const most = shares.reduce((a, b) => Math.max(a, b), 1e-12);
    this.#bars.forEach((entry, t) => {
      const height = `scaleY(${(shares[t] / most).toFixed(3)})`;
      if (entry.shown === height) return;
      entry.bar.style.transform = height;
      entry.shown = height;
    });
    setText(ui.momentsTitle, MAPS[kind].moments.title);
    const when = seconds(model.times[shares.indexOf(most)]);
    setText(ui.moments, CLIP.moments(percent(shares[state.frame]), percent(most), when));
    setAttr(ui.bars, "data-kind", kind);
    this.strip.follow(painting, shares);
  }

  /** Whether all that was asked for is drawn. */
  get ready() {
    return !this.#settling && this.strip.ready;
  }

  destroy() {
    this.play(false);
    this.#cancel();
    this.strip.destroy();
  }
}
