/*
 * All frames of a clip at a glance, each small with its map.
 */

import { COLOUR_OF } from "../colours.js";
import { closest, focused, make, makeButton, rove, setAttr, setText } from "../dom.js";
import { clamp, percent, seconds } from "../numbers.js";
import { Miniature, penOf } from "../paint.js";
import { CLIP, MAPS } from "../words.js";

/** @typedef {{ kind: import("../colours.js").Kind, maps: Float32Array, start: number, top: number }} Painting */
/** @typedef {{ button: HTMLButtonElement, share: HTMLElement }} Tile */

const EVERY_MS = 150; // at most this often while the pointer moves or the clip plays
const TILE_PX = 88; // narrowest of the small frames

export class Strip {
  /** @type {Tile[]} by frame */
  #tiles = [];
  /** @type {Miniature[]} by frame */
  #minis = [];
  /** @type {import("../model.js").Block | null} that the miniatures are of */
  #block = null;
  #across = 0; // tiles in one line
  #drawnAt = 0;
  /** @type {ReturnType<typeof setTimeout> | 0} */
  #later = 0;

  /**
   * @param {import("../probe.js").Probe} probe
   * @param {(frame: number) => void} jump
   */
  constructor(probe, jump) {
    this.probe = probe;
    const { ui, state, stop } = probe;
    const { signal } = stop;
    ui.strip.addEventListener(
      "click",
      (event) => {
        const button = closest(event, "button");
        const t = this.#tiles.findIndex((tile) => tile.button === button);
        if (t >= 0) jump(t);
      },
      { signal },
    );
    ui.strip.addEventListener(
      "keydown",
      (event) => {
        /** @type {Record<string, number>} */
        const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.#across, ArrowUp: -this.#across };
        const by = steps[event.key];
        if (!by) return;
        event.preventDefault();
        jump(state.frame + by);
        this.#tiles[state.frame].button.focus();
      },
      { signal },
    );
  }

  load() {
    const { ui, model, many } = this.probe;
    this.#minis = [];
    this.#block = null;
    this.#across = 0;
    for (const { button } of this.#tiles) button.remove();
    this.#tiles = !many
      ? []
      : model.frames.map((_, t) => {
          const button = makeButton("", ui.strip);
          make("span", "", button).textContent = seconds(model.times[t]);
          return { button, share: make("b", "", button) };
        });
    const buttons = this.#tiles.map((tile) => tile.button);
    rove(buttons, buttons[0]);
  }

  /** Draws now, or soon where it was drawn just now. @param {Painting} painting @param {ArrayLike<number>} shares */
  follow(painting, shares) {
    this.painting = painting;
    this.shares = shares;
    const wait = EVERY_MS - (performance.now() - this.#drawnAt);
    if (wait <= 0) this.#draw();
    else this.#later ||= setTimeout(() => this.#draw(), wait);
  }

  #draw() {
    const { probe, painting, shares } = this;
    const { state, model, many, ui } = probe;
    clearTimeout(this.#later);
    this.#later = 0;
    if (!many || !painting || !shares || probe.stop.signal.aborted) return;
    this.#drawnAt = performance.now();
    this.#paint(painting);
    const words = MAPS[painting.kind].moments;
    this.#tiles.forEach(({ button, share }, t) => {
      const text = percent(shares[t]);
      setText(share, text);
      setAttr(button, "aria-label", CLIP.tile(t + 1, seconds(model.times[t]), text, words.tile));
      setAttr(button, "aria-pressed", String(t === state.frame));
    });
    const buttons = this.#tiles.map((tile) => tile.button);
    const active = focused(probe.root);
    if (!active || !ui.strip.contains(active)) rove(buttons, buttons[state.frame]);
  }

  /** @param {Painting} painting */
  #paint({ kind, maps, start, top }) {
    const { ui, state, model, pictures } = this.probe;
    const { block } = state;
    const side = TILE_PX * 1.5 * clamp(window.devicePixelRatio || 1, 1, 2);
    if (this.#block !== block) {
      this.#minis = model.frames.map(() => new Miniature(block.h, block.w, side));
      this.#block = block;
    }
    this.#layOut(this.#minis[0]);
    const pen = penOf(ui.stripCanvas);
    const size = block.h * block.w;
    this.#minis.forEach((mini, t) => {
      const picture = pictures[t];
      if (picture) mini.setPicture(picture);
      const image = mini.image(maps, start + model.stepOf(t, block) * size, top, COLOUR_OF[kind]);
      pen.putImageData(image, (t % this.#across) * mini.width, Math.floor(t / this.#across) * mini.height);
    });
  }

  /** @param {Miniature} mini */
  #layOut(mini) {
    const { ui, model } = this.probe;
    const count = model.frames.length;
    const aspect = clamp(model.width / model.height, 0.6, 1);
    const most = Math.max(1, Math.floor(ui.strip.clientWidth / (TILE_PX * aspect)));
    const across = Math.ceil(count / Math.ceil(count / Math.min(count, most)));
    const down = Math.ceil(count / across);
    const [width, height] = [across * mini.width, down * mini.height];
    if (this.#across === across && ui.stripCanvas.width === width && ui.stripCanvas.height === height) return;
    this.#across = across;
    Object.assign(ui.stripCanvas, { width, height });
    ui.strip.style.setProperty("--across", String(across));
    ui.strip.style.aspectRatio = `${across * model.width} / ${down * model.height}`;
  }

  /** Whether all that was asked for is drawn. */
  get ready() {
    return !this.#later;
  }

  destroy() {
    clearTimeout(this.#later);
  }
}
